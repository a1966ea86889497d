//! Rules that hold whatever the code above does.

use super::migrations::{MigrationError, STEPS, migrate};
use super::open::{OpenError, Store};
use super::{batches, events, history};
use rusqlite::Connection;
use std::path::Path;
use wire::query::HistoryFilter;

const NOW: i64 = 1_000;

/// A store with one product, one venue, an image, a batch, two boards and two free names.
fn furnished(folder: &Path) -> Store {
    let mut store = Store::open(folder).unwrap();
    let tx = store.begin().unwrap();
    tx.execute_batch(&format!(
        "INSERT INTO products (code, name, pattern, created) VALUES ('KXP2', 'Kart', 'x', {NOW});
         INSERT INTO venues (code, name, created) VALUES ('CORO', 'Corona', {NOW});
         INSERT INTO images (id, product, file_name, version, raw_bytes, data_bytes, pack_bytes,
            sha256, contents, active, imported)
            VALUES ('{image}', 'KXP2', 'a.img', '1', 9, 9, 9, '{image}', '{{}}', 1, {NOW});
         INSERT INTO batches (product, venue, planned, rules, disks, reimage, state, rank, created)
            VALUES ('KXP2', 'CORO', 5, '{{}}', '{{\"kinds\":[]}}', 'ask', 'active', 1, {NOW});
         INSERT INTO boards (id, mac, stage, stage_since, first_seen, last_seen)
            VALUES ('00000001', '00:00:00:00:00:01', 'checked_in', {NOW}, {NOW}, {NOW}),
                   ('00000002', '00:00:00:00:00:02', 'checked_in', {NOW}, {NOW}, {NOW});
         INSERT INTO names (hostname, product, venue, number, state, changed)
            VALUES ('KXP2-CORO-001', 'KXP2', 'CORO', 1, 'available', {NOW}),
                   ('KXP2-CORO-002', 'KXP2', 'CORO', 2, 'available', {NOW});",
        image = "a".repeat(64)
    ))
    .unwrap();
    tx.commit().unwrap();
    store
}

fn deploy(id: &str, board: &str, hostname: &str) -> String {
    format!(
        "INSERT INTO deployments (id, board, attempt, batch, product, venue, image, hostname, mac,
            via, secret, hello, stage, started)
         VALUES ('{id}', '{board}', (SELECT count(*) + 1 FROM deployments), 1, 'KXP2', 'CORO',
            '{image}', '{hostname}', 'm', 'agent', 's', 'hello-{id}', 'assigned', {NOW});",
        image = "a".repeat(64)
    )
}

const ASSIGN_1: &str =
    "UPDATE names SET state = 'assigned', board = '00000001', used = 1 WHERE number = 1;";

/// Tries raw SQL against a furnished store: `before` must pass, `forbidden` must not.
fn forbidden(before: &str, forbidden: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    tx.execute_batch(before).unwrap();
    let outcome = tx.execute_batch(forbidden);
    assert!(outcome.is_err(), "the schema let this pass: {forbidden}");
}

#[test]
fn a_double_assignment_is_impossible() {
    let rows = [
        // Two names for one board, by any road.
        "UPDATE names SET state = 'assigned', board = '00000001' WHERE number = 2;",
        "INSERT INTO names (hostname, product, venue, state, board, changed)
            VALUES ('other', 'KXP2', 'CORO', 'assigned', '00000001', 0);",
        // One name twice, in another case too.
        "INSERT INTO names (hostname, product, venue, state, board, changed)
            VALUES ('kxp2-coro-001', 'KXP2', 'CORO', 'assigned', '00000002', 0);",
        // An owner without the state, the state without an owner.
        "UPDATE names SET state = 'available' WHERE number = 1;",
        "UPDATE names SET state = 'assigned' WHERE number = 2;",
        "UPDATE names SET board = NULL WHERE number = 1;",
        // A board that does not exist.
        "UPDATE names SET state = 'assigned', board = 'ffffffff' WHERE number = 2;",
        // A name that is meant for another board.
        "UPDATE names SET meant_for = '00000001' WHERE number = 2;
         UPDATE names SET state = 'assigned', board = '00000002' WHERE number = 2;",
    ];
    for row in rows {
        forbidden(ASSIGN_1, row);
    }
}

