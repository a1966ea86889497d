//! What is written back to a client.
//!
//! A Raspberry Pi bootloader boots when the reply names a TFTP server three times over (next
//! server, option 66, server id: firmware differs in which it believes) and holds the PXE boot menu
//! with the name it looks for. The encoding of option 43 is the one that the vendor's own recipe
//! produces and that is known to work on Pi 3, 4 and 5. There is never a router and never a name
//! server: the deployment network leads nowhere, and a resolver that is told otherwise waits.

use super::draft::Draft;
use super::identify::{self, Client};
use super::packet::Request;
use super::settings::Settings;
use dhcproto::v4::{MessageType, Opcode, OptionCode};
use std::net::Ipv4Addr;

/// The boot menu entry that Raspberry Pi bootloaders look for.
pub(super) const MENU_NAME: &str = "Raspberry Pi Boot";

/// PXE sub-options (PXE specification 2.1, table 2-1): discovery control "no discovery" (6), menu
/// prompt "PXE, no wait" (10), boot menu with one entry (9).
const DISCOVERY_OFF: [u8; 3] = [6, 1, 3];
const PROMPT: [u8; 6] = [10, 4, 0, b'P', b'X', b'E'];
const MENU: u8 = 9;
/// Discovery control "load the file named in this reply, show nothing".
const LOAD_THE_FILE: [u8; 4] = [6, 1, 8, 255];

/// OFFER or ACK with an address.
pub(super) fn lease(
    settings: &Settings,
    request: &Request,
    client: &Client,
    kind: MessageType,
    ip: Ipv4Addr,
) -> Draft {
    let mut draft = headed(settings, request, kind);
    draft.yiaddr = ip;
    if kind == MessageType::Ack {
        draft.ciaddr = request.current_ip().unwrap_or(Ipv4Addr::UNSPECIFIED);
    }
    let seconds = u32::try_from(settings.lease.as_secs()).unwrap_or(u32::MAX);
    let times = [
        (OptionCode::AddressLeaseTime, seconds),
        (OptionCode::Renewal, seconds / 2),
        (OptionCode::Rebinding, seconds / 8 * 7),
    ];
    for (code, time) in times {
        draft.push(code, time.to_be_bytes());
    }
    finish(draft, settings, request, client)
}

/// ACK to INFORM: everything but an address (RFC 2131 §4.3.5).
pub(super) fn inform(settings: &Settings, request: &Request, client: &Client) -> Draft {
    let mut draft = headed(settings, request, MessageType::Ack);
    draft.ciaddr = request.current_ip().unwrap_or(Ipv4Addr::UNSPECIFIED);
    finish(draft, settings, request, client)
}

/// NAK: the address asked for is not the client's; it is to start anew.
pub(super) fn refusal(settings: &Settings, request: &Request) -> Draft {
    let mut draft = headed(settings, request, MessageType::Nak);
    draft.siaddr = Ipv4Addr::UNSPECIFIED;
    if request.relay().is_some() {
        // Through a relay agent only a broadcast reaches a client whose address is wrong.
        draft.flags |= 0x8000;
    }
    echo(&mut draft, request);
    draft
}

fn headed(settings: &Settings, request: &Request, kind: MessageType) -> Draft {
    let mut draft = Draft::new(Opcode::BootReply, kind, request.xid(), request.mac());
    draft.flags = request.flags();
    draft.giaddr = request.relay().unwrap_or(Ipv4Addr::UNSPECIFIED);
    draft.siaddr = settings.server;
    draft.push(OptionCode::ServerIdentifier, settings.server.octets());
    draft
}

fn finish(mut draft: Draft, settings: &Settings, request: &Request, client: &Client) -> Draft {
    draft.push(OptionCode::SubnetMask, settings.mask.octets());
    draft.push(OptionCode::BroadcastAddr, settings.broadcast().octets());
    match client {
        Client::Pi(_) | Client::PiUnknown => {
            draft.push(OptionCode::TFTPServerName, settings.server.to_string());
            draft.push(OptionCode::ClassIdentifier, *b"PXEClient");
            draft.push(OptionCode::VendorExtensions, menu(settings, request));
        }
        Client::Uefi { arch, .. } => {
            if let Some(path) = settings.loader(*arch) {
                draft.file = Some(path.to_owned());
                draft.push(OptionCode::TFTPServerName, settings.server.to_string());
                draft.push(OptionCode::BootfileName, path.as_bytes());
                draft.push(OptionCode::ClassIdentifier, *b"PXEClient");
                draft.push(OptionCode::VendorExtensions, LOAD_THE_FILE);
            }
        }
        Client::Agent { .. } | Client::Other => {}
    }
    if let Some(id) = request.machine_id_raw() {
        draft.push_if_room(OptionCode::ClientMachineIdentifier, id);
    }
    echo(&mut draft, request);
    draft
}

/// What is sent back as it came: the client's identifier (RFC 6842) and, last of all, what a relay
/// agent added (RFC 3046 §2.2).
fn echo(draft: &mut Draft, request: &Request) {
    for code in [
        OptionCode::ClientIdentifier,
        OptionCode::RelayAgentInformation,
    ] {
        let relayed = code != OptionCode::RelayAgentInformation || request.relay().is_some();
        if let Some(value) = request.raw(code).filter(|_| relayed) {
            draft.push_if_room(code, value);
        }
    }
}

fn menu(settings: &Settings, request: &Request) -> Vec<u8> {
    let mut name = MENU_NAME.to_owned();
    if identify::is_rom(request) {
        // The ROM of the first Pi 3B compares the name with three blanks after it; everything
        // later looks for the name anywhere in the text.
        name.push_str("   ");
    }
    if settings.raw_option_43 {
        return name.into();
    }
    let mut entry = vec![0, 0, name.len() as u8];
    entry.extend_from_slice(name.as_bytes());
    let mut menu = [
        &DISCOVERY_OFF[..],
        &PROMPT,
        &[MENU, entry.len() as u8],
        &entry,
    ]
    .concat();
    menu.push(OptionCode::End.into());
    menu
}
