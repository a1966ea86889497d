//! One deployment of one board: what it was promised and how far it came.

use wire::batch::{BatchId, VerifyLevel};
use wire::board::{Mac, Serial};
use wire::disk::Disk;
use wire::name::{Hostname, ProductCode, VenueCode};
use wire::{BoardId, ImageId, Millis, Stage};

/// Through which door the board asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The agent: token, secret, sequence numbers, read-back.
    Agent,
    /// The compatible device API: a foreign installer that proves nothing.
    Device,
}

impl Via {
    /// The spelling used in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Device => "device",
        }
    }
}

/// One deployment. What it is about never changes; the last group of fields does.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Its id, a ULID.
    pub id: String,
    /// The board.
    pub board: BoardId,
    /// Which attempt of this board in this batch, from 1.
    pub number: u32,
    /// The batch.
    pub batch: BatchId,
    /// Its product.
    pub product: ProductCode,
    /// Its venue.
    pub venue: VenueCode,
    /// The image.
    pub image: ImageId,
    /// The name.
    pub hostname: Hostname,
    /// The address the board was deployed with.
    pub mac: Mac,
    /// The whole serial number, when known.
    pub serial: Option<Serial>,
    /// The door.
    pub via: Via,
    /// Token of the network boot in which it began.
    pub boot: Option<String>,
    /// Bearer secret for reports.
    pub secret: String,
    /// One-time secret of the first boot call.
    pub hello: String,
    /// The disk chosen; a foreign installer does not say.
    pub disk: Option<Disk>,
    /// May a system on the disk be overwritten?
    pub overwrite: bool,
    /// How many attempts before this one ended because the board restarted, without a break.
    pub restarts: u32,
    /// When it began.
    pub started: Millis,

    /// Where it is or ended.
    pub stage: Stage,
    /// True once writing began: the disk holds work of ours.
    pub touched: bool,
    /// Highest sequence number stored.
    pub last_seq: u64,
    /// The board left the batch; a failure of it no longer counts there.
    pub given_up: bool,
    /// How it was proven.
    pub verified: Option<VerifyLevel>,
    /// When it was done, failed or was cancelled.
    pub ended: Option<Millis>,
    /// When the installed system called home.
    pub confirmed: Option<Millis>,
}

impl Attempt {
    /// True while the board is to be worked on.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// May a system on `disk` be overwritten because of this attempt? Yes when it was this medium
    /// that it was allowed to overwrite, or that it has begun to write.
    pub fn may_overwrite(&self, disk: &Disk) -> bool {
        (self.overwrite || self.touched) && self.is_about(disk)
    }

    /// True when `disk` is, as far as anybody can tell, the medium of this attempt.
    ///
    /// While the attempt is open the board merely restarted, so equal figures are enough; after it
    /// failed somebody may have changed the card, so the medium must prove itself by its serial.
    fn is_about(&self, disk: &Disk) -> bool {
        let Some(ours) = &self.disk else { return false };
        let alike = ours.kind == disk.kind
            && ours.bytes == disk.bytes
            && ours.model == disk.model
            && ours.serial == disk.serial;
        alike && (self.is_open() || !disk.serial.is_empty())
    }
}
