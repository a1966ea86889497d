//! Is the wire fit to be served? Two questions, asked before serving and for as long as it goes on:
//! does another machine use the station's address (RFC 5227), and does another DHCP server answer?
//!
//! The first verdict is given after a moment, so that a station is in a definite state within half a
//! second; it knows of every duplicate and of every server that answers at once. The question to
//! servers stays open after it: a server that pings an address before it offers it (three seconds
//! each with common ones) is heard when it answers, and stops DHCP then.

use crate::config::Subnet;
use netboot::arp::{ArpSocket, Conflict, Timing};
use netboot::dhcp::CLIENT_PORT;
use netboot::dhcp::probe::{Probe, ProbeError, Rival};
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use wire::{Mac, Millis};

/// Time until the first verdict.
const FIRST: Duration = Duration::from_millis(350);
/// How long the first question to servers stays open.
const OPEN: Duration = Duration::from_secs(15);
/// How long later questions stay open.
const LATER: Duration = Duration::from_secs(6);
/// Pause between questions.
const BETWEEN: Duration = Duration::from_secs(20);
/// Probes for a duplicate, as close together as one switch needs.
const QUICK: Timing = Timing {
    probes: 3,
    spacing: Duration::from_millis(115),
    announcements: 2,
    announce_spacing: Duration::from_secs(2),
    defend_pause: Duration::from_secs(10),
};
/// Longest answer of a server that is read.
const LONGEST: usize = 1500;

/// The first verdict.
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
    /// The first verdict.
    First(Round),
    /// Another machine uses the address.
    Duplicate(Mac),
    /// Another DHCP server answers.
    Rival(Rival),
}

/// Asks both questions once and gives the verdict after `patience`.
pub async fn round(device: &str, address: Subnet, patience: Duration) -> Round {
    let (found, mut rivals) = mpsc::channel(32);
    let mut verdict = Round::default();
    let (duplicate, servers) = tokio::join!(
        duplicate(device, address.address),
        search(device, address.address, patience, found),
    );
    rivals.close();
    while let Some(rival) = rivals.recv().await {
        verdict.rivals.push(rival);
    }
    match duplicate {
        Ok(mac) => verdict.duplicate = mac,
        Err(why) => verdict.not_checked.push(why),
    }
    if let Err(why) = servers {
        verdict.not_checked.push(why.to_string());
    }
    verdict
}

/// Asks for as long as it is let. Its future is simply dropped to end it.
pub async fn keep_asking(device: String, address: Subnet, heard: mpsc::Sender<Heard>) {
    let ip = address.address;
    let (found, mut rivals) = mpsc::channel(32);
    let mut asking = std::pin::pin!(keep_searching(&device, ip, found));
    let verdict = tokio::select! {
        why = &mut asking => Round {
            not_checked: vec![why.to_string()],
            ..Round::default()
        },
        verdict = first_verdict(&device, ip, &mut rivals) => verdict,
    };
    let blind = !verdict.not_checked.is_empty();
    if heard.send(Heard::First(verdict)).await.is_err() || blind {
        return;
    }
    let tell = async {
        while let Some(rival) = rivals.recv().await {
            if heard.send(Heard::Rival(rival)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        why = asking => tracing::warn!(%why, "no longer looking for other DHCP servers"),
        () = tell => {}
        () = watch_address(&device, ip, &heard) => {}
    }
}

async fn first_verdict(device: &str, ip: Ipv4Addr, rivals: &mut mpsc::Receiver<Rival>) -> Round {
    let mut verdict = Round::default();
    let (duplicate, ()) = tokio::join!(duplicate(device, ip), tokio::time::sleep(FIRST));
    match duplicate {
        Ok(mac) => verdict.duplicate = mac,
        Err(why) => verdict.not_checked.push(why),
    }
    while let Ok(rival) = rivals.try_recv() {
        verdict.rivals.push(rival);
    }
    verdict
}

async fn duplicate(device: &str, ip: Ipv4Addr) -> Result<Option<Mac>, String> {
    let socket = ArpSocket::open(device).map_err(|e| e.to_string())?;
    socket.probe(ip, QUICK).await.map_err(|e| e.to_string())
}

/// Asks for servers again and again; returns when even the first question could not be asked.
async fn keep_searching(device: &str, ip: Ipv4Addr, found: mpsc::Sender<Rival>) -> ProbeError {
    if let Err(why) = search(device, ip, OPEN, found.clone()).await {
        return why;
    }
    loop {
        tokio::time::sleep(BETWEEN).await;
        if let Err(why) = search(device, ip, LATER, found.clone()).await {
            tracing::debug!(%why, "looking for other DHCP servers");
        }
    }
}

/// Asks for servers once; tells each one that answers within `patience`, with its Ethernet address
/// when that can be found out.
async fn search(
    device: &str,
    ours: Ipv4Addr,
    patience: Duration,
    found: mpsc::Sender<Rival>,
) -> Result<(), ProbeError> {
    let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
    let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, netboot::dhcp::SERVER_PORT);
    let socket = netboot::socket::open_shared(Some(device), everywhere)?;
    socket.set_nonblocking(true).map_err(ProbeError::Socket)?;
    let socket = UdpSocket::from_std(socket).map_err(ProbeError::Socket)?;
    let arp = ArpSocket::open(device).ok();
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|e| ProbeError::Socket(std::io::Error::other(e)))?;
    let begun = Instant::now();
    let now = || Millis(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX));
    let mac = arp.as_ref().map(ArpSocket::mac);
    let mut probe = Probe::new(mac, Some(ours), patience, seed, now());
    let mut told = HashSet::new();
    let mut buffer = [0; LONGEST];
    while let Some(due) = probe.next_deadline() {
        probe.handle_timeout(now());
        while let Some(bytes) = probe.poll() {
            socket
                .send_to(&bytes, everybody)
                .await
                .map_err(ProbeError::Socket)?;
        }
        let wait = Duration::from_millis(u64::try_from(due.since(now())).unwrap_or(0));
        let received = match tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
            Ok(received) => received.map_err(ProbeError::Socket)?,
            Err(_) => continue,
        };
        if let (length, SocketAddr::V4(from)) = received {
            probe.handle(buffer.get(..length).unwrap_or_default(), from);
        }
        for mut rival in probe.rivals() {
            if told.insert(rival.server) {
                if let Some(arp) = &arp {
                    rival.mac = arp.probe(rival.server, QUICK).await.ok().flatten();
                }
                if found.send(rival).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
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
