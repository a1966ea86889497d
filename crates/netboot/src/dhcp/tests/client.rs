//! The client in its voices, against our server and against others.

use super::*;
use crate::dhcp::client::{Event, Grant, Lessee, Network, Output, Persona, ROM_XID};
use crate::dhcp::identify::ARCH_ARM64;
use uuid::Uuid;
use wire::revision::Revision;

const PI_4: Revision = Revision(0x00d0_3114);
const PI_5: Revision = Revision(0x00d0_4170);

fn client(persona: Persona) -> Lessee {
    Lessee::new(persona, mac(1), Network::Broadcast, 7, Millis(0))
}

fn took(lessee: &mut Lessee) -> (Vec<(SocketAddrV4, Vec<u8>)>, Vec<Event>) {
    let (mut sent, mut events) = (Vec::new(), Vec::new());
    while let Some(output) = lessee.poll() {
        match output {
            Output::Send { to, bytes } => sent.push((to, bytes)),
            Output::Event(event) => events.push(event),
        }
    }
    (sent, events)
}

/// Carries packets between the two until both are silent; returns what happened to the client.
fn talk(lessee: &mut Lessee, server: &mut Server, now: Millis) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let (sent, events) = took(lessee);
        all.extend(events);
        if sent.is_empty() {
            return all;
        }
        for (_, bytes) in sent {
            server.handle(&bytes, NOBODY, now);
            for (_, bytes) in Outcome::of(server).sent {
                lessee.handle(&bytes, SocketAddrV4::new(SERVER, 67), now);
            }
        }
    }
}

/// Lets time pass with nobody answering; returns what is sent when, and how it ends.
fn alone(lessee: &mut Lessee, until: i64) -> (Vec<i64>, Vec<Event>) {
    let (mut sent, mut events) = took(lessee);
    let mut times: Vec<_> = sent.iter().map(|_| 0).collect();
    while let Some(now) = lessee.next_deadline().filter(|due| due.0 <= until) {
        lessee.handle_timeout(now);
        let (more, told) = took(lessee);
        times.extend(more.iter().map(|_| now.0));
        sent.extend(more);
        events.extend(told);
    }
    (times, events)
}

#[track_caller]
fn bound(events: &[Event]) -> &Grant {
    let [Event::Bound(grant)] = events else {
        panic!("{events:?}")
    };
    grant
}

#[test]
fn every_voice_boots_from_our_server() {
    let uuid = Uuid::from_u128(0x1234);
    let voices = [
        Persona::rom_3b(),
        Persona::rom_3b_plus(0x5b0c_4510),
        Persona::eeprom(PI_4, mac(1), 0x91cd_f03d, false),
        Persona::eeprom(PI_4, mac(1), 0x91cd_f03d, true),
        Persona::eeprom(PI_5, mac(1), 0xd137_e638, false),
        Persona::eeprom(PI_5, mac(1), 0xd137_e638, true),
        Persona::uefi(ARCH_ARM64, uuid),
        Persona::agent(None),
        Persona::agent(Some(wire::BoardId::Pi(5))),
    ];
    for persona in voices {
        let settings = Settings {
            answer_uefi: true,
            ..settings(250)
        };
        let mut server = Server::new(settings, Vec::new());
        let mut lessee = client(persona.clone());
        let events = talk(&mut lessee, &mut server, Millis(10));
        let grant = bound(&events);
        assert_eq!(
            (grant.address, grant.tftp, grant.mask),
            (ip(100), SERVER, MASK),
            "{persona:?}"
        );
        assert_eq!(grant.router, None);
    }
}

#[test]
fn a_boot_rom_asks_five_times_and_stops_for_good() {
    let mut lessee = client(Persona::rom_3b());
    let (times, events) = alone(&mut lessee, 10_000_000);
    assert_eq!(times, [0, 5_000, 10_000, 15_000, 20_000]);
    assert_eq!(events, [Event::GaveUp { why: "no reply" }]);
}

#[test]
fn an_eeprom_bootloader_asks_every_four_seconds_for_forty_five() {
    let mut lessee = client(Persona::eeprom(PI_5, mac(1), 1, false));
    let (times, events) = alone(&mut lessee, 10_000_000);
    assert_eq!(times.len(), 12);
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] == 4_000),
        "{times:?}"
    );
    assert_eq!(events.len(), 1);
}

#[test]
fn the_agent_never_gives_up() {
    let mut lessee = client(Persona::agent(None));
    let (times, events) = alone(&mut lessee, 3_600_000);
    assert_eq!(
        (&times[..6], events.len()),
        (&[0, 2_000, 6_000, 14_000, 30_000, 46_000][..], 0)
    );
    assert!(times.len() > 200);
}

