//! What to look at when a board does not get on: rules over what was observed.
//!
//! A rule sees a [`Sight`] (the board, its newest events, the station around it) and speaks or keeps
//! quiet. [`RULES`] is the table of them, likeliest first; [`advise`] asks each in turn. The sheet of
//! a board shows all that spoke, its tile the first: both read here, so that they never disagree.
//!
//! One file per group: [`outcome`] what a deployment ended with, [`power`] the hardware itself,
//! [`address`] DHCP, [`boot_files`] TFTP, [`work`] the agent and the first boot, [`waiting`] holds
//! and boards that are left alone.

mod address;
mod boot_files;
mod outcome;
mod power;
mod waiting;
mod work;

#[cfg(test)]
mod tests;

use super::seat::Seat;
use super::stalls;
use std::net::Ipv4Addr;
use wire::board::{Mac, Stall};
use wire::event::{Event, Level};
use wire::health::{Finding, ServerKind, ServerState, ServerStatus};
use wire::sheet::Advice;
use wire::{Millis, Stage};

/// Another DHCP server that was noticed in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// Its address.
    pub server: Ipv4Addr,
    /// The client that took its offer instead of ours, when that is how it was noticed.
    pub client: Option<Mac>,
    /// When.
    pub at: Millis,
}

/// What is observed around the board, as of one moment.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Its newest events, the newest first.
    pub events: Vec<Event>,
    /// The servers of the deployment side.
    pub servers: Vec<ServerStatus>,
    /// Findings of the wire checks.
    pub findings: Vec<Finding>,
    /// Other DHCP servers.
    pub rivals: Vec<Rival>,
    /// Is there any active image?
    pub has_image: bool,
}

/// Everything that rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The board.
    pub seat: &'a Seat,
    /// What is observed around it.
    pub around: &'a Around,
    /// The moment.
    pub now: Millis,
    /// Has it been quiet for longer than its stage allows?
    pub quiet: bool,
}

impl<'a> Sight<'a> {
    /// A board as it is at a moment.
    pub fn new(seat: &'a Seat, around: &'a Around, now: Millis) -> Self {
        let overdue = stalls::due(seat).is_some_and(|due| due <= now);
        Self {
            seat,
            around,
            now,
            quiet: overdue || seat.tile.stalled.is_some(),
        }
    }

    fn stage(&self) -> Stage {
        self.seat.tile.stage
    }

    /// Quiet in this stage.
    fn quiet_in(&self, stage: Stage) -> bool {
        self.quiet && self.stage() == stage
    }

    /// A board that does not get on by itself.
    fn in_trouble(&self) -> bool {
        self.quiet || matches!(self.stage(), Stage::Failed)
    }

    /// Events of the board of this kind, of the last while.
    fn recent(&self, kind: &'static str, within_ms: i64) -> impl Iterator<Item = &'a Event> {
        let now = self.now;
        let events = self.around.events.iter();
        events.filter(move |e| e.kind == kind && now.since(e.at) <= within_ms)
    }

    /// A server that is known not to serve, and how it is.
    fn not_serving(&self, kind: ServerKind) -> Option<String> {
        let server = self.around.servers.iter().find(|s| s.server == kind)?;
        Some(match &server.state {
            ServerState::Serving | ServerState::Unknown => return None,
            ServerState::Stopped => "is stopped".to_owned(),
            ServerState::WaitingForLink => "waits for the link".to_owned(),
            ServerState::Probing => "is still looking for rivals on the wire".to_owned(),
            ServerState::Restarting { why, .. } => format!("is being restarted: {why}"),
            ServerState::Refused { why } => format!("does not serve: {why}"),
        })
    }

    fn finding(&self, check: &str) -> Option<&'a Finding> {
        let mut findings = self.around.findings.iter();
        findings.find(|f| f.check == check && f.level > Level::Info)
    }

    /// Rivals noticed lately, those that this board fell for first.
    fn rivals(&self) -> Vec<&'a Rival> {
        let lately = |r: &&Rival| self.now.since(r.at) <= HOUR;
        let mut rivals: Vec<&Rival> = self.around.rivals.iter().filter(lately).collect();
        rivals.sort_by_key(|r| (!self.took(r), std::cmp::Reverse(r.at)));
        rivals
    }

    /// Did this board take the rival's offer?
    fn took(&self, rival: &Rival) -> bool {
        rival
            .client
            .is_some_and(|mac| self.seat.macs.contains(&mac))
    }
}

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;

