//! Whether a board is the one that booted here.
//!
//! A token is minted when a bootloader asks for an address. It goes out in the boot files, to that
//! address alone, and is believed only from there, for that board, in that boot, and until the board
//! is finished. One that lies unused for an hour is worth nothing any more; one that was used in time
//! lasts as long as its boot, because a board may wait overnight for its batch.

use super::identity;
use std::net::Ipv4Addr;
use wire::board::Mac;
use wire::{BoardId, Millis};

/// A token has to be shown for the first time within this time: an hour.
pub const FRESH_MS: i64 = 60 * 60 * 1000;

/// What is on record of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The board that it was minted for; provisional while only its address was known.
    pub board: BoardId,
    /// The Ethernet address that booted.
    pub mac: Mac,
    /// When.
    pub minted: Millis,
    /// It was shown and believed before.
    pub used: bool,
    /// That address has not booted again since.
    pub newest: bool,
    /// The deployment that it led to is finished.
    pub spent: bool,
}

/// Who shows it.
#[derive(Debug, Clone, Copy)]
pub struct Bearer<'a> {
    /// The board it says it is.
    pub board: BoardId,
    /// The Ethernet addresses it says it has.
    pub macs: &'a [Mac],
    /// Where the request came from.
    pub from: Ipv4Addr,
    /// Whom the station gave that address to.
    pub leased: Option<Mac>,
    /// The board is finished, and nobody asked for it to be imaged again.
    pub settled: bool,
    /// The token was minted for an address that may not speak for this board
    /// ([`identity::is_foreign_mac`]).
    pub foreign: bool,
}

/// Why a board is not believed; continues "Board X …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// None was shown.
    #[error("shows no boot token")]
    Missing,
    /// Nobody knows it.
    #[error("shows a boot token that is not of this station")]
    Unknown,
    /// It is another board's.
    #[error("shows the boot token of another board")]
    OtherBoard,
    /// It came from an address that the board was not given.
    #[error("speaks from {0}, which is not the address that it was given when it booted")]
    OtherAddress(Ipv4Addr),
    /// The board has booted again since.
    #[error("shows the boot token of an earlier boot")]
    EarlierBoot,
    /// It was shown too late.
    #[error("shows a boot token that was first used more than an hour after the boot")]
    Stale,
    /// It has led to a finished board.
    #[error("shows a boot token that was used up: the board was finished with it")]
    Spent,
}

/// Is a token believed?
pub fn check(token: Option<&Token>, bearer: &Bearer<'_>, now: Millis) -> Result<(), Doubt> {
    let Some(token) = token else {
        return Err(Doubt::Unknown);
    };
    let own = token.board == bearer.board
        || (identity::is_provisional(token.board) && bearer.macs.contains(&token.mac));
    if !own || bearer.foreign {
        return Err(Doubt::OtherBoard);
    }
    if bearer.leased != Some(token.mac) {
        return Err(Doubt::OtherAddress(bearer.from));
    }
    if !token.newest {
        return Err(Doubt::EarlierBoot);
    }
    if !token.used && now.since(token.minted) > FRESH_MS {
        return Err(Doubt::Stale);
    }
    if token.spent && !bearer.settled {
        return Err(Doubt::Spent);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x2c, 0xcf, 0x67, 0, 0, 7]);
    const OTHER: Mac = Mac([0x2c, 0xcf, 0x67, 0, 0, 8]);
    const FROM: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 100);

    fn token() -> Token {
        Token {
            board: BoardId::Pi(7),
            mac: MAC,
            minted: Millis(1000),
            used: false,
            newest: true,
            spent: false,
        }
    }

    fn bearer() -> Bearer<'static> {
        Bearer {
            board: BoardId::Pi(7),
            macs: &[MAC],
            from: FROM,
            leased: Some(MAC),
            settled: false,
            foreign: false,
        }
    }

    fn doubt(token: Token, bearer: Bearer<'_>, now: i64) -> Option<Doubt> {
        check(Some(&token), &bearer, Millis(now)).err()
    }

    #[test]
    fn a_board_is_believed_in_its_own_boot_from_its_own_address() {
        assert_eq!(doubt(token(), bearer(), 2000), None);
        let by_address = Token {
            board: identity::by_mac(MAC),
            ..token()
        };
        assert_eq!(doubt(by_address, bearer(), 2000), None);
    }

    #[test]
    fn anybody_else_is_not() {
        assert_eq!(check(None, &bearer(), Millis(0)), Err(Doubt::Unknown));
        let other = Bearer {
            board: BoardId::Pi(8),
            ..bearer()
        };
        assert_eq!(doubt(token(), other, 2000), Some(Doubt::OtherBoard));
        let stolen_by_address = Bearer {
            macs: &[OTHER],
            ..bearer()
        };
        let by_address = Token {
            board: identity::by_mac(MAC),
            ..token()
        };
        assert_eq!(
            doubt(by_address, stolen_by_address, 2000),
            Some(Doubt::OtherBoard)
        );
        let foreign = Bearer {
            foreign: true,
            ..bearer()
        };
        assert_eq!(doubt(token(), foreign, 2000), Some(Doubt::OtherBoard));
        for leased in [None, Some(OTHER)] {
            let elsewhere = Bearer { leased, ..bearer() };
            assert_eq!(
                doubt(token(), elsewhere, 2000),
                Some(Doubt::OtherAddress(FROM))
            );
        }
    }

    #[test]
    fn a_token_ends_with_its_boot_its_hour_and_its_work() {
        let earlier = Token {
            newest: false,
            ..token()
        };
        assert_eq!(doubt(earlier, bearer(), 2000), Some(Doubt::EarlierBoot));
        let late = 1000 + FRESH_MS + 1;
        assert_eq!(doubt(token(), bearer(), late - 1), None);
        assert_eq!(doubt(token(), bearer(), late), Some(Doubt::Stale));
        let used = Token {
            used: true,
            ..token()
        };
        assert_eq!(
            doubt(used, bearer(), 100 * late),
            None,
            "it waits overnight for its batch"
        );
        let spent = Token {
            spent: true,
            ..used
        };
        assert_eq!(doubt(spent, bearer(), 2000), Some(Doubt::Spent));
        let settled = Bearer {
            settled: true,
            ..bearer()
        };
        assert_eq!(
            doubt(spent, settled, 2000),
            None,
            "it is only sent to its disk"
        );
    }
}
