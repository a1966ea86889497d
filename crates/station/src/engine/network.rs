//! What the boot servers noticed, brought to the bench: who is there before any byte is served.

use super::admit::secret;
use super::check_in::take_over;
use super::turn::Turn;
use crate::bench::boots;
use crate::bench::identity;
use crate::bench::seat::{Arch, Boot, Machine};
use crate::bench::stages::{Heard, Note, line};
use crate::store;
use crate::store::events::About;
use crate::store::tokens::Holder;
use netboot::dhcp::{Client, DhcpEvent};
use netboot::tftp::{TftpEvent, What};
use std::net::{IpAddr, Ipv4Addr};
use wire::board::Mac;
use wire::refusal::Refusal;
use wire::revision::Revision;
use wire::{BoardId, Stage};

const TEN_MINUTES: i64 = 10 * 60 * 1000;
const MOST_TEXT: usize = 200;

/// Takes what the DHCP server noticed.
pub(super) fn dhcp(turn: &mut Turn<'_>, event: DhcpEvent) -> Result<(), Refusal> {
    match event {
        DhcpEvent::Seen { mac, client, .. } => discover(turn, mac, client),
        DhcpEvent::Offered { mac, ip } => {
            turn.lease(ip, mac);
            Ok(())
        }
        DhcpEvent::Leased { mut lease, client } => {
            if lease.board.is_none() {
                lease.board = turn.board_of(lease.mac)?;
            }
            store::leases::put(turn.tx, &lease)?;
            turn.lease(lease.ip, lease.mac);
            addressed(turn, lease.mac, lease.ip, client)
        }
        DhcpEvent::NotOurs { mac, vendor_class } => stranger(turn, mac, vendor_class),
        DhcpEvent::Released { .. } => Ok(()),
        DhcpEvent::PoolFull { mac } => pool_full(turn, mac),
        DhcpEvent::Rival {
            server,
            mac,
            client,
            how,
        } => rival(turn, server, mac, client, &how),
        DhcpEvent::Declined { mac, ip } => declined(turn, mac, ip),
    }
}

/// Takes what the TFTP server noticed.
pub(super) fn tftp(turn: &mut Turn<'_>, event: TftpEvent) -> Result<(), Refusal> {
    match event.client.ip() {
        IpAddr::V4(ip) => file(turn, ip, &event.path, event.what),
        IpAddr::V6(_) => Ok(()),
    }
}

/// The board that a client is, by what it says and by its address.
fn board_of(turn: &Turn<'_>, mac: Mac, client: Client) -> Result<BoardId, Refusal> {
    let said = match client {
        Client::Pi(pi) => Some(pi.board),
        Client::Uefi { uuid, .. } => Some(BoardId::Uuid(uuid)),
        Client::Agent { board } => board,
        Client::PiUnknown | Client::Other => None,
    };
    let said = said.filter(|id| identity::check_id(*id).is_ok());
    match said {
        Some(id) => Ok(id),
        None => Ok(turn.board_of(mac)?.unwrap_or_else(|| identity::by_mac(mac))),
    }
}

fn discover(turn: &mut Turn<'_>, mac: Mac, client: Client) -> Result<(), Refusal> {
    let id = board_of(turn, mac, client)?;
    match client {
        Client::Pi(_) | Client::PiUnknown | Client::Uefi { .. } => {
            bootloader(turn, id, mac, client)
        }
        // Its agent brings the network up: the boot goes on.
        Client::Agent { .. } => Ok(turn.hear(id, Heard::Alive)?),
        Client::Other => Ok(()),
    }
}

fn bootloader(turn: &mut Turn<'_>, id: BoardId, mac: Mac, client: Client) -> Result<(), Refusal> {
    turn.fetch(id)?;
    let now = turn.now;
    if let Some(seat) = turn.seat(id)
        && identity::is_foreign_mac(seat, mac, now)
    {
        let text = format!("{}.", identity::two_addresses(seat, mac));
        let note = Note::error("identity.conflict", text);
        let about = turn.about(id);
        return Ok(turn.note_seldom(&about, mac.to_string(), TEN_MINUTES, note)?);
    }
    if !identity::is_provisional(id) {
        take_over(turn, id, mac)?;
    }
    turn.welcome(id, mac)?;
    let new_boot = turn.seat(id).is_none_or(|seat| boots::begins(seat, now));
    let token = if new_boot {
        let token = secret()?;
        store::tokens::mint(turn.tx, &token, Holder { board: id, mac }, now)?;
        Some(token)
    } else {
        None
    };
    if let Some(seat) = turn.seat_mut(id) {
        seat.tile.mac = mac;
        seat.learn_mac(mac);
        seat.machine = seat.machine.or(machine_of(client));
        match (token, &mut seat.boot) {
            (Some(token), boot) => {
                *boot = Some(Boot {
                    token,
                    mac,
                    discovered: now,
                });
            }
            (None, Some(boot)) => boot.discovered = now,
            (None, None) => {}
        }
        if let Client::Pi(pi) = client
            && let Some(revision) = pi.revision
        {
            seat.tile.revision = Some(revision);
            seat.tile.ram_mib = seat.tile.ram_mib.or(revision.ram_mib());
        }
        if seat.tile.model.is_empty() {
            seat.tile.model = model_of(client);
        }
    }
    Ok(turn.hear(id, Heard::Discovered { new_boot })?)
}

