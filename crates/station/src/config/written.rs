//! The configuration file as it was written: all keys optional, each value with its place.
//!
//! The document is parsed with recovery, so one slip of the pen does not hide the others. Keys that
//! nobody knows are problems, with the nearest known key as a suggestion.

use std::borrow::Cow;
use std::fmt;
use std::string::FromUtf8Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in the file; both numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Something wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, and what was probably meant.
    pub text: String,
}

impl Problem {
    /// The file is no text from some byte on.
    pub(super) fn no_text(why: &FromUtf8Error) -> Self {
        let sound = why.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&why.as_bytes()[..sound]);
        let place = Reader::of(&before).place(sound);
        let text = "this is not UTF-8; save the file in that encoding".to_owned();
        Self { place, text }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(f, "line {line}, column {column}: {}", self.text)
    }
}

/// A value with the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A text with its place.
pub(super) type Text = Option<At<String>>;
/// A whole number with its place.
pub(super) type Number = Option<At<u64>>;
/// A yes or no with its place.
pub(super) type Switch = Option<At<bool>>;

/// What stands somewhere in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Section and key, e.g. `deployment.interface`.
    pub key: String,
    /// The value as it would be written.
    pub value: String,
    /// Where.
    pub place: Place,
}

/// A value that may have been written.
pub(super) trait Spotted {
    /// What was written under this key.
    fn spot(&self, key: String) -> Option<Spot>;
}

impl<T: fmt::Debug> Spotted for Option<At<T>> {
    fn spot(&self, key: String) -> Option<Spot> {
        let at = self.as_ref()?;
        Some(Spot {
            key,
            value: format!("{:?}", at.value),
            place: at.place,
        })
    }
}

impl<T: fmt::Debug> Spotted for Vec<At<T>> {
    fn spot(&self, key: String) -> Option<Spot> {
        let values: Vec<&T> = self.iter().map(|at| &at.value).collect();
        Some(Spot {
            key,
            value: format!("{values:?}"),
            place: self.first()?.place,
        })
    }
}

/// Declares a section: its fields, the list of its keys, and how each key is read.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident in $label:literal { $($(#[$field_doc:meta])* $key:ident: $kind:ident via $read:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $key: $kind,)* }

        impl $name {
            /// Every key of the section.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            fn read(table: &DeTable<'_>, reader: &mut Reader<'_>) -> Self {
                let mut section = Self::default();
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        $(stringify!($key) => section.$key = reader.$read(stringify!($key), value),)*
                        other => reader.unknown_key(other, key.span().start, $label, Self::KEYS),
                    }
                }
                section
            }

            #[allow(dead_code, reason = "not every file is shown")]
            fn spots(&self, section: &str, into: &mut Vec<$crate::config::written::Spot>) {
                $(into.extend($crate::config::written::Spotted::spot(
                    &self.$key,
                    format!("{section}.{}", stringify!($key)),
                ));)*
            }
        }
    };
}

pub(super) use section;

/// A list of texts with their places.
pub(super) type Texts = Vec<At<String>>;

section! {
    /// `[deployment]`: the NIC that the boards hang on.
    DeploymentWritten in "[deployment]" {
        /// Name of the NIC.
        interface: Text via text,
        /// The station's address with prefix.
        address: Text via text,
        /// Range of addresses to hand out.
        leases: Text via text,
        /// UDP port of DHCP.
        dhcp_port: Number via number,
        /// UDP port of TFTP.
        tftp_port: Number via number,
        /// TCP port of the door for boards.
        http_port: Number via number,
        /// Serve on the NIC that holds the default route all the same.
        force_default_route: Switch via switch,
        /// Give the NIC its address and take it away again.
        manage_address: Switch via switch,
    }
}

section! {
    /// `[dhcp]`: how addresses are handed out.
    DhcpWritten in "[dhcp]" {
        /// Wait this long before an answer, in milliseconds.
        reply_delay_ms: Number via number,
        /// Length of a lease in seconds.
        lease_seconds: Number via number,
        /// Send option 43 as plain text instead of PXE sub-options.
        raw_option_43: Switch via switch,
        /// Answer UEFI network boot clients too.
        answer_uefi: Switch via switch,
        /// Ethernet addresses that are answered whatever they are.
        accept: Texts via texts,
    }
}

