//! A virtual board: from power-on to its own disk.
//!
//! Each board is a thread that lives through what a board lives through. [`life`] is the loop of
//! power cycles; a cycle tries places in boot order: `attempt` boots from the network, [`install`]
//! runs the agent that came with it, [`installed`] and `first_boot` play the system on the board's
//! own disk. Nothing here knows what the station decided; a board learns that as boards do.

mod attempt;
mod disk;
mod first_boot;
mod install;
mod installed;
mod journal;
mod life;
mod platform;
#[cfg(test)]
mod tests;

pub use installed::Installed;
pub use journal::{Happening, Watcher};
pub use life::{End, Story};

use crate::chance::Chance;
use crate::faults::Faults;
use crate::identity::Identity;
use crate::model::Model;
use crate::network::{Socket, Wire};
use crate::pace::Pace;
use crate::power::Power;
use crate::speed::Speed;
use netboot::dhcp::client::{Lessee, Network, Persona};
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use wire::Millis;

/// Where a station listens for boards. Its door for agents is learnt from the boot files, as a
/// board learns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doors {
    /// Its DHCP server. The broadcast address stands for whoever answers on a real wire: then boards
    /// ask as boards do, from port 68 without an address, and this machine has to have the addresses
    /// that they are given.
    pub dhcp: SocketAddrV4,
    /// Its TFTP server. On a real wire the address comes with the lease, and only the port counts.
    pub tftp: SocketAddrV4,
}

impl Doors {
    fn on_a_wire(&self) -> bool {
        self.dhcp.ip().is_broadcast()
    }

    /// Whom a board asks for an address.
    pub(crate) fn network(&self) -> Network {
        if self.on_a_wire() {
            Network::Broadcast
        } else {
            Network::Only(self.dhcp)
        }
    }

    /// The socket with which a board asks for an address.
    pub(crate) fn socket(
        &self,
        board: &Identity,
        wire: Wire,
        chance: &mut Chance,
    ) -> std::io::Result<Socket> {
        if self.on_a_wire() {
            Socket::without_address(wire, chance)
        } else {
            Socket::bind(board.address(), wire, chance)
        }
    }
}

/// A virtual Raspberry Pi that is not switched on yet.
#[derive(Debug, Clone)]
pub struct VirtualPi {
    /// Who it is.
    pub identity: Identity,
    /// The file that is its disk. It must exist; its length is the disk's size.
    pub disk: PathBuf,
    /// What goes wrong with it.
    pub faults: Faults,
    /// How fast it lives.
    pub pace: Pace,
    /// How fast its disk is; as fast as the file without.
    pub speed: Option<Speed>,
    /// Decides everything that chance decides.
    pub seed: u64,
    /// Does it go on asking after a failure, as a real board does, so that the operator can give
    /// it another try? Without, its story ends there.
    pub asks_again: bool,
}

/// A board that is switched on.
#[derive(Debug)]
pub struct Powered {
    power: Power,
    thread: Option<JoinHandle<Story>>,
}

impl VirtualPi {
    /// Switches it on. It lives on a thread of its own until it runs its own system, fails, or is
    /// switched off; the station may go away and come back meanwhile.
    pub fn power_on(self, doors: Doors, watcher: Watcher) -> std::io::Result<Powered> {
        let power = Power::default();
        let plug = power.clone();
        let name = format!("pi-{}", self.identity.folder());
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || life::Life::new(&self, doors, plug, &watcher).run())?;
        Ok(Powered {
            power,
            thread: Some(thread),
        })
    }
}

impl Powered {
    /// Cuts its power; it comes back by itself after a moment.
    pub fn cut_power(&self) {
        self.power.cut();
    }

    /// Switches it off for good; its story then ends.
    pub fn switch_off(&self) {
        self.power.switch_off();
    }

    /// True once its story has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for the end of its story; `None` when the board's own thread broke.
    pub fn story(mut self) -> Option<Story> {
        self.thread.take()?.join().ok()
    }
}

impl Drop for Powered {
    fn drop(&mut self) {
        self.power.switch_off();
    }
}

/// A watcher for nobody.
pub fn unwatched() -> Watcher {
    Arc::new(|_, _| {})
}

/// The DHCP client of a board's bootloader.
pub(crate) fn lessee(
    board: &Identity,
    network: Network,
    pace: Pace,
    seed: u64,
    now: Millis,
) -> Lessee {
    let low = board.serial.low();
    let mut persona = match board.model {
        Model::Pi3BPlus => Persona::rom_3b_plus(low),
        // Both byte orders of the code are in the field; a CM5 was only ever seen with this one.
        Model::Cm5 => Persona::eeprom(board.revision, board.mac, low, true),
        Model::Pi4 | Model::Pi5 => Persona::eeprom(board.revision, board.mac, low, low % 2 == 1),
    };
    let timing = &mut persona.timing;
    timing.resend = pace.retry(timing.resend);
    timing.slowest = pace.retry(timing.slowest);
    timing.total = timing.total.map(|t| pace.retry(t));
    Lessee::new(persona, board.mac, network, seed, now)
}
