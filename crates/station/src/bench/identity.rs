//! Who is who. A board is keyed by what its bootloader can say; the rest is checked against it.

use super::seat::{NO_MAC, Seat};
use uuid::{Builder, Uuid};
use wire::agent::Inventory;
use wire::board::{Mac, Serial};
use wire::{BoardId, Millis};

const BY_MAC: &[u8; 6] = b"punnet";

/// The provisional id of a machine of which only the Ethernet address is known: a custom UUID
/// (version 8, RFC 9562 §5.8) that carries the address. It is replaced as soon as the machine says
/// who it is.
pub fn by_mac(mac: Mac) -> BoardId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(BY_MAC);
    bytes[10..].copy_from_slice(&mac.0);
    BoardId::Uuid(Builder::from_custom_bytes(bytes).into_uuid())
}

/// True for an id made by [`by_mac`]; nothing that a machine says of itself may look like one.
pub fn is_provisional(id: BoardId) -> bool {
    match id {
        BoardId::Pi(_) => false,
        BoardId::Uuid(uuid) => uuid.as_bytes().starts_with(BY_MAC),
    }
}

/// Why what a machine says of itself is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nobody {
    /// The id is one that firmware makes up when it has none.
    #[error("the board calls itself {0}, which is no identity of its own")]
    Blank(BoardId),
    /// The serial number and the id disagree.
    #[error("the board calls itself {id}, but its serial number {serial} says {low:08x}",
            low = serial.low())]
    Disagree {
        /// The id.
        id: BoardId,
        /// The serial number.
        serial: Serial,
    },
}

/// Checks that an id can key a board.
pub fn check_id(id: BoardId) -> Result<(), Nobody> {
    let blank = match id {
        BoardId::Pi(low) => low == 0,
        BoardId::Uuid(uuid) => uuid.is_nil() || uuid == Uuid::max() || is_provisional(id),
    };
    if blank {
        Err(Nobody::Blank(id))
    } else {
        Ok(())
    }
}

/// Checks that an inventory speaks of one board.
pub fn check(inventory: &Inventory) -> Result<(), Nobody> {
    check_id(inventory.board)?;
    match (inventory.board, inventory.serial) {
        (BoardId::Pi(low), Some(serial)) if serial.low() != low => Err(Nobody::Disagree {
            id: inventory.board,
            serial,
        }),
        _ => Ok(()),
    }
}

/// Two boards whose serial numbers end in the same 32 bits look like one to every bootloader. Says
/// so, in words, when `serial` is not the board that has this seat.
pub fn conflict(seat: &Seat, serial: Option<Serial>) -> Option<String> {
    let (known, asking) = (seat.tile.serial?, serial?);
    (known != asking).then(|| {
        let known_as = match &seat.tile.hostname {
            Some(hostname) => format!("{known}, known as {hostname}"),
            None => known.to_string(),
        };
        format!(
            "board {asking} ends in the same eight digits as board {known_as}; a bootloader \
             cannot tell them apart. Provision it at another station"
        )
    })
}

/// True when a packet that carries a board's id, but another Ethernet address, may not move the
/// board: it is at work or finished under the addresses it has. Most likely another board has the
/// same serial number.
pub fn is_foreign_mac(seat: &Seat, mac: Mac, now: Millis) -> bool {
    let known = seat.macs.is_empty() || seat.macs.contains(&mac);
    !known && (seat.is_at_work(now) || seat.is_settled())
}

/// Says, in words, why a call that carries a board's id is not from the board that has this seat. For
/// callers that show no token: the whole serial number tells boards apart, and without it the
/// address does.
pub fn stranger(seat: &Seat, serial: Option<Serial>, mac: Mac, now: Millis) -> Option<String> {
    if let Some(why) = conflict(seat, serial) {
        return Some(why);
    }
    let same_serial = serial.is_some() && serial == seat.tile.serial;
    if same_serial || mac == NO_MAC || !is_foreign_mac(seat, mac, now) {
        return None;
    }
    Some(two_addresses(seat, mac))
}

/// A foreign address in words ([`is_foreign_mac`]).
pub fn two_addresses(seat: &Seat, mac: Mac) -> String {
    format!(
        "{mac} says that it is {}, which is known as {} ({}). Either two boards have one serial \
         number, or it has another network card: then approve it",
        seat.called(),
        seat.tile.mac,
        seat.tile.stage
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x2c, 0xcf, 0x67, 0, 0x11, 0x22]);

    #[test]
    fn a_provisional_id_is_told_from_a_real_one() {
        assert!(is_provisional(by_mac(MAC)));
        assert_ne!(by_mac(MAC), by_mac(Mac([0; 6])));
        assert!(!is_provisional(BoardId::Pi(7)));
        let real = "c0ffee00-0000-4000-8000-000000000001";
        assert!(!is_provisional(real.parse().unwrap()));
    }

    #[test]
    fn a_machine_without_an_identity_is_nobody() {
        let nobody = [
            "00000000",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ];
        for id in nobody {
            assert!(check_id(id.parse().unwrap()).is_err(), "{id}");
        }
        assert!(
            check_id(by_mac(MAC)).is_err(),
            "a machine may not claim a provisional id"
        );
        assert!(check_id(BoardId::Pi(1)).is_ok());
    }

    #[test]
    fn equal_ends_of_different_serials_are_a_conflict() {
        let mut seat = Seat::new(BoardId::Pi(0xd137_e638), MAC, Millis(0));
        let first = Serial(0x9d00_ce41_d137_e638);
        let second = Serial(0x1234_5678_d137_e638);
        assert_eq!(conflict(&seat, Some(first)), None, "nothing known yet");
        seat.tile.serial = Some(first);
        assert_eq!(conflict(&seat, Some(first)), None);
        assert_eq!(conflict(&seat, None), None);
        let why = conflict(&seat, Some(second)).unwrap();
        assert!(why.contains("9d00ce41d137e638"), "{why}");
    }
}
