//! Virtual boards against a station that already runs, in a process of their own: the station may
//! be killed and started again while they live.
//!
//! Product, names, image and batch are the caller's business. At the end every disk is checked
//! against the image the boards were served, and one JSON object is printed
//! ([`wire::rehearsal::RehearsalReport`]). The exit status is 0 only when every board is done and
//! every disk is right.

use clap::Parser;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use virtual_pi::bootloader::Firmware;
use virtual_pi::faults::{DiskFault, Moment};
use virtual_pi::network::Wire;
use virtual_pi::rehearse::{Bench, Options, Progress, power_all, prove, report};
use virtual_pi::{Doors, Faults, Identity, Model, Pace};

/// Switches virtual boards on against a running station.
#[derive(Debug, Parser)]
struct Args {
    /// Where its DHCP server listens; 255.255.255.255:67 asks whoever answers on a real wire.
    #[arg(long)]
    dhcp: SocketAddrV4,
    /// Where its TFTP server listens.
    #[arg(long)]
    tftp: SocketAddrV4,
    /// How many boards.
    #[arg(long, default_value_t = 8)]
    boards: u32,
    /// Their models, dealt out in turn.
    #[arg(long, value_delimiter = ',')]
    models: Vec<Model>,
    /// Decides serial numbers and everything that chance decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Size of every disk in bytes.
    #[arg(long, default_value_t = 512 << 20)]
    disk_bytes: u64,
    /// Folder for the disks; a temporary one without.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Seconds after which boards that are not finished are switched off.
    #[arg(long, default_value_t = 300)]
    timeout: u64,
    /// Factor on the time until a request is repeated.
    #[arg(long, default_value_t = 1.0)]
    retries: f64,
    /// Probability that a datagram of the bootloader is lost.
    #[arg(long, default_value_t = 0.0)]
    loss: f64,
    /// Probability that a request is doubled.
    #[arg(long, default_value_t = 0.0)]
    duplicates: f64,
    /// Cut every board's power at this moment: boot:N, written:BYTES, read:BYTES, personalising,
    /// sealing, sealed. May be given several times.
    #[arg(long)]
    cut: Vec<Moment>,
    /// Every disk stores the byte at this place wrong, once.
    #[arg(long, value_name = "BYTE")]
    corrupt_once: Option<u64>,
    /// Every disk stores the byte at this place wrong, always.
    #[arg(long, value_name = "BYTE")]
    corrupt_always: Option<u64>,
    /// Firmware that cannot count past block 65535.
    #[arg(long)]
    old_firmware: bool,
    /// Boards that failed go on asking for another try.
    #[arg(long)]
    asks_again: bool,
    /// Only the result on stdout; without, what happens is told on stderr.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn faults(&self) -> Faults {
        let corrupt = |at: Option<u64>, times| {
            at.map(|at| DiskFault::Corrupt {
                range: at..at + 1,
                times,
            })
        };
        let disk = corrupt(self.corrupt_once, 1)
            .into_iter()
            .chain(corrupt(self.corrupt_always, u32::MAX));
        Faults {
            firmware: if self.old_firmware {
                Firmware::OLD
            } else {
                Firmware::default()
            },
            wire: Wire {
                loss: self.loss,
                duplicates: self.duplicates,
            },
            cuts: self.cut.clone(),
            disk: disk.collect(),
            ..Faults::default()
        }
    }

    fn options(&self) -> Options {
        let faults = (0..self.boards as usize).map(|index| (index, self.faults()));
        Options {
            boards: self.boards,
            models: self.models.clone(),
            seed: self.seed,
            faults: faults.collect(),
            pace: Pace {
                retries: self.retries,
                ..Pace::default()
            },
            patience: Duration::from_secs(self.timeout),
            asks_again: self.asks_again,
            ..Options::default()
        }
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("boards: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<bool> {
    let base = args.work.clone().unwrap_or_else(std::env::temp_dir);
    std::fs::create_dir_all(&base)?;
    let work = tempfile::Builder::new()
        .prefix("boards-")
        .tempdir_in(base)?;
    let bench = Bench {
        boards: Identity::batch(args.seed, &args.models, args.boards),
        doors: Doors {
            dhcp: args.dhcp,
            tftp: args.tftp,
        },
        disks: work.path().join("disks"),
        disk_bytes: args.disk_bytes,
    };
    let quiet = args.json;
    let progress = move |progress: Progress| {
        if !quiet {
            eprintln!("{progress:?}");
        }
    };
    let began = Instant::now();
    let options = args.options();
    let lives = power_all(&bench, &options, &progress)?;
    let seconds = began.elapsed().as_secs_f64();
    let proofs = prove(&lives, work.path(), &options.halt, &progress);
    let result = report(&lives, &proofs, |_| None, seconds);
    println!("{}", serde_json::to_string(&result)?);
    Ok(result.verified)
}
