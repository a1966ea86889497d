//! Whole rehearsals, with the station for tests behind the operator's verbs.

use super::*;
use crate::faults::{DiskFault, Faults};
use crate::model::Model;
use crate::pace::Pace;
use crate::testing;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::board::Stage;
use wire::command::{Command, NameSource};

fn golden() -> Golden {
    Golden {
        payload_bytes: 1 << 20,
        kernel_bytes: 50_000,
        ..Golden::default()
    }
}

fn options() -> Options {
    Options {
        pace: Pace::HURRIED,
        stagger: Duration::from_millis(20),
        ..Options::default()
    }
}

#[test]
fn eight_boards_of_all_models_come_out_verified() {
    let station = testing::Station::start(&golden());
    let desk = station.desk();
    let stopped = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stopped);
    let doors = StationDoors {
        dhcp: station.doors().dhcp,
        tftp: station.doors().tftp,
        operator: Arc::clone(&desk) as Arc<dyn Operator>,
        stop: Box::new(move || told.store(true, Ordering::SeqCst)),
    };
    let said = Mutex::new(Vec::new());
    let progress = |p: Progress| said.lock().unwrap().push(p);
    let private = Station::Private(Box::new(move |_| Ok(doors)));
    let report = rehearse(&options(), private, &progress).unwrap();

    assert!(report.verified, "{report:#?}");
    assert_eq!((report.boards, report.done, report.failed), (8, 8, 0));
    assert_eq!(report.hostnames.iter().collect::<HashSet<_>>().len(), 8);
    for board in &report.per_board {
        assert_eq!(board.state, Stage::FirstBootConfirmed);
        assert_eq!(board.transport, "http");
        assert!(board.seconds > 0.0 && board.bytes_read_back > 0);
    }
    assert_eq!(report.image_bytes, station.image_bytes());
    assert_eq!(report.wire_bytes, 8 * station.manifest().packed_bytes());
    assert!(
        stopped.load(Ordering::SeqCst),
        "the private station runs on"
    );

    let said = said.into_inner().unwrap();
    let last = said.last().unwrap();
    assert_eq!(*last, Progress::Checked { done: 8, of: 8 });
    let commands = desk.told.lock().unwrap();
    let names = commands.iter().any(|c| {
        matches!(c, Command::NamesImport { source: NameSource::Spec { text }, .. } if text == "1-8")
    });
    assert!(names, "{commands:?}");
}

#[test]
fn a_board_that_fails_is_in_the_report_with_its_reason() {
    let station = testing::Station::start(&golden());
    let doors = StationDoors {
        dhcp: station.doors().dhcp,
        tftp: station.doors().tftp,
        operator: station.desk(),
        stop: Box::new(|| {}),
    };
    let worn = Faults {
        disk: vec![DiskFault::WriteError {
            range: 0..u64::MAX,
            times: u32::MAX,
        }],
        ..Faults::default()
    };
    let options = Options {
        boards: 3,
        models: vec![Model::Pi5],
        faults: vec![(1, worn)],
        ..options()
    };
    let report = rehearse(&options, Station::Attach(doors), &|_| {}).unwrap();
    assert!(!report.verified);
    assert_eq!((report.boards, report.done, report.failed), (3, 2, 1));
    let states: Vec<_> = report.per_board.iter().map(|b| b.state).collect();
    let confirmed = Stage::FirstBootConfirmed;
    assert_eq!(states, [confirmed, Stage::Failed, confirmed]);
    let fault = report.per_board[1].fault.as_deref().unwrap();
    assert!(
        fault.contains("/dev/nvme0n1") && fault.contains("Replace"),
        "{fault}"
    );
}

#[test]
fn boards_that_get_nothing_are_switched_off_in_the_end() {
    let station = testing::Station::start(&golden());
    station.hold(true);
    let doors = StationDoors {
        dhcp: station.doors().dhcp,
        tftp: station.doors().tftp,
        operator: station.desk(),
        stop: Box::new(|| {}),
    };
    let options = Options {
        boards: 1,
        patience: Duration::from_secs(2),
        ..options()
    };
    let report = rehearse(&options, Station::Attach(doors), &|_| {}).unwrap();
    assert_eq!((report.done, report.verified), (0, false));
    let fault = report.per_board[0].fault.as_deref().unwrap();
    assert!(fault.contains("not finished in time"), "{fault}");
}

#[test]
fn a_halt_switches_boards_off_that_would_wait_for_ever() {
    let station = testing::Station::start(&golden());
    station.hold(true);
    let doors = StationDoors {
        dhcp: station.doors().dhcp,
        tftp: station.doors().tftp,
        operator: station.desk(),
        stop: Box::new(|| {}),
    };
    let options = Options {
        boards: 3,
        asks_again: true,
        ..options()
    };
    let halt = options.halt.clone();
    let progress = move |p: Progress| {
        if matches!(p, Progress::Board(_, Happening::AgentStarts)) {
            halt.call();
        }
        assert_ne!(p, Progress::Proving, "what was stopped is not checked");
    };
    let end = rehearse(&options, Station::Attach(doors), &progress);
    assert!(matches!(end, Err(RehearseError::Halted)), "{end:?}");
}
