//! What is announced, and what is not.

use super::*;
use crate::net::findings::check;
use std::time::{Duration, Instant};
use wire::batch::{Batch, BatchPlan, BatchRules, BatchState, Counters, ReimagePolicy};
use wire::board::{Board, Failure, Hold};
use wire::disk::DiskPolicy;
use wire::event::{Event, Level};
use wire::health::Finding;
use wire::settings::Preferences;
use wire::update::{Snapshot, Update};
use wire::{Millis, Stage};

const GATHER: Duration = Manner::DESKTOP.gather;
/// The same sentence is not said again within this time.
const REPEAT: Duration = Duration::from_mins(10);
const BESIDE: Manner = Manner {
    beside: true,
    ..Manner::DESKTOP
};

fn board(serial: u32, stage: Stage) -> Board {
    let id = format!("{serial:08x}");
    let mac = format!("dc:a6:32:00:00:{:02x}", serial & 0xff);
    serde_json::from_value(serde_json::json!({
        "id": id, "mac": mac, "model": "Raspberry Pi 5", "stage": stage,
        "stage_since": 0, "last_seen": 0,
    }))
    .unwrap()
}

fn held(serial: u32) -> Update {
    let mut board = board(serial, Stage::OnHold);
    board.hold = Some(Hold::NoMatchingBatch);
    Update::Board(Box::new(board))
}

fn at_stage(serial: u32, stage: Stage) -> Update {
    Update::Board(Box::new(board(serial, stage)))
}

fn failed(serial: u32, attempt: u32) -> Update {
    let mut board = board(serial, Stage::Failed);
    board.attempt = attempt;
    board.hostname = Some("KXP2-CORO-007".parse().unwrap());
    board.failure = Some(Failure {
        stage: Stage::Writing,
        what: "The card refused a write.".to_owned(),
        next: "Change the card and retry.".to_owned(),
    });
    Update::Board(Box::new(board))
}

fn batch(state: BatchState) -> Batch {
    Batch {
        id: serde_json::from_str("4").unwrap(),
        plan: BatchPlan {
            product: "KXP2".parse().unwrap(),
            venue: "CORO".parse().unwrap(),
            count: 3,
            image: None,
            rules: BatchRules::default(),
            disks: DiskPolicy::default(),
            reimage: ReimagePolicy::default(),
        },
        state,
        rank: 1,
        counters: Counters {
            planned: 3,
            done: 3,
            ..Counters::default()
        },
        created: Millis::now(),
        started: None,
        ended: None,
        rehearsal: false,
    }
}

fn snapshot(boards: Vec<Board>, batches: Vec<Batch>) -> Update {
    Update::Snapshot(Box::new(Snapshot {
        boards,
        batches,
        ..Snapshot::default()
    }))
}

fn rival() -> Finding {
    Finding {
        check: check::RIVAL.to_owned(),
        level: Level::Error,
        text: "Another DHCP server answers on eth1: 192.168.1.1.".to_owned(),
        next: Some("Unplug it.".to_owned()),
        at: Millis::now(),
    }
}

fn event(kind: &str, text: &str) -> Update {
    Update::Event(Event {
        id: 1,
        at: Millis::now(),
        level: Level::Warning,
        board: None,
        deployment: None,
        batch: None,
        kind: kind.to_owned(),
        text: text.to_owned(),
    })
}

/// A rule that has seen an empty station, and what comes of some updates at once.
fn after(updates: &[Update]) -> Vec<Notice> {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![]), now);
    for update in updates {
        rule.take(update, now);
    }
    rule.ready(now + GATHER).iter().map(notice).collect()
}

#[test]
fn what_was_so_before_is_no_news() {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    let mut waiting = board(1, Stage::OnHold);
    waiting.hold = Some(Hold::NoMatchingBatch);
    let complete = batch(BatchState::Completed);
    rule.take(&snapshot(vec![waiting], vec![complete]), now);
    assert_eq!(rule.due(), None);
    rule.take(&held(1), now);
    assert_eq!(rule.due(), None, "it is the same hold");
}

#[test]
fn a_held_board_is_announced_with_its_reason_and_leads_to_it() {
    let said = after(&[held(0xd137_e638)]);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary, "A board needs your decision");
    assert!(
        said[0]
            .body
            .starts_with("Raspberry Pi 5 d137e638: no active batch")
    );
    assert_eq!(said[0].target, "board/d137e638");
}

#[test]
fn a_held_board_that_asks_again_is_announced_once() {
    let said = after(&[held(1), at_stage(1, Stage::Seen), held(1)]);
    assert_eq!(said.len(), 1);
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![]), now);
    rule.take(&held(1), now);
    assert_eq!(rule.ready(now + GATHER).len(), 1);
    for stage in [Stage::Seen, Stage::Addressed, Stage::CheckedIn] {
        rule.take(&at_stage(1, stage), now + GATHER);
    }
    rule.take(&held(1), now + GATHER);
    assert_eq!(rule.due(), None);
    rule.take(&at_stage(1, Stage::Writing), now + GATHER);
    rule.take(&held(1), now + GATHER);
    assert!(rule.due().is_some(), "something else had become of it");
}

#[test]
fn boards_that_come_together_become_one_notice() {
    let boards: Vec<Update> = (1..=7).map(held).collect();
    let said = after(&boards);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary, "7 boards need your decision");
    assert!(said[0].body.ends_with("and 3 more."), "{}", said[0].body);
    assert_eq!(said[0].target, "bench");
}