section! {
    /// `[uefi]`: boot loaders for boards with UEFI firmware.
    UefiWritten in "[uefi]" {
        /// File of the 64-bit Arm loader.
        arm64_loader: Text via text,
        /// File of the 64-bit x86 loader.
        x86_64_loader: Text via text,
    }
}

section! {
    /// `[agent]`: the archives that boards boot.
    AgentWritten in "[agent]" {
        /// File of the 64-bit Arm agent.
        arm64: Text via text,
        /// File of the 64-bit x86 agent.
        x86_64: Text via text,
    }
}

section! {
    /// `[boards]`: how boards are trusted.
    BoardsWritten in "[boards]" {
        /// Refuse a check-in that has no boot token.
        require_token: Switch via switch,
        /// Who may use the device API of foreign installers.
        device_api: Text via text,
    }
}

section! {
    /// `[management]`: the door for operators.
    ManagementWritten in "[management]" {
        /// Address and port of its HTTP door.
        listen: Text via text,
        /// Encrypt it.
        tls: Switch via switch,
        /// File of the certificate, in PEM form.
        certificate: Text via text,
        /// File of its key, in PEM form.
        key: Text via text,
        /// Further names that this machine is reached by.
        names: Texts via texts,
        /// Group of this machine whose members may use the Unix socket.
        group: Text via text,
        /// A login ends when it was not used for this long, in minutes.
        idle_minutes: Number via number,
        /// A login ends at the latest after this long, in hours.
        login_hours: Number via number,
    }
}

section! {
    /// `[backup]`: copies of the database.
    BackupWritten in "[backup]" {
        /// Folder of the copies.
        dir: Text via text,
        /// Hours between two; 0 for none.
        every_hours: Number via number,
        /// How many are kept.
        keep: Number via number,
        /// Warn when the last good one is older than this many days; 0 for never.
        warn_days: Number via number,
    }
}

section! {
    /// `[log]`: the program's own log, in files.
    LogWritten in "[log]" {
        /// Folder of the files.
        dir: Text via text,
        /// Largest size of one file, in megabytes.
        max_size_mb: Number via number,
        /// How many files are kept; none turns them off.
        files: Number via number,
    }
}

section! {
    /// `[alerts]`: who is told what happens.
    AlertsWritten in "[alerts]" {
        /// Address that messages are posted to.
        webhook: Text via text,
        /// File with the secret that they are signed with.
        webhook_secret_file: Text via text,
        /// Server that takes e-mail.
        smtp_host: Text via text,
        /// Its TCP port.
        smtp_port: Number via number,
        /// How the connection is encrypted: starttls, tls or none.
        smtp_security: Text via text,
        /// User at that server.
        smtp_user: Text via text,
        /// File with the user's password.
        smtp_password_file: Text via text,
        /// Who e-mail is from.
        mail_from: Text via text,
        /// Who gets it.
        mail_to: Texts via texts,
        /// File with the authority that vouches for receivers, beside those of this machine.
        certificate_authority: Text via text,
        /// What happens within this many seconds becomes one message.
        gather_seconds: Number via number,
    }
}

/// The whole file as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Where the station keeps everything.
    pub data_dir: Text,
    /// `[deployment]`.
    pub deployment: DeploymentWritten,
    /// `[dhcp]`.
    pub dhcp: DhcpWritten,
    /// `[uefi]`.
    pub uefi: UefiWritten,
    /// `[agent]`.
    pub agent: AgentWritten,
    /// `[boards]`.
    pub boards: BoardsWritten,
    /// `[management]`.
    pub management: ManagementWritten,
    /// `[backup]`.
    pub backup: BackupWritten,
    /// `[log]`.
    pub log: LogWritten,
    /// `[alerts]`.
    pub alerts: AlertsWritten,
}

const TOP_KEYS: &[&str] = &[
    "data_dir",
    "deployment",
    "dhcp",
    "uefi",
    "agent",
    "boards",
    "management",
    "backup",
    "log",
    "alerts",
];

