//! Who a virtual board is: serial number, revision, Ethernet address and its place on the loopback
//! network. All of it follows from a seed, so a batch can be repeated board by board.

use crate::chance::Chance;
use crate::model::Model;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use wire::revision::Revision;
use wire::{BoardId, Mac, Serial};

/// Who a board is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Its model.
    pub model: Model,
    /// Its whole serial number.
    pub serial: Serial,
    /// Its revision code.
    pub revision: Revision,
    /// Its Ethernet address.
    pub mac: Mac,
}

impl Identity {
    /// One board drawn from `chance`.
    pub fn draw(model: Model, chance: &mut Chance) -> Self {
        let traits = model.traits();
        let drawn = chance.draw();
        let high = traits.serial_high.unwrap_or((drawn >> 32) as u32);
        let low = drawn as u32;
        let code = traits.revisions[chance.below(traits.revisions.len() as u64) as usize];
        // A Pi 3's Ethernet address ends in the low 24 bits of its serial number; later models
        // have an address of their own.
        let tail = if model == Model::Pi3BPlus {
            low.to_be_bytes()
        } else {
            (chance.draw() as u32).to_be_bytes()
        };
        let mut mac = [0; 6];
        mac[..3].copy_from_slice(&traits.oui);
        mac[3..].copy_from_slice(&tail[1..]);
        Self {
            model,
            serial: Serial(u64::from(high) << 32 | u64::from(low)),
            revision: Revision(code),
            mac: Mac(mac),
        }
    }

    /// `count` boards that share no serial number, Ethernet address or loopback address; models
    /// are dealt out in turn.
    pub fn batch(seed: u64, models: &[Model], count: u32) -> Vec<Self> {
        let models = if models.is_empty() {
            &Model::ALL[..]
        } else {
            models
        };
        let mut chance = Chance::new(seed, 0x1d);
        let (mut addresses, mut macs) = (HashSet::new(), HashSet::new());
        let mut boards = Vec::new();
        // 2^15 addresses hold any batch; the bound only keeps a mistaken count from looping.
        for index in 0..count.min(20_000) {
            let model = models[index as usize % models.len()];
            loop {
                let board = Self::draw(model, &mut chance);
                if addresses.insert(board.address()) && macs.insert(board.mac) {
                    boards.push(board);
                    break;
                }
            }
        }
        boards
    }

    /// The key by which the station knows it.
    pub fn id(&self) -> BoardId {
        BoardId::Pi(self.serial.low())
    }

    /// The TFTP folder it asks for first: 8 lower-case hex digits.
    pub fn folder(&self) -> String {
        format!("{:08x}", self.serial.low())
    }

    /// Its address on the loopback network while it has no lease: 127.64.0.1 to 127.64.127.254,
    /// from the low bits of its serial number. The upper half of 127.64.0.0/16 is left to leases.
    pub fn address(&self) -> Ipv4Addr {
        let [_, _, c, d] = self.serial.low().to_be_bytes();
        Ipv4Addr::new(127, 64, c & 0x7f, d.clamp(1, 254))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_distinct_boards_and_repeats() {
        let boards = Identity::batch(3, &[], 1000);
        let distinct = |f: fn(&Identity) -> String| boards.iter().map(f).collect::<HashSet<_>>();
        assert_eq!(distinct(Identity::folder).len(), 1000);
        assert_eq!(distinct(|b| b.mac.to_string()).len(), 1000);
        assert_eq!(distinct(|b| b.address().to_string()).len(), 1000);
        assert_eq!(boards, Identity::batch(3, &[], 1000));
        assert_ne!(boards, Identity::batch(4, &[], 1000));
        assert_eq!(boards[4].model, boards[0].model);
    }

    #[test]
    fn a_board_looks_like_its_model() {
        let boards = Identity::batch(1, &[Model::Pi3BPlus, Model::Pi4], 2);
        assert_eq!(boards[0].serial.0 >> 32, 0);
        assert_eq!(
            boards[0].mac.0[3..],
            boards[0].serial.low().to_be_bytes()[1..]
        );
        assert_eq!(boards[1].serial.0 >> 32, 0x1000_0000);
        assert!(
            boards
                .iter()
                .all(|b| b.address().octets()[..2] == [127, 64])
        );
    }
}
