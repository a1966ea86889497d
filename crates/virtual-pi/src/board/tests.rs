//! Whole lives: boards against a station that speaks every protocol for real.

use super::*;
use crate::bootloader::Firmware;
use crate::check::{Expected, Reference, check};
use crate::faults::{DiskFault, Moment};
use crate::golden::Golden;
use crate::network::Wire;
use crate::testing::{Station, board};
use std::fs::File;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

fn station() -> Station {
    Station::start(&Golden {
        payload_bytes: 2 << 20,
        kernel_bytes: 100_000,
        ..Golden::default()
    })
}

/// A board, not switched on yet, with a disk a little larger than the image.
fn pi(station: &Station, model: Model, faults: Faults) -> VirtualPi {
    let identity = board(model, 7 + model as u64);
    let disk = station.folder().join(identity.folder());
    let bytes = faults
        .disk_bytes
        .unwrap_or(station.image_bytes() + (24 << 20));
    File::create(&disk).unwrap().set_len(bytes).unwrap();
    VirtualPi {
        identity,
        disk,
        faults,
        pace: Pace::HURRIED,
        speed: None,
        seed: 7,
        asks_again: false,
    }
}

fn power_on(station: &Station, pi: &VirtualPi) -> (Powered, Receiver<Happening>) {
    let (tell, told) = channel();
    let watcher: Watcher = Arc::new(move |_, what| {
        tell.send(what.clone()).ok();
    });
    (pi.clone().power_on(station.doors(), watcher).unwrap(), told)
}

/// Lets a board live to its end.
fn live(station: &Station, pi: &VirtualPi) -> (Story, Vec<Happening>) {
    let (powered, told) = power_on(station, pi);
    let story = powered.story().expect("the board broke");
    (story, told.try_iter().collect())
}

/// Proves a disk against the image it was made from.
fn prove(station: &Station, pi: &VirtualPi, story: &Story) {
    let image = station.folder().join("golden.img");
    let reference = Reference::open(&image, station.manifest().clone()).unwrap();
    let entry = station.entry(pi.identity.id());
    let expected = Expected {
        hostname: entry.hostname().parse().unwrap(),
        changed: story.outcome.clone().unwrap().changed_files,
    };
    check(&reference, &pi.disk, &expected).unwrap();
    assert_eq!(story.hostname.as_deref(), Some(entry.hostname().as_str()));
    assert_eq!(
        story.end,
        End::Running {
            confirmed: Some(true)
        }
    );
    assert!(entry.greeted && entry.outcome == story.outcome);
}

/// A place that holds data: the start of the last chunk that does.
fn somewhere_written(station: &Station) -> u64 {
    let chunks = &station.manifest().chunks;
    let last = chunks.iter().rposition(|c| c.hash.is_some()).unwrap();
    station.manifest().start(last)
}

fn failure(story: &Story) -> String {
    match &story.end {
        End::Failed(failure) => format!("{} {}", failure.what, failure.next),
        other => panic!("it did not fail: {other:?}"),
    }
}

#[test]
fn every_model_is_provisioned_declined_and_comes_up_under_its_name() {
    let station = station();
    for model in Model::ALL {
        let pi = pi(&station, model, Faults::default());
        let (story, happened) = live(&station, &pi);
        prove(&station, &pi, &story);
        let from = station.entry(pi.identity.id()).from.unwrap();
        assert_eq!(
            from.to_string()[..7],
            *"127.64.",
            "it spoke from another address"
        );

        let done = |h: &Happening| matches!(h, Happening::Provisioned(_));
        let at = happened.iter().position(done).unwrap();
        let after = &happened[at + 1..];
        assert!(matches!(
            after.last(),
            Some(Happening::Greeted { confirmed: true })
        ));
        let asked: Vec<_> = after
            .iter()
            .filter_map(|h| match h {
                Happening::Asked { found, .. } => Some(*found),
                _ => None,
            })
            .collect();
        // A Pi 3B+ looks at its card first and has no reason to ask.
        assert_eq!(asked.is_empty(), model == Model::Pi3BPlus, "{after:?}");
        assert!(
            asked.iter().all(|found| !found),
            "a finished board got {after:?}"
        );
    }
}

#[test]
fn a_byte_that_goes_wrong_once_is_written_again() {
    let station = station();
    let at = somewhere_written(&station);
    let fault = DiskFault::Corrupt {
        range: at..at + 1,
        times: 1,
    };
    let faults = Faults {
        disk: vec![fault],
        ..Faults::default()
    };
    let pi = pi(&station, Model::Pi5, faults);
    let (story, _) = live(&station, &pi);
    prove(&station, &pi, &story);
    assert_eq!(story.outcome.unwrap().rewritten_chunks, 1);
}

#[test]
fn a_disk_that_keeps_a_wrong_byte_fails_and_its_place_is_named() {
    let station = station();
    let at = somewhere_written(&station);
    let worn = DiskFault::Corrupt {
        range: at..at + 1,
        times: u32::MAX,
    };
    let lies = DiskFault::Lie {
        range: at..at + 1,
        times: u32::MAX,
    };
    for fault in [worn, lies] {
        let faults = Faults {
            disk: vec![fault],
            ..Faults::default()
        };
        let pi = pi(&station, Model::Pi4, faults);
        let (story, _) = live(&station, &pi);
        let why = failure(&story);
        // The sector lies in the chunk that begins there.
        assert!(why.contains(&(at / 512).to_string()), "{why}");
        assert!(why.contains("Replace the card"), "{why}");
        let e = Installed::find(&pi.disk, &pi.identity).unwrap_err();
        assert!(e.contains("partition table"), "a failed disk boots: {e}");
        // The same board again, as if it had just been unpacked.
        station.forget();
    }
}

