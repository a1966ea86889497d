//! All boards of a rehearsal: switched on in groups, watched until each has ended.

use super::{Options, Progress};
use crate::board::{Doors, Happening, Powered, Story, VirtualPi};
use crate::identity::Identity;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The boards and where they stand.
#[derive(Debug)]
pub struct Bench {
    /// The boards, in order.
    pub boards: Vec<Identity>,
    /// Where the station listens.
    pub doors: Doors,
    /// Folder of their disks.
    pub disks: PathBuf,
    /// Size of each disk in bytes.
    pub disk_bytes: u64,
}

/// One board's life and what it left.
#[derive(Debug)]
pub struct Life {
    /// Who it was.
    pub identity: Identity,
    /// Its disk.
    pub disk: PathBuf,
    /// What became of it; `None` when the board itself broke.
    pub story: Option<Story>,
}

/// How often ended boards are looked for while nothing happens.
const GLANCE: Duration = Duration::from_millis(50);

/// Switches all boards on and waits until every one has ended, for as long as `options` says, or
/// until its halt is called.
pub fn power_all(
    bench: &Bench,
    options: &Options,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> io::Result<Vec<Life>> {
    std::fs::create_dir_all(&bench.disks)?;
    let (tell, told) = mpsc::channel::<(Identity, Happening)>();
    let deadline = Instant::now() + options.patience;
    let over = || options.halt.is_called() || Instant::now() >= deadline;
    let mut on: Vec<(Identity, PathBuf, Powered)> = Vec::new();
    for (index, identity) in bench.boards.iter().enumerate() {
        if index > 0 && index % options.group.max(1) == 0 {
            let until = Instant::now() + options.stagger;
            while Instant::now() < until && !over() {
                pass_on(&told, progress, until.min(Instant::now() + GLANCE));
            }
        }
        if options.halt.is_called() {
            break;
        }
        let disk = bench.disks.join(identity.folder());
        let faults = options.faults_of(index);
        let bytes = faults.disk_bytes.unwrap_or(bench.disk_bytes);
        make_disk(&disk, bytes, faults.used)?;
        let pi = VirtualPi {
            identity: *identity,
            disk: disk.clone(),
            faults,
            pace: options.pace,
            speed: options.speed,
            seed: options.seed,
            asks_again: options.asks_again,
        };
        let tell = tell.clone();
        let watcher = Arc::new(move |who: &Identity, what: &Happening| {
            tell.send((*who, what.clone())).ok();
        });
        on.push((*identity, disk, pi.power_on(bench.doors, watcher)?));
    }
    while on.iter().any(|(_, _, board)| !board.has_ended()) && !over() {
        pass_on(&told, progress, Instant::now() + GLANCE);
    }
    for (_, _, board) in &on {
        board.switch_off();
    }
    let ended = on.into_iter().map(|(identity, disk, board)| Life {
        identity,
        disk,
        story: board.story(),
    });
    let lives = ended.collect();
    pass_on(&told, progress, Instant::now());
    Ok(lives)
}

/// A blank disk, or one with a partition table of one Linux partition and no FAT to boot from.
fn make_disk(path: &Path, bytes: u64, used: bool) -> io::Result<()> {
    const SECTOR: u64 = 512;
    const START: u32 = 2048;
    let file = File::create(path)?;
    file.set_len(bytes)?;
    if used {
        let sectors = u32::try_from(bytes / SECTOR).unwrap_or(u32::MAX);
        let mut table = [0_u8; SECTOR as usize];
        table[450] = 0x83;
        table[454..458].copy_from_slice(&START.to_le_bytes());
        table[458..462].copy_from_slice(&sectors.saturating_sub(START).to_le_bytes());
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        file.write_all_at(&table, 0)?;
    }
    Ok(())
}

// Boards must not wait for whoever watches, so what they say goes through here.
fn pass_on(
    told: &mpsc::Receiver<(Identity, Happening)>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    until: Instant,
) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match told.recv_timeout(left) {
            Ok((who, what)) => progress(Progress::Board(who, what)),
            Err(_) => return,
        }
    }
}
