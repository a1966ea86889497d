//! Packets put together by hand from captures and vendor facts, and the replies byte for byte.

use super::*;
use crate::dhcp::Request;
use crate::dhcp::identify::{ARCH_ARM64, ARCH_X64, Client, PiIdentity};
use uuid::Uuid;
use wire::BoardId;
use wire::revision::Revision;

/// What every reply with an address holds after the message type: server id, one hour, half of it,
/// seven eighths of it, mask, broadcast address.
const PLAIN: &str = "36 04 c0a89701  33 04 00000e10  3a 04 00000708  3b 04 00000c4e \
                     01 04 ffffff00  1c 04 c0a897ff";
/// TFTP server as text; vendor class `PXEClient`; the boot menu.
const BOOT: &str = "42 0d 3139322e3136382e3135312e31  3c 09 505845436c69656e74 \
     2b 20 060103 0a0400505845 0914 0000 11 5261737062657272792050692042 6f6f74 ff";

#[track_caller]
fn client_of(packet: &Raw) -> Client {
    Client::of(&Request::parse(&packet.bytes()).expect("a sound packet"))
}

#[track_caller]
fn assert_same(got: &[u8], expected: &Raw) {
    let expected = expected.bytes();
    let at = got.iter().zip(&expected).position(|(a, b)| a != b);
    assert_eq!(got, expected, "first difference at byte {at:?}");
}

fn pi(serial_low: u32, revision: u32, mac_tail: [u8; 4]) -> Client {
    Client::Pi(PiIdentity {
        board: BoardId::Pi(serial_low),
        serial_low,
        revision: Some(Revision(revision)),
        mac_tail: Some(mac_tail),
    })
}

