//! The board's address: taken by DHCP, set on the card, kept alive in the background.

use super::consoles::Consoles;
use super::netlink;
use super::nic::Card;
use agent::{Screen, Tone};
pub(crate) use netboot::dhcp::client::Grant;
use netboot::dhcp::client::{Conversation, Event, Lessee, Network, Persona};
use netboot::socket;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;
use wire::BoardId;

/// Port of DHCP clients.
const CLIENT_PORT: u16 = 68;
/// How long one wait for an event lasts; nothing depends on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until there is an address, sets it, and goes on renewing it for ever.
pub(crate) fn take(card: &Card, board: BoardId, consoles: &Consoles) -> Grant {
    let mut screen = Screen::new(Tone::Working, "", "asking for an address");
    screen.lines = vec![format!("{} ({})", card.name, card.mac), board.to_string()];
    consoles.show(&screen);
    loop {
        match begin(card, board) {
            Ok((conversation, grant)) => {
                keep(conversation, card.clone(), grant.clone(), consoles.clone());
                return grant;
            }
            Err(why) => {
                consoles.note(&format!("no address: {why}"));
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    }
}

fn begin(card: &Card, board: BoardId) -> Result<(Conversation, Grant), String> {
    let everybody = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
    let socket = socket::open_shared(Some(&card.name), everybody).map_err(|e| e.to_string())?;
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|e| e.to_string())?;
    let seed = u64::from_ne_bytes(seed);
    let mut conversation = Conversation::begin(socket, |now| {
        let persona = Persona::agent(Some(board));
        Lessee::new(persona, card.mac, Network::Broadcast, seed, now)
    });
    loop {
        let event = conversation.next_event(PATIENCE);
        if let Some(Event::Bound(grant)) = event.map_err(|e| e.to_string())? {
            set(card, &grant)?;
            return Ok((conversation, grant));
        }
    }
}

fn set(card: &Card, grant: &Grant) -> Result<(), String> {
    let said = |e: std::io::Error| format!("{} cannot be set up: {e}", card.name);
    netlink::add_address(card.index, grant.address, grant.mask).map_err(said)?;
    if let Some(router) = grant.router {
        // The station is on the wire itself; a route that cannot be set costs nothing.
        netlink::default_route(card.index, router).ok();
    }
    Ok(())
}

fn keep(mut conversation: Conversation, card: Card, mut grant: Grant, consoles: Consoles) {
    std::thread::spawn(move || {
        loop {
            match conversation.next_event(PATIENCE) {
                Ok(Some(Event::Bound(new))) => {
                    if new.address != grant.address {
                        netlink::remove_address(card.index, grant.address, grant.mask).ok();
                    }
                    if let Err(why) = set(&card, &new) {
                        consoles.note(&why);
                    }
                    grant = new;
                }
                Ok(Some(Event::Lost { why })) => {
                    consoles.note(&format!("lost the address {}: {why}", grant.address));
                }
                Ok(_) => {}
                Err(e) => {
                    consoles.note(&format!("the lease cannot be renewed: {e}"));
                    std::thread::sleep(Duration::from_secs(5));
                }
            }
        }
    });
}