#[test]
fn a_disk_that_errors_or_is_too_small_fails_with_advice() {
    let station = station();
    let at = somewhere_written(&station);
    let faults = Faults {
        disk: vec![DiskFault::WriteError {
            range: at..at + 512,
            times: u32::MAX,
        }],
        ..Faults::default()
    };
    let bad = pi(&station, Model::Cm5, faults);
    let why = failure(&live(&station, &bad).0);
    assert!(why.contains("Replace the card"), "{why}");
    station.forget();

    let faults = Faults {
        disk_bytes: Some(64 << 20),
        ..Faults::default()
    };
    let small = pi(&station, Model::Pi5, faults);
    let why = failure(&live(&station, &small).0);
    assert!(why.contains("larger") || why.contains("suitable"), "{why}");
}

#[test]
fn a_power_cut_at_any_moment_costs_time_and_nothing_else() {
    let moments = [
        Moment::BootFile(0),
        Moment::BootFile(9),
        Moment::Written(0),
        Moment::Written(3 << 20),
        Moment::ReadBack(2 << 20),
        Moment::Personalising,
        Moment::Sealing,
    ];
    let station = station();
    for moment in moments {
        let faults = Faults {
            cuts: vec![moment],
            ..Faults::default()
        };
        let pi = pi(&station, Model::Pi5, faults);
        let (story, happened) = live(&station, &pi);
        assert!(
            happened.contains(&Happening::PowerCut),
            "{moment:?} never came"
        );
        assert!(story.outcome.is_some(), "{moment:?}: {happened:#?}");
        prove(&station, &pi, &story);
        station.forget();
    }
}

#[test]
fn a_board_that_goes_dark_is_not_heard_of_again_and_has_not_ended() {
    let station = station();
    let faults = Faults {
        cuts: vec![Moment::BootFile(3)],
        stays_dark: true,
        ..Faults::default()
    };
    let pi = pi(&station, Model::Pi4, faults);
    let (powered, told) = power_on(&station, &pi);
    while told.recv().unwrap() != Happening::PowerCut {}
    assert!(!powered.has_ended());
    powered.switch_off();
    let end = End::SwitchedOff("in its bootloader");
    assert_eq!(powered.story().unwrap().end, end);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), []);
}

#[test]
fn a_disk_left_by_a_power_cut_does_not_boot() {
    let station = station();
    for moment in [
        Moment::Written(3 << 20),
        Moment::Personalising,
        Moment::Sealing,
    ] {
        let faults = Faults {
            cuts: vec![moment],
            ..Faults::default()
        };
        let pi = pi(&station, Model::Pi5, faults);
        let (powered, told) = power_on(&station, &pi);
        while told.recv().unwrap() != Happening::PowerCut {}
        powered.switch_off();
        powered.story().unwrap();
        let e = Installed::find(&pi.disk, &pi.identity).unwrap_err();
        assert!(e.contains("partition table"), "{moment:?}: {e}");
        station.forget();
    }
}

#[test]
fn a_station_that_goes_away_and_comes_back_loses_no_board() {
    let mut station = station();
    let pi = pi(&station, Model::Pi4, Faults::default());
    let (powered, told) = power_on(&station, &pi);
    let mut outages = 0;
    loop {
        let what = told
            .recv_timeout(Duration::from_mins(1))
            .expect("nothing happens any more");
        let strikes = match what {
            Happening::Leased(_) => outages == 0,
            Happening::Asked { .. } => outages == 1,
            Happening::AgentStarts => outages == 2,
            Happening::Provisioned(_) => outages == 3,
            Happening::Greeted { .. } => break,
            _ => false,
        };
        if strikes {
            outages += 1;
            station.go_away();
            station.come_back();
        }
    }
    let story = powered.story().unwrap();
    assert_eq!(outages, 4);
    prove(&station, &pi, &story);
}

#[test]
fn a_bad_wire_only_costs_time() {
    let station = station();
    let faults = Faults {
        wire: Wire {
            loss: 0.01,
            duplicates: 0.3,
        },
        ..Faults::default()
    };
    let pi = pi(&station, Model::Pi5, faults);
    let (story, _) = live(&station, &pi);
    prove(&station, &pi, &story);
}

#[test]
fn old_firmware_that_meets_a_large_file_says_what_to_do() {
    let station = station();
    station.put("kernel8.img", vec![0; 65_536 * 512]);
    let faults = Faults {
        firmware: Firmware::OLD,
        ..Faults::default()
    };
    let mut pi = pi(&station, Model::Pi4, faults);
    // A file of 65536 blocks takes longer than a hurried board waits.
    pi.pace.retries = 1.0;
    let (powered, told) = power_on(&station, &pi);
    let why = loop {
        if let Happening::NoBoot(why) = told.recv().unwrap() {
            break why;
        }
    };
    assert!(why.contains("kernel8.img"), "{why}");
    assert!(
        why.contains("below 64 MB or update the boot EEPROM"),
        "{why}"
    );
    powered.switch_off();
    assert_eq!(
        powered.story().unwrap().end,
        End::SwitchedOff("in its bootloader")
    );
}

#[test]
fn a_held_board_asks_until_it_is_let_go() {
    let station = station();
    station.hold(true);
    let pi = pi(&station, Model::Pi5, Faults::default());
    let (powered, _told) = power_on(&station, &pi);
    while station.entry(pi.identity.id()).check_ins < 3 {
        std::thread::yield_now();
    }
    assert!(!powered.has_ended());
    station.hold(false);
    let story = powered.story().unwrap();
    prove(&station, &pi, &story);
}
