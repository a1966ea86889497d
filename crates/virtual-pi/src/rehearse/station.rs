//! The station a rehearsal works with, as far as a rehearsal knows it.

use super::RehearseError;
use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::Arc;
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::update::Snapshot;

/// The operator's verbs, as a rehearsal needs them: blocking.
pub trait Operator: Send + Sync {
    /// Changes something.
    fn command(&self, command: Command) -> Result<Receipt, Refusal>;
    /// Asks something.
    fn query(&self, query: Query) -> Result<Answer, Refusal>;
    /// The first item of a watch: everything as it is now.
    fn snapshot(&self) -> Result<Snapshot, Refusal>;
}

/// A running station.
pub struct StationDoors {
    /// Its DHCP server.
    pub dhcp: SocketAddrV4,
    /// Its TFTP server.
    pub tftp: SocketAddrV4,
    /// Its operator's verbs.
    pub operator: Arc<dyn Operator>,
    /// Stops it; called once the rehearsal is over, whatever came of it.
    pub stop: Box<dyn FnOnce() + Send>,
}

/// Starts a private station that keeps its data in the given folder.
pub type Start = Box<dyn FnOnce(&Path) -> anyhow::Result<StationDoors> + Send>;

/// With which station to rehearse.
pub enum Station {
    /// One that runs. It keeps running.
    Attach(StationDoors),
    /// One of the rehearsal's own, in a folder that goes away with it.
    Private(Start),
}

impl Station {
    pub(super) fn start(self, data_dir: &Path) -> Result<Running, RehearseError> {
        let doors = match self {
            Self::Attach(doors) => doors,
            Self::Private(start) => {
                std::fs::create_dir_all(data_dir).map_err(|e| RehearseError::Start(e.into()))?;
                start(data_dir).map_err(RehearseError::Start)?
            }
        };
        Ok(Running {
            dhcp: doors.dhcp,
            tftp: doors.tftp,
            operator: doors.operator,
            stop: Some(doors.stop),
        })
    }
}

/// A station that is stopped when the rehearsal ends, also by an error.
pub(super) struct Running {
    pub(super) dhcp: SocketAddrV4,
    pub(super) tftp: SocketAddrV4,
    pub(super) operator: Arc<dyn Operator>,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}
