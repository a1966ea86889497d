//! Is the wire fit to be served? Two questions, asked before serving and for as long as it goes on:
//! does another machine use the station's address (RFC 5227), and does another DHCP server answer?
//!
//! The first verdict is given after a moment, so that a station is in a definite state within half a
//! second; it knows of every duplicate and of every server that answers at once. The question to
//! servers stays open after it: a server that pings an address before it offers it (three seconds
//! each with common ones) is heard when it answers, and stops DHCP then.
//!
//! A question that could not be asked is no answer: it is said, and everything is asked again until it
//! can be.

use crate::config::Subnet;
use crate::rights::{Rights, What};
use netboot::arp::{ArpSocket, Conflict, Timing};
use netboot::dhcp::probe::{Probe, Rival};
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use wire::{Mac, Millis};

/// Time until the first verdict.
const FIRST: Duration = QUICK.probing();
/// How long the first question to servers stays open.
const OPEN: Duration = Duration::from_secs(15);
/// How long later questions stay open.
const LATER: Duration = Duration::from_secs(6);
/// Pause before everything is asked again after something could not be asked.
const AGAIN: Duration = Duration::from_secs(5);
/// Pause between questions.
const BETWEEN: Duration = Duration::from_secs(20);
/// Probes for a duplicate, and a moment for the last answer: whoever answers later is heard as long as
/// the station serves.
const QUICK: Timing = Timing {
    probes: 3,
    spacing: Duration::from_millis(200),
    hearing: Duration::from_millis(40),
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
    /// A first verdict; another follows where a question could not be asked.
    First(Round),
    /// Another machine uses the address.
    Duplicate(Mac),
    /// Another DHCP server answers.
    Rival(Rival),
}

/// Asks both questions once and gives the verdict after `patience`.
pub async fn round(rights: &Rights, address: Subnet, patience: Duration) -> Round {
    let (found, mut rivals) = mpsc::channel(32);
    let mut verdict = Round::default();
    let (duplicate, servers) = tokio::join!(
        duplicate(rights, address.address),
        search(rights, address.address, patience, found),
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
        verdict.not_checked.push(why);
    }
    verdict
}

/// Asks for as long as it is let. Its future is simply dropped to end it.
pub async fn keep_asking(rights: Rights, address: Subnet, heard: mpsc::Sender<Heard>) {
    while !heard.is_closed() {
        ask(&rights, address.address, &heard).await;
        tokio::time::sleep(AGAIN).await;
    }
}

/// Tells the first verdict and then what comes up, for as long as both questions can be asked.
async fn ask(rights: &Rights, ip: Ipv4Addr, heard: &mpsc::Sender<Heard>) {
    let (found, mut rivals) = mpsc::channel(32);
    let mut asking = std::pin::pin!(keep_searching(rights, ip, found));
    let verdict = tokio::select! {
        why = &mut asking => Round {
            not_checked: vec![why],
            ..Round::default()
        },
        verdict = first_verdict(rights, ip, &mut rivals) => verdict,
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
        why = asking => tracing::warn!(%why, "looking for other DHCP servers"),
        () = tell => {}
        () = watch_address(rights, ip, heard) => {}
    }
}

async fn first_verdict(rights: &Rights, ip: Ipv4Addr, rivals: &mut mpsc::Receiver<Rival>) -> Round {
    let mut verdict = Round::default();
    let (duplicate, ()) = tokio::join!(duplicate(rights, ip), tokio::time::sleep(FIRST));
    match duplicate {
        Ok(mac) => verdict.duplicate = mac,
        Err(why) => verdict.not_checked.push(why),
    }
    while let Ok(rival) = rivals.try_recv() {
        verdict.rivals.push(rival);
    }
    verdict
}

async fn duplicate(rights: &Rights, ip: Ipv4Addr) -> Result<Option<Mac>, String> {
    let socket = rights.arp().await.map_err(|e| e.text)?;
    socket.probe(ip, QUICK).await.map_err(|e| e.to_string())
}

/// Asks for servers again and again; returns when even the first question could not be asked.
async fn keep_searching(rights: &Rights, ip: Ipv4Addr, found: mpsc::Sender<Rival>) -> String {
    if let Err(why) = search(rights, ip, OPEN, found.clone()).await {
        return why;
    }
    loop {
        tokio::time::sleep(BETWEEN).await;
        if let Err(why) = search(rights, ip, LATER, found.clone()).await {
            tracing::debug!(%why, "looking for other DHCP servers");
        }
    }
}

/// Asks for servers once; tells each one that answers within `patience`, with its Ethernet address
/// when that can be found out.
async fn search(
    rights: &Rights,
    ours: Ipv4Addr,
    patience: Duration,
    found: mpsc::Sender<Rival>,
) -> Result<(), String> {
    let failed = |why: &dyn std::fmt::Display| {
        format!("cannot look for other DHCP servers: {why}; check that the cable is in")
    };
    let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, netboot::dhcp::SERVER_PORT);
    let socket = rights.udp(What::DhcpClient).await.map_err(|e| e.text)?;
    socket.set_nonblocking(true).map_err(|e| failed(&e))?;
    let socket = UdpSocket::from_std(socket).map_err(|e| failed(&e))?;
    let arp = rights.arp().await.ok();
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|e| failed(&e))?;
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
                .map_err(|e| failed(&e))?;
        }
        let wait = Duration::from_millis(u64::try_from(due.since(now())).unwrap_or(0));
        let received = match tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
            Ok(received) => received.map_err(|e| failed(&e))?,
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

async fn watch_address(rights: &Rights, ip: Ipv4Addr, heard: &mpsc::Sender<Heard>) {
    let (conflicts, mut conflict) = mpsc::channel(4);
    let watch = async {
        loop {
            let ended = match rights.arp().await {
                Ok(socket) => {
                    let never = std::future::pending();
                    let watch = socket.watch(ip, QUICK, conflicts.clone(), never).await;
                    watch.map_err(|e| e.to_string())
                }
                Err(denied) => Err(denied.text),
            };
            if let Err(why) = ended {
                tracing::debug!(%why, "watching the address");
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
