//! What the agent needs of the board it runs on.

use crate::screen::Screen;
use imaging::partitions::Partition;
use imaging::personalise::RootFs;
use imaging::target::Target;
use std::io;
use wire::Mac;
use wire::agent::{Inventory, Job, Outcome};
use wire::board::Failure;
use wire::disk::Disk;

/// The board an agent runs on. Called from several threads.
pub trait Platform: Sync {
    /// What the board has, looked at afresh. `mac` is the address this deployment uses.
    fn inventory(&self, mac: Mac) -> Inventory;

    /// Opens a disk for writing.
    fn open_disk(&self, disk: &Disk) -> io::Result<Box<dyn Target>>;

    /// Opens the file system in a partition of a disk whose partition table is not written yet.
    fn file_system(&self, disk: &Disk, partition: &Partition) -> io::Result<Box<dyn RootFs>>;

    /// Shows where the board is.
    fn show(&self, screen: &Screen);

    /// Blinks the LED for a while; returns at once.
    fn blink(&self, seconds: u32);

    /// Hears what the agent was given and how it went, for virtual boards that are checked
    /// afterwards. Called once for each.
    fn witness(&self, _: Witness<'_>) {}

    /// True once a virtual board's plug was pulled: nothing is called or written any more.
    fn power_lost(&self) -> bool {
        false
    }
}

/// What a deployment was and how it went.
#[derive(Debug, Clone, Copy)]
pub enum Witness<'a> {
    /// Work on this job begins.
    Job(&'a Job),
    /// It is done, and the station has it on record.
    Done(&'a Outcome),
    /// It failed, and the station has it on record.
    Failed(&'a Failure),
}
