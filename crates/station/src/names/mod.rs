//! Hostnames: how they are made, listed and imported.
//!
//! Pure: [`pattern`] turns a product's pattern into names, [`spec`] and [`table`] read what an
//! operator typed or exported, [`preview`] gives the verdict per entry. The pools themselves lie in
//! [`crate::store::names`].

pub mod pattern;
pub mod preview;
pub mod spec;
pub mod table;

use wire::BoardId;
use wire::board::{IdError, Serial};

/// A Raspberry Pi's serial number in any spelling that people and scripts use: 16 or 8 hex digits,
/// either case, leading zeros stripped, an optional `0x`. More than 8 digits give the whole number.
pub fn serial(text: &str) -> Result<(BoardId, Option<Serial>), IdError> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let hex = (1..=16).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match u64::from_str_radix(digits, 16) {
        Ok(n) if hex && n & 0xffff_ffff != 0 => {
            let whole = Serial(n);
            Ok((
                BoardId::Pi(whole.low()),
                (digits.len() > 8).then_some(whole),
            ))
        }
        _ => Err(IdError {
            text: text.chars().take(40).collect(),
            expected: "a serial number (8 or 16 hex digits)",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_board_has_one_identity_in_every_spelling() {
        let board = BoardId::Pi(0x00d1_37e6);
        let whole = Some(Serial(0x1000_0000_00d1_37e6));
        assert_eq!(serial("1000000000d137e6").unwrap(), (board, whole));
        for short in ["00d137e6", "d137e6", "D137E6", " 0xd137e6 "] {
            assert_eq!(serial(short).unwrap(), (board, None), "{short}");
        }
        assert_eq!(serial("0000000000d137e6").unwrap().0, board);
        for bad in ["", "0", "00000000", "xyz", "-1", "12345678901234567", "0x"] {
            assert!(serial(bad).is_err(), "{bad:?}");
        }
    }
}
