//! The board that the agent finds itself on: this one's inventory, its file as a disk, its root
//! file system through `debugfs`, a console that is only remembered.

use super::VirtualPi;
use super::disk::{Medium, Traffic};
use crate::faults::{Cuts, Moment};
use crate::power::{NoPower, Power};
use agent::{Platform, Screen, Witness};
use imaging::partitions::Partition;
use imaging::personalise::{Debugfs, RootFs};
use imaging::target::{FaultyTarget, FileTarget, Switch, Target, inspect};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use wire::Mac;
use wire::agent::{Inventory, Job, Outcome};
use wire::board::Failure;
use wire::disk::{Disk, DiskContent};

/// A virtual board as the agent sees it.
pub(super) struct VirtualPlatform<'a> {
    pub(super) pi: &'a VirtualPi,
    pub(super) power: &'a Power,
    pub(super) cuts: &'a Cuts,
    pub(super) switch: Switch,
    traffic: Arc<Traffic>,
    record: Mutex<Record>,
}

/// What the agent was given and how it went.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) job: Option<Job>,
    pub(super) outcome: Option<Outcome>,
    pub(super) failure: Option<Failure>,
}

impl<'a> VirtualPlatform<'a> {
    /// The board after power-on. `switch` holds the disk's faults over all power cycles, so that
    /// what strikes once strikes once.
    pub(super) fn new(pi: &'a VirtualPi, power: &'a Power, cuts: &'a Cuts, switch: Switch) -> Self {
        Self {
            pi,
            power,
            cuts,
            switch,
            traffic: Arc::default(),
            record: Mutex::default(),
        }
    }

    /// What the agent was given and how it went.
    pub(super) fn into_record(self) -> Record {
        self.record
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> Disk {
        let (kind, path) = self.pi.identity.model.traits().disk;
        let (bytes, content) = match FileTarget::open(&self.pi.disk) {
            Ok(mut file) => (file.bytes(), inspect(&mut file)),
            Err(e) => (0, DiskContent::Unreadable { why: e.to_string() }),
        };
        Disk {
            path: path.to_owned(),
            kind,
            bytes,
            sector: 512,
            model: "virtual".to_owned(),
            serial: format!("v{}", self.pi.identity.folder()),
            removable: false,
            read_only: false,
            content,
        }
    }
}

impl Platform for VirtualPlatform<'_> {
    fn inventory(&self, mac: Mac) -> Inventory {
        let board = self.pi.identity;
        Inventory {
            board: board.id(),
            serial: Some(board.serial),
            revision: Some(board.revision),
            model: board.revision.model(),
            arch: "aarch64".to_owned(),
            ram_mib: board.revision.ram_mib().unwrap_or(1024),
            mac,
            macs: vec![board.mac],
            link_mbit: Some(1000),
            disks: vec![self.disk()],
            eeprom_version: None,
            boot_order: Some(board.model.traits().order.to_string()),
            temperature_millicelsius: Some(45_000),
            throttled: Some(0),
        }
    }

    fn open_disk(&self, _: &Disk) -> io::Result<Box<dyn Target>> {
        self.power.check().map_err(io::Error::other)?;
        let file = FileTarget::open(&self.pi.disk)?;
        let faulty = FaultyTarget::with_switch(file, self.switch.clone());
        let traffic = Arc::clone(&self.traffic);
        let medium = Medium::new(
            faulty,
            self.power.clone(),
            self.cuts.clone(),
            traffic,
            self.pi.speed,
        );
        Ok(Box::new(medium))
    }

    fn file_system(&self, _: &Disk, partition: &Partition) -> io::Result<Box<dyn RootFs>> {
        if self.cuts.take(|m| *m == Moment::Personalising).is_some() {
            self.power.cut();
        }
        self.power
            .check()
            .map_err(|e: NoPower| io::Error::other(e))?;
        Ok(Box::new(Debugfs::open(&self.pi.disk, partition.start)?))
    }

    fn show(&self, screen: &Screen) {
        tracing::trace!(board = %self.pi.identity.id(), ?screen, "console");
    }

    fn blink(&self, _: u32) {}

    fn witness(&self, what: Witness<'_>) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Witness::Job(job) => {
                *record = Record {
                    job: Some(job.clone()),
                    ..Record::default()
                }
            }
            Witness::Done(outcome) => record.outcome = Some(outcome.clone()),
            Witness::Failed(failure) => record.failure = Some(failure.clone()),
        }
    }

    fn power_lost(&self) -> bool {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        // A real board would go on asking; this one has nothing more to show.
        let gives_up = record.failure.is_some() && !self.pi.asks_again;
        gives_up || !self.power.is_on()
    }
}
