//! Whom the server answers, where to, and what it tells.

use super::*;
use crate::dhcp::{Client, ReplyTo};
use std::time::Duration;

#[test]
fn a_laptop_gets_silence_and_one_event_a_minute() {
    let mut server = station();
    let told: Vec<_> = [0, 5_000, 59_000, 60_000]
        .map(|ms| {
            let heard = hear(&mut server, &laptop(1, mac(7)), ms);
            heard.assert_silent();
            heard.events.len()
        })
        .into();
    assert_eq!(told, [1, 0, 0, 1]);
    let heard = hear(&mut server, &laptop(1, mac(8)), 0);
    let vendor_class = Some("MSFT 5.0".to_owned());
    assert_eq!(
        heard.events,
        [DhcpEvent::NotOurs {
            mac: mac(8),
            vendor_class
        }]
    );
}

#[test]
fn a_laptop_that_asks_for_its_old_address_is_left_alone() {
    let mut server = station();
    let reboot = Raw::request(1, mac(7), "35 01 03").with(50, [192, 168, 1, 20]);
    hear(&mut server, &reboot, 0).assert_silent();
    let renew = Raw {
        ciaddr: ip(120),
        ..Raw::request(2, mac(7), "35 01 03")
    };
    hear(&mut server, &renew, 0).assert_silent();
    let inform = Raw {
        ciaddr: ip(120),
        ..Raw::request(2, mac(7), "35 01 08")
    };
    hear(&mut server, &inform, 0).assert_silent();
}

#[test]
fn an_accepted_client_gets_an_address_and_nothing_to_boot_from() {
    let mut server = station();
    server.accept(mac(7));
    let heard = hear(&mut server, &laptop(1, mac(7)), 0);
    assert_eq!(heard.said(), (2, ip(100)));
    let text = heard.only().windows(9).any(|part| part == b"PXEClient");
    assert!(!text, "no boot options for a laptop");
}

#[test]
fn the_installed_system_of_a_board_is_answered_at_the_boards_address() {
    let mut server = station();
    let address = exchange(&mut server, mac(1), 0xabcd, 0);
    let system = laptop(99, mac(1)).with(12, "kiosk-0001");
    let heard = hear(&mut server, &system, 600_000);
    assert_eq!(heard.said(), (2, address));
    let DhcpEvent::Seen { client, .. } = &heard.events[0] else {
        panic!("{heard:?}")
    };
    assert_eq!(
        *client,
        Client::Other,
        "the packet itself does not come from a bootloader"
    );
}

#[test]
fn replies_hold_neither_router_nor_name_server() {
    let mut server = station();
    let offer = hear(&mut server, &pi_5(1, mac(1), 1), 0);
    let mut options = &offer.only()[240..];
    while let [code, length, rest @ ..] = options
        && *code != 255
    {
        assert!(![3, 6].contains(code), "option {code}");
        options = &rest[usize::from(*length)..];
    }
}

#[test]
fn retries_get_the_same_offer_but_no_new_events() {
    let mut server = station();
    let first = hear(&mut server, &pi_5(1, mac(1), 1), 0);
    assert_eq!(first.events.len(), 2);
    for ms in [4_000, 8_000] {
        let again = hear(&mut server, &pi_5(1, mac(1), 1), ms);
        assert_eq!((again.only(), &again.events[..]), (first.only(), &[][..]));
    }
    let later = hear(&mut server, &pi_5(1, mac(1), 1), 30_000);
    assert_eq!(
        later.events.len(),
        2,
        "the same number half a minute later is a new boot"
    );
}

#[test]
fn a_client_that_floods_is_answered_at_a_measured_rate_and_hurts_nobody() {
    let mut server = station();
    let answered = (0..2000)
        .filter(|i| {
            !hear(&mut server, &pi_5(1, mac(1), 1), i * 15)
                .sent
                .is_empty()
        })
        .count();
    assert!((100..200).contains(&answered), "{answered} answers in 30 s");
    exchange(&mut server, mac(2), 2, 30_000);
}

#[test]
fn two_pi_3_with_the_same_constant_number_are_kept_apart() {
    let mut server = station();
    let rom = |n: u16| {
        let wants = "37 0c 2b 3c 43 80 81 82 83 84 85 86 87 42";
        Raw::request(0x26f3_0339, mac(n), &format!("35 01 01 {wants} {PI_CLASS}"))
    };
    assert_eq!(hear(&mut server, &rom(1), 0).said().1, ip(100));
    assert_eq!(hear(&mut server, &rom(2), 1).said().1, ip(101));
    assert_eq!(hear(&mut server, &rom(1), 2).said().1, ip(100));
}

