//! The self-test of a running station, over the sockets that boards use.

use crate::rig::{PATIENCE, Rig};
use std::net::Ipv4Addr;
use std::time::Instant;
use wire::command::Command;
use wire::health::{ServerKind, ServerState};
use wire::query::{Answer, EventFilter, Query};
use wire::self_test::{SelfTest, TestStep, TestVerdict};

fn test(rig: &Rig) -> SelfTest {
    match rig.query(Query::SelfTest).unwrap() {
        Answer::SelfTest(test) => *test,
        other => panic!("{other:?}"),
    }
}

fn step<'t>(test: &'t SelfTest, name: &str) -> &'t TestStep {
    let found = test.steps.iter().find(|s| s.step == name);
    found.unwrap_or_else(|| panic!("no {name}: {test:#?}"))
}

/// Everything that a board could have used up.
fn state(rig: &Rig) -> Vec<Answer> {
    [
        Query::Boards,
        Query::Leases,
        Query::Names(wire::query::NameFilter::default()),
        Query::Batches,
        Query::Events(EventFilter::default()),
        Query::History(wire::query::HistoryFilter::default()),
    ]
    .into_iter()
    .map(|query| rig.query(query).unwrap())
    .collect()
}

#[test]
fn a_synthetic_board_gets_everything_and_uses_nothing_up() {
    let rig = Rig::with_batch();
    let before = state(&rig);
    for _ in 0..2 {
        let test = test(&rig);
        assert!(test.fit, "{test:#?}");
        for name in ["offer", "boot_files", "check_in", "manifest", "range"] {
            assert_eq!(step(&test, name).verdict, TestVerdict::Passed, "{test:#?}");
        }
        let name = &step(&test, "check_in").found;
        assert!(name.contains("would become KXP2-CORO-001"), "{name}");
        assert_eq!(step(&test, "wire").verdict, TestVerdict::NotRun);
    }
    assert_eq!(state(&rig), before);
    let test = test(&rig);
    let page = &step(&test, "page").found;
    assert!(page.contains(&rig.operator_host()), "{page}");
    let metrics = rig.operator("GET /metrics HTTP/1.1", b"");
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(
        text.contains("punnet_dhcp_events_total{event=\"seen\"} 0"),
        "{text}"
    );
}

#[test]
fn a_fault_is_named_with_what_to_do_about_it() {
    let rig = Rig::new();
    rig.stock();
    let without = test(&rig);
    assert!(
        without.fit,
        "an image is still to come, and nothing is at fault: {without:#?}"
    );
    let files = step(&without, "boot_files");
    assert_eq!(files.verdict, TestVerdict::NotRun);
    assert!(files.found.contains("no active image"), "{files:?}");
    assert!(files.found.contains("Import an image and activate it."));
    assert_eq!(step(&without, "offer").verdict, TestVerdict::Passed);
    assert_eq!(step(&without, "range").verdict, TestVerdict::NotRun);

    rig.prepare_image();
    let server = ServerKind::Tftp;
    rig.command(Command::ServerStop { server }).unwrap();
    let begun = Instant::now();
    let stopped = || {
        let servers = rig.station().servers();
        let tftp = servers.into_iter().find(|s| s.server == server);
        tftp.unwrap().state == ServerState::Stopped
    };
    while !stopped() {
        assert!(begun.elapsed() < PATIENCE, "TFTP does not stop");
        std::thread::yield_now();
    }
    let test = test(&rig);
    let files = step(&test, "boot_files");
    assert_eq!(files.verdict, TestVerdict::Failed);
    assert!(files.found.starts_with("TFTP does not serve"), "{files:?}");
    assert_eq!(
        step(&test, "range").verdict,
        TestVerdict::Passed,
        "{test:#?}"
    );
}

#[test]
fn nobody_passes_for_the_self_test() {
    let rig = Rig::with_batch();
    let key = "00112233445566778899aabbccddeeff";
    let introduction = crate::boards::check_in(7, None);
    let path = format!("/agent/v1/self-test/{key}");
    let reply = rig.board_post(Ipv4Addr::LOCALHOST, &path, &introduction);
    assert_eq!(reply.status, 404, "{}", reply.json());
    let file = rig.fetch(
        rig.lease(0x0000_0007).address,
        &format!("self-test-{key}/cmdline.txt"),
    );
    let text = format!("{file:?}");
    assert!(!text.contains("File"), "{text}");
}
