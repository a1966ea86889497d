//! The verb *command*: change something. One enum for window, browser and command line.

use crate::batch::{Batch, BatchId, BatchPlan, Name, Product, Venue};
use crate::board::{Board, BoardId, Mac};
use crate::configuration::Reloaded;
use crate::health::ServerKind;
use crate::image::{Image, ImageId};
use crate::name::{Hostname, ProductCode, VenueCode};
use crate::nic::DeploymentChoice;
use crate::operator::{Operator, OperatorName, Password, Role};
use crate::profile::ProfileReport;
use crate::rehearsal::RehearsalPlan;
use crate::settings::Preferences;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// Something the operator wants changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Add a product.
    ProductAdd {
        /// Its code.
        code: ProductCode,
        /// Its name.
        name: String,
        /// Its hostname pattern.
        pattern: String,
    },
    /// Change a product; absent fields stay.
    ProductEdit {
        /// Which.
        code: ProductCode,
        /// New name.
        #[serde(default)]
        name: Option<String>,
        /// New pattern; refused while a batch of it runs.
        #[serde(default)]
        pattern: Option<String>,
    },
    /// Archive a product, or bring it back.
    ProductArchive {
        /// Which.
        code: ProductCode,
        /// True to archive.
        archived: bool,
    },
    /// Add a venue.
    VenueAdd {
        /// Its code.
        code: VenueCode,
        /// Its name.
        name: String,
        /// Where it is.
        #[serde(default)]
        location: String,
        /// Contact e-mail address.
        #[serde(default)]
        contact: String,
    },
    /// Change a venue; absent fields stay.
    VenueEdit {
        /// Which.
        code: VenueCode,
        /// New name.
        #[serde(default)]
        name: Option<String>,
        /// New location.
        #[serde(default)]
        location: Option<String>,
        /// New contact.
        #[serde(default)]
        contact: Option<String>,
    },
    /// Archive a venue, or bring it back.
    VenueArchive {
        /// Which.
        code: VenueCode,
        /// True to archive.
        archived: bool,
    },
    /// Import names; a dry run only reports what would happen.
    NamesImport {
        /// The product they belong to.
        product: ProductCode,
        /// The venue they belong to.
        venue: VenueCode,
        /// Where they come from.
        source: NameSource,
        /// Only preview.
        #[serde(default)]
        dry_run: bool,
    },
    /// Take a name from its board and make it available again.
    NameRelease {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        reason: String,
    },
    /// Never use a name again.
    NameRetire {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        reason: String,
    },
    /// Make a retired name available again.
    NameReinstate {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        reason: String,
    },
    /// Move a name to a new board: "014 gets a new board".
    NameReplace {
        /// Which.
        hostname: Hostname,
        /// The board that gets it; it is provisioned when it next asks.
        board: BoardId,
        /// Why, for the record.
        reason: String,
    },
    /// Delete an available name that was never used.
    NameDelete {
        /// Which.
        hostname: Hostname,
    },
    /// Import a golden image from a file on the station. Runs in the background.
    ImageAdd {
        /// Absolute path of the file.
        path: String,
        /// The product it is for.
        product: ProductCode,
        /// Its version.
        version: String,
        /// Free text.
        #[serde(default)]
        description: String,
        /// Make it the product's image once it is imported.
        #[serde(default)]
        activate: bool,
    },
    /// Stop an import and remove what it left.
    ImportCancel {
        /// Which import.
        import: String,
    },
    /// Make an image its product's image.
    ImageActivate {
        /// Which.
        image: ImageId,
    },
    /// Remove an image; refused while it is active or a batch needs it.
    ImageRemove {
        /// Which.
        image: ImageId,
    },
    /// Create a batch and reserve its names.
    BatchCreate(BatchPlan),
    /// Start a pending batch.
    BatchStart {
        /// Which.
        batch: BatchId,
    },
    /// Stop taking new boards.
    BatchPause {
        /// Which.
        batch: BatchId,
    },
    /// Take boards again.
    BatchResume {
        /// Which.
        batch: BatchId,
    },
    /// Give up: running boards are stopped, unused names returned.
    BatchCancel {
        /// Which.
        batch: BatchId,
    },
    /// Plan more boards and reserve their names.
    BatchExtend {
        /// Which.
        batch: BatchId,
        /// How many more.
        by: u32,
    },
    /// Give every failed board of the batch another attempt.
    BatchRetry {
        /// Which.
        batch: BatchId,
    },
    /// Put the batch at this place of the order, 1 first.
    BatchReorder {
        /// Which.
        batch: BatchId,
        /// The place.
        rank: u32,
    },
    /// Let a held board be provisioned, overwriting whatever is on its disk. One that the operator put
    /// on hold only goes on.
    BoardApprove {
        /// Which.
        board: BoardId,
    },
    /// Keep a board that is not being provisioned from it, until it is approved.
    BoardHold {
        /// Which.
        board: BoardId,
    },
    /// Answer a board that was not recognised as a Raspberry Pi.
    BoardAccept {
        /// Its Ethernet address.
        mac: Mac,
    },
    /// Give a failed board another attempt.
    BoardRetry {
        /// Which.
        board: BoardId,
    },
    /// Blink its LED.
    BoardIdentify {
        /// Which.
        board: BoardId,
        /// For how long, in seconds.
        seconds: u32,
    },
    /// Forget a board: it leaves the bench, its name is released.
    BoardRelease {
        /// Which.
        board: BoardId,
        /// Why, for the record.
        reason: String,
    },
    /// Start a server of the deployment side.
    ServerStart {
        /// Which.
        server: ServerKind,
    },
    /// Stop a server of the deployment side.
    ServerStop {
        /// Which.
        server: ServerKind,
    },
    /// Note where a board lies: a slot, a switch port. Empty to forget it.
    BoardPlace {
        /// Which.
        board: BoardId,
        /// At most 32 characters.
        place: String,
    },
    /// Choose the NIC that boards hang on and its addresses. Takes effect at once.
    DeploymentSet(DeploymentChoice),
    /// Set preferences.
    PreferencesSet(Preferences),
    /// Begin a rehearsal on a station of its own, beside this one.
    RehearsalStart(RehearsalPlan),
    /// End the rehearsal, whatever its boards are doing.
    RehearsalStop,
    /// Let somebody log in.
    OperatorAdd {
        /// Who.
        name: OperatorName,
        /// What the operator may do.
        role: Role,
        /// The first password.
        password: Password,
    },
    /// Give an operator another password; open logins end.
    OperatorPassword {
        /// Who.
        name: OperatorName,
        /// The new password.
        password: Password,
    },
    /// Change what an operator may do.
    OperatorRole {
        /// Who.
        name: OperatorName,
        /// What the operator may do from now on.
        role: Role,
    },
    /// Let an operator log in no more, or again; open logins end.
    OperatorDisable {
        /// Who.
        name: OperatorName,
        /// True for no more.
        disabled: bool,
    },
    /// Forget an operator. What the operator did stays on the record.
    OperatorRemove {
        /// Who.
        name: OperatorName,
    },
    /// Make a backup in the station's folder of backups, in the background.
    BackupNow,
    /// Keep how the station is set now as a profile, in the place of one with the same name.
    ProfileSave {
        /// Its name.
        name: String,
        /// With this product.
        #[serde(default)]
        product: Option<ProductCode>,
        /// With this venue.
        #[serde(default)]
        venue: Option<VenueCode>,
    },
    /// Take a profile in from the text of its file. The receipt says what applying it would change.
    ProfileImport {
        /// The text.
        text: String,
        /// Put it in the place of one with the same name.
        #[serde(default)]
        replace: bool,
    },
    /// Set the station up as a profile says: all of it, or nothing.
    ProfileApply {
        /// Which.
        name: String,
    },
    /// Forget a profile.
    ProfileRemove {
        /// Which.
        name: String,
    },
    /// Read the configuration again and apply what changed in it.
    ConfigReload,
    /// A command this build does not know; refused.
    #[serde(other)]
    Unknown,
}

