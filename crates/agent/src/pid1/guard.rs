//! The guard: this program overwrites disks, so it runs on nothing but a board that booted it.
//!
//! Three things together are true only there: it is PID 1, the root directory is an initramfs, and
//! the kernel command line names a station. Started anywhere else it says so and ends.

use super::lease::Grant;
use super::nic::Card;
use super::start;
use agent::Link;
use nix::sys::statfs::{FsType, statfs};
use std::path::Path;
use wire::Mac;
use wire::agent::{KEY_PATH, PARAM_MAC, PARAM_STATION, PARAM_TOKEN};

/// `RAMFS_MAGIC` and `TMPFS_MAGIC` of linux/magic.h: what an initramfs is made of.
const INITRAMFS: [i64; 2] = [0x8584_58f6, 0x0102_1994];
/// The door for boards where only the DHCP server is known.
const DEFAULT_PORT: u16 = 5001;

/// What the kernel command line says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    /// The station's door; empty or `dhcp` when the DHCP server is the station.
    pub(crate) station: String,
    /// The one-time boot token.
    pub(crate) token: Option<String>,
    /// The interface that booted.
    pub(crate) mac: Option<Mac>,
}

/// Why the program does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// This is a program among others on a running system.
    #[error(
        "this program overwrites disks and runs only as /init of a board that a Punnet station \
         booted from the network. Nothing was done."
    )]
    NotInit,
    /// PID 1 of a container, or of a system with a disk.
    #[error(
        "the root directory is no initramfs, so this is not a board that booted from the network. \
         Nothing was done."
    )]
    NoInitramfs,
    /// An initramfs that cannot be worked in.
    #[error("the kernel's file systems cannot be mounted: {0}. Power-cycle the board.")]
    Mount(nix::Error),
    /// Somebody else's initramfs, or a kernel started by hand.
    #[error(
        "the kernel command line has no {PARAM_STATION}=. Boot the board from a station. Nothing \
         was done."
    )]
    NoStation,
}

/// Lets the program go on only where it may, with `/proc` and the like mounted.
pub(crate) fn admit() -> Result<Parameters, Refused> {
    if std::process::id() != 1 {
        return Err(Refused::NotInit);
    }
    if !statfs("/").is_ok_and(|root| is_initramfs(root.filesystem_type())) {
        return Err(Refused::NoInitramfs);
    }
    start::mounts().map_err(Refused::Mount)?;
    let text = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    parse(&text).ok_or(Refused::NoStation)
}

fn is_initramfs(kind: FsType) -> bool {
    INITRAMFS.iter().any(|magic| kind == FsType(*magic as _))
}

/// Reads the parameters; `None` when no station is named at all.
fn parse(cmdline: &str) -> Option<Parameters> {
    let value = |name: &str| {
        cmdline.split_ascii_whitespace().rev().find_map(|word| {
            let rest = word.strip_prefix(name)?;
            rest.strip_prefix('=')
                .or_else(|| rest.is_empty().then_some(""))
        })
    };
    Some(Parameters {
        station: value(PARAM_STATION)?.to_owned(),
        token: value(PARAM_TOKEN)
            .filter(|t| !t.is_empty())
            .map(str::to_owned),
        mac: value(PARAM_MAC).and_then(|text| text.parse().ok()),
    })
}

impl Parameters {
    /// How the station is reached, now that the board has an address.
    pub(crate) fn link(&self, card: &Card, grant: &Grant) -> Link {
        let station = match self.station.as_str() {
            "" | "dhcp" => format!("http://{}:{DEFAULT_PORT}", grant.tftp),
            named => named.to_owned(),
        };
        Link {
            station,
            token: self.token.clone(),
            mac: card.mac,
            local: None,
            station_key: station_key(Path::new(KEY_PATH)),
        }
    }
}

fn station_key(path: &Path) -> Option<[u8; 32]> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_the_last_word_counts() {
        let p = parse(
            "console=ttyAMA0 punnet.station=http://1.2.3.4:5001 punnet.token=abc \
             punnet.mac=dc:a6:32:00:00:01 punnet.station=http://10.0.0.1:5001\n",
        );
        let p = p.unwrap();
        assert_eq!(p.station, "http://10.0.0.1:5001");
        assert_eq!(p.token.as_deref(), Some("abc"));
        assert_eq!(p.mac.unwrap().to_string(), "dc:a6:32:00:00:01");
    }

    #[test]
    fn without_a_station_there_is_nothing_to_do_here() {
        assert_eq!(parse("quiet root=/dev/sda1 xpunnet.station=1"), None);
        assert_eq!(parse("punnet.stationary=1"), None);
        let dhcp = Some(Parameters::default());
        assert_eq!(parse("punnet.station="), dhcp);
        assert_eq!(parse("quiet punnet.station punnet.token="), dhcp);
    }
}