#[test]
fn voices_number_their_tries_as_their_models_do() {
    let xids = |persona: Persona| {
        let mut lessee = client(persona);
        let mut xids = Vec::new();
        for _ in 0..3 {
            let (sent, _) = took(&mut lessee);
            xids.push(u32::from_be_bytes(
                sent[0].1[4..8].try_into().expect("four"),
            ));
            lessee.handle_timeout(lessee.next_deadline().expect("waits"));
        }
        xids
    };
    assert_eq!(xids(Persona::rom_3b()), [ROM_XID; 3]);
    let [a, b, c] = xids(Persona::eeprom(PI_5, mac(1), 1, false))[..] else {
        unreachable!()
    };
    assert!(a != b && b != c);
    let [a, b, c] = xids(Persona::agent(None))[..] else {
        unreachable!()
    };
    assert!(a == b && b == c);
}

#[test]
fn a_bootloader_s_request_holds_only_address_server_and_class() {
    let mut lessee = client(Persona::eeprom(PI_5, mac(1), 1, false));
    let (sent, _) = took(&mut lessee);
    let mut server = station();
    server.handle(&sent[0].1, NOBODY, Millis(1));
    let offer = Outcome::of(&mut server);
    lessee.handle(offer.only(), SocketAddrV4::new(SERVER, 67), Millis(2));
    let (sent, _) = took(&mut lessee);
    let xid = u32::from_be_bytes(sent[0].1[4..8].try_into().expect("four"));
    let expected = Raw::request(
        xid,
        mac(1),
        &format!("35 01 03 32 04 c0a89764 36 04 c0a89701 {PI_CLASS}"),
    );
    assert_eq!(
        (sent[0].0, &sent[0].1),
        (
            SocketAddrV4::new(Ipv4Addr::BROADCAST, 67),
            &expected.bytes()
        )
    );
}

#[test]
fn a_discover_is_put_together_as_captures_show_it() {
    let mut lessee = client(Persona::eeprom(PI_5, mac(1), 0xd137_e638, false));
    let (sent, _) = took(&mut lessee);
    let xid = u32::from_be_bytes(sent[0].1[4..8].try_into().expect("four"));
    let options = format!(
        "35 01 01 {WANTS_14} 5d 02 0000 5e 03 010201 61 11 00 52506935 7041d000 67000001 38e637d1 {PI_CLASS}"
    );
    assert_eq!(sent[0].1, Raw::request(xid, mac(1), &options).bytes());
}

/// A router gives the address, a proxy the boot server: both OFFERs make one answer, whichever
/// comes first.
#[test]
fn address_and_boot_server_may_come_from_two_servers() {
    let router = Ipv4Addr::new(192, 168, 1, 1);
    let proxy = Ipv4Addr::new(192, 168, 1, 3);
    for router_first in [true, false] {
        let mut lessee = client(Persona::eeprom(PI_4, mac(1), 1, false));
        let (sent, _) = took(&mut lessee);
        let xid = u32::from_be_bytes(sent[0].1[4..8].try_into().expect("four"));
        let mine = Ipv4Addr::new(192, 168, 1, 50);
        let mut from_router = Raw::reply(xid, mac(1), mine, "35 01 02").with(54, router.octets());
        from_router.siaddr = router;
        let menu = "2b 20 060103 0a0400505845 0914 0000 11 5261737062657272792050692042 6f6f74 ff";
        let mut from_proxy = Raw::reply(
            xid,
            mac(1),
            Ipv4Addr::UNSPECIFIED,
            &format!("35 01 02 {menu}"),
        )
        .with(54, proxy.octets());
        from_proxy.siaddr = proxy;
        let mut offers = [(router, from_router), (proxy, from_proxy)];
        if !router_first {
            offers.reverse();
        }
        for (from, packet) in &offers {
            assert_eq!(took(&mut lessee).0, [], "waits for the other half");
            lessee.handle(&packet.bytes(), SocketAddrV4::new(*from, 67), Millis(10));
        }
        let (sent, _) = took(&mut lessee);
        assert_eq!(sent.len(), 1, "requests from the router");
        let ack =
            Raw::reply(xid, mac(1), mine, "35 01 05 33 04 00000e10").with(54, router.octets());
        lessee.handle(&ack.bytes(), SocketAddrV4::new(router, 67), Millis(20));
        let (_, events) = took(&mut lessee);
        let grant = bound(&events);
        assert_eq!(
            (grant.address, grant.server, grant.tftp),
            (mine, router, proxy)
        );
    }
}

