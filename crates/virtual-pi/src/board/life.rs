//! The life of a board: power on, look for a system in the order it was told, run what was found,
//! start again.

use super::attempt::{Attempt, Ended};
use super::first_boot;
use super::install::{self, Install};
use super::installed::Installed;
use super::journal::{Happening, Watcher};
use super::{Doors, VirtualPi};
use crate::bootloader::Eeprom;
use crate::bootloader::cmdline::Parameters;
use crate::bootloader::order::Mode;
use crate::chance::Chance;
use crate::faults::{Cuts, DiskFault};
use crate::power::{NoPower, Power};
use imaging::target::Switch;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use wire::agent::{Job, Outcome};
use wire::board::Failure;
use wire::disk::DiskKind;

/// LED patterns after a place that held nothing.
const LED_PATTERN: Duration = Duration::from_secs(3);
/// Until a person comes by and switches a board on again that has stopped or hangs.
const PERSON_COMES: Duration = Duration::from_mins(1);
/// How long the power stays away after a cut.
const POWER_AWAY: Duration = Duration::from_secs(2);

/// What became of a board.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// How it ended.
    pub end: End,
    /// The name its installed system has.
    pub hostname: Option<String>,
    /// The job it was given last.
    pub job: Option<Job>,
    /// What its agent reported when it was done.
    pub outcome: Option<Outcome>,
    /// From power-on to the agent's last report, or to the end.
    pub provisioned_after: Duration,
    /// Where the station serves agents, once the board has learnt it.
    pub station: Option<String>,
    /// The address from which it worked on that job.
    pub address: Option<Ipv4Addr>,
}

/// How a board ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It runs its own system; the answer to its first greeting, when it made one.
    Running {
        /// Did the station confirm the name?
        confirmed: Option<bool>,
    },
    /// Its agent failed.
    Failed(Failure),
    /// It was switched off before it was finished; where it had got to.
    SwitchedOff(&'static str),
}

/// The moving parts of a life.
pub(super) struct Life<'a> {
    pi: &'a VirtualPi,
    doors: Doors,
    power: Power,
    watcher: &'a Watcher,
    cuts: Cuts,
    switch: Switch,
    chance: Chance,
    eeprom: Eeprom,
    asked: u32,
    began: Instant,
    at: &'static str,
    story: Story,
}

/// How one power cycle went on.
enum Cycle {
    Reset,
    End(End),
}

impl<'a> Life<'a> {
    pub(super) fn new(pi: &'a VirtualPi, doors: Doors, power: Power, watcher: &'a Watcher) -> Self {
        Self {
            pi,
            doors,
            power,
            watcher,
            cuts: Cuts::new(&pi.faults.cuts),
            switch: switch(&pi.faults.disk),
            chance: Chance::new(pi.seed, u64::from(pi.identity.serial.low())),
            eeprom: Eeprom::default(),
            asked: 0,
            began: Instant::now(),
            at: "before it was switched on",
            story: Story {
                end: End::SwitchedOff(""),
                hostname: None,
                job: None,
                outcome: None,
                provisioned_after: Duration::ZERO,
                station: None,
                address: None,
            },
        }
    }

    pub(super) fn run(mut self) -> Story {
        let late = self.pi.faults.late;
        let end = if let Err(NoPower) = self.power.sleep(late) {
            End::SwitchedOff(self.at)
        } else {
            self.began = Instant::now();
            self.cycles()
        };
        self.story.end = end;
        if self.story.provisioned_after.is_zero() {
            self.story.provisioned_after = self.began.elapsed();
        }
        self.story
    }

    fn cycles(&mut self) -> End {
        loop {
            self.tell(&Happening::PowerOn);
            match self.cycle() {
                Ok(Cycle::Reset) => {}
                Ok(Cycle::End(end)) => return end,
                Err(NoPower) if self.power.is_off() => return End::SwitchedOff(self.at),
                Err(NoPower) => {
                    self.tell(&Happening::PowerCut);
                    if self.pi.faults.stays_dark {
                        self.power.wait_off();
                        return End::SwitchedOff(self.at);
                    }
                    std::thread::sleep(self.pi.pace.pause(POWER_AWAY));
                    self.power.restore();
                }
            }
        }
    }

    fn cycle(&mut self) -> Result<Cycle, NoPower> {
        let traits = self.pi.identity.model.traits();
        for mode in traits.order.modes() {
            match mode {
                Mode::Network => {
                    self.pause(traits.to_network)?;
                    if let Some(next) = self.boot_network()? {
                        return Ok(next);
                    }
                    self.pause(LED_PATTERN)?;
                }
                Mode::Sd | Mode::Usb | Mode::Nvme if holds(mode, traits.disk.0) => {
                    if let Some(next) = self.boot_disk()? {
                        return Ok(next);
                    }
                }
                Mode::Stop => {
                    self.at = "stopped";
                    self.pause(PERSON_COMES)?;
                    break;
                }
                Mode::Restart => break,
                _ => {}
            }
        }
        // However short the pauses are made, a board does not spin.
        self.power.sleep(Duration::from_millis(20))?;
        Ok(Cycle::Reset)
    }

