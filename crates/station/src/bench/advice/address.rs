//! A board that asked for an address and is not heard of again.

use super::{MINUTE, Said, Sight, act, look};
use crate::net::findings::check;
use wire::Stage;
use wire::health::ServerKind;

pub(super) fn rival_answered(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Seen) {
        return None;
    }
    let rival = sight.rivals().into_iter().find(|r| sight.took(r))?;
    act(
        format!(
            "It asked for an address but took another server's: the DHCP server at {} answered.",
            rival.server
        ),
        "Disconnect that server from this switch or switch its DHCP off, then power-cycle the board.",
    )
}

pub(super) fn pool_full(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Seen) {
        return None;
    }
    sight.recent("dhcp.pool_full", 15 * MINUTE).next()?;
    act(
        "It got no address: every address of the range is taken.",
        "Widen the range of addresses in the settings, or release boards that are gone.",
    )
}

pub(super) fn dhcp_not_serving(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Seen) {
        return None;
    }
    let how = sight.not_serving(ServerKind::Dhcp)?;
    act(
        format!("The station's DHCP server {how}."),
        "Start it on the health page; the board asks again by itself.",
    )
}

pub(super) fn address_in_use(sight: &Sight<'_>) -> Option<Said> {
    let early = matches!(
        sight.stage(),
        Stage::Seen | Stage::Addressed | Stage::LoadingBootFiles
    );
    if !(sight.quiet && early) {
        return None;
    }
    let next = "Unplug the other machine, or give the station another address in the settings.";
    if let Some(finding) = sight.finding(check::DUPLICATE) {
        return act(finding.text.clone(), next);
    }
    sight.recent("dhcp.declined", 15 * MINUTE).next()?;
    look(
        "It found the address it was given in use by another machine.",
        "Unplug that machine, or choose another range of addresses in the settings.",
    )
}

pub(super) fn rival_on_wire(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Seen) || rival_answered(sight).is_some() {
        return None;
    }
    let next = "Disconnect it from this switch or switch its DHCP off, then power-cycle the board.";
    if let Some(rival) = sight.rivals().first() {
        let text = format!("Another DHCP server is on this wire: {}.", rival.server);
        return look(text, next);
    }
    let finding = sight.finding(check::RIVAL)?;
    look(finding.text.clone(), next)
}

pub(super) fn no_request(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Seen) {
        return None;
    }
    look(
        "It asked for an address and did not take ours.",
        "Look for another DHCP server on the wire, and check the cable and the switch port (spanning \
         tree delays it by 30 s).",
    )
}
