//! The installed system as it comes up for the first time: it gets an address like any machine,
//! and makes the call that the personalisation left in it.

use super::installed::Installed;
use super::{Doors, VirtualPi};
use crate::chance::Chance;
use crate::network::{Refused, lease};
use crate::power::{NoPower, Power};
use delivery::http::Station;
use netboot::dhcp::client::{Lessee, Persona};
use std::net::Ipv4Addr;
use std::time::Duration;
use wire::agent::{Hello, HelloAck};

/// Pause between two calls, as in the script.
const AGAIN: Duration = Duration::from_secs(4);
/// From the firmware's hand-over to the network being up.
const TO_NETWORK: Duration = Duration::from_secs(12);

/// What the installed system needs of its board.
pub(super) struct FirstBoot<'a> {
    pub(super) pi: &'a VirtualPi,
    pub(super) doors: Doors,
    pub(super) power: &'a Power,
    pub(super) seed: u64,
}

impl FirstBoot<'_> {
    /// Calls until somebody answers; `None` when there is nobody to call.
    pub(super) fn greet(&self, installed: &Installed) -> Result<Option<bool>, NoPower> {
        let pace = self.pi.pace;
        self.power.sleep(pace.pause(TO_NETWORK))?;
        let Some(call) = &installed.hello else {
            return Ok(None);
        };
        let address = self.address()?;
        let station = Station::new("", Some(address));
        let hello = Hello {
            secret: call.secret.clone(),
            hostname: installed.hostname.clone(),
            machine_id: Some(
                installed
                    .machine_id
                    .clone()
                    .unwrap_or_else(|| self.machine_id()),
            ),
        };
        loop {
            self.power.check()?;
            let answer: Result<HelloAck, _> = station.post_url(&call.url, &hello);
            if let Ok(ack) = answer {
                return Ok(Some(ack.confirmed));
            }
            self.power.sleep(pace.retry(AGAIN))?;
        }
    }

    // systemd makes one at the first boot of a system that has none (machine-id(5)).
    fn machine_id(&self) -> String {
        Chance::new(self.seed, 3).hex(16)
    }

    // An ordinary DHCP client: no vendor class, no machine identifier.
    fn address(&self) -> Result<Ipv4Addr, NoPower> {
        let pi = self.pi;
        let mut persona = Persona::agent(None);
        persona.vendor_class = None;
        persona.timing.resend = pi.pace.retry(persona.timing.resend);
        persona.timing.slowest = pi.pace.retry(persona.timing.slowest);
        let mut chance = Chance::new(self.seed, 4);
        loop {
            let bound = self.doors.socket(&pi.identity, pi.faults.wire, &mut chance);
            if let Ok(mut socket) = bound {
                let network = self.doors.network();
                let begin =
                    |now| Lessee::new(persona.clone(), pi.identity.mac, network, self.seed, now);
                match lease(&mut socket, self.power, begin) {
                    Ok(grant) => return Ok(grant.address),
                    Err(Refused::NoPower(e)) => return Err(e),
                    Err(Refused::GaveUp(_)) => {}
                }
            }
            self.power.sleep(Duration::from_millis(100))?;
        }
    }
}