    fn boot_network(&mut self) -> Result<Option<Cycle>, NoPower> {
        self.at = "in its bootloader";
        let watcher = self.watcher;
        let board = self.pi.identity;
        let attempt = Attempt {
            board,
            doors: self.doors,
            faults: &self.pi.faults,
            cuts: &self.cuts,
            pace: self.pi.pace,
            power: &self.power,
            eeprom: self.eeprom,
            tell: &|happening| watcher(&board, &happening),
        };
        let ended = attempt.run(&mut self.chance, &mut self.asked)?;
        let loaded = match ended {
            Ended::Start(loaded) => loaded,
            Ended::Update(eeprom) => {
                self.eeprom = eeprom;
                self.tell(&Happening::EepromUpdated);
                return Ok(Some(Cycle::Reset));
            }
            Ended::GiveUp(why) => {
                self.tell(&Happening::NoBoot(why));
                return Ok(None);
            }
            Ended::Dead(why) => return self.hangs(why).map(Some),
        };
        match loaded.check() {
            Ok(parameters) => {
                let key = loaded.station_key();
                drop(loaded);
                self.agent(parameters, key).map(Some)
            }
            Err(why) => self.hangs(why).map(Some),
        }
    }

    // Nothing but a person helps.
    fn hangs(&mut self, why: String) -> Result<Cycle, NoPower> {
        self.at = "hanging";
        self.tell(&Happening::NoBoot(why));
        self.pause(PERSON_COMES)?;
        Ok(Cycle::Reset)
    }

    fn agent(&mut self, parameters: Parameters, key: Option<[u8; 32]>) -> Result<Cycle, NoPower> {
        self.at = "in its agent";
        self.tell(&Happening::AgentStarts);
        self.story.station = Some(parameters.station.clone());
        let install = Install {
            pi: self.pi,
            doors: self.doors,
            power: &self.power,
            cuts: &self.cuts,
            switch: self.switch.clone(),
            seed: self.chance.draw(),
        };
        let installed = install.run(parameters, key)?;
        let install::Installed { job, address, end } = installed;
        if job.is_some() {
            self.story.job = job;
            self.story.address = address;
        }
        match end {
            install::End::Done(outcome, next) => {
                self.story.provisioned_after = self.began.elapsed();
                self.tell(&Happening::Provisioned(outcome.clone()));
                self.story.outcome = Some(*outcome);
                if next == install::Next::Wait {
                    self.pause(PERSON_COMES)?;
                }
                Ok(Cycle::Reset)
            }
            install::End::SentToDisk => {
                self.tell(&Happening::SentToDisk);
                Ok(Cycle::Reset)
            }
            install::End::BootsAnew => Ok(Cycle::Reset),
            install::End::Failed(failure) => {
                self.tell(&Happening::Failed(failure.clone()));
                Ok(Cycle::End(End::Failed(failure)))
            }
        }
    }

    fn boot_disk(&mut self) -> Result<Option<Cycle>, NoPower> {
        let installed = match Installed::find(&self.pi.disk, &self.pi.identity) {
            Ok(installed) => installed,
            Err(why) => {
                self.tell(&Happening::NoBoot(format!("own disk: {why}")));
                return Ok(None);
            }
        };
        self.at = "in its own system";
        self.tell(&Happening::BootedFromDisk(installed.hostname.clone()));
        self.story.hostname = Some(installed.hostname.clone());
        let first = first_boot::FirstBoot {
            pi: self.pi,
            doors: self.doors,
            power: &self.power,
            seed: self.chance.draw(),
        };
        let confirmed = first.greet(&installed)?;
        if let Some(confirmed) = confirmed {
            self.tell(&Happening::Greeted { confirmed });
        }
        Ok(Some(Cycle::End(End::Running { confirmed })))
    }

    fn pause(&self, real: Duration) -> Result<(), NoPower> {
        self.power.sleep(self.pi.pace.pause(real))
    }

    fn tell(&self, happening: &Happening) {
        (self.watcher)(&self.pi.identity, happening);
    }
}

fn holds(mode: Mode, disk: DiskKind) -> bool {
    match mode {
        Mode::Sd => matches!(disk, DiskKind::Sd | DiskKind::Emmc),
        Mode::Nvme => disk == DiskKind::Nvme,
        Mode::Usb => disk == DiskKind::Usb,
        _ => false,
    }
}

// Faults are kept behind a switch, which outlives the disk's driver.
fn switch(faults: &[DiskFault]) -> Switch {
    let switch = Switch::default();
    for fault in faults {
        switch.add(fault.clone());
    }
    switch
}
