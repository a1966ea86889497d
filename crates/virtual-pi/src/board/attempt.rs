//! One try to boot from the network.

use super::journal::Happening;
use super::{Doors, lessee};
use crate::bootloader::{Answer, Bootloader, Eeprom, Loaded, Next};
use crate::chance::Chance;
use crate::faults::{Cuts, Faults, Moment};
use crate::identity::Identity;
use crate::network::{Fetcher, Refused, lease};
use crate::pace::Pace;
use crate::power::{NoPower, Power};
use std::net::SocketAddrV4;

/// What a try needs of its board.
pub(super) struct Attempt<'a> {
    pub(super) board: Identity,
    pub(super) doors: Doors,
    pub(super) faults: &'a Faults,
    pub(super) cuts: &'a Cuts,
    pub(super) pace: Pace,
    pub(super) power: &'a Power,
    pub(super) eeprom: Eeprom,
    pub(super) tell: &'a dyn Fn(Happening),
}

/// How a try ended.
pub(super) enum Ended {
    /// A kernel can be started.
    Start(Box<Loaded>),
    /// The EEPROM was updated; start again.
    Update(Eeprom),
    /// Nothing to boot here.
    GiveUp(String),
    /// The board hangs.
    Dead(String),
}

impl Attempt<'_> {
    /// Tries once. `asked` counts boot files over the board's whole life.
    pub(super) fn run(&self, chance: &mut Chance, asked: &mut u32) -> Result<Ended, NoPower> {
        let wire = self.faults.wire;
        let mut socket = match self.doors.socket(&self.board, wire, chance) {
            Ok(socket) => socket,
            Err(e) => return Ok(Ended::GiveUp(format!("no socket: {e}"))),
        };
        let seed = chance.draw();
        let grant = lease(&mut socket, self.power, |now| {
            lessee(&self.board, self.doors.network(), self.pace, seed, now)
        });
        let grant = match grant {
            Ok(grant) => grant,
            Err(Refused::NoPower(e)) => return Err(e),
            Err(Refused::GaveUp(why)) => return Ok(Ended::GiveUp(format!("DHCP: {why}"))),
        };
        (self.tell)(Happening::Leased(grant.address));
        let mut fetcher = Fetcher {
            address: grant.address,
            server: SocketAddrV4::new(grant.tftp, self.doors.tftp.port()).into(),
            firmware: self.faults.firmware,
            wire,
            pace: self.pace,
            power: self.power,
            chance: Chance::new(chance.draw(), 1),
        };
        let mut bootloader = Bootloader::new(self.board, self.faults.firmware, self.eeprom);
        loop {
            let ask = match bootloader.next_step() {
                Next::Ask(ask) => ask,
                Next::Start(loaded) => return Ok(Ended::Start(loaded)),
                Next::Update(eeprom) => return Ok(Ended::Update(eeprom)),
                Next::GiveUp(why) => return Ok(Ended::GiveUp(why)),
                Next::Dead(why) => return Ok(Ended::Dead(why)),
            };
            let due = |m: &Moment| *m == Moment::BootFile(*asked);
            if self.cuts.take(due).is_some() {
                self.power.cut();
                return Err(NoPower);
            }
            *asked += 1;
            let answer = fetcher.fetch(&ask)?;
            (self.tell)(Happening::Asked {
                path: ask.path,
                found: matches!(answer, Answer::There | Answer::File { .. }),
            });
            bootloader.answer(answer);
        }
    }
}
