//! What the desktop shows of the station, in a few figures: for the tray, for closing the window, for
//! keeping the machine awake. Pure.

use wire::Stage;
use wire::batch::BatchState;
use wire::health::{ServerKind, ServerState};
use wire::rehearsal::RehearsalState;
use wire::settings::Preferences;
use wire::update::Snapshot;

/// The station at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Now {
    /// The station answers.
    pub(crate) up: bool,
    /// A batch is under way: boards are being worked on, or still to come.
    pub(crate) busy: bool,
    /// Boards being worked on.
    pub(crate) working: usize,
    /// Boards that wait for a person.
    pub(crate) waiting: usize,
    /// DHCP answers boards.
    pub(crate) serving: bool,
    /// DHCP was stopped, by the operator or not started yet.
    pub(crate) stopped: bool,
    /// A rehearsal runs beside the station, with a bench of its own.
    pub(crate) rehearsing: bool,
    /// The preferences.
    pub(crate) preferences: Preferences,
}

impl Now {
    /// What a snapshot comes to.
    pub(crate) fn of(all: &Snapshot) -> Self {
        let working = all.boards.iter().filter(|b| b.stage.is_working()).count();
        let waits = |stage| matches!(stage, Stage::OnHold | Stage::Failed);
        let to_come = all.batches.iter().any(|b| b.state == BatchState::Active);
        let mut servers = all.servers.iter();
        let dhcp = servers.find(|s| s.server == ServerKind::Dhcp);
        let dhcp = dhcp.map(|s| &s.state);
        Self {
            up: true,
            busy: working > 0 || to_come,
            working,
            waiting: all.boards.iter().filter(|b| waits(b.stage)).count(),
            serving: matches!(dhcp, Some(ServerState::Serving)),
            stopped: matches!(dhcp, Some(ServerState::Stopped)),
            rehearsing: all.rehearsal.as_ref().is_some_and(|rehearsal| {
                matches!(
                    rehearsal.state,
                    RehearsalState::Running | RehearsalState::Proving
                )
            }),
            preferences: all.preferences.clone(),
        }
    }

    /// One line for the tray.
    pub(crate) fn words(&self) -> String {
        let boards = |n: usize| match n {
            1 => "1 board".to_owned(),
            n => format!("{n} boards"),
        };
        if !self.up {
            return "Connecting to the station…".to_owned();
        }
        let work = match self.working {
            0 if self.serving => "Waiting for boards".to_owned(),
            0 => "Boards are not answered".to_owned(),
            n => format!("{} being provisioned", boards(n)),
        };
        match self.waiting {
            0 => work,
            1 => format!("{work}; 1 board needs you"),
            n => format!("{work}; {} need you", boards(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tray_says_who_needs_what() {
        let now = |working, waiting, serving| Now {
            up: true,
            working,
            waiting,
            serving,
            ..Now::default()
        };
        assert_eq!(Now::default().words(), "Connecting to the station…");
        assert_eq!(now(0, 0, true).words(), "Waiting for boards");
        assert_eq!(now(0, 0, false).words(), "Boards are not answered");
        assert_eq!(
            now(2, 1, true).words(),
            "2 boards being provisioned; 1 board needs you"
        );
    }
}
