//! The agent against a station made for the test, on a file: every step from check-in to `done`,
//! and what happens when the wire, the pack or the operator interferes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod common;

use agent::Ending;
use common::{Board, FakeStation, Mood, golden};
use imaging::target::{Fault, FileTarget, inspect};
use wire::agent::{After, AgentEvent};
use wire::board::Stage;
use wire::disk::DiskContent;
use wire::refusal::Code;

#[test]
fn a_board_is_provisioned_verified_and_named() {
    let golden = golden();
    let station = FakeStation::start(golden, Mood::default());
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::Reboot);

    let outcome = station.outcome();
    let m = &golden.manifest;
    assert_eq!(outcome.bytes_received, m.packed_bytes());
    assert!(outcome.bytes_written > m.written_bytes());
    assert_eq!(outcome.bytes_read_back, outcome.bytes_written);
    assert!(outcome.changed_files.contains(&"/etc/hostname".to_owned()));
    let stages: Vec<Stage> = outcome.stage_ms.iter().map(|(s, _)| *s).collect();
    assert_eq!(
        stages,
        [
            Stage::PreparingStorage,
            Stage::Writing,
            Stage::Verifying,
            Stage::Personalising,
            Stage::Finishing
        ]
    );
    board.assert_holds(golden, "KXP2-CORO-001");
    // Steps came in order, numbered from 1 without a gap.
    let events = station.events();
    let numbers: Vec<u64> = events.iter().map(|(n, _)| *n).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(matches!(events.last().unwrap().1, AgentEvent::Done(_)));
}

#[test]
fn it_waits_for_its_order_and_blinks_when_asked() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            waits: 2,
            after: After::PowerOff,
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::PowerOff);
    assert_eq!(board.blinked(), 2 * 3);
    assert!(board.shown().iter().any(|s| s.contains("start a batch")));
}

#[test]
fn a_board_that_was_finished_is_sent_to_its_disk() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            finished: true,
            ..Mood::default()
        },
    );
    let hostname = "KXP2-CORO-001".parse().unwrap();
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::BootFromDisk { hostname });
}

#[test]
fn a_board_that_is_not_believed_boots_anew() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            doubts: true,
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::BootAnew);
    assert!(board.shown().iter().any(|s| s.contains("earlier boot")));
}

#[test]
fn broken_connections_and_a_restart_cost_nothing_twice() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            break_every: 3,
            refuse_for_a_while: true,
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::Reboot);
    board.assert_holds(golden, "KXP2-CORO-001");
    assert_eq!(
        station.outcome().bytes_received,
        golden.manifest.packed_bytes()
    );
}

#[test]
fn a_chunk_that_comes_damaged_is_asked_for_again() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            damage: Some((golden.middle_chunk(), 2)),
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::Reboot);
    board.assert_holds(golden, "KXP2-CORO-001");
    assert!(station.outcome().bytes_received > golden.manifest.packed_bytes());
}

#[test]
fn a_pack_that_stays_damaged_fails_and_says_what_to_do() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            damage: Some((golden.middle_chunk(), u32::MAX)),
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    board.run_until_ordered_off(&station);
    let failure = station.failure();
    let chunk = format!("chunk {} ", golden.middle_chunk());
    assert!(failure.what.contains(&chunk), "{failure:?}");
    assert!(
        failure.next.contains("Import the image again"),
        "{failure:?}"
    );
    board.assert_unfinished();
}

#[test]
fn a_manifest_of_another_station_is_refused_before_anything_is_lost() {
    let golden = golden();
    let station = FakeStation::start(golden, Mood::default());
    let mut board = Board::new(512 << 20);
    board.link_key = Some(common::other_key());
    board.run_until_ordered_off(&station);
    assert!(
        station
            .failure()
            .what
            .contains("not signed by this station")
    );
    assert_eq!(board.content(), DiskContent::Blank);
}

#[test]
fn a_manifest_that_was_tampered_with_is_refused_before_anything_is_lost() {
    let golden = golden();
    let tampered = [
        (
            Mood {
                rewrites: Some(("\"format\":1", "\"format\": 1")),
                ..Mood::default()
            },
            "the manifest that came is not the one of image",
        ),
        (
            Mood {
                signs_nothing: true,
                ..Mood::default()
            },
            "not signed by this station",
        ),
    ];
    for (mood, words) in tampered {
        let station = FakeStation::start(golden, mood);
        let board = Board::new(512 << 20);
        board.run_until_ordered_off(&station);
        let failure = station.failure();
        assert!(failure.what.contains(words), "{failure:?}");
        assert!(
            failure.next.contains("Import the image again"),
            "{failure:?}"
        );
        assert_eq!(board.content(), DiskContent::Blank);
    }
}

