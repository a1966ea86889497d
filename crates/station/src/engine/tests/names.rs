//! Names: imported, released, retired, replaced; each its own verb, each on the record.

use super::*;
use wire::batch::NameState;

fn release(hostname: &str) -> Command {
    Command::NameRelease {
        hostname: host(hostname),
        reason: "the board went to another customer".to_owned(),
    }
}

fn retire(hostname: &str) -> Command {
    Command::NameRetire {
        hostname: host(hostname),
        reason: "run over by a kart".to_owned(),
    }
}

fn replace(hostname: &str, n: u32) -> Command {
    Command::NameReplace {
        hostname: host(hostname),
        board: BoardId::Pi(n),
        reason: "014 gets a new board".to_owned(),
    }
}

#[tokio::test]
async fn one_wrong_entry_and_nothing_is_imported() {
    let rig = Rig::ready(0).await;
    let report = rig.import("1-50, 12a, 77").await;
    assert_eq!((report.added, report.errors), (51, 1));
    let first = &report.lines[0];
    assert_eq!(
        (first.line, first.column, first.token.as_str()),
        (1, 7, "12a")
    );
    let Answer::Names(names) = rig
        .engine
        .query(Query::Names(NameFilter::default()))
        .await
        .unwrap()
    else {
        panic!()
    };
    assert!(names.is_empty());
    let Receipt::Names(preview) = rig.command(import("1-50, 77", true)).await else {
        panic!()
    };
    assert_eq!((preview.dry_run, preview.added), (true, 51));
    assert_eq!(rig.import("1-50, 77").await.added, 51);
    assert_eq!(rig.import("50-52").await.duplicates, 1);
}

#[tokio::test]
async fn a_name_bound_to_a_board_by_csv_goes_to_that_board_alone() {
    let rig = Rig::ready(0).await;
    let table = "hostname,serial,note\nKXP2-CORO-001,00000007,left\nKXP2-CORO-002,,\n";
    rig.command(import_csv(table)).await;
    rig.batch(2).await;
    assert_eq!(
        rig.job(8).await.hostname,
        host("KXP2-CORO-002"),
        "001 is not for it"
    );
    assert!(matches!(
        rig.held(9).await,
        Hold::NoMatchingBatch | Hold::NoNamesLeft { .. }
    ));
    assert_eq!(rig.job(7).await.hostname, host("KXP2-CORO-001"));
}

#[tokio::test]
async fn names_bound_to_boards_are_promised_only_where_those_boards_may_come() {
    let rig = Rig::ready(0).await;
    let table = "hostname,serial\nKXP2-CORO-001,00000007\nKXP2-CORO-002,\nKXP2-CORO-003,\n";
    rig.command(import_csv(table)).await;
    let listed = |boards: &[u32], count: u32| {
        let mut plan = plan(count);
        plan.rules.boards = boards.iter().map(|n| BoardId::Pi(*n)).collect();
        plan
    };
    let short = rig
        .refused(Command::BatchCreate(listed(&[8, 9, 10], 3)))
        .await;
    assert!(short.message.contains("1 are missing"), "{short}");
    rig.batch_of(listed(&[7], 1)).await;
    let promised = rig.name("KXP2-CORO-001").await;
    assert_eq!(
        promised.state,
        NameState::Reserved,
        "it is meant for that board"
    );
    // What is left is for any board.
    rig.batch_of(listed(&[8, 9], 2)).await;
    for (n, hostname) in [
        (7, "KXP2-CORO-001"),
        (8, "KXP2-CORO-002"),
        (9, "KXP2-CORO-003"),
    ] {
        assert_eq!(rig.job(n).await.hostname, host(hostname));
    }
}

#[tokio::test]
async fn a_batch_for_any_board_is_promised_names_for_any_board_first() {
    let rig = Rig::ready(0).await;
    let table = "hostname,serial\nKXP2-CORO-001,00000007\nKXP2-CORO-002,\n";
    rig.command(import_csv(table)).await;
    rig.batch(1).await;
    assert_eq!(rig.name("KXP2-CORO-001").await.state, NameState::Available);
    assert_eq!(rig.name("KXP2-CORO-002").await.state, NameState::Reserved);
    rig.batch(1).await;
    let events = rig.events().await;
    let created = events.iter().rfind(|e| e.kind == "batch.created").unwrap();
    let told = events
        .iter()
        .filter(|e| e.text.contains("only for the board"))
        .count();
    assert_eq!(told, 1, "{}", created.text);
}

