//! Each symptom that a technician may meet has its own advice, and the likeliest comes first.

use super::*;
use wire::BoardId;
use wire::board::{Failure, Hold};

const NOW: Millis = Millis(10_000_000);

fn seat(stage: Stage) -> Seat {
    let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), NOW.plus(-20 * MINUTE));
    seat.tile.stage = stage;
    seat
}

fn rules(seat: &Seat, around: &Around) -> Vec<String> {
    let advice = advise(&Sight::new(seat, around, NOW));
    for said in &advice {
        for sentence in [&said.observed, &said.next] {
            let whole = sentence.ends_with('.') && !sentence.contains("..");
            assert!(whole && !sentence.contains("  "), "{sentence:?}");
            let begun = sentence.starts_with(|c: char| c.is_uppercase() || c == '/');
            assert!(begun, "{sentence:?}");
        }
    }
    advice.into_iter().map(|a| a.rule).collect()
}

fn first(seat: &Seat, around: &Around) -> String {
    rules(seat, around).first().cloned().unwrap_or_default()
}

fn event(kind: &str) -> Event {
    Event {
        id: 1,
        at: NOW.plus(-MINUTE),
        level: Level::Error,
        board: Some(BoardId::Pi(7)),
        deployment: None,
        batch: None,
        kind: kind.to_owned(),
        text: String::new(),
    }
}

fn server(server: ServerKind, state: ServerState) -> Around {
    Around {
        servers: vec![ServerStatus {
            server,
            state,
            listen: None,
            since: Millis(0),
        }],
        ..Around::default()
    }
}

fn rival(client: Option<Mac>) -> Around {
    Around {
        rivals: vec![Rival {
            server: [192, 168, 1, 1].into(),
            client,
            at: NOW.plus(-MINUTE),
        }],
        ..Around::default()
    }
}

#[test]
fn every_stage_that_can_stall_has_advice() {
    for stage in Stage::ALL {
        let seat = seat(stage);
        let mark = stall(&seat, &Around::default(), NOW);
        let said = !mark.advice.starts_with("Nothing");
        assert!(said || stalls::allowed(stage).is_none(), "{stage}");
    }
}

#[test]
fn a_board_that_gets_on_gets_no_advice() {
    let mut seat = seat(Stage::Writing);
    seat.tile.last_seen = NOW;
    assert_eq!(rules(&seat, &rival(None)), [""; 0]);
}

#[test]
fn a_board_without_an_address_is_told_by_what_was_seen_on_the_wire() {
    let seat = seat(Stage::Seen);
    assert_eq!(first(&seat, &Around::default()), "no_request");
    let taken = rival(Some(Mac([1; 6])));
    assert_eq!(first(&seat, &taken), "rival_answered");
    let advice = stall(&seat, &taken, NOW).advice;
    assert!(advice.contains("took another server's"), "{advice}");
    assert!(advice.contains("192.168.1.1"), "{advice}");
    assert_eq!(first(&seat, &rival(Some(Mac([2; 6])))), "rival_on_wire");
    let full = Around {
        events: vec![event("dhcp.pool_full")],
        ..Around::default()
    };
    assert_eq!(first(&seat, &full), "pool_full");
    let stopped = server(ServerKind::Dhcp, ServerState::Stopped);
    assert_eq!(first(&seat, &stopped), "dhcp_not_serving");
    let serving = server(ServerKind::Dhcp, ServerState::Serving);
    assert_eq!(first(&seat, &serving), "no_request");
    let old = Around {
        rivals: vec![Rival {
            at: NOW.plus(-2 * HOUR),
            ..taken.rivals[0].clone()
        }],
        ..Around::default()
    };
    assert_eq!(first(&seat, &old), "no_request", "long gone");
}

#[test]
fn a_board_with_an_address_and_no_files_is_told_why() {
    let mut seat = seat(Stage::Addressed);
    let stopped = server(ServerKind::Tftp, ServerState::Stopped);
    assert_eq!(first(&seat, &stopped), "tftp_not_serving");
    assert_eq!(first(&seat, &Around::default()), "no_files_asked");
    assert_eq!(first(&seat, &rival(None)), "sent_elsewhere");
    seat.files.missing = 4;
    assert_eq!(first(&seat, &Around::default()), "nothing_to_boot");
    let said = stall(&seat, &Around::default(), NOW).advice;
    assert!(said.contains("no image yet"), "{said}");
}