#[test]
fn an_offer_to_a_pi_3_can_be_held_back_and_others_are_not() {
    let delayed = Settings {
        reply_delay: Duration::from_secs(1),
        ..settings(250)
    };
    let mut server = Server::new(delayed, Vec::new());
    let rom = Raw::request(0x26f3_0339, mac(1), &format!("35 01 01 {WANTS_14}"));
    hear(&mut server, &rom, 0).assert_silent();
    hear(&mut server, &rom, 400).assert_silent();
    hear(&mut server, &pi_5(1, mac(2), 1), 500).said();
    assert_eq!(server.next_deadline(), Some(Millis(1000)));
    server.handle_timeout(Millis(999));
    Outcome::of(&mut server).assert_silent();
    server.handle_timeout(Millis(1000));
    assert_eq!(Outcome::of(&mut server).said(), (2, ip(100)));
    assert_eq!(server.next_deadline(), None, "one answer for two questions");
}

#[test]
fn a_request_for_another_server_is_a_rival_and_not_our_business() {
    let mut server = station();
    hear(&mut server, &pi_5(1, mac(1), 1), 0);
    let router = Ipv4Addr::new(192, 168, 1, 1);
    let chosen = request(1, mac(1), Ipv4Addr::new(192, 168, 1, 50), router);
    let heard = hear(&mut server, &chosen, 10);
    heard.assert_silent();
    let [
        DhcpEvent::Rival {
            server: named,
            mac: None,
            client: Some(client),
            how,
        },
    ] = &heard.events[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!((*named, *client), (router, mac(1)));
    assert!(how.contains(&mac(1).to_string()), "names the board: {how}");
    assert!(
        hear(&mut server, &chosen, 4_000).events.is_empty(),
        "told once a minute"
    );
}

#[test]
fn a_request_for_a_wrong_address_is_refused_and_the_client_starts_anew() {
    let mut server = station();
    exchange(&mut server, mac(1), 1, 0);
    exchange(&mut server, mac(2), 2, 0);
    let steals = request(5, mac(2), ip(100), SERVER);
    let heard = hear(&mut server, &steals, 10);
    assert_eq!(heard.said(), (6, Ipv4Addr::UNSPECIFIED));
    assert_eq!(heard.sent[0].0, EVERYBODY);
    let elsewhere = Raw::request(6, mac(2), "35 01 03").with(50, [10, 0, 0, 9]);
    assert_eq!(hear(&mut server, &elsewhere, 20).said().0, 6);
    assert_eq!(exchange(&mut server, mac(2), 2, 1_000), ip(101));
}

#[test]
fn a_client_renews_by_unicast_and_is_answered_there() {
    let mut server = station();
    let address = exchange(&mut server, mac(1), 1, 0);
    let renew = Raw {
        ciaddr: address,
        ..Raw::request(9, mac(1), "35 01 03")
    };
    let heard = hear(&mut server, &renew, 1_800_000);
    assert_eq!(heard.said(), (5, address));
    assert_eq!(heard.sent[0].0, SocketAddrV4::new(address, 68));
    assert_eq!(server.leases()[0].until, Millis(1_800_000 + 3_600_000));
}

#[test]
fn what_a_relay_agent_passes_on_goes_back_through_it() {
    let mut server = station();
    let relay = ip(2);
    let circuit = [1, 4, b'p', b'o', b'r', b't'];
    let relayed = Raw {
        giaddr: relay,
        ..pi_5(1, mac(1), 1)
    }
    .with(82, circuit);
    let heard = hear(&mut server, &relayed, 0);
    assert_eq!(heard.sent[0].0, SocketAddrV4::new(relay, 67));
    assert_eq!(&heard.only()[24..28], relay.octets());
    let end = heard
        .only()
        .iter()
        .rposition(|byte| *byte == 255)
        .expect("ended");
    assert_eq!(
        &heard.only()[end - 8..end],
        [&[82, 6], &circuit[..]].concat(),
        "last of all"
    );

    let foreign = Raw {
        giaddr: Ipv4Addr::new(10, 9, 8, 7),
        ..pi_5(2, mac(2), 2)
    };
    hear(&mut server, &foreign, 0).assert_silent();
}

#[test]
fn a_rehearsal_is_answered_where_it_came_from() {
    let rehearsal = Settings {
        reply: ReplyTo::Source,
        ..settings(250)
    };
    let mut server = Server::new(rehearsal, Vec::new());
    let from = SocketAddrV4::new(Ipv4Addr::new(127, 64, 0, 9), 40_000);
    server.handle(&pi_5(1, mac(1), 1).bytes(), from, Millis(0));
    assert_eq!(Outcome::of(&mut server).sent[0].0, from);
}

#[test]
fn an_address_that_a_client_declines_is_set_aside() {
    let mut server = station();
    assert_eq!(exchange(&mut server, mac(1), 1, 0), ip(100));
    let decline = Raw::request(1, mac(1), "35 01 04").with(50, ip(100).octets());
    let heard = hear(&mut server, &decline.clone().with(54, [10, 0, 0, 1]), 5);
    assert!(heard.events.is_empty(), "meant for another server");
    let heard = hear(&mut server, &decline.with(54, SERVER.octets()), 2_000);
    heard.assert_silent();
    assert_eq!(
        heard.events,
        [DhcpEvent::Declined {
            mac: mac(1),
            ip: ip(100)
        }]
    );
    assert_eq!(exchange(&mut server, mac(1), 1, 5_000), ip(101));
    assert_eq!(exchange(&mut server, mac(2), 2, 5_000), ip(102));
}

#[test]
fn a_client_cannot_decline_or_release_what_another_has() {
    let mut server = station();
    exchange(&mut server, mac(1), 1, 0);
    let decline = Raw::request(1, mac(2), "35 01 04").with(50, ip(100).octets());
    let release = Raw {
        ciaddr: ip(100),
        ..Raw::request(1, mac(2), "35 01 07")
    };
    for packet in [decline, release] {
        let heard = hear(&mut server, &packet, 5);
        assert!(
            heard.events.is_empty() && heard.sent.is_empty(),
            "{heard:?}"
        );
    }
    assert_eq!(server.leases()[0].until, Millis(3_600_000));

    exchange(&mut server, mac(2), 2, 5_000);
    let decline = Raw::request(1, mac(2), "35 01 04").with(50, ip(100).octets());
    let release = Raw {
        ciaddr: ip(100),
        ..Raw::request(1, mac(2), "35 01 07")
    };
    for (packet, ms) in [(decline, 8_000), (release, 9_000)] {
        let heard = hear(&mut server, &packet, ms);
        assert!(
            heard.events.is_empty(),
            "not with an address of its own: {heard:?}"
        );
    }
}

#[test]
fn a_released_address_waits_for_its_old_holder() {
    let mut server = station();
    exchange(&mut server, mac(1), 1, 0);
    let release = Raw {
        ciaddr: ip(100),
        ..Raw::request(1, mac(1), "35 01 07")
    };
    let heard = hear(&mut server, &release, 10);
    assert_eq!(
        heard.events,
        [DhcpEvent::Released {
            mac: mac(1),
            ip: ip(100)
        }]
    );
    assert_eq!(exchange(&mut server, mac(2), 2, 20), ip(101));
    assert_eq!(exchange(&mut server, mac(1), 1, 5_000), ip(100));
}

#[test]
fn inform_is_answered_without_an_address_and_without_a_lease() {
    let mut server = station();
    server.accept(mac(1));
    let inform = Raw {
        ciaddr: ip(30),
        ..Raw::request(1, mac(1), "35 01 08")
    };
    let heard = hear(&mut server, &inform, 0);
    assert_eq!(heard.said(), (5, Ipv4Addr::UNSPECIFIED));
    assert_eq!(heard.sent[0].0, SocketAddrV4::new(ip(30), 68));
    assert!(server.leases().is_empty());
    assert!(!heard.only()[240..].windows(2).any(|part| part == [51, 4]));
}

#[test]
fn a_reply_stays_within_what_the_client_accepts() {
    let mut server = station();
    // An identifier as long as one option can be, and what a relay agent adds, do not both fit.
    let long = Raw {
        giaddr: ip(2),
        ..pi_5(1, mac(1), 1)
    };
    let long = long.with(61, [7; 255]).with(82, [1; 255]);
    let heard = hear(&mut server, &long, 0);
    assert!(heard.only().len() <= 548, "{} bytes", heard.only().len());
    let heard = hear(&mut server, &long.with(57, 1400_u16.to_be_bytes()), 1);
    assert!(heard.only().len() > 800, "{} bytes", heard.only().len());
}

#[test]
fn replies_are_never_shorter_than_bootp() {
    let mut server = station();
    server.accept(mac(3));
    let offer = hear(&mut server, &laptop(1, mac(3)), 0);
    let bytes = offer.only();
    let end = bytes.iter().rposition(|byte| *byte == 255).expect("ended");
    assert_eq!(bytes.len(), 300);
    assert!(
        bytes[end + 1..].iter().all(|byte| *byte == 0),
        "zeros after the end mark"
    );
}

#[test]
fn an_exchange_survives_a_restart_in_its_middle() {
    let mut server = station();
    let (_, address) = hear(&mut server, &pi_5(1, mac(1), 1), 0).said();
    let mut restarted = Server::new(settings(250), server.leases());
    let heard = hear(&mut restarted, &request(1, mac(1), address, SERVER), 500);
    assert_eq!(heard.said(), (5, address));
    // Even when not a single lease was stored.
    let heard = hear(&mut station(), &request(1, mac(1), address, SERVER), 500);
    assert_eq!(heard.said(), (5, address));
}