#[tokio::test]
async fn a_name_for_a_board_that_has_another_one_is_of_no_use() {
    let rig = Rig::ready(1).await;
    rig.batch(1).await;
    rig.finish(7).await;
    rig.command(import_csv("hostname,serial\nKXP2-CORO-002,00000007\n"))
        .await;
    let refusal = rig.refused(Command::BatchCreate(plan(1))).await;
    assert!(refusal.message.contains("1 are missing"), "{refusal}");
}

#[tokio::test]
async fn a_board_is_bound_to_one_name_of_a_pool() {
    let rig = Rig::ready(0).await;
    rig.command(import_csv("hostname,serial\nKXP2-CORO-001,00000007\n"))
        .await;
    let again = "hostname,serial\nKXP2-CORO-001,00000007\nKXP2-CORO-002,00000007\n";
    let Receipt::Names(report) = rig.command(import_csv(again)).await else {
        panic!()
    };
    assert_eq!((report.added, report.duplicates, report.errors), (0, 1, 1));
    let why = report.lines[0].message.as_deref().unwrap();
    assert!(why.contains("meant to get KXP2-CORO-001 already"), "{why}");
}

#[tokio::test]
async fn a_released_name_is_the_lowest_free_one_again() {
    let rig = Rig::ready(3).await;
    rig.batch(1).await;
    rig.finish(1).await;
    rig.command(release("KXP2-CORO-001")).await;
    let name = rig.name("KXP2-CORO-001").await;
    assert_eq!((name.state, name.board), (NameState::Available, None));
    assert_eq!(rig.tile(1).await.hostname, None);
    rig.batch(1).await;
    assert_eq!(
        rig.held(1).await,
        Hold::NeedsApproval,
        "a released board needs approval"
    );
    assert_eq!(rig.job(2).await.hostname, host("KXP2-CORO-001"));
    let released = rig
        .events()
        .await
        .into_iter()
        .find(|e| e.kind == "name.released")
        .unwrap();
    assert!(
        released.text.contains("another customer"),
        "{}",
        released.text
    );
}

#[tokio::test]
async fn the_name_of_a_board_at_work_is_not_released() {
    let rig = Rig::with_batch(1).await;
    rig.job(1).await;
    let board = BoardId::Pi(1);
    let reason = "impatience".to_owned();
    for command in [
        release("KXP2-CORO-001"),
        retire("KXP2-CORO-001"),
        replace("KXP2-CORO-001", 2),
        Command::BoardRelease { board, reason },
        Command::BoardApprove { board },
    ] {
        let refusal = rig.refused(command.clone()).await;
        assert_eq!(refusal.code, Code::Conflict, "{command:?}");
        assert!(
            refusal.message.contains("is being provisioned"),
            "{refusal}"
        );
    }
    // A board that is silent for ten minutes is presumed dead.
    rig.pass(10 * 60 * 1000);
    rig.command(release("KXP2-CORO-001")).await;
    assert_eq!(rig.history_of(1).await[0].stage, Stage::Failed);
    assert_eq!(
        rig.job(2).await.hostname,
        host("KXP2-CORO-001"),
        "back to its batch"
    );
}

#[tokio::test]
async fn a_retired_name_is_never_used_until_it_is_reinstated() {
    let rig = Rig::ready(2).await;
    rig.batch(1).await;
    rig.finish(1).await;
    rig.command(retire("KXP2-CORO-001")).await;
    assert_eq!(
        rig.refused(release("KXP2-CORO-001")).await.code,
        Code::Conflict
    );
    let reserved = rig.refused(Command::BatchCreate(plan(2))).await;
    assert!(reserved.message.contains("1 are missing"), "{reserved}");
    rig.command(Command::NameReinstate {
        hostname: host("KXP2-CORO-001"),
        reason: "repaired".to_owned(),
    })
    .await;
    rig.command(Command::BatchCreate(plan(2))).await;
    assert_eq!(
        rig.refused(retire("KXP2-CORO-002")).await.code,
        Code::Conflict,
        "promised"
    );
}

