//! Whatever is said in whatever order, no two clients hold one address.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const LAST: u8 = 104;

/// Something a client may say.
#[derive(Debug, Clone)]
struct Said {
    client: u16,
    kind: u8,
    wish: Option<u8>,
    current: Option<u8>,
    server: Option<bool>,
    pi: bool,
    later: i64,
}

fn said() -> impl Strategy<Value = Said> {
    let address = || proptest::option::of(98_u8..=LAST + 2);
    let who = (0_u16..9, 0_u8..10, any::<bool>());
    let what = (
        address(),
        address(),
        proptest::option::weighted(0.5, proptest::bool::weighted(0.8)),
    );
    (who, what, 0_i64..2_400_000).prop_map(
        |((client, kind, pi), (wish, current, server), later)| Said {
            client,
            kind,
            wish,
            current,
            server,
            pi,
            later,
        },
    )
}

impl Said {
    fn packet(&self, xid: u32) -> Raw {
        let mut packet = if self.pi {
            let mut packet = pi_5(xid, mac(self.client), self.client.into());
            packet.options[2] = self.kind;
            packet
        } else {
            Raw::request(xid, mac(self.client), &format!("35 01 {:02x}", self.kind))
        };
        packet.ciaddr = self.current.map_or(Ipv4Addr::UNSPECIFIED, ip);
        if let Some(wish) = self.wish {
            packet = packet.with(50, ip(wish).octets());
        }
        if let Some(ours) = self.server {
            packet = packet.with(54, if ours { SERVER } else { ip(77) }.octets());
        }
        packet
    }
}

proptest! {
    #[test]
    fn no_two_clients_ever_hold_one_address(
        story in proptest::collection::vec(said(), 1..120),
        restart in 0_usize..120,
    ) {
        let mut server = Server::new(settings(LAST), Vec::new());
        let mut now = 0;
        // Who was told, by which time, that an address is his.
        let mut promised: HashMap<Ipv4Addr, (Mac, i64)> = HashMap::new();
        for (step, said) in story.iter().enumerate() {
            if step == restart {
                server = Server::new(settings(LAST), server.leases());
            }
            now += said.later;
            let heard = hear(&mut server, &said.packet(u32::try_from(step).expect("few")), now);
            for (_, bytes) in &heard.sent {
                let (kind, given) = (bytes[242], Ipv4Addr::from([bytes[16], bytes[17], bytes[18], bytes[19]]));
                prop_assert!([2, 5, 6].contains(&kind));
                if kind == 6 || given.is_unspecified() {
                    continue;
                }
                prop_assert!((100..=LAST).contains(&given.octets()[3]), "{given} is outside the pool");
                let mac = Mac(bytes[28..34].try_into().expect("six"));
                if let Some((holder, until)) = promised.get(&given) {
                    prop_assert!(*holder == mac || *until <= now, "{given} is held by {holder} until {until}");
                }
                if kind == 5 {
                    promised.insert(given, (mac, now + 3_600_000));
                }
            }
            for event in &heard.events {
                match event {
                    DhcpEvent::Released { ip, .. } | DhcpEvent::Declined { ip, .. } => {
                        promised.remove(ip);
                    }
                    _ => {}
                }
            }
            let leases = server.leases();
            let mut macs: Vec<_> = leases.iter().map(|lease| lease.mac).collect();
            macs.sort_unstable();
            macs.dedup();
            prop_assert_eq!(macs.len(), leases.len(), "a client holds two addresses");
            prop_assert!(leases.is_sorted_by(|a, b| a.ip < b.ip), "an address is listed twice");
        }
    }

    #[test]
    fn a_client_that_asks_often_enough_to_keep_its_lease_never_changes_its_address(
        others in proptest::collection::vec(said(), 1..80),
    ) {
        let mut server = Server::new(settings(LAST), Vec::new());
        let mine = exchange(&mut server, mac(500), 500, 0);
        let mut now = 0;
        for (step, said) in others.iter().enumerate() {
            now += said.later;
            hear(&mut server, &said.packet(u32::try_from(step).expect("few")), now);
            let renew = Raw { ciaddr: mine, ..Raw::request(7, mac(500), "35 01 03") };
            let renewed = hear(&mut server, &renew, now);
            prop_assert_eq!(renewed.said(), (5, mine));
            now += 1000;
        }
    }
}