#[test]
fn a_bad_spot_is_written_again_and_a_dead_one_is_named() {
    let golden = golden();
    let place = golden.manifest.start(golden.middle_chunk()) + 1000;
    let spot = place..place + 1;
    let corrupt = |times| Fault::Corrupt {
        range: spot.clone(),
        times,
    };
    let station = FakeStation::start(golden, Mood::default());
    let board = Board::with_faults(512 << 20, vec![corrupt(1)]);
    assert_eq!(board.run(&station), Ending::Reboot);
    assert_eq!(station.outcome().rewritten_chunks, 1);
    board.assert_holds(golden, "KXP2-CORO-001");

    let station = FakeStation::start(golden, Mood::default());
    let board = Board::with_faults(512 << 20, vec![corrupt(u32::MAX)]);
    board.run_until_ordered_off(&station);
    let failure = station.failure();
    let sector = spot.start / 512;
    assert_eq!(failure.stage, Stage::Verifying);
    assert!(
        failure
            .what
            .contains(&format!("sectors {sector} to {sector}")),
        "{failure:?}"
    );
    assert!(failure.next.contains("Replace the card"), "{failure:?}");
    board.assert_unfinished();
}

#[test]
fn a_stop_leaves_the_disk_unbootable_at_every_moment() {
    let golden = golden();
    for stage in [Stage::Writing, Stage::Finishing, Stage::Done] {
        let station = FakeStation::start(
            golden,
            Mood {
                stop_at: Some(stage),
                ..Mood::default()
            },
        );
        let board = Board::new(512 << 20);
        board.run_until_ordered_off(&station);
        board.assert_unfinished();
    }
}

#[test]
fn a_station_that_does_not_know_the_deployment_ends_it_and_the_disk_does_not_boot() {
    let golden = golden();
    for (stage, code) in [
        (Stage::Writing, Code::NotFound),
        (Stage::Finishing, Code::Forbidden),
        (Stage::Done, Code::NotFound),
        (Stage::Done, Code::Forbidden),
    ] {
        let station = FakeStation::start(
            golden,
            Mood {
                refuse_at: Some((stage, code, u32::MAX)),
                ..Mood::default()
            },
        );
        let board = Board::new(512 << 20);
        // It checks in anew, and the station has no second order.
        board.run_until_ordered_off(&station);
        board.assert_unfinished();
        let shown = board.shown();
        let said = |s: &String| s.contains("stopped") && s.contains("D-1 is not in the books");
        assert!(shown.iter().any(said), "{shown:#?}");
        assert!(
            !shown.iter().any(|s| s.contains("does not answer")),
            "{shown:#?}"
        );
    }
}

#[test]
fn a_failure_that_the_station_does_not_take_leads_to_a_new_check_in() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            refuse_at: Some((Stage::Failed, Code::NotFound, u32::MAX)),
            ..Mood::default()
        },
    );
    let board = Board::new(16 << 20);
    board.run_until_ordered_off(&station);
    let shown = board.shown();
    assert!(shown.iter().any(|s| s.contains("no disk can be used")));
    assert!(
        shown.iter().any(|s| s.contains("not in the books")),
        "{shown:#?}"
    );
    assert_eq!(board.content(), DiskContent::Blank);
}

#[test]
fn a_station_that_is_busy_for_a_while_hears_everything_later() {
    let golden = golden();
    for code in [Code::TooMany, Code::Unavailable, Code::Internal] {
        let station = FakeStation::start(
            golden,
            Mood {
                refuse_at: Some((Stage::Finishing, code, 4)),
                ..Mood::default()
            },
        );
        let board = Board::new(512 << 20);
        assert_eq!(board.run(&station), Ending::Reboot);
        board.assert_holds(golden, "KXP2-CORO-001");
        station.outcome();
    }
}

#[test]
fn an_image_that_does_not_fit_is_refused_before_anything_is_lost() {
    let golden = golden();
    let station = FakeStation::start(golden, Mood::default());
    let board = Board::new(16 << 20);
    board.run_until_ordered_off(&station);
    assert!(station.failure().what.contains("no disk can be used"));
    assert_eq!(board.content(), DiskContent::Blank);
}

#[test]
fn without_power_it_ends_at_once_and_the_disk_says_so() {
    let golden = golden();
    let station = FakeStation::start(
        golden,
        Mood {
            pull_plug_at: Some(Stage::Verifying),
            ..Mood::default()
        },
    );
    let board = Board::new(512 << 20);
    assert_eq!(board.run(&station), Ending::PowerLost);
    let mut disk = FileTarget::open(board.disk_path()).unwrap();
    assert!(matches!(inspect(&mut disk), DiskContent::Unfinished { .. }));
}