/// The capture of a Pi 4B with 8 GB: the code in swapped order, serial 91cdf03d.
#[test]
fn a_pi_4_is_recognised_and_gets_offer_and_ack() {
    let mac = Mac([0xe4, 0x5f, 0x01, 0x09, 0x02, 0xf7]);
    let id = "61 11 00 34695052 1431d000 010902f7 3df0cd91";
    let discover = Raw::request(
        0xa1b9_7574,
        mac,
        &format!("35 01 01 {WANTS_14} 5d 02 0000 5e 03 010201 {id} {PI_CLASS}"),
    );
    let who = pi(0x91cd_f03d, 0x00d0_3114, [0x01, 0x09, 0x02, 0xf7]);
    assert_eq!(client_of(&discover), who);

    let mut server = station();
    let heard = hear(&mut server, &discover, 0);
    assert_eq!(heard.sent[0].0, EVERYBODY);
    let offer = format!("35 01 02 {PLAIN} {BOOT} {id}");
    assert_same(heard.only(), &Raw::reply(0xa1b9_7574, mac, ip(100), &offer));
    let seen = DhcpEvent::Seen {
        mac,
        client: who,
        xid: 0xa1b9_7574,
        vendor_class: Some("PXEClient:Arch:00000:UNDI:002001".to_owned()),
    };
    assert_eq!(
        heard.events,
        [seen, DhcpEvent::Offered { mac, ip: ip(100) }]
    );

    let heard = hear(&mut server, &request(0xa1b9_7574, mac, ip(100), SERVER), 30);
    let ack = format!("35 01 05 {PLAIN} {BOOT}");
    assert_same(heard.only(), &Raw::reply(0xa1b9_7574, mac, ip(100), &ack));
    let [DhcpEvent::Leased { lease, client }] = &heard.events[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(
        (lease.ip, lease.board),
        (ip(100), Some(BoardId::Pi(0x91cd_f03d)))
    );
    assert_eq!((lease.until, client), (Millis(30 + 3_600_000), &who));
}

/// The capture of a Pi 4 with 1 GB: the code in plain order, serial 5b154510, MAC tail 322ef8ed.
#[test]
fn a_pi_4_with_the_older_byte_order_is_recognised() {
    let mac = Mac([0xdc, 0xa6, 0x32, 0x2e, 0xf8, 0xed]);
    let discover = Raw::request(0x6b0b_f4cf, mac, &format!("35 01 01 {WANTS_14} {PI_CLASS}"))
        .with(97, hex("00 52506934 1131a000 322ef8ed 1045155b"));
    let who = pi(0x5b15_4510, 0x00a0_3111, [0x32, 0x2e, 0xf8, 0xed]);
    assert_eq!(client_of(&discover), who);
}

#[test]
fn a_pi_5_is_recognised_and_gets_offer_and_ack() {
    let mac = Mac([0x88, 0xa2, 0x9e, 0x12, 0x34, 0x56]);
    let id = "61 11 00 52506935 7141e000 9e123456 38e637d1";
    let discover = Raw::request(
        0x0a48_5863,
        mac,
        &format!("35 01 01 {WANTS_14} 5d 02 0000 5e 03 010201 {id} {PI_CLASS}"),
    );
    let who = pi(0xd137_e638, 0x00e0_4171, [0x9e, 0x12, 0x34, 0x56]);
    assert_eq!(client_of(&discover), who);
    let mut server = station();
    let heard = hear(&mut server, &discover, 0);
    let offer = format!("35 01 02 {PLAIN} {BOOT} {id}");
    assert_same(heard.only(), &Raw::reply(0x0a48_5863, mac, ip(100), &offer));
    let heard = hear(&mut server, &request(0x0a48_5863, mac, ip(100), SERVER), 30);
    let ack = format!("35 01 05 {PLAIN} {BOOT}");
    assert_same(heard.only(), &Raw::reply(0x0a48_5863, mac, ip(100), &ack));
}

/// Images before March 2020 leave the MAC part zero, so the code alone has to do, in either order.
#[test]
fn the_code_counts_in_either_byte_order_without_the_mac_tail() {
    for code in ["52506934", "34695052", "52506935", "35695052"] {
        let id = hex(&format!("00 {code} 1131a000 00000000 1045155b"));
        let discover = Raw::request(1, mac(1), &format!("35 01 01 {PI_CLASS}")).with(97, id);
        let Client::Pi(who) = client_of(&discover) else {
            panic!("code {code}")
        };
        assert_eq!(
            (who.serial_low, who.mac_tail),
            (0x5b15_4510, None),
            "code {code}"
        );
    }
}

/// Compute Modules 5 send the code in swapped order.
#[test]
fn a_cm5_is_recognised() {
    let mac = Mac([0x2c, 0xcf, 0x67, 0xaa, 0xbb, 0xcc]);
    let discover = Raw::request(7, mac, &format!("35 01 01 {WANTS_14} {PI_CLASS}"))
        .with(97, hex("00 35695052 8041c000 67aabbcc ddccbbaa"));
    let who = pi(0xaabb_ccdd, 0x00c0_4180, [0x67, 0xaa, 0xbb, 0xcc]);
    assert_eq!(client_of(&discover), who);
    let Client::Pi(identity) = who else {
        unreachable!()
    };
    let revision = identity.revision.expect("sent");
    assert_eq!(revision.model(), "Raspberry Pi Compute Module 5");
    assert_eq!(revision.ram_mib(), Some(4096));
    let offer = hear(&mut station(), &discover, 0);
    let expected = format!("35 01 02 {PLAIN} {BOOT} 61 11 00 35695052 8041c000 67aabbcc ddccbbaa");
    assert_same(offer.only(), &Raw::reply(7, mac, ip(100), &expected));
}

/// The ROM of a plain 3B: its list, its constant number, sixteen times 0x44; it compares the menu's
/// name with three blanks, takes what it is offered and never asks again.
#[test]
fn a_pi_3b_rom_gets_its_blanks_and_its_lease_with_the_offer() {
    let mac = Mac([0xb8, 0x27, 0xeb, 0x01, 0x02, 0x03]);
    let id = "61 11 00 44444444444444444444444444444444";
    let wants = "37 0c 2b 3c 43 80 81 82 83 84 85 86 87 42";
    let discover = Raw::request(
        0x26f3_0339,
        mac,
        &format!("35 01 01 {wants} 5d 02 0000 5e 03 010201 {id} {PI_CLASS}"),
    );
    assert_eq!(client_of(&discover), Client::PiUnknown);
    let mut server = station();
    let heard = hear(&mut server, &discover, 0);
    let menu = "2b 23 060103 0a0400505845 0917 0000 14 \
                5261737062657272792050692042 6f6f74 202020 ff";
    let boot = "42 0d 3139322e3136382e3135312e31  3c 09 505845436c69656e74";
    let offer = format!("35 01 02 {PLAIN} {boot} {menu} {id}");
    assert_same(heard.only(), &Raw::reply(0x26f3_0339, mac, ip(100), &offer));
    let leased = heard
        .events
        .iter()
        .any(|event| matches!(event, DhcpEvent::Leased { .. }));
    assert!(
        leased,
        "nothing else will tell that the address is used: {heard:?}"
    );
}

/// A 3B+ ROM, and Pi 4 firmware before March 2020, send the serial number four times.
#[test]
fn a_serial_sent_four_times_is_recognised() {
    let id = "61 11 00 10450c5b 10450c5b 10450c5b 10450c5b";
    let discover = Raw::request(1, mac(1), &format!("35 01 01 {id} 5d 02 0000 {PI_CLASS}"));
    let Client::Pi(who) = client_of(&discover) else {
        panic!("a Pi")
    };
    assert_eq!((who.serial_low, who.revision), (0x5b0c_4510, None));
}

#[test]
fn a_pi_with_a_code_of_the_owners_choice_is_recognised_by_the_rest() {
    let mac = Mac([0xdc, 0xa6, 0x32, 0x2e, 0xf8, 0xed]);
    let id = hex("00 41434d45 1131a000 322ef8ed 1045155b");
    let discover = |wants| {
        Raw::request(1, mac, &format!("35 01 01 {wants} 5d 02 0000 {PI_CLASS}")).with(97, &id)
    };
    let who = pi(0x5b15_4510, 0x00a0_3111, [0x32, 0x2e, 0xf8, 0xed]);
    assert_eq!(client_of(&discover("")), who);
    let moved = Raw {
        mac: super::mac(9),
        ..discover("")
    };
    assert_eq!(
        client_of(&moved),
        Client::Other,
        "the MAC address does not fit"
    );
    let moved = Raw {
        mac: super::mac(9),
        ..discover(WANTS_14)
    };
    assert_eq!(client_of(&moved), Client::PiUnknown, "but the list does");
}

#[test]
fn the_exact_list_alone_is_a_pi_and_nearly_the_list_is_not() {
    let with = |list: &str| client_of(&Raw::request(1, mac(1), &format!("35 01 01 {list}")));
    assert_eq!(with(WANTS_14), Client::PiUnknown);
    assert_eq!(
        with("37 0c 2b 3c 43 80 81 82 83 84 85 86 87 42"),
        Client::PiUnknown
    );
    assert_eq!(
        with("37 0e 2b 3c 43 80 81 82 83 84 85 86 87 42 01 03"),
        Client::PiUnknown
    );
    assert_eq!(
        with("37 0d 01 03 2b 3c 42 43 80 81 82 83 84 85 86"),
        Client::Other
    );
    assert_eq!(
        with("37 0e 03 01 2b 3c 42 43 80 81 82 83 84 85 86 87"),
        Client::Other
    );
}

#[test]
fn the_vendor_class_alone_or_a_pcs_boot_rom_is_not_a_pi() {
    let pc = Raw::request(
        1,
        mac(1),
        &format!("35 01 01 5d 02 0000 5e 03 010201 {PI_CLASS}"),
    );
    assert_eq!(client_of(&pc), Client::Other);
    let uuid = hex("00 4c4c4544 0035 4210 8039 c4c04f4a4b32");
    assert_eq!(client_of(&pc.clone().with(97, uuid)), Client::Other);
    for filler in ["00", "20", "ff"] {
        let id = hex(&format!("00 {}", filler.repeat(16)));
        assert_eq!(
            client_of(&pc.clone().with(97, id)),
            Client::Other,
            "filler {filler}"
        );
    }
}

/// QEMU's `-uuid 00112233-4455-6677-8899-aabbccddeeff` reaches the wire with its first three fields
/// turned round, and the installed system reads it as it was given.
#[test]
fn uefi_firmware_is_known_by_its_uuid_and_gets_its_loader() {
    let id = "61 11 00 33221100 5544 7766 8899 aabbccddeeff";
    let uuid: Uuid = "00112233-4455-6677-8899-aabbccddeeff"
        .parse()
        .expect("a UUID");
    for (code, arch, loader) in [
        ("000b", ARCH_ARM64, "grubaa64.efi"),
        ("0007", ARCH_X64, "grubx64.efi"),
    ] {
        let options = format!("35 01 01 5d 02 {code} 5e 03 010300 {id}");
        let discover =
            Raw::request(5, mac(5), &options).with(60, "PXEClient:Arch:00011:UNDI:003000");
        assert_eq!(client_of(&discover), Client::Uefi { arch, uuid });
        hear(&mut station(), &discover, 0).assert_silent();

        let allowed = Settings {
            answer_uefi: true,
            ..settings(250)
        };
        let mut bare = allowed.clone();
        bare.uefi_loaders.retain(|(known, _)| *known != arch);
        hear(&mut Server::new(bare, Vec::new()), &discover, 0).assert_silent();
        let offer = hear(&mut Server::new(allowed, Vec::new()), &discover, 0);
        let tail = format!("3c 09 505845436c69656e74  2b 04 060108ff {id}");
        let boot = "42 0d 3139322e3136382e3135312e31";
        let mut expected =
            Raw::reply(5, mac(5), ip(100), &format!("35 01 02 {PLAIN} {boot}")).with(67, loader);
        expected.options.extend(hex(&tail));
        expected.file = loader.as_bytes().to_vec();
        assert_same(offer.only(), &expected);
    }
}

#[test]
fn the_agent_is_known_by_its_class_and_says_which_board_it_is() {
    let agent = Raw::request(1, mac(1), "35 01 01").with(60, "punnet-agent");
    assert_eq!(client_of(&agent), Client::Agent { board: None });
    let pi = agent
        .clone()
        .with(97, hex("00 3df0cd91 3df0cd91 3df0cd91 3df0cd91"));
    assert_eq!(
        client_of(&pi),
        Client::Agent {
            board: Some(BoardId::Pi(0x91cd_f03d))
        }
    );
    let uuid: Uuid = "00112233-4455-6677-8899-aabbccddeeff"
        .parse()
        .expect("a UUID");
    let other = agent.with(97, hex("00 33221100 5544 7766 8899 aabbccddeeff"));
    assert_eq!(
        client_of(&other),
        Client::Agent {
            board: Some(BoardId::Uuid(uuid))
        }
    );
}

#[test]
fn option_43_can_be_bare_text() {
    let raw = Settings {
        raw_option_43: true,
        ..settings(250)
    };
    let heard = hear(&mut Server::new(raw, Vec::new()), &pi_5(1, mac(1), 1), 0);
    let text = [&[43, 17], &b"Raspberry Pi Boot"[..]].concat();
    assert!(heard.only().windows(19).any(|part| part == text));
}
