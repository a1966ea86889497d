//! Is the wire fit to be served? Two questions, asked before serving and for as long as it goes on:
//! does another machine use the station's address (RFC 5227), and does another DHCP server answer?
//!
//! The first round is short, so that a station is in a definite state within half a second. It finds
//! every duplicate and every server that answers at once. A server that pings an address before it
//! offers it (three seconds with common ones) is found by the second round, which follows at once,
//! and stops DHCP then.

use crate::config::Subnet;
use netboot::arp::{ArpSocket, Conflict, Timing};
use netboot::dhcp::probe::{Rival, probe};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::sync::mpsc;
use wire::event::Level;
use wire::health::Finding;
use wire::{Mac, Millis};

/// Patience of the first round.
const FIRST: Duration = Duration::from_millis(350);
/// Patience of later rounds.
const LATER: Duration = Duration::from_secs(4);
/// Pause between later rounds.
const BETWEEN: Duration = Duration::from_secs(60);
/// Probes for a duplicate, as close together as one switch needs.
const QUICK: Timing = Timing {
    probes: 3,
    spacing: Duration::from_millis(115),
    announcements: 2,
    announce_spacing: Duration::from_secs(2),
    defend_pause: Duration::from_secs(10),
};

/// Names of the checks, as they stand in a finding.
pub mod check {
    /// Another machine has the station's address.
    pub const DUPLICATE: &str = "duplicate_address";
    /// Another DHCP server answers on the wire.
    pub const RIVAL: &str = "rival_dhcp";
    /// A check could not be made.
    pub const NOT_CHECKED: &str = "not_checked";
    /// The link is slow.
    pub const LINK_SPEED: &str = "link_speed";
}

/// What a round found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Who else has the address.
    pub duplicate: Option<Mac>,
    /// Other DHCP servers.
    pub rivals: Vec<Rival>,
    /// Checks that could not be made, in words.
    pub not_checked: Vec<String>,
}

/// What the continuous check reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The first round is over.
    First(Round),
    /// Another machine began to use the address.
    Duplicate(Mac),
    /// A later round found these servers; none, when it is empty.
    Rivals(Vec<Rival>),
}

/// One round of both questions. Takes as long as the first round's patience.
pub async fn round(device: &str, address: Subnet) -> Round {
    let duplicate = async {
        match ArpSocket::open(device) {
            Ok(socket) => socket.probe(address.address, QUICK).await,
            Err(e) => Err(e),
        }
    };
    let (duplicate, rivals) = tokio::join!(duplicate, probe(device, Some(address.address), FIRST));
    let mut found = Round::default();
    match duplicate {
        Ok(mac) => found.duplicate = mac,
        Err(why) => found.not_checked.push(why.to_string()),
    }
    match rivals {
        Ok(rivals) => found.rivals = rivals,
        Err(why) => found.not_checked.push(why.to_string()),
    }
    found
}

/// Asks for as long as it is let. Its future is simply dropped to end it.
pub async fn keep_asking(device: String, address: Subnet, heard: mpsc::Sender<Heard>) {
    let first = round(&device, address).await;
    let blind = !first.not_checked.is_empty();
    if heard.send(Heard::First(first)).await.is_err() || blind {
        return;
    }
    tokio::join!(
        watch_address(&device, address.address, &heard),
        watch_servers(&device, address.address, &heard),
    );
}

async fn watch_address(device: &str, ip: Ipv4Addr, heard: &mpsc::Sender<Heard>) {
    let (conflicts, mut conflict) = mpsc::channel(4);
    let watch = async {
        loop {
            let ended = match ArpSocket::open(device) {
                Ok(socket) => {
                    let never = std::future::pending();
                    socket.watch(ip, QUICK, conflicts.clone(), never).await
                }
                Err(e) => Err(e),
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "watching the address");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let tell = async {
        while let Some(Conflict { mac }) = conflict.recv().await {
            if heard.send(Heard::Duplicate(mac)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = watch => {}
        () = tell => {}
    }
}

async fn watch_servers(device: &str, ip: Ipv4Addr, heard: &mpsc::Sender<Heard>) {
    loop {
        match probe(device, Some(ip), LATER).await {
            Ok(rivals) => {
                if heard.send(Heard::Rivals(rivals)).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!(%error, "looking for other DHCP servers"),
        }
        tokio::time::sleep(BETWEEN).await;
    }
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
pub fn not_checked(why: &str) -> Finding {
    finding(
        check::NOT_CHECKED,
        Level::Warning,
        format!(
            "The wire could not be checked for duplicate addresses and other DHCP servers: {why}."
        ),
        "",
    )
}

/// A link that will make a batch slow.
pub fn slow_link(device: &str, mbit: u32) -> Finding {
    finding(
        check::LINK_SPEED,
        Level::Warning,
        format!("{device} runs at {mbit} Mbit/s; every board shares that."),
        "Use a gigabit switch and a cable with all four pairs.",
    )
}