#[test]
fn a_board_has_one_open_deployment_under_its_own_name() {
    let first = format!("{ASSIGN_1} {}", deploy("d1", "00000001", "KXP2-CORO-001"));
    let rows = [
        deploy("d2", "00000001", "KXP2-CORO-001"),
        deploy("d2", "00000002", "KXP2-CORO-001"),
        deploy("d2", "00000002", "KXP2-CORO-002"),
        "UPDATE names SET state = 'available', board = NULL WHERE number = 1;".to_owned(),
        "UPDATE names SET board = '00000002' WHERE number = 1;".to_owned(),
        "UPDATE names SET hostname = 'other' WHERE number = 1;".to_owned(),
        "UPDATE deployments SET hostname = 'KXP2-CORO-002';".to_owned(),
        "UPDATE deployments SET board = '00000002';".to_owned(),
        "DELETE FROM names WHERE number = 1;".to_owned(),
        "DELETE FROM boards WHERE id = '00000001';".to_owned(),
    ];
    for row in rows {
        forbidden(&first, &row);
    }
}

#[test]
fn each_of_the_two_locks_on_open_deployments_holds_alone() {
    let first = format!("{ASSIGN_1} {}", deploy("d1", "00000001", "KXP2-CORO-001"));
    for lock in [
        "one_open_deployment_per_board",
        "one_open_deployment_per_name",
    ] {
        forbidden(
            &format!("{first} DROP INDEX {lock};"),
            &deploy("d2", "00000001", "KXP2-CORO-001"),
        );
    }
}

#[test]
fn done_without_proof_cannot_be_stored() {
    let first = format!("{ASSIGN_1} {}", deploy("d1", "00000001", "KXP2-CORO-001"));
    let rows = [
        "UPDATE deployments SET stage = 'done', ended = 1;",
        "UPDATE deployments SET stage = 'done', ended = 1, verified = 'full_read_back';",
        "UPDATE deployments SET stage = 'done', verified = 'reported';",
        "UPDATE deployments SET ended = 1;",
        "UPDATE deployments SET stage = 'levitating';",
    ];
    for row in rows {
        forbidden(&first, row);
    }
}

#[test]
fn a_product_has_one_active_image_and_ranks_are_unique() {
    let image = "b".repeat(64);
    forbidden(
        &format!(
            "INSERT INTO images (id, product, file_name, version, raw_bytes, data_bytes,
                pack_bytes, sha256, contents, imported)
             VALUES ('{image}', 'KXP2', 'b.img', '2', 9, 9, 9, '{image}', '{{}}', {NOW});"
        ),
        "UPDATE images SET active = 1;",
    );
    forbidden(
        "",
        "INSERT INTO batches (product, venue, planned, rules, disks, reimage, state, rank, created)
            VALUES ('KXP2', 'CORO', 5, '{}', '{}', 'ask', 'active', 1, 0);",
    );
    forbidden("", "UPDATE batches SET state = 'completed';");
}

#[test]
fn the_event_log_only_grows() {
    let append = "INSERT INTO events (id, at, level, kind, text) VALUES (1, 0, 'info', 'k', 't');";
    for row in [
        "UPDATE events SET text = 'never happened';",
        "DELETE FROM events;",
        "INSERT OR REPLACE INTO events (id, at, level, kind, text)
            VALUES (1, 0, 'info', 'k', 'another story');",
    ] {
        forbidden(append, row);
    }
}

