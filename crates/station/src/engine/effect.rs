//! What the engine wants done outside: it decides, others do.

use crate::config::Deployment;
use std::path::PathBuf;
use wire::ImageId;
use wire::board::Mac;
use wire::health::ServerKind;
use wire::name::ProductCode;
use wire::rehearsal::RehearsalPlan;

/// An image that the operator wants imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedImport {
    /// Id of the import.
    pub import: String,
    /// The file.
    pub path: PathBuf,
    /// The product it is for.
    pub product: ProductCode,
    /// Its version.
    pub version: String,
    /// Free text.
    pub description: String,
    /// Make it the product's image.
    pub activate: bool,
}

/// Something to be done, told after the transaction that decided it was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Import an image from a file.
    StartImport(WantedImport),
    /// Stop an import and remove what it left.
    CancelImport {
        /// Id of the import.
        import: String,
    },
    /// Delete the pack of an image.
    RemovePack {
        /// The image.
        image: ImageId,
    },
    /// Start a server of the deployment side.
    StartServer(ServerKind),
    /// Stop one.
    StopServer(ServerKind),
    /// Serve on this NIC and address from now on.
    StandOn(Box<Deployment>),
    /// Answer this Ethernet address from now on.
    Vouch(Mac),
    /// Make a backup.
    MakeBackup,
    /// Begin a rehearsal.
    StartRehearsal {
        /// Which one of this run.
        run: u64,
        /// What to rehearse.
        plan: RehearsalPlan,
    },
    /// End the rehearsal and its station.
    StopRehearsal {
        /// Which one of this run.
        run: u64,
    },
}