/// Where names come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum NameSource {
    /// A list of numbers and ranges: `1-50, 77`.
    Spec {
        /// The text.
        text: String,
    },
    /// A CSV with a header row: `hostname` or `number`, optional `serial`, `note`.
    Csv {
        /// The text.
        text: String,
    },
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    /// Done, with a sentence.
    Done {
        /// What was done.
        text: String,
    },
    /// The product as it is now.
    Product(Product),
    /// The venue as it is now.
    Venue(Venue),
    /// The name as it is now.
    Name(Name),
    /// The batch as it is now.
    Batch(Batch),
    /// The board as it is now.
    Board(Box<Board>),
    /// The image as it is now.
    Image(Box<Image>),
    /// An import of names, done or previewed.
    Names(NamesReport),
    /// The operator as it is now.
    Operator(Operator),
    /// An import of an image has begun; follow it by this id in the updates.
    Import {
        /// Its id.
        import: String,
    },
    /// A profile, and what it changes.
    Profile(Box<ProfileReport>),
    /// The configuration was read again.
    Config(Reloaded),
    /// A receipt this build does not know.
    #[serde(other)]
    Unknown,
}

/// What an import of names did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct NamesReport {
    /// Was it only a preview?
    pub dry_run: bool,
    /// Names added, or to be added.
    pub added: u32,
    /// Names that exist already.
    pub duplicates: u32,
    /// Entries that are wrong; any error means that nothing was imported.
    pub errors: u32,
    /// A verdict per entry, in numeric order of the input.
    pub lines: Vec<NameLine>,
}

/// The verdict on one entry of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct NameLine {
    /// 1-based line of the input.
    pub line: u32,
    /// 1-based column where the entry begins.
    pub column: u32,
    /// The entry as written.
    pub token: String,
    /// The name it makes, when it makes one.
    #[serde(default)]
    pub hostname: Option<Hostname>,
    /// `add`, `duplicate` or `error`.
    pub verdict: Verdict,
    /// What is wrong, for an error.
    #[serde(default)]
    pub message: Option<String>,
}

/// The verdict on one entry of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is or would be added.
    Add,
    /// It exists already, in the pool or earlier in the input.
    Duplicate,
    /// It is wrong.
    Error,
}

/// How far an image import is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Import {
    /// Its id.
    pub id: String,
    /// Name of the file.
    pub file_name: String,
    /// Bytes of the file read so far.
    pub read: u64,
    /// Size of the file in bytes.
    pub total: u64,
    /// How it is.
    pub state: ImportState,
    /// When it began.
    pub started: Millis,
}

/// How an image import is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ImportState {
    /// Reading, mapping, hashing and packing.
    Running,
    /// In the library.
    Done {
        /// Its id.
        image: ImageId,
    },
    /// Refused or broken off; nothing was left behind.
    Failed {
        /// Why and what to do.
        why: String,
    },
    /// A state this build does not know.
    #[serde(other)]
    Unknown,
}
