//! What is found before and while boards are served, in the words that the technician reads.

use super::nics::Nic;
use super::wire_check::Round;
use crate::config::AgentFiles;
use std::net::Ipv4Addr;
use std::path::Path;
use wire::event::Level;
use wire::health::Finding;
use wire::{Mac, Millis};

/// Names of the checks, as they stand in a finding.
pub mod check {
    /// Another machine has the station's address.
    pub const DUPLICATE: &str = "duplicate_address";
    /// Another DHCP server answers on the wire.
    pub const RIVAL: &str = "rival_dhcp";
    /// A check could not be made.
    pub const NOT_CHECKED: &str = "not_checked";
    /// The archive that boards boot.
    pub const AGENT: &str = "agent";
    /// The helper with the network rights.
    pub const RIGHTS: &str = "rights";
    /// The link is slow.
    pub const LINK_SPEED: &str = "link_speed";
    /// The last good backup is too old.
    pub const BACKUP: &str = "backup";
}

/// Everything that a first look at the wire of `nic` found; the station wants the address `own`.
pub fn of_round(nic: &Nic, own: Ipv4Addr, round: &Round) -> Vec<Finding> {
    let slow = nic.speed_mbit.filter(|mbit| *mbit < 1000);
    let unchecked = round.not_checked.iter().map(|why| not_checked(why));
    let rivals = round.rivals.iter();
    let duplicate = round
        .duplicate
        .map(|mac| duplicate_found(&nic.name, own, mac));
    unchecked
        .chain(slow.map(|mbit| slow_link(&nic.name, mbit)))
        .chain(rivals.map(|r| rival_found(&nic.name, r.server, r.mac)))
        .chain(duplicate)
        .collect()
}

/// What is known after another look. What was found before keeps its time; a rival, a duplicate and a
/// helper that ended stay, because a look that does not meet them proves nothing.
pub fn renewed(known: &[Finding], found: &[Finding]) -> Vec<Finding> {
    let is_new = |new: &Finding| known.iter().all(|old| old.text != new.text);
    let lasts = |old: &Finding| {
        let last = [check::RIVAL, check::DUPLICATE, check::RIGHTS];
        last.contains(&old.check.as_str()) || found.iter().any(|new| new.text == old.text)
    };
    let old = known.iter().filter(|old| lasts(old)).cloned();
    old.chain(found.iter().filter(|new| is_new(new)).cloned())
        .collect()
}

/// What is wrong with the archives that boards boot.
pub fn of_agent(files: &AgentFiles) -> Option<Finding> {
    let why = std::fs::File::open(&files.arm64).err()?;
    Some(no_agent(&files.arm64, &why))
}

fn finding(check: &str, level: Level, text: String, next: &str) -> Finding {
    Finding {
        check: check.to_owned(),
        level,
        text,
        next: (!next.is_empty()).then(|| next.to_owned()),
        at: Millis::now(),
    }
}

/// Another machine has our address.
pub fn duplicate_found(device: &str, ip: Ipv4Addr, mac: Mac) -> Finding {
    finding(
        check::DUPLICATE,
        Level::Error,
        format!(
            "The address {ip} on {device} is already used by the machine with the Ethernet address {mac}."
        ),
        "Unplug that machine, or give the station another address under [deployment].",
    )
}

/// Another DHCP server answers. `mac` is told when it could be found out.
pub fn rival_found(device: &str, server: Ipv4Addr, mac: Option<Mac>) -> Finding {
    let mac = mac.map_or_else(String::new, |mac| format!(" ({mac})"));
    finding(
        check::RIVAL,
        Level::Error,
        format!(
            "Another DHCP server answers on {device}: {server}{mac}. Boards would get their address from it, so DHCP here is stopped."
        ),
        "Unplug it from this switch or switch its DHCP off, then start DHCP again.",
    )
}

/// A check that could not be made.
fn not_checked(why: &str) -> Finding {
    finding(
        check::NOT_CHECKED,
        Level::Warning,
        format!(
            "The wire could not be checked for duplicate addresses and other DHCP servers: {why}."
        ),
        "Boards are served all the same, and it is tried again every few seconds. Make sure that no other DHCP server is on this switch.",
    )
}

/// The helper that holds the network rights ended without being told to.
pub fn helper_ended(how: &str) -> Finding {
    finding(
        check::RIGHTS,
        Level::Warning,
        format!(
            "The helper that holds the network rights ended: {how}. It was started again; boards that are being served were not disturbed."
        ),
        "Look into the system's log if this happens again.",
    )
}

/// The archive that boards boot cannot be read.
fn no_agent(archive: &Path, why: &std::io::Error) -> Finding {
    finding(
        check::AGENT,
        Level::Error,
        format!(
            "The installer that boards boot cannot be read: {}: {why}. Boards get an address and no boot files.",
            archive.display()
        ),
        "Install the package again, or name the file as arm64 under [agent] in station.toml.",
    )
}

/// A link that will make a batch slow.
fn slow_link(device: &str, mbit: u32) -> Finding {
    finding(
        check::LINK_SPEED,
        Level::Warning,
        format!("{device} runs at {mbit} Mbit/s; every board shares that."),
        "Use a gigabit switch and a cable with all four pairs.",
    )
}
