//! The contract between the station and the board agent. HTTP with JSON on the deployment NIC:
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST /agent/v1/check-in` | [`CheckIn`] | [`Order`] |
//! | `POST /agent/v1/report` | [`Report`] | [`Ack`] |
//! | `GET /agent/v1/packs/{image}/manifest` | – | signed bytes; signature (hex) in [`SIGNATURE_HEADER`] |
//! | `GET /agent/v1/packs/{image}` with `Range` | – | pack bytes, 206 |
//! | `POST /agent/v1/hello` | [`Hello`] | [`HelloAck`] (first boot of the installed system) |
//!
//! A check-in shows the token of its boot, a report its deployment's secret, a fetch of a pack both in
//! [`SESSION_HEADER`], a hello a secret of its own.
//!
//! The agent asks again for as long as it gets [`Order::Wait`]; asking is idempotent. Reports carry
//! sequence numbers; the agent keeps each event until a sequence number at or above it is acked.

use crate::batch::VerifyLevel;
use crate::board::{BoardId, Failure, Hold, Mac, Progress, Serial, Stage};
use crate::disk::{Disk, DiskPolicy};
use crate::image::{Grow, ImageId};
use crate::name::Hostname;
use crate::revision::Revision;
use serde::{Deserialize, Serialize};

/// Header that carries the manifest's Ed25519 signature as 128 hex digits.
pub const SIGNATURE_HEADER: &str = "x-punnet-signature";

/// Header by which an agent shows, when it fetches a pack, the session that its check-in opened:
/// [`Job::deployment`], a colon, [`Job::secret`].
pub const SESSION_HEADER: &str = "x-punnet-session";

/// Kernel command line parameter: URL of the station's door for boards.
pub const PARAM_STATION: &str = "punnet.station";
/// Kernel command line parameter: the one-time boot token.
pub const PARAM_TOKEN: &str = "punnet.token";
/// Kernel command line parameter: MAC address of the interface that booted.
pub const PARAM_MAC: &str = "punnet.mac";
/// Where the station's public key lies in the initramfs (32 bytes, hex, one line).
pub const KEY_PATH: &str = "/etc/punnet/station.pub";

/// What a board has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Inventory {
    /// Its identity.
    pub board: BoardId,
    /// The whole serial number, when it is a Raspberry Pi.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// Revision code, when it is a Raspberry Pi.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// The model as the device tree or the firmware names it.
    pub model: String,
    /// Processor: `aarch64` or `x86_64`.
    pub arch: String,
    /// Memory in MiB.
    pub ram_mib: u32,
    /// The address used for this deployment.
    pub mac: Mac,
    /// Every Ethernet address.
    #[serde(default)]
    pub macs: Vec<Mac>,
    /// Link speed in Mbit/s, when known.
    #[serde(default)]
    pub link_mbit: Option<u32>,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// Version of the boot EEPROM, in its own words.
    #[serde(default)]
    pub eeprom_version: Option<String>,
    /// Boot order, e.g. `0xf461`.
    #[serde(default)]
    pub boot_order: Option<String>,
    /// Processor temperature in thousandths of a degree Celsius.
    #[serde(default)]
    pub temperature_millicelsius: Option<i32>,
    /// Throttling flags of the firmware (bit 0: under-voltage now), when readable.
    #[serde(default)]
    pub throttled: Option<u32>,
}

/// A board introduces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct CheckIn {
    /// Version of this contract; 1.
    pub protocol: u32,
    /// Version of the agent.
    pub agent: String,
    /// The one-time boot token from the kernel command line.
    #[serde(default)]
    pub token: Option<String>,
    /// What the board has.
    pub inventory: Inventory,
}

/// What a board is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// Show the reason and ask again.
    Wait {
        /// Why.
        hold: Hold,
        /// The reason in words.
        words: String,
        /// When to ask again, in milliseconds.
        again_ms: u32,
        /// Blink the LED for this many seconds.
        #[serde(default)]
        identify_s: u32,
    },
    /// Provision the disk.
    Provision(Box<Job>),
    /// Finished before: boot from the own disk.
    BootFromDisk {
        /// Its name.
        hostname: Hostname,
    },
    /// An order this build does not know; the agent waits and asks again.
    #[serde(other)]
    Unknown,
}

/// One job: everything an agent needs to provision its board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Job {
    /// The deployment; names it in every report.
    pub deployment: String,
    /// Bearer secret of this deployment, for reports.
    pub secret: String,
    /// The name the board gets.
    pub hostname: Hostname,
    /// The image.
    pub image: ImageId,
    /// Which disks may be used.
    pub disks: DiskPolicy,
    /// Device path of the disk that the station chose by that policy; the agent refuses another.
    pub disk: String,
    /// May a system on the disk be overwritten?
    pub overwrite: bool,
    /// What to change in the installed system.
    pub personalise: Personalise,
    /// What to do when finished.
    pub after: After,
}

/// What to change in the installed system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Personalise {
    /// Who grows the last partition and its file system.
    pub grow: Grow,
    /// Empty `/etc/machine-id`, so that the system makes its own at first boot.
    pub fresh_machine_id: bool,
    /// Remove SSH host keys and see to it that new ones are made at first boot.
    pub fresh_ssh_keys: bool,
    /// Where the installed system calls home at first boot, if it is to.
    #[serde(default)]
    pub hello: Option<HelloCall>,
}

/// How the installed system calls home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct HelloCall {
    /// URL to `POST` a [`Hello`] to.
    pub url: String,
    /// Its one-time secret.
    pub secret: String,
}

/// What a board does when it is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// Restart, so that it comes up from its disk.
    Reboot,
    /// Switch off.
    PowerOff,
    /// Stay in the agent.
    Stay,
    /// An action this build does not know; treated as `reboot`.
    #[serde(other)]
    Unknown,
}

/// One thing that happened on the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AgentEvent {
    /// A stage began. Never lost.
    Step {
        /// The stage.
        stage: Stage,
        /// A line of detail.
        #[serde(default)]
        detail: Option<String>,
    },
    /// A line for the deployment's log. Never lost.
    Log {
        /// The line.
        line: String,
    },
    /// The board is finished. Never lost; the agent restarts only after its ack.
    Done(Outcome),
    /// The board failed. Never lost.
    Failed(Failure),
    /// An event this build does not know.
    #[serde(other)]
    Unknown,
}

/// The figures of a finished board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Outcome {
    /// How it was proven.
    pub verified: VerifyLevel,
    /// Bytes written to the medium.
    pub bytes_written: u64,
    /// Bytes read back from the medium and compared.
    pub bytes_read_back: u64,
    /// Bytes received for the image.
    pub bytes_received: u64,
    /// Chunks that had to be written twice.
    pub rewritten_chunks: u32,
    /// How the chunks came: `http`, `multicast` or `mixed`.
    pub transport: String,
    /// Time per stage, in milliseconds.
    #[serde(default)]
    pub stage_ms: Vec<(Stage, u64)>,
    /// Files that differ from the image on purpose, as absolute paths in the root file system.
    #[serde(default)]
    pub changed_files: Vec<String>,
}

/// Events and progress of a board; at least once a second while it works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Report {
    /// The deployment.
    pub deployment: String,
    /// Its bearer secret.
    pub secret: String,
    /// Events not acked yet, each with its sequence number, counted from 1.
    #[serde(default)]
    pub events: Vec<(u64, AgentEvent)>,
    /// The newest progress.
    #[serde(default)]
    pub progress: Option<(Stage, Progress)>,
}

/// The answer to a report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
#[serde(default)]
pub struct Ack {
    /// Highest sequence number that is stored; the agent may forget up to it.
    pub acked: u64,
    /// Stop: the deployment was cancelled or is unknown. The disk is left unbootable.
    pub stop: Option<String>,
    /// Blink the LED for this many seconds.
    pub identify_s: u32,
}

/// The installed system says that it is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct Hello {
    /// The one-time secret from [`HelloCall`].
    pub secret: String,
    /// The hostname the system really has.
    pub hostname: String,
    /// Its `/etc/machine-id`, when it has one.
    #[serde(default)]
    pub machine_id: Option<String>,
}

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export_to = "wire.ts"))]
pub struct HelloAck {
    /// True when the hostname is the assigned one.
    pub confirmed: bool,
}
