//! Bytes that nobody should send.

use super::*;
use crate::dhcp::client::{Lessee, Network, Persona};
use crate::dhcp::{Client, Ignored, Request};
use proptest::prelude::*;

fn parse(packet: &Raw) -> Result<Request, Ignored> {
    Request::parse(&packet.bytes())
}

/// dhcproto panics on these when it is asked for the hardware address.
#[test]
fn a_hardware_address_longer_than_its_field_is_ignored() {
    for hlen in [0, 5, 7, 16, 17, 255] {
        let mut bytes = pi_5(1, mac(1), 1).bytes();
        bytes[2] = hlen;
        assert_eq!(
            Request::parse(&bytes),
            Err(Ignored::NotEthernet { htype: 1, hlen })
        );
        bytes.truncate(240);
        assert_eq!(
            Request::parse(&bytes),
            Err(Ignored::NotEthernet { htype: 1, hlen })
        );
    }
}

#[test]
fn what_is_not_dhcp_is_ignored_with_the_reason() {
    let sound = pi_5(1, mac(1), 1);
    let mut cookie = sound.bytes();
    cookie[239] ^= 1;
    let bootp = Raw {
        options: Vec::new(),
        ..sound.clone()
    };
    let offer = Raw {
        op: 2,
        ..sound.clone()
    };
    let group = Raw {
        mac: Mac([0xff; 6]),
        ..sound.clone()
    };
    assert_eq!(Request::parse(&[]), Err(Ignored::TooShort { length: 0 }));
    assert_eq!(
        Request::parse(&sound.bytes()[..239]),
        Err(Ignored::TooShort { length: 239 })
    );
    assert_eq!(
        Request::parse(&[1; 9000]),
        Err(Ignored::TooLong { length: 9000 })
    );
    assert_eq!(Request::parse(&cookie), Err(Ignored::BadCookie));
    assert_eq!(parse(&bootp), Err(Ignored::NoMessageType));
    assert_eq!(parse(&offer), Err(Ignored::WrongDirection { op: 2 }));
    assert_eq!(parse(&group), Err(Ignored::BadMac(Mac([0xff; 6]))));
    let ack = Raw::request(1, mac(1), "35 01 05");
    assert_eq!(parse(&ack), Err(Ignored::OtherMessageType(5)));
}

/// dhcproto's owned decoder drops everything after a value it dislikes; a board must not become a
/// stranger by that.
#[test]
fn a_value_that_makes_no_sense_costs_that_value_only() {
    let odd = "0c 02 fffe  32 05 0102030405  5e 02 0102  50 03 010203  51 01 00  5d 03 000000";
    let sound = pi_5(1, mac(1), 1);
    let mut packet = Raw::request(1, mac(1), odd);
    packet.options.extend(&sound.options);
    let request = parse(&packet).expect("still DHCP");
    assert_eq!(request.requested_ip(), None);
    assert!(Client::of(&request).is_pi());
}

#[test]
fn an_option_in_pieces_is_joined_wherever_they_stand() {
    let packet = Raw::request(
        1,
        mac(1),
        "35 01 01 3c 04 70756e6e 0c 01 41 3c 08 65742d6167656e74",
    );
    assert_eq!(
        parse(&packet).expect("sound").vendor_class().as_deref(),
        Some("punnet-agent")
    );
}

#[test]
fn options_are_read_from_the_name_fields_when_the_packet_says_so() {
    let mut packet = Raw::request(1, mac(1), "34 01 03 3c 04 70756e6e");
    packet.file = hex("35 01 01 3c 04 65742d61 ff");
    packet.sname = hex("3c 04 67656e74 ff");
    let request = parse(&packet).expect("sound");
    assert_eq!(request.vendor_class().as_deref(), Some("punnet-agent"));
    packet.options = hex("34 01 00 35 01 01");
    assert_eq!(
        parse(&packet).expect("sound").vendor_class(),
        None,
        "not unless it says so"
    );
}

#[test]
fn a_packet_cut_short_within_an_option_keeps_what_came_before() {
    let packet = Raw::request(1, mac(1), "35 01 01 32 04 c0a89770 61 ff 00");
    let mut bytes = packet.bytes();
    bytes.truncate(253);
    let request = Request::parse(&bytes).expect("sound so far");
    assert_eq!(request.requested_ip(), Some(ip(112)));
}

#[test]
fn a_vendor_class_is_made_fit_to_be_shown() {
    let packet = Raw::request(1, mac(1), "35 01 01").with(60, [0x1b; 200]);
    let class = parse(&packet).expect("sound").vendor_class().expect("sent");
    assert_eq!(class.chars().count(), 64);
    assert!(!class.contains('\x1b'));
}

fn survives(bytes: &[u8]) {
    if let Ok(request) = Request::parse(bytes) {
        let _ = (
            Client::of(&request),
            request.largest_reply(),
            request.vendor_class(),
        );
    }
    let mut server = station();
    server.accept(mac(1));
    server.handle(bytes, NOBODY, Millis(0));
    while server.poll().is_some() {}
    let board = Persona::agent(None);
    let mut lessee = Lessee::new(board, mac(1), Network::Broadcast, 1, Millis(0));
    lessee.handle(bytes, NOBODY, Millis(1));
    while lessee.poll().is_some() {}
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        survives(&bytes);
    }

    #[test]
    fn any_options_are_survived(options in proptest::collection::vec(any::<u8>(), 0..400), op in 1_u8..3) {
        let mut packet = Raw::request(1, mac(1), "35 01 01 34 01 03");
        packet.op = op;
        packet.options.extend(options);
        survives(&packet.bytes());
    }

    #[test]
    fn real_packets_with_damage_are_survived(
        kind in 0_usize..4,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut: prop::sample::Index,
    ) {
        let mut offer = station();
        let reply = hear(&mut offer, &pi_5(1, mac(1), 1), 0).only().to_vec();
        let mut bytes = match kind {
            0 => pi_5(1, mac(1), 1).bytes(),
            1 => laptop(1, mac(1)).bytes(),
            2 => request(1, mac(1), ip(100), SERVER).bytes(),
            _ => reply,
        };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        survives(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        survives(&bytes);
    }
}
