//! Whatever is heard in whatever order, a board ends in a state that makes sense.

use super::*;
use crate::bench::attempt::Via;
use crate::bench::seat::Permit;
use proptest::prelude::*;
use wire::batch::BatchId;
use wire::board::{Limit, Mac};
use wire::{BoardId, ImageId};

fn attempt(id: u32) -> Attempt {
    Attempt {
        id: format!("deployment-{id}"),
        board: BoardId::Pi(7),
        number: id,
        batch: BatchId(1),
        product: "KXP2".parse().unwrap(),
        venue: "CORO".parse().unwrap(),
        image: ImageId([1; 32]),
        hostname: "KXP2-CORO-001".parse().unwrap(),
        mac: Mac([1; 6]),
        serial: None,
        via: Via::Agent,
        boot: None,
        secret: "secret".to_owned(),
        hello: format!("hello-{id}"),
        disk: None,
        overwrite: false,
        restarts: 0,
        started: Millis(0),
        stage: Stage::Assigned,
        touched: false,
        last_seq: 0,
        given_up: false,
        verified: None,
        ended: None,
        confirmed: None,
    }
}

fn failure() -> Failure {
    Failure {
        stage: Stage::Writing,
        what: "the card broke".to_owned(),
        next: "Replace it.".to_owned(),
    }
}

fn stage() -> impl Strategy<Value = Stage> {
    prop::sample::select(Stage::ALL.to_vec())
}

fn heard() -> impl Strategy<Value = Heard> {
    let progress = Progress {
        done: 1,
        total: 2,
        rate: 1,
        limit: Limit::Disk,
    };
    prop_oneof![
        any::<bool>().prop_map(|new_boot| Heard::Discovered { new_boot }),
        Just(Heard::Addressed(Ipv4Addr::LOCALHOST)),
        Just(Heard::Fetching {
            file: "kernel8.img".to_owned(),
            progress: None
        }),
        Just(Heard::CheckedIn),
        Just(Heard::Held {
            hold: Hold::NoMatchingBatch,
            detail: None
        }),
        Just(Heard::Held {
            hold: Hold::NeedsApproval,
            detail: None
        }),
        Just(Heard::SentHome("KXP2-CORO-001".parse().unwrap())),
        Just(Heard::Resumed),
        Just(Heard::Restarted),
        Just(Heard::Alive),
        stage().prop_map(|stage| Heard::Step {
            stage,
            detail: None
        }),
        stage().prop_map(move |stage| Heard::Progressed { stage, progress }),
        Just(Heard::Done(VerifyLevel::FullReadBack)),
        Just(Heard::Failed(failure())),
        Just(Heard::Cancelled {
            why: "the batch was cancelled".to_owned()
        }),
        Just(Heard::FirstBoot),
        Just(Heard::Silent(Stall {
            since: Millis(0),
            advice: "look".to_owned()
        })),
        Just(Heard::Assigned(Box::new(attempt(1)))),
    ]
}

/// What the callers see to: a board is only assigned, held or sent home while nothing is open.
fn sensible(seat: &Seat, heard: &Heard) -> bool {
    let open = seat.open().is_some();
    match heard {
        Heard::Assigned(_) | Heard::Held { .. } | Heard::SentHome(_) => !open,
        _ => true,
    }
}

proptest! {
    #[test]
    fn a_board_always_makes_sense(run in prop::collection::vec(heard(), 1..60)) {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        let mut done_heard = false;
        for (at, mut heard) in (1..).zip(run) {
            if let Heard::Assigned(attempt) = &mut heard {
                attempt.id = format!("deployment-{at}");
            }
            if !sensible(&seat, &heard) {
                continue;
            }
            let before = seat.clone();
            match &heard {
                Heard::Assigned(_) => done_heard = false,
                Heard::Done(_) => done_heard |= before.open().is_some(),
                _ => {}
            }
            let notes = hear(&mut seat, heard.clone(), Millis(at));
            let tile = &seat.tile;
            prop_assert_eq!(tile.hold.is_some(), tile.stage == Stage::OnHold, "{:?}", heard);
            prop_assert!(tile.failure.is_none() || tile.stage == Stage::Failed, "{:?}", heard);
            prop_assert!(tile.stage != Stage::Unknown);
            prop_assert!(tile.stage_since <= Millis(at));
            prop_assert!(
                tile.stage == before.tile.stage || !notes.is_empty(),
                "{:?} moved {} to {} without a note", heard, before.tile.stage, tile.stage
            );
            if tile.stage.is_finished() {
                prop_assert!(done_heard, "done without having said so: {:?}", heard);
            }
            if tile.stage.is_working() {
                prop_assert!(seat.open().is_some(), "at work without a job: {:?}", heard);
            }
            if let Some(last) = &seat.last {
                prop_assert_eq!(last.ended.is_none(), last.stage.is_working());
                prop_assert_eq!(last.confirmed.is_some(), last.stage == Stage::FirstBootConfirmed);
            }
            if let (Some(old), Some(new)) = (&before.last, &seat.last) {
                let reopened = old.id == new.id && old.ended.is_some() && new.ended.is_none();
                prop_assert!(!reopened, "a deployment that was over went on: {:?}", heard);
            }
        }
    }

    #[test]
    fn packets_alone_never_move_a_finished_or_failed_board(
        run in prop::collection::vec(heard(), 0..20),
        failed in any::<bool>(),
    ) {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        hear(&mut seat, Heard::Assigned(Box::new(attempt(1))), Millis(1));
        let end = if failed {
            Heard::Failed(failure())
        } else {
            Heard::Done(VerifyLevel::FullReadBack)
        };
        hear(&mut seat, end, Millis(2));
        let stage = seat.tile.stage;
        for heard in run {
            let packet = matches!(
                heard,
                Heard::Discovered { .. }
                    | Heard::Addressed(_)
                    | Heard::Fetching { .. }
                    | Heard::CheckedIn
                    | Heard::Alive
            );
            if packet {
                hear(&mut seat, heard, Millis(3));
                prop_assert_eq!(seat.tile.stage, stage);
            }
        }
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length(text in ".{0,700}") {
        let line = line(&text, MOST_DETAIL);
        prop_assert!(line.chars().count() <= MOST_DETAIL);
        prop_assert!(!line.chars().any(char::is_control));
    }
}

#[test]
fn an_approved_board_leaves_its_result_when_it_boots() {
    let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
    hear(&mut seat, Heard::Assigned(Box::new(attempt(1))), Millis(1));
    hear(&mut seat, Heard::Done(VerifyLevel::Reported), Millis(2));
    seat.permit = Permit::Approve;
    hear(&mut seat, Heard::Discovered { new_boot: true }, Millis(3));
    assert_eq!(seat.tile.stage, Stage::Seen);
}

#[test]
fn a_stray_packet_is_forgotten_with_the_next_report() {
    let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
    hear(&mut seat, Heard::Assigned(Box::new(attempt(1))), Millis(1));
    let writing = Heard::Step {
        stage: Stage::Writing,
        detail: None,
    };
    hear(&mut seat, writing, Millis(2));
    hear(&mut seat, Heard::Discovered { new_boot: true }, Millis(3));
    assert_eq!(seat.tile.stage, Stage::Seen);
    hear(&mut seat, Heard::Alive, Millis(4));
    assert_eq!(seat.tile.stage, Stage::Writing);
}
