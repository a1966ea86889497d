//! Addresses stay with their boards for as long as the pool allows.

use super::*;

const HOUR: i64 = 3_600_000;

#[test]
fn a_board_has_the_same_address_after_expiry_and_after_a_restart() {
    let mut server = station();
    let mine = exchange(&mut server, mac(1), 1, 0);
    for n in 2..20 {
        exchange(&mut server, mac(n), n.into(), 0);
    }
    assert_eq!(exchange(&mut server, mac(1), 1, 40 * HOUR), mine);
    let mut restarted = Server::new(settings(250), server.leases());
    assert_eq!(exchange(&mut restarted, mac(1), 1, 90 * HOUR), mine);
    assert_eq!(restarted.leases()[0].board, Some(wire::BoardId::Pi(1)));
}

#[test]
fn one_hundred_and_fifty_boards_get_as_many_addresses_from_the_usual_pool() {
    let mut server = station();
    let mut given: Vec<_> = (1..=150)
        .map(|n| exchange(&mut server, mac(n), n.into(), n.into()))
        .collect();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 150);
    exchange(&mut server, mac(151), 151, 200);
    let heard = hear(&mut server, &pi_5(1, mac(152), 152), 300);
    heard.assert_silent();
    assert!(
        heard
            .events
            .contains(&DhcpEvent::PoolFull { mac: mac(152) }),
        "{heard:?}"
    );
}

#[test]
fn a_full_pool_is_told_once_a_minute_for_each_board() {
    let mut server = Server::new(settings(100), Vec::new());
    exchange(&mut server, mac(1), 1, 0);
    let full = |server: &mut Server, n: u16, ms: i64| {
        let heard = hear(server, &pi_5(9, mac(n), n.into()), ms);
        heard
            .events
            .iter()
            .filter(|e| matches!(e, DhcpEvent::PoolFull { .. }))
            .count()
    };
    let told: Vec<_> = [(2, 0), (2, 4_000), (3, 4_000), (2, 60_000), (2, 61_000)]
        .map(|(n, ms)| full(&mut server, n, ms))
        .into();
    assert_eq!(told, [1, 0, 1, 1, 0]);
}

#[test]
fn the_address_that_was_left_longest_ago_is_taken_first_and_only_when_none_is_fresh() {
    let mut server = Server::new(settings(102), Vec::new());
    assert_eq!(exchange(&mut server, mac(1), 1, 0), ip(100));
    assert_eq!(exchange(&mut server, mac(2), 2, HOUR), ip(101));
    assert_eq!(
        exchange(&mut server, mac(3), 3, 5 * HOUR),
        ip(102),
        "fresh before ended"
    );
    exchange(&mut server, mac(1), 1, 6 * HOUR);
    assert_eq!(
        exchange(&mut server, mac(4), 4, 20 * HOUR),
        ip(101),
        "left longest ago"
    );
    assert_eq!(
        exchange(&mut server, mac(1), 1, 20 * HOUR),
        ip(100),
        "others keep theirs"
    );
    assert_eq!(exchange(&mut server, mac(2), 2, 20 * HOUR), ip(102));
}

#[test]
fn an_offer_that_a_pi_3_never_requests_counts_as_in_use() {
    let mut server = Server::new(settings(100), Vec::new());
    let rom = Raw::request(0x26f3_0339, mac(1), &format!("35 01 01 {WANTS_14}"));
    assert_eq!(hear(&mut server, &rom, 0).said().1, ip(100));
    hear(&mut server, &pi_5(1, mac(2), 2), HOUR - 1).assert_silent();
    assert_eq!(
        hear(&mut server, &pi_5(1, mac(2), 2), HOUR).said().1,
        ip(100)
    );
}

#[test]
fn an_offer_that_a_pi_5_does_not_request_is_free_again_after_a_minute() {
    let mut server = Server::new(settings(100), Vec::new());
    hear(&mut server, &pi_5(1, mac(1), 1), 0).said();
    hear(&mut server, &pi_5(1, mac(2), 2), 59_999).assert_silent();
    assert_eq!(
        hear(&mut server, &pi_5(2, mac(2), 2), 60_000).said().1,
        ip(100)
    );
}

#[test]
fn an_address_asked_for_is_given_when_nobody_ever_had_it() {
    let mut server = station();
    let wish = |n: u16, last: u8| pi_5(n.into(), mac(n), n.into()).with(50, ip(last).octets());
    assert_eq!(hear(&mut server, &wish(1, 177), 0).said().1, ip(177));
    assert_eq!(
        hear(&mut server, &wish(2, 177), 0).said().1,
        ip(100),
        "taken"
    );
    assert_eq!(
        hear(&mut server, &wish(3, 20), 0).said().1,
        ip(101),
        "outside the pool"
    );
}

#[test]
fn set_aside_addresses_are_used_again_before_a_board_goes_without() {
    let mut server = Server::new(settings(100), Vec::new());
    exchange(&mut server, mac(1), 1, 0);
    let decline = Raw::request(1, mac(1), "35 01 04").with(50, ip(100).octets());
    hear(&mut server, &decline, 0);
    assert_eq!(exchange(&mut server, mac(2), 2, 10), ip(100));
}

#[test]
fn the_stations_own_and_the_reserved_addresses_are_never_given() {
    let mut whole = settings(250);
    whole.server = ip(1);
    whole.mask = Ipv4Addr::new(255, 255, 255, 252);
    whole.pool = ip(0)..=ip(3);
    let mut server = Server::new(whole, Vec::new());
    assert_eq!(hear(&mut server, &pi_5(1, mac(1), 1), 0).said().1, ip(2));
    hear(&mut server, &pi_5(1, mac(2), 2), 0).assert_silent();
}

#[test]
fn leases_that_no_longer_fit_are_dropped_and_doubles_are_resolved() {
    let lease = |n: u16, address: Ipv4Addr, until: i64| wire::health::Lease {
        mac: mac(n),
        board: None,
        ip: address,
        until: Millis(until),
    };
    let stored = vec![
        lease(1, ip(100), 500),
        lease(2, ip(100), 900),
        lease(3, ip(105), 800),
        lease(3, ip(106), 200),
        lease(4, Ipv4Addr::new(10, 0, 0, 1), 900),
        lease(5, SERVER, 900),
    ];
    let kept = Server::new(settings(250), stored).leases();
    let kept: Vec<_> = kept.iter().map(|lease| (lease.mac, lease.ip)).collect();
    assert_eq!(kept, [(mac(2), ip(100)), (mac(3), ip(105))]);
}

#[test]
fn a_lease_from_a_clock_that_ran_ahead_does_not_block_its_address_for_ever() {
    let year = 365 * 24 * HOUR;
    let ahead = wire::health::Lease {
        mac: mac(1),
        board: None,
        ip: ip(100),
        until: Millis(year),
    };
    let mut server = Server::new(settings(100), vec![ahead]);
    hear(&mut server, &pi_5(1, mac(2), 2), 0).assert_silent();
    assert_eq!(
        hear(&mut server, &pi_5(2, mac(2), 2), HOUR).said().1,
        ip(100)
    );
}
