//! What ought to be: for each server, from what is known, whether it should run and what is shown.
//! Pure, and the only place where that is decided.

use wire::health::{ServerKind, ServerState};

/// What the servers stand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// Nothing is known yet.
    Unknown,
    /// The NIC may not be used.
    Refused(String),
    /// The NIC has no link, is gone, or lacks its address.
    Waiting {
        /// What is missing.
        why: String,
        /// The address is there all the same, so open connections may survive.
        has_address: bool,
    },
    /// The NIC has a link and its address.
    Firm,
}

/// What the wire check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// It has not reported yet.
    Unheard,
    /// Nothing speaks against serving.
    Clear,
    /// Another machine had the address before the station served.
    Duplicate(String),
    /// Another machine began to use the address, or another DHCP server appeared.
    Disturbed(String),
}

/// What ought to be with a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ought {
    /// It runs; it is shown as its task says.
    Run,
    /// It runs if it can, but nobody can reach it now.
    RunUnseen,
    /// It does not run, and this is shown.
    Rest(ServerState),
}

/// The rule.
pub fn ought(server: ServerKind, wanted: bool, ground: &Ground, wire: &Wire) -> Ought {
    let refused = |why: &String| Ought::Rest(ServerState::Refused { why: why.clone() });
    if !wanted {
        return Ought::Rest(ServerState::Stopped);
    }
    let dhcp = server == ServerKind::Dhcp;
    match (ground, wire) {
        (Ground::Unknown, _) => Ought::Rest(ServerState::Probing),
        (Ground::Refused(why), _) | (_, Wire::Duplicate(why)) => refused(why),
        (Ground::Waiting { has_address, .. }, _) => {
            if *has_address && !dhcp {
                Ought::RunUnseen
            } else {
                Ought::Rest(ServerState::WaitingForLink)
            }
        }
        (Ground::Firm, _) if !dhcp => Ought::Run,
        (Ground::Firm, Wire::Disturbed(why)) => refused(why),
        (Ground::Firm, Wire::Unheard) => Ought::Rest(ServerState::Probing),
        (Ground::Firm, Wire::Clear) => Ought::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::health::ServerKind::{Dhcp, Http, Tftp};

    fn waiting(has_address: bool) -> Ground {
        Ground::Waiting {
            why: "no link".to_owned(),
            has_address,
        }
    }

    #[test]
    fn dhcp_alone_waits_for_the_wire_check() {
        for (server, unheard) in [
            (Http, Ought::Run),
            (Tftp, Ought::Run),
            (Dhcp, Ought::Rest(ServerState::Probing)),
        ] {
            assert_eq!(ought(server, true, &Ground::Firm, &Wire::Unheard), unheard);
            assert_eq!(ought(server, true, &Ground::Firm, &Wire::Clear), Ought::Run);
        }
    }

    #[test]
    fn a_rival_stops_dhcp_and_lets_running_boards_finish() {
        let rival = Wire::Disturbed("another DHCP server".to_owned());
        assert!(matches!(
            ought(Dhcp, true, &Ground::Firm, &rival),
            Ought::Rest(ServerState::Refused { .. })
        ));
        assert_eq!(ought(Http, true, &Ground::Firm, &rival), Ought::Run);
    }

    #[test]
    fn nothing_serves_on_an_address_that_belongs_to_another() {
        let taken = Wire::Duplicate("02:00:00:00:00:01 has it".to_owned());
        for server in ServerKind::ALL {
            let rest = ought(server, true, &Ground::Firm, &taken);
            assert!(
                matches!(rest, Ought::Rest(ServerState::Refused { .. })),
                "{rest:?}"
            );
        }
    }

    #[test]
    fn a_lost_link_keeps_connections_but_not_dhcp() {
        assert_eq!(
            ought(Http, true, &waiting(true), &Wire::Clear),
            Ought::RunUnseen
        );
        let rest = Ought::Rest(ServerState::WaitingForLink);
        assert_eq!(ought(Dhcp, true, &waiting(true), &Wire::Clear), rest);
        assert_eq!(ought(Http, true, &waiting(false), &Wire::Clear), rest);
    }

    #[test]
    fn what_the_operator_stopped_stays_stopped() {
        for ground in [Ground::Firm, Ground::Unknown, waiting(true)] {
            assert_eq!(
                ought(Tftp, false, &ground, &Wire::Clear),
                Ought::Rest(ServerState::Stopped)
            );
        }
    }
}