#[tokio::test]
async fn a_replaced_board_hands_its_name_to_exactly_the_new_one() {
    let rig = Rig::with_batch(3).await;
    for n in 1..=3 {
        rig.finish(n).await;
    }
    rig.command(replace("KXP2-CORO-002", 9)).await;
    assert_eq!(rig.tile(2).await.hostname, None);
    assert_eq!(rig.held(2).await, Hold::NeedsApproval);
    assert_eq!(
        rig.held(10).await,
        Hold::NoMatchingBatch,
        "the batch is complete for others"
    );
    let job = rig.job(9).await;
    assert_eq!(job.hostname, host("KXP2-CORO-002"));
    rig.report(&job, work()).await;
    assert_eq!(rig.tile(9).await.stage, Stage::Done);
    let taken = rig.refused(replace("KXP2-CORO-001", 9)).await;
    assert!(
        taken.message.contains("is KXP2-CORO-002 already"),
        "{taken}"
    );
}

#[tokio::test]
async fn only_a_name_that_was_never_used_is_deleted() {
    let rig = Rig::ready(2).await;
    let delete = |name: &str| Command::NameDelete {
        hostname: host(name),
    };
    rig.command(delete("KXP2-CORO-002")).await;
    rig.batch(1).await;
    assert_eq!(
        rig.refused(delete("KXP2-CORO-001")).await.code,
        Code::Conflict,
        "reserved"
    );
    rig.finish(1).await;
    rig.command(release("KXP2-CORO-001")).await;
    let refusal = rig.refused(delete("KXP2-CORO-001")).await;
    assert!(
        refusal.next.unwrap().contains("Retire it"),
        "{}",
        refusal.message
    );
    assert_eq!(
        rig.refused(delete("KXP2-CORO-002")).await.code,
        Code::NotFound
    );
}

#[tokio::test]
async fn names_made_from_serials_grow_when_their_ends_collide() {
    let rig = Rig::empty();
    rig.product("RXP2", "{product}-{venue}-{serial:4}").await;
    rig.venue("CORO").await;
    rig.image("RXP2", 1).await.unwrap();
    let mut plan = plan(10);
    plan.product = "RXP2".parse().unwrap();
    rig.batch_of(plan).await;
    assert_eq!(rig.job(0x1111_e638).await.hostname, host("RXP2-CORO-E638"));
    assert_eq!(
        rig.job(0x2222_e638).await.hostname,
        host("RXP2-CORO-2222E638")
    );
    assert_eq!(rig.job(0x1111_e638).await.hostname, host("RXP2-CORO-E638"));
}

#[tokio::test]
async fn hostnames_that_differ_only_in_case_are_one() {
    let rig = Rig::ready(1).await;
    let Receipt::Names(report) = rig.command(import_csv("hostname\nkxp2-coro-001\n")).await else {
        panic!()
    };
    assert_eq!((report.added, report.duplicates), (0, 1));
}

#[tokio::test]
async fn products_and_venues_are_checked_in_words() {
    let rig = Rig::ready(0).await;
    let product = |code: &str, pattern: &str| Command::ProductAdd {
        code: code.parse().unwrap(),
        name: "x".to_owned(),
        pattern: pattern.to_owned(),
    };
    let twice = rig.refused(product("KXP2", "{number}")).await;
    assert_eq!(
        (twice.code, twice.field.as_deref()),
        (Code::Conflict, Some("code"))
    );
    let same = rig.refused(product("NEW", "always-the-same")).await;
    assert_eq!(
        (same.code, same.field.as_deref()),
        (Code::Invalid, Some("pattern"))
    );
    let venue = |code: &str, contact: &str| Command::VenueAdd {
        code: code.parse().unwrap(),
        name: "x".to_owned(),
        location: String::new(),
        contact: contact.to_owned(),
    };
    assert_eq!(rig.refused(venue("coro", "")).await.code, Code::Conflict);
    assert_eq!(
        rig.refused(venue("ARIA", "nobody")).await.field.as_deref(),
        Some("contact")
    );
    rig.command(venue("ARIA", "ops@example.org")).await;
    rig.import("1-2").await;
    rig.batch(1).await;
    let edit = Command::ProductEdit {
        code: "KXP2".parse().unwrap(),
        name: None,
        pattern: Some("{number}".to_owned()),
    };
    assert_eq!(
        rig.refused(edit).await.code,
        Code::Conflict,
        "a batch of it is under way"
    );
}
