//! The agent on a virtual board: the real one, in this process, on the board's file.

use super::platform::VirtualPlatform;
use super::{Doors, VirtualPi};
use crate::bootloader::cmdline::Parameters;
use crate::chance::Chance;
use crate::faults::Cuts;
use crate::network::{Refused, lease};
use crate::pace::Pace;
use crate::power::{NoPower, Power};
use agent::{Ending, Link, Settings};
use imaging::target::Switch;
use netboot::dhcp::client::{Lessee, Persona};
use std::net::Ipv4Addr;
use std::time::Duration;
use wire::agent::{Job, Outcome};
use wire::board::Failure;

/// What the agent needs of its board.
pub(super) struct Install<'a> {
    pub(super) pi: &'a VirtualPi,
    pub(super) doors: Doors,
    pub(super) power: &'a Power,
    pub(super) cuts: &'a Cuts,
    pub(super) switch: Switch,
    pub(super) seed: u64,
}

/// What the agent did.
pub(super) struct Installed {
    /// The last job it worked on.
    pub(super) job: Option<Job>,
    /// The address from which it did.
    pub(super) address: Option<Ipv4Addr>,
    /// How it ended.
    pub(super) end: End,
}

/// How an agent ended.
pub(super) enum End {
    /// The disk is finished; what the board does next.
    Done(Box<Outcome>, Next),
    /// The board was finished before.
    SentToDisk,
    /// Its station does not believe it; another boot brings another token.
    BootsAnew,
    /// It failed, and this board does not wait for another try.
    Failed(Failure),
}

/// What a finished board does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It restarts.
    Restart,
    /// It waits for a person to switch it on again.
    Wait,
}

impl Install<'_> {
    pub(super) fn run(
        &self,
        parameters: Parameters,
        key: Option<[u8; 32]>,
    ) -> Result<Installed, NoPower> {
        let board = self.pi.identity;
        let link = Link {
            station: parameters.station,
            token: parameters.token,
            mac: parameters.mac.unwrap_or(board.mac),
            local: Some(self.address()?),
            station_key: key,
        };
        let platform = VirtualPlatform::new(self.pi, self.power, self.cuts, self.switch.clone());
        let ending = agent::run(&platform, &link, &settings(self.pi.pace));
        let record = platform.into_record();
        self.power.check()?;
        let end = match (ending, record.failure, record.outcome) {
            (Ending::PowerLost, Some(failure), _) => End::Failed(failure),
            (Ending::PowerLost, None, _) => return Err(NoPower),
            (Ending::Reboot, _, Some(outcome)) => End::Done(Box::new(outcome), Next::Restart),
            (Ending::PowerOff | Ending::Stay, _, Some(outcome)) => {
                End::Done(Box::new(outcome), Next::Wait)
            }
            (
                Ending::BootFromDisk { .. } | Ending::Reboot | Ending::PowerOff | Ending::Stay,
                ..,
            ) => End::SentToDisk,
            (Ending::BootAnew, ..) => End::BootsAnew,
        };
        Ok(Installed {
            job: record.job,
            address: link.local,
            end,
        })
    }

    // The bootloader hands no address over, so the agent gets its own.
    fn address(&self) -> Result<Ipv4Addr, NoPower> {
        let board = self.pi.identity;
        let mut persona = Persona::agent(Some(board.id()));
        persona.timing.resend = self.pi.pace.retry(persona.timing.resend);
        persona.timing.slowest = self.pi.pace.retry(persona.timing.slowest);
        let mut chance = Chance::new(self.seed, 2);
        loop {
            let wire = self.pi.faults.wire;
            let bound = self.doors.socket(&board, wire, &mut chance);
            if let Ok(mut socket) = bound {
                let network = self.doors.network();
                let begin = |now| Lessee::new(persona.clone(), board.mac, network, self.seed, now);
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

fn settings(pace: Pace) -> Settings {
    let usual = Settings::default();
    Settings {
        report_every: usual.report_every,
        pause: pace.retry(usual.pause),
        longest_pause: pace.retry(usual.longest_pause),
        after_failure: pace.retry(usual.after_failure),
        doubted: pace.retry(usual.doubted),
    }
}