fn machine_of(client: Client) -> Option<Machine> {
    match client {
        Client::Pi(pi) => pi.revision.map(|revision| Machine::Pi {
            family: revision.family(),
        }),
        Client::Uefi { arch, .. } => Arch::of_option_93(arch).map(|arch| Machine::Uefi { arch }),
        Client::PiUnknown | Client::Agent { .. } | Client::Other => None,
    }
}

fn model_of(client: Client) -> String {
    match client {
        Client::Pi(pi) => pi
            .revision
            .map_or_else(|| "Raspberry Pi".to_owned(), Revision::model),
        Client::PiUnknown => "Raspberry Pi".to_owned(),
        Client::Uefi { .. } => "UEFI machine".to_owned(),
        Client::Agent { .. } | Client::Other => String::new(),
    }
}

fn addressed(turn: &mut Turn<'_>, mac: Mac, ip: Ipv4Addr, client: Client) -> Result<(), Refusal> {
    let id = board_of(turn, mac, client)?;
    match client {
        Client::Pi(_) | Client::PiUnknown | Client::Uefi { .. } => {
            turn.hear(id, Heard::Addressed(ip))?;
        }
        Client::Agent { .. } | Client::Other => {
            if let Some(seat) = turn.seat_mut(id) {
                seat.tile.ip = Some(ip);
            }
        }
    }
    Ok(())
}

/// A device that is none of ours gets a tile of its own, so that the operator can accept it.
fn stranger(turn: &mut Turn<'_>, mac: Mac, vendor_class: Option<String>) -> Result<(), Refusal> {
    if turn
        .board_of(mac)?
        .is_some_and(|id| !identity::is_provisional(id))
    {
        return Ok(());
    }
    let id = identity::by_mac(mac);
    turn.welcome(id, mac)?;
    let now = turn.now;
    if let Some(seat) = turn.seat_mut(id) {
        seat.tile.stage = Stage::NotOurs;
        seat.tile.last_seen = now;
        seat.tile.model = vendor_class.map_or_else(
            || "unknown device".to_owned(),
            |class| line(&class, MOST_TEXT),
        );
    }
    let text = format!("{mac} asked for an address and is no board; it was not answered.");
    let note = Note::info("dhcp.not_ours", text);
    Ok(turn.note_seldom(&About::default(), mac.to_string(), TEN_MINUTES, note)?)
}

fn file(turn: &mut Turn<'_>, ip: Ipv4Addr, path: &str, what: What) -> Result<(), Refusal> {
    let Some(id) = reader_of(turn, ip, path)? else {
        return Ok(());
    };
    let shown = line(path, MOST_TEXT);
    let total = |turn: &Turn<'_>| {
        let progress = turn.seat(id).and_then(|s| s.tile.progress);
        progress.map_or(0, |p| p.total)
    };
    let files = turn.seat_mut(id).map(|seat| &mut seat.files);
    match (&what, files) {
        (What::Started { size }, Some(files)) => files.started(&shown, *size),
        (What::Progress { sent } | What::Failed { sent, .. }, Some(files)) => {
            files.reached(&shown, *sent);
        }
        (What::Done { bytes, .. }, Some(files)) => files.finished(&shown, *bytes),
        (What::NotFound, Some(files)) => files.missing += 1,
        (What::Declined, _) | (_, None) => {}
    }
    let progress = match what {
        What::Started { size } => (0, size),
        What::Progress { sent } => (sent, total(turn).max(sent)),
        What::Done { bytes, .. } => (bytes, bytes),
        What::Declined | What::NotFound => return Ok(()),
        What::Failed { why, .. } => {
            let who = turn.seat(id).map(crate::bench::seat::Seat::called);
            let who = who.unwrap_or_else(|| ip.to_string());
            let why = line(&why, MOST_TEXT);
            let note = Note::warning("tftp.failed", format!("{who} did not get {shown}: {why}."));
            let about = turn.about(id);
            return Ok(turn.note_seldom(&about, format!("{id} {shown}"), 60_000, note)?);
        }
    };
    let heard = Heard::Fetching {
        file: shown,
        progress: Some(progress),
    };
    Ok(turn.hear(id, heard)?)
}