impl Written {
    /// Reads a file's text. Whatever could be read is returned beside every problem found.
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader::of(text);
        for error in errors {
            let at = error.span().map_or(text.len(), |span| span.start);
            reader.problem(at, error.message().to_owned());
        }
        let mut written = Self::default();
        for (key, value) in document.get_ref() {
            let r = &mut reader;
            match key.get_ref().as_ref() {
                "data_dir" => written.data_dir = r.text("data_dir", value),
                "deployment" => written.deployment = r.table(value, DeploymentWritten::read),
                "dhcp" => written.dhcp = r.table(value, DhcpWritten::read),
                "uefi" => written.uefi = r.table(value, UefiWritten::read),
                "agent" => written.agent = r.table(value, AgentWritten::read),
                "boards" => written.boards = r.table(value, BoardsWritten::read),
                "management" => written.management = r.table(value, ManagementWritten::read),
                "backup" => written.backup = r.table(value, BackupWritten::read),
                "log" => written.log = r.table(value, LogWritten::read),
                "alerts" => written.alerts = r.table(value, AlertsWritten::read),
                other => r.unknown_key(other, key.span().start, "the file", TOP_KEYS),
            }
        }
        (written, reader.problems)
    }
}

impl Written {
    /// Everything that was written, by section.
    pub fn spots(&self) -> Vec<Spot> {
        let mut all = Vec::new();
        all.extend(self.data_dir.spot("data_dir".to_owned()));
        self.deployment.spots("deployment", &mut all);
        self.dhcp.spots("dhcp", &mut all);
        self.uefi.spots("uefi", &mut all);
        self.agent.spots("agent", &mut all);
        self.boards.spots("boards", &mut all);
        self.management.spots("management", &mut all);
        self.backup.spots("backup", &mut all);
        self.log.spots("log", &mut all);
        self.alerts.spots("alerts", &mut all);
        all
    }
}

/// Turns values into texts, numbers and switches, and notes what does not fit.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    pub(super) fn problem(&mut self, offset: usize, text: String) {
        let place = self.place(offset);
        self.problems.push(Problem { place, text });
    }

    pub(super) fn unknown_key(&mut self, key: &str, offset: usize, section: &str, known: &[&str]) {
        let hint = nearest(key, known).map_or_else(
            || format!("known keys are {}", known.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        self.problem(offset, format!("{section} has no key {key:?}; {hint}"));
    }

    fn wrong_kind(&mut self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref().type_str();
        let text = format!("{key} wants {wanted}, this is of type {found}");
        self.problem(value.span().start, text);
    }

    pub(super) fn at<T>(&self, value: T, source: &Spanned<DeValue<'_>>) -> At<T> {
        let place = self.place(source.span().start);
        At { value, place }
    }

    pub(super) fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Text {
        if let DeValue::String(text) = value.get_ref() {
            return Some(self.at(Cow::clone(text).into_owned(), value));
        }
        self.wrong_kind(key, value, "a text in quotes");
        None
    }

    pub(super) fn number(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Number {
        if let DeValue::Integer(number) = value.get_ref()
            && let Ok(number) = u64::from_str_radix(number.as_str(), number.radix())
        {
            return Some(self.at(number, value));
        }
        self.wrong_kind(key, value, "a whole number, 0 or above");
        None
    }

    pub(super) fn switch(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Switch {
        if let DeValue::Boolean(yes) = value.get_ref() {
            return Some(self.at(*yes, value));
        }
        self.wrong_kind(key, value, "true or false");
        None
    }

    pub(super) fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Texts {
        if let DeValue::Array(values) = value.get_ref() {
            return values.iter().filter_map(|v| self.text(key, v)).collect();
        }
        self.wrong_kind(key, value, "a list of texts in square brackets");
        Vec::new()
    }

    pub(super) fn table<T: Default>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        read: impl FnOnce(&DeTable<'_>, &mut Self) -> T,
    ) -> T {
        if let DeValue::Table(table) = value.get_ref() {
            return read(table, self);
        }
        self.problem(
            value.span().start,
            "this is the name of a section; write it as [section]".to_owned(),
        );
        T::default()
    }
}

/// The known word that differs in the fewest letters, if that is few enough to be a slip.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_ascii_lowercase().replace('-', "_");
    let (far, best) = known
        .iter()
        .map(|k| (distance(&lower, k), *k))
        .min_by_key(|(far, _)| *far)?;
    (far <= 2 || far * 3 <= best.len()).then_some(best)
}

/// Levenshtein's edit distance, over two rows.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