#[test]
fn a_newer_schema_is_refused_with_words_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).unwrap().close().unwrap();
    let file = folder.path().join("punnet.db");
    let conn = Connection::open(&file).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(
        error,
        OpenError::Schema(MigrationError::Newer { found: 99, .. })
    ));
    assert!(error.to_string().contains("newer Punnet"), "{error}");
    let conn = Connection::open(&file).unwrap();
    let version: i64 = conn
        .query_row("PRAGMA user_version", [], |r| r.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[test]
fn an_upgrade_keeps_a_copy_and_an_interrupted_one_stands_at_a_step() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path()).close().unwrap();
    let mut conn = Connection::open(folder.path().join("punnet.db")).unwrap();
    let copy = folder.path().join("copy");
    let mut steps = STEPS.to_vec();
    let known = steps.len();
    steps.push("CREATE TABLE extra (x) STRICT_; -- broken");
    let failed = migrate(&mut conn, &steps, |_| copy.clone());
    assert!(matches!(failed, Err(MigrationError::Step { to, .. }) if to == known + 1));
    let version: i64 = conn
        .query_row("PRAGMA user_version", [], |r| r.get(0))
        .unwrap();
    assert_eq!(version, i64::try_from(known).unwrap());
    let before = Connection::open(&copy).unwrap();
    let names: i64 = before
        .query_row("SELECT count(*) FROM names", [], |r| r.get(0))
        .unwrap();
    assert_eq!(names, 2, "the copy is whole");
    std::fs::remove_file(&copy).unwrap();
    steps[known] = "CREATE TABLE extra (x INTEGER) STRICT;";
    migrate(&mut conn, &steps, |_| copy.clone()).unwrap();
    conn.execute("INSERT INTO extra VALUES (1)", []).unwrap();
}

#[test]
fn what_is_no_database_is_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("punnet.db"),
        "not a database".repeat(1000),
    )
    .unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn the_folder_is_for_its_owner_alone_and_every_connection_is_careful() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data");
    let mut store = Store::open(&inner).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("punnet.db")), 0o600);
    let reader = store.reader().unwrap();
    assert!(
        reader
            .execute("INSERT INTO settings VALUES ('a', 'b')", [])
            .is_err()
    );
    let pragma = |conn: &Connection, name: &str| -> String {
        conn.query_row(
            &format!("SELECT CAST((SELECT * FROM pragma_{name}) AS TEXT)"),
            [],
            |r| r.get(0),
        )
        .unwrap()
    };
    let tx = store.begin().unwrap();
    assert_eq!(pragma(&tx, "journal_mode"), "wal");
    assert_eq!(pragma(&tx, "synchronous"), "2");
    for conn in [&*tx, &reader] {
        assert_eq!(pragma(conn, "foreign_keys"), "1");
        assert_eq!(pragma(conn, "trusted_schema"), "0");
        assert_eq!(pragma(conn, "busy_timeout"), "5000");
    }
}

#[test]
fn history_is_found_by_an_index_in_order_under_every_filter() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    let board = "00000001".parse().unwrap();
    for n in 0..16_u32 {
        let filter = HistoryFilter {
            board: (n & 1 > 0).then_some(board),
            batch: (n & 2 > 0).then_some(wire::batch::BatchId(1)),
            stage: (n & 4 > 0).then_some(wire::Stage::Done),
            text: (n & 8 > 0).then(|| "kxp2".to_owned()),
            ..HistoryFilter::default()
        };
        let (sql, values) = history::statement(&filter);
        let mut explained = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = explained
            .query_map(rusqlite::params_from_iter(values), |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let plan = plan.join("; ");
        assert!(plan.contains("USING INDEX history_"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "sorted by hand: {plan}");
    }
}

#[test]
fn reordering_steps_over_the_unique_ranks() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    let plan = batches::get(&tx, wire::batch::BatchId(1))
        .unwrap()
        .unwrap()
        .plan;
    let now = wire::Millis(NOW);
    for _ in 0..4 {
        batches::create(&tx, &plan, false, now).unwrap();
    }
    let mut order = batches::order(&tx).unwrap();
    order.reverse();
    batches::set_order(&tx, &order).unwrap();
    assert_eq!(batches::order(&tx).unwrap(), order);
}

#[test]
fn events_are_found_by_what_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    for n in 1..=5_u32 {
        let about = events::About {
            board: Some(wire::BoardId::Pi(n % 2)),
            ..events::About::default()
        };
        let level = wire::event::Level::Info;
        events::append(&tx, wire::Millis(NOW), level, &about, "k", "t").unwrap();
    }
    let filter = wire::query::EventFilter {
        board: Some(wire::BoardId::Pi(1)),
        after: 1,
        ..wire::query::EventFilter::default()
    };
    let found: Vec<_> = events::list(&tx, &filter)
        .unwrap()
        .iter()
        .map(|e| e.id)
        .collect();
    assert_eq!(found, [3, 5]);
}