/// The board that asks for a file: the one that has the address, or the one in whose folder the
/// file lies while only the address was known.
fn reader_of(turn: &mut Turn<'_>, ip: Ipv4Addr, path: &str) -> Result<Option<BoardId>, Refusal> {
    let folder = folder_of(path).filter(|id| identity::check_id(*id).is_ok());
    let mac = turn.holder(ip);
    let holder = match mac {
        Some(mac) => turn.board_of(mac)?.or_else(|| {
            let provisional = identity::by_mac(mac);
            turn.seat(provisional).map(|_| provisional)
        }),
        None => None,
    };
    match (folder, holder, mac) {
        (Some(id), Some(holder), Some(mac)) if identity::is_provisional(holder) => {
            turn.fetch(id)?;
            let now = turn.now;
            if turn
                .seat(id)
                .is_some_and(|seat| identity::is_foreign_mac(seat, mac, now))
            {
                return Ok(None);
            }
            take_over(turn, id, mac)?;
            Ok(Some(id))
        }
        (_, Some(holder), _) => Ok(Some(holder)),
        (Some(id), None, _) => Ok(turn.seat(id).map(|_| id)),
        (None, None, _) => Ok(None),
    }
}

/// The board whose folder a boot file lies in (`d137e638/config.txt`), when it lies in one.
fn folder_of(path: &str) -> Option<BoardId> {
    let (folder, _) = path.trim_start_matches('/').split_once('/')?;
    folder.parse().ok()
}

/// What an event of a DHCP client is about: its board, when one is known.
fn about_client(turn: &Turn<'_>, mac: Mac) -> Result<About, Refusal> {
    Ok(match turn.board_of(mac)? {
        Some(board) => turn.about(board),
        None => About::default(),
    })
}

fn pool_full(turn: &mut Turn<'_>, mac: Mac) -> Result<(), Refusal> {
    let text = format!(
        "{mac} got no address: every address of the range is taken. Widen the range in the \
         settings, or release boards that are gone."
    );
    let note = Note::error("dhcp.pool_full", text);
    let about = about_client(turn, mac)?;
    Ok(turn.note_seldom(&about, mac.to_string(), TEN_MINUTES, note)?)
}

fn rival(
    turn: &mut Turn<'_>,
    server: Ipv4Addr,
    mac: Option<Mac>,
    client: Option<Mac>,
    how: &str,
) -> Result<(), Refusal> {
    turn.noticed.rival(server, client, turn.now);
    let known_as = mac.map_or_else(String::new, |mac| format!(" ({mac})"));
    let text = format!(
        "Another DHCP server is on this wire: {server}{known_as}. {} Disconnect it.",
        line(how, MOST_TEXT)
    );
    let note = Note::error("dhcp.rival", text);
    let about = match client {
        Some(client) => about_client(turn, client)?,
        None => About::default(),
    };
    Ok(turn.note_seldom(&about, server.to_string(), TEN_MINUTES, note)?)
}

fn declined(turn: &mut Turn<'_>, mac: Mac, ip: Ipv4Addr) -> Result<(), Refusal> {
    store::leases::remove(turn.tx, mac)?;
    let text = format!("{mac} found its address {ip} in use by another device.");
    let note = Note::warning("dhcp.declined", text);
    let about = about_client(turn, mac)?;
    Ok(turn.note_seldom(&about, ip.to_string(), TEN_MINUTES, note)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_path_names_the_board() {
        let pi = BoardId::Pi(0xd137_e638);
        assert_eq!(folder_of("d137e638/config.txt"), Some(pi));
        assert_eq!(folder_of("/d137e638/overlays/x.dtbo"), Some(pi));
        for other in [
            "config.txt",
            "overlays/x.dtbo",
            "",
            "d137e638",
            "\u{fffd}/x",
        ] {
            assert_eq!(folder_of(other), None, "{other:?}");
        }
    }
}