/// What a rule has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    level: Level,
    observed: String,
    next: String,
}

/// Something that a person must act on.
#[expect(
    clippy::unnecessary_wraps,
    reason = "rules end with it, and a rule may keep quiet"
)]
fn act(observed: impl Into<String>, next: impl Into<String>) -> Option<Said> {
    Some(Said {
        level: Level::Error,
        observed: observed.into(),
        next: next.into(),
    })
}

/// Something worth a look.
fn look(observed: impl Into<String>, next: impl Into<String>) -> Option<Said> {
    act(observed, next).map(|said| Said {
        level: Level::Warning,
        ..said
    })
}

/// Something to know.
fn know(observed: impl Into<String>, next: impl Into<String>) -> Option<Said> {
    act(observed, next).map(|said| Said {
        level: Level::Info,
        ..said
    })
}

/// A rule, and the name by which it is known for good.
type Rule = (&'static str, fn(&Sight<'_>) -> Option<Said>);

/// All rules, likeliest first. Within a group the particular comes before the general.
const RULES: &[Rule] = &[
    ("bad_medium", outcome::bad_medium),
    ("failed", outcome::failed),
    ("under_voltage", power::under_voltage_in_trouble),
    ("restarts_again", outcome::restarts_again),
    ("rival_answered", address::rival_answered),
    ("pool_full", address::pool_full),
    ("dhcp_not_serving", address::dhcp_not_serving),
    ("address_in_use", address::address_in_use),
    ("rival_on_wire", address::rival_on_wire),
    ("no_request", address::no_request),
    ("tftp_not_serving", boot_files::tftp_not_serving),
    ("no_agent", boot_files::no_agent),
    ("nothing_to_boot", boot_files::nothing_to_boot),
    ("sent_elsewhere", boot_files::sent_elsewhere),
    ("no_files_asked", boot_files::no_files_asked),
    ("block_limit", boot_files::block_limit),
    ("same_file_again", boot_files::same_file_again),
    ("agent_silent", boot_files::agent_silent),
    ("stopped_in_file", boot_files::stopped_in_file),
    ("agent_quiet", work::agent_quiet),
    ("slow_to_clear", work::slow_to_clear),
    ("quiet_at_work", work::quiet_at_work),
    ("no_first_boot", work::no_first_boot),
    ("no_disk", waiting::no_disk),
    ("disk_too_small", waiting::disk_too_small),
    ("disk_in_use", waiting::disk_in_use),
    ("held", waiting::held),
    ("cancelled", waiting::cancelled),
    ("under_voltage", power::under_voltage_otherwise),
    ("throttled", power::throttled),
    ("slow_link", power::slow_link),
    ("already_done", waiting::already_done),
    ("not_ours", waiting::not_ours),
];

/// What to look at, the likeliest first.
pub fn advise(sight: &Sight<'_>) -> Vec<Advice> {
    let spoken = RULES.iter().filter_map(|(rule, speak)| {
        speak(sight).map(|said| Advice {
            rule: (*rule).to_owned(),
            level: said.level,
            observed: said.observed,
            next: said.next,
        })
    });
    spoken.collect()
}

/// The mark of a board that was quiet for too long: what to look at first.
pub fn stall(seat: &Seat, around: &Around, now: Millis) -> Stall {
    let sight = Sight {
        quiet: true,
        ..Sight::new(seat, around, now)
    };
    let first = advise(&sight).into_iter().next();
    Stall {
        since: seat.tile.last_seen,
        advice: first.map_or_else(
            || "Nothing is expected of it.".to_owned(),
            |advice| format!("{} {}", advice.observed, advice.next),
        ),
    }
}

/// The mark of a working board while the station has just started and nothing was heard yet.
pub fn after_restart(seat: &Seat) -> Stall {
    Stall {
        since: seat.tile.last_seen,
        advice: "The station was restarted and has not heard of it since. It goes on by itself; \
                 if nothing changes, check its power and its cable."
            .to_owned(),
    }
}

/// Words of others as a sentence of ours.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().trim_end_matches('.').chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).chain(['.']).collect(),
        None => String::new(),
    }
}