#[test]
fn an_offer_without_a_boot_server_is_no_use_to_a_bootloader() {
    let mut lessee = client(Persona::eeprom(PI_4, mac(1), 1, false));
    let mut server = station();
    server.accept(mac(1));
    while let Some(due) = lessee.next_deadline() {
        let (sent, _) = took(&mut lessee);
        for (_, bytes) in sent {
            let xid = u32::from_be_bytes(bytes[4..8].try_into().expect("four"));
            let plain = Raw::reply(xid, mac(1), ip(100), "35 01 02").with(54, SERVER.octets());
            lessee.handle(&plain.bytes(), SocketAddrV4::new(SERVER, 67), due);
        }
        lessee.handle_timeout(due);
    }
    let (sent, events) = took(&mut lessee);
    assert_eq!(
        (sent.len(), events),
        (
            0,
            vec![Event::GaveUp {
                why: "no reply named a boot server"
            }]
        )
    );
}

#[test]
fn the_agent_renews_with_its_server_and_then_with_anybody() {
    let mut server = station();
    let mut lessee = client(Persona::agent(None));
    talk(&mut lessee, &mut server, Millis(0));
    let half = lessee.next_deadline().expect("T1");
    assert_eq!(half, Millis(1_800_000));
    lessee.handle_timeout(half);
    let (sent, _) = took(&mut lessee);
    assert_eq!(sent[0].0, SocketAddrV4::new(SERVER, 67), "to the server");
    let mut last = sent;
    while let Some(due) = lessee.next_deadline().filter(|due| due.0 < 3_600_000) {
        lessee.handle_timeout(due);
        last = took(&mut lessee).0;
    }
    assert_eq!(
        last[0].0,
        SocketAddrV4::new(Ipv4Addr::BROADCAST, 67),
        "to everybody after T2"
    );
    server.handle(&last[0].1, NOBODY, Millis(3_599_000));
    let ack = Outcome::of(&mut server);
    lessee.handle(ack.only(), SocketAddrV4::new(SERVER, 67), Millis(3_599_000));
    let (_, events) = took(&mut lessee);
    assert!(
        matches!(&events[..], [Event::Renewed(grant)] if grant.address == ip(100)),
        "{events:?}"
    );
    assert_eq!(lessee.next_deadline(), Some(Millis(3_599_000 + 1_800_000)));
}

#[test]
fn a_lease_that_nobody_renews_is_lost_and_asked_for_anew() {
    let mut lessee = client(Persona::agent(None));
    talk(&mut lessee, &mut station(), Millis(0));
    let (_, events) = alone(&mut lessee, 3_600_000);
    assert_eq!(
        events,
        [Event::Lost {
            why: "the lease ended"
        }]
    );
    lessee.handle_timeout(Millis(3_610_000));
    let events = talk(&mut lessee, &mut station(), Millis(3_610_000));
    bound(&events);
}

#[test]
fn a_refused_client_starts_anew() {
    let mut server = station();
    let mut lessee = client(Persona::eeprom(PI_5, mac(1), 1, false));
    let (sent, _) = took(&mut lessee);
    server.handle(&sent[0].1, NOBODY, Millis(0));
    let offer = Outcome::of(&mut server).only().to_vec();
    lessee.handle(&offer, SocketAddrV4::new(SERVER, 67), Millis(0));
    let (sent, _) = took(&mut lessee);
    let xid = u32::from_be_bytes(sent[0].1[4..8].try_into().expect("four"));
    let nak = Raw::reply(xid, mac(1), Ipv4Addr::UNSPECIFIED, "35 01 06").with(54, SERVER.octets());
    lessee.handle(&nak.bytes(), SocketAddrV4::new(SERVER, 67), Millis(5));
    lessee.handle_timeout(lessee.next_deadline().expect("a pause"));
    let events = talk(&mut lessee, &mut server, Millis(2_000));
    assert_eq!(bound(&events).address, ip(100));
}

/// A server that promises nothing must not make the client spin.
#[test]
fn a_lease_of_no_time_is_not_believed() {
    let mut lessee = client(Persona::agent(None));
    let (sent, _) = took(&mut lessee);
    let xid = u32::from_be_bytes(sent[0].1[4..8].try_into().expect("four"));
    for kind in [2, 5] {
        let reply = Raw::reply(xid, mac(1), ip(9), &format!("35 01 {kind:02x}"))
            .with(54, SERVER.octets())
            .with(51, [0; 4])
            .with(58, [0; 4]);
        lessee.handle(&reply.bytes(), SocketAddrV4::new(SERVER, 67), Millis(0));
    }
    let (_, events) = took(&mut lessee);
    bound(&events);
    assert!(lessee.next_deadline() >= Some(Millis(10_000)));
}