#[test]
fn a_bootloader_that_stops_is_told_by_where_it_stopped() {
    let mut seat = seat(Stage::LoadingBootFiles);
    let around = Around::default();
    assert_eq!(first(&seat, &around), "stopped_in_file");
    seat.files.started("d137e638/initramfs", 200_000_000);
    for block in [1468, 1024, 512] {
        seat.files.started("d137e638/initramfs", 200_000_000);
        seat.files.reached("d137e638/initramfs", 65_535 * block);
        assert_eq!(first(&seat, &around), "block_limit", "{block}");
        let said = stall(&seat, &around, NOW).advice;
        assert!(said.contains("2025-09-23"), "{said}");
    }
    seat.files.started("d137e638/initramfs", 30_000_000);
    seat.files.reached("d137e638/initramfs", 7_000_000);
    assert_eq!(first(&seat, &around), "stopped_in_file");
    seat.files.begin(true);
    seat.files.started("d137e638/initramfs", 30_000_000);
    assert_eq!(first(&seat, &around), "same_file_again");
    seat.files.finished("d137e638/initramfs", 30_000_000);
    seat.files.stopped = None;
    assert_eq!(first(&seat, &around), "agent_silent");
    seat.files.finished("d137e638/config.txt", 300);
    assert_eq!(first(&seat, &around), "stopped_in_file");
}

#[test]
fn the_hardware_comes_first_when_it_explains_the_silence() {
    let mut seat = seat(Stage::Writing);
    assert_eq!(first(&seat, &Around::default()), "quiet_at_work");
    let again = Around {
        events: vec![event("restarted"), event("restarted")],
        ..Around::default()
    };
    assert_eq!(first(&seat, &again), "restarts_again");
    seat.inventory = Some(Box::new(inventory(Some(0x5_0005), Some(100))));
    let said = rules(&seat, &again);
    let expected = [
        "under_voltage",
        "restarts_again",
        "quiet_at_work",
        "slow_link",
    ];
    assert_eq!(said, expected);
    seat.inventory = Some(Box::new(inventory(Some(0x2_0000), Some(1000))));
    assert_eq!(
        rules(&seat, &Around::default()),
        ["quiet_at_work", "throttled"]
    );
}

fn inventory(throttled: Option<u32>, link_mbit: Option<u32>) -> wire::agent::Inventory {
    wire::agent::Inventory {
        board: BoardId::Pi(7),
        serial: None,
        revision: None,
        model: "Raspberry Pi 5".to_owned(),
        arch: "aarch64".to_owned(),
        ram_mib: 8192,
        mac: Mac([1; 6]),
        macs: Vec::new(),
        link_mbit,
        disks: Vec::new(),
        eeprom_version: None,
        boot_order: None,
        temperature_millicelsius: Some(85_000),
        throttled,
    }
}

#[test]
fn a_bad_medium_is_told_from_another_failure() {
    let mut seat = seat(Stage::Failed);
    let mut fail = |stage, what: &str| {
        seat.tile.failure = Some(Failure {
            stage,
            what: what.to_owned(),
            next: "Power-cycle the board.".to_owned(),
        });
        first(&seat, &Around::default())
    };
    let write =
        "/dev/mmcblk0: writing sectors 8 to 9 failed twice: Input/output error (os error 5)";
    assert_eq!(fail(Stage::Writing, write), "bad_medium");
    let read = "/dev/mmcblk0: sectors 8 to 9 did not read back as written, twice: byte 3 differs";
    assert_eq!(fail(Stage::Verifying, read), "bad_medium");
    assert_eq!(
        fail(Stage::Writing, "the image is not to be had: no route"),
        "failed"
    );
}

#[test]
fn a_waiting_board_is_told_what_decision_it_waits_for() {
    let mut seat = seat(Stage::OnHold);
    seat.tile.last_seen = NOW;
    let mut wait = |hold| {
        seat.tile.hold = Some(hold);
        first(&seat, &Around::default())
    };
    let none = Hold::NoSuitableDisk {
        why: "the board has no disk".to_owned(),
    };
    assert_eq!(wait(none), "no_disk");
    let small = Hold::ImageTooBig {
        disk: "/dev/mmcblk0".to_owned(),
        disk_bytes: 1,
        image_bytes: 4_000_000_000,
    };
    assert_eq!(wait(small), "disk_too_small");
    let used = Hold::DiskHoldsSystem {
        disk: "/dev/mmcblk0".to_owned(),
        found: "a partition table".to_owned(),
    };
    assert_eq!(wait(used), "disk_in_use");
    for hold in [Hold::NoMatchingBatch, Hold::NeedsApproval, Hold::Unknown] {
        assert_eq!(wait(hold), "held");
    }
    seat.tile.hold = None;
    seat.tile.stage = Stage::AlreadyDone;
    assert_eq!(rules(&seat, &Around::default()), ["already_done"]);
}

#[test]
fn a_name_of_a_rule_stands_for_one_piece_of_advice() {
    let mut names: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|w| w[0] == w[1]).collect();
    assert_eq!(twice, [["under_voltage", "under_voltage"]]);
}