#[test]
fn a_group_closes_two_seconds_after_its_first_notice() {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![]), now);
    rule.take(&held(1), now);
    rule.take(&held(2), now + GATHER / 2);
    assert_eq!(rule.due(), Some(now + GATHER));
    assert!(rule.ready(now + GATHER / 2).is_empty());
    assert_eq!(rule.ready(now + GATHER)[0].notes.len(), 2);
    assert_eq!(rule.due(), None);
}

#[test]
fn each_failed_attempt_is_announced() {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![]), now);
    rule.take(&failed(1, 1), now);
    let first = rule.ready(now + GATHER);
    let said = notice(&first[0]);
    assert_eq!(said.summary, "A board failed");
    assert_eq!(
        said.body,
        "KXP2-CORO-007: The card refused a write. Change the card and retry."
    );
    assert!(said.urgent);
    rule.take(&failed(1, 1), now + GATHER);
    assert_eq!(rule.due(), None);
    rule.take(&failed(1, 2), now + GATHER);
    assert!(rule.due().is_some());
}

#[test]
fn a_batch_is_announced_when_it_becomes_complete() {
    let done = Update::Batch(Box::new(batch(BatchState::Completed)));
    let running = Update::Batch(Box::new(batch(BatchState::Active)));
    let said = after(&[running, done.clone(), done]);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary, "A batch is complete");
    assert!(said[0].body.contains("KXP2 for CORO"));
    assert_eq!(said[0].target, "batch/4");
}

#[test]
fn what_was_missed_is_announced_by_the_next_snapshot() {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![batch(BatchState::Active)]), now);
    rule.take(
        &snapshot(
            vec![board(1, Stage::OnHold)],
            vec![batch(BatchState::Completed)],
        ),
        now,
    );
    let kinds: Vec<Kind> = rule.ready(now + GATHER).iter().map(|g| g.kind).collect();
    assert_eq!(kinds, [Kind::Decision, Kind::Complete]);
}

#[test]
fn a_rival_is_announced_once_for_as_long_as_it_is_there() {
    let found = Update::Findings(vec![rival()]);
    let said = after(&[found.clone(), found]);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary, "Another DHCP server is on the wire");
    assert!(said[0].body.ends_with("Unplug it."));
    assert_eq!(said[0].target, "health");
}

#[test]
fn a_sentence_is_not_repeated_within_minutes() {
    let now = Instant::now();
    let low = event("names.low", "Only 3 KXP2 names are left for CORO.");
    let mut rule = Rule::new(Manner::DESKTOP);
    rule.take(&snapshot(vec![], vec![]), now);
    rule.take(&low, now);
    assert_eq!(rule.ready(now + GATHER).len(), 1);
    rule.take(&low, now + GATHER);
    assert_eq!(rule.due(), None);
    rule.take(&low, now + REPEAT);
    assert!(rule.due().is_some());
}

#[test]
fn quiet_mode_announces_nothing_and_makes_up_for_nothing() {
    let quiet = |quiet| {
        Update::Preferences(Preferences {
            quiet,
            ..Preferences::default()
        })
    };
    assert!(after(&[held(1), quiet(true), held(2)]).is_empty());
    let said = after(&[quiet(true), held(1), quiet(false), held(1), failed(2, 1)]);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].summary, "A board failed");
}

#[test]
fn a_rehearsal_says_that_it_is_one() {
    let now = Instant::now();
    let mut rule = Rule::new(Manner::DESKTOP);
    let all = Snapshot {
        is_rehearsal: true,
        ..Snapshot::default()
    };
    rule.take(&Update::Snapshot(Box::new(all)), now);
    rule.take(&held(1), now);
    let said = notice(&rule.ready(now + GATHER)[0]);
    assert!(said.summary.starts_with("Rehearsal: "));
}

#[test]
fn the_rehearsal_beside_the_station_leads_to_its_own_bench() {
    let now = Instant::now();
    let mut rule = Rule::new(BESIDE);
    rule.take(&snapshot(vec![], vec![]), now);
    rule.take(&held(1), now);
    let said = notice(&rule.ready(now + GATHER)[0]);
    assert!(said.summary.starts_with("Rehearsal: "));
    assert_eq!(said.target, "rehearsal/board/00000001");
    rule.take(&held(2), now);
    rule.take(&held(3), now);
    let said = notice(&rule.ready(now + GATHER)[0]);
    assert_eq!(said.target, "rehearsal/bench");
}

#[test]
fn alerts_are_made_in_quiet_mode_too_and_gathered_for_longer() {
    let now = Instant::now();
    let manner = Manner {
        gather: Duration::from_secs(15),
        heeds_quiet: false,
        beside: false,
    };
    let mut rule = Rule::new(manner);
    let mut quiet = Snapshot::default();
    quiet.preferences.quiet = true;
    rule.take(&Update::Snapshot(Box::new(quiet)), now);
    for serial in 1..=50 {
        rule.take(
            &failed(serial, 1),
            now + Duration::from_millis(200 * u64::from(serial)),
        );
    }
    assert!(rule.ready(now + Duration::from_secs(14)).is_empty());
    let said = rule.ready(now + Duration::from_secs(16));
    assert_eq!(notice(&said[0]).summary, "50 boards failed");
    assert_eq!(said.len(), 1);
}
