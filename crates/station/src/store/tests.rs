//! Rules that hold whatever the code above does.

use super::history::Road;
use super::migrations::{MigrationError, STEPS, migrate};
use super::open::{OpenError, Store};
use super::{batches, events, history, operators};
use rusqlite::Connection;
use std::path::Path;
use wire::query::HistoryFilter;

const NOW: i64 = 1_000;

/// A store with one product, one venue, an image, a batch, two boards and two free names.
fn furnished(folder: &Path) -> Store {
    let mut store = Store::open(folder).unwrap();
    let tx = store.begin().unwrap();
    tx.execute_batch(&furniture()).unwrap();
    tx.commit().unwrap();
    store
}

fn furniture() -> String {
    format!(
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
    )
}

fn deploy(id: &str, board: &str, hostname: &str) -> String {
    format!(
        "INSERT INTO deployments (id, board, attempt, batch, product, venue, image, hostname, mac,
            via, secret, hello, stage, started)
         VALUES ('{id}', '{board}', (SELECT count(*) + 1 FROM deployments), 1, 'KXP2', 'CORO',
            '{image}', '{hostname}', '00:00:00:00:00:01', 'agent', 's', 'hello-{id}', 'assigned', {NOW});",
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
fn an_upgrade_keeps_a_copy_and_one_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path()).close().unwrap();
    let mut conn = Connection::open(folder.path().join("punnet.db")).unwrap();
    let copy = folder.path().join("copy");
    let mut steps = STEPS.to_vec();
    let known = steps.len();
    steps.push("CREATE TABLE first (x INTEGER) STRICT; DELETE FROM names;");
    steps.push("CREATE TABLE extra (x INTEGER) STRICT; CREATE TABLE extra (x) STRICT_; -- broken");
    let failed = migrate(&mut conn, &steps, |_| copy.clone());
    let at = |from, to| from == known && to == known + 2;
    assert!(matches!(failed, Err(MigrationError::Step { from, to, .. }) if at(from, to)));
    let made = "SELECT count(*) FROM sqlite_schema WHERE name IN ('first', 'extra')";
    let count = |sql: &str| -> i64 { conn.query_row(sql, [], |r| r.get(0)).unwrap() };
    assert_eq!(count(made), 0, "nothing of the upgrade is left");
    assert_eq!(count("SELECT count(*) FROM names"), 2);
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
    steps.truncate(known);
    steps.push("CREATE TABLE extra (x INTEGER) STRICT;");
    migrate(&mut conn, &steps, |_| copy.clone()).unwrap();
    conn.execute("INSERT INTO extra VALUES (1)", []).unwrap();
}

#[test]
fn only_the_newest_copies_from_before_upgrades_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = |at| super::migrations::copy_place(folder.path(), "punnet.db", 1, at);
    for at in [9, 100, 20, 3] {
        std::fs::write(place(at), "copy").unwrap();
    }
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let name = |at: i64| format!("punnet.db.schema-1.{at}");
    assert_eq!(
        left,
        [name(100), name(20), name(3)],
        "9 was the oldest when 3 came"
    );
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

/// Every combination of the filters of the history, but for the text.
fn filters() -> impl Iterator<Item = HistoryFilter> {
    (0..128_u32).map(|n| HistoryFilter {
        board: (n & 1 > 0).then(|| "00000001".parse().unwrap()),
        batch: (n & 2 > 0).then_some(wire::batch::BatchId(1)),
        stage: (n & 4 > 0).then_some(wire::Stage::Done),
        product: (n & 8 > 0).then(|| "KXP2".parse().unwrap()),
        venue: (n & 16 > 0).then(|| "CORO".parse().unwrap()),
        since: (n & 32 > 0).then_some(wire::Millis(NOW)),
        until: (n & 64 > 0).then_some(wire::Millis(NOW + 1)),
        ..HistoryFilter::default()
    })
}

fn plan_of(conn: &Connection, (sql, values): (String, Vec<Box<dyn rusqlite::ToSql>>)) -> String {
    let mut explained = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|e| panic!("{e}: {sql}"));
    let plan: Vec<String> = explained
        .query_map(rusqlite::params_from_iter(values), |row| row.get("detail"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    plan.join("; ")
}

#[test]
fn history_is_found_by_an_index_in_order_under_every_filter() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    for filter in filters() {
        for text in [None, Some("kx".to_owned())] {
            let road = Road::Along(text);
            let plan = plan_of(&tx, history::page(&filter, &road));
            assert!(plan.contains("INDEX history_"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "sorted by hand: {plan}");
            let plan = plan_of(&tx, history::counting(&filter, &road));
            // To count everything, any index of all rows will do.
            let by_index = plan.contains("INDEX history_") || plan.contains("COVERING INDEX");
            assert!(by_index, "{plan}");
            let timed = filter.since.is_some() || filter.until.is_some();
            assert!(!timed || plan.contains("started"), "time by hand: {plan}");
        }
        let road = Road::Pieces("\"kxp\"".to_owned());
        for asked in [history::page, history::counting] {
            let plan = plan_of(&tx, asked(&filter, &road));
            let pieces = plan.find("deployment_pieces VIRTUAL TABLE INDEX");
            assert_eq!(pieces, Some("SCAN ".len()), "pieces come first: {plan}");
            assert!(!plan.contains("SCAN deployments"), "{plan}");
        }
    }
}

fn found(conn: &Connection, text: &str) -> Vec<String> {
    let filter = HistoryFilter {
        text: Some(text.to_owned()),
        ..HistoryFilter::default()
    };
    let rows = history::list(conn, &filter).unwrap();
    assert_eq!(rows.len() as u64, history::count(conn, &filter).unwrap());
    rows.into_iter().map(|row| row.id).collect()
}

#[test]
fn history_is_found_by_any_piece_of_its_text_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    let end = "UPDATE deployments SET stage = 'failed', ended = 2,
        error = 'the card refused a write at LBA 77, said \"no\"' WHERE id = 'd1';
        UPDATE deployments SET serial = '9d00ce41d137e638' WHERE id = 'd1';";
    tx.execute_batch(&format!(
        "{ASSIGN_1} {} {end} {}",
        deploy("d1", "00000001", "KXP2-CORO-001"),
        deploy("d2", "00000001", "KXP2-CORO-001")
    ))
    .unwrap();
    for both in ["kxp2-coro", "KXP2", "ro", "00000001", " coro "] {
        assert_eq!(found(&tx, both), ["d2", "d1"], "{both}");
    }
    for one in ["LBA 77", "said \"no\"", "d137e638", "77", "refused a WRITE"] {
        assert_eq!(found(&tx, one), ["d1"], "{one}");
    }
    for none in [
        "card and",
        "lba  77",
        "\"",
        "* OR kxp2",
        "zz",
        "kxp2-coro-002",
    ] {
        let quote = none == "\"";
        assert_eq!(found(&tx, none).len(), usize::from(quote), "{none}");
    }
}

#[test]
fn a_database_of_version_1_is_upgraded_with_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("punnet.db");
    let mut conn = Connection::open(&file).unwrap();
    migrate(&mut conn, &STEPS[..1], |_| unreachable!()).unwrap();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    conn.execute_batch(&furniture()).unwrap();
    conn.execute_batch(&format!(
        "{ASSIGN_1} {} UPDATE deployments SET stage = 'done', ended = 9000, verified = 'reported';
         INSERT INTO steps (deployment, stage, began) VALUES ('d1', 'assigned', 1000),
            ('d1', 'writing', 2000), ('d1', 'verifying', 6000), ('d1', 'done', 9000);",
        deploy("d1", "00000001", "KXP2-CORO-001")
    ))
    .unwrap();
    drop(conn);
    let mut store = Store::open(folder.path()).unwrap();
    let tx = store.begin().unwrap();
    assert_eq!(found(&tx, "coro-001"), ["d1"]);
    let stats = super::figures::stats(&tx, wire::Millis(0)).unwrap();
    let took: Vec<_> = stats
        .stages
        .iter()
        .map(|s| (s.stage, s.median_ms))
        .collect();
    let expected = [
        (wire::Stage::Assigned, 1000),
        (wire::Stage::Writing, 4000),
        (wire::Stage::Verifying, 3000),
    ];
    assert_eq!(took, expected);
    let mut seat = super::boards::get(&tx, wire::BoardId::Pi(1))
        .unwrap()
        .unwrap();
    assert_eq!((seat.tile.place.take(), seat.way.len()), (None, 0));
    seat.tile.place = Some("slot 3".to_owned());
    super::boards::put(&tx, &seat).unwrap();
    tx.commit().unwrap();
    let reader = store.reader().unwrap();
    let again = super::boards::get(&reader, wire::BoardId::Pi(1))
        .unwrap()
        .unwrap();
    assert_eq!(again.tile.place.as_deref(), Some("slot 3"));
    let copies = std::fs::read_dir(folder.path()).unwrap();
    let copies = copies.filter(|f| {
        let name = f.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("punnet.db.schema-1.")
    });
    assert_eq!(copies.count(), 1, "a copy of the old one is kept");
}

#[test]
fn stages_are_timed_over_done_deployments_and_shares_counted_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    let mut sql = ASSIGN_1.to_owned();
    sql += "UPDATE boards SET model = 'Raspberry Pi 5' WHERE id = '00000001';";
    for n in 1..=20 {
        sql += &deploy(&format!("d{n:02}"), "00000001", "KXP2-CORO-001");
        sql += "UPDATE deployments SET stage = 'failed', ended = 2 WHERE ended IS NULL;";
    }
    tx.execute_batch(&sql).unwrap();
    for n in 1..=20_i64 {
        let id = format!("d{n:02}");
        let step = |stage, at| {
            super::deployments::step(&tx, &id, stage, wire::Millis(at), None).unwrap();
        };
        step(wire::Stage::Writing, 1000);
        step(wire::Stage::Verifying, 1000 + n * 100);
        if n % 2 == 0 {
            step(wire::Stage::Done, 9000);
            let done = "UPDATE deployments SET stage = 'done', verified = 'reported' WHERE id = ?1";
            tx.execute(done, [&id]).unwrap();
        }
    }
    let stats = super::figures::stats(&tx, wire::Millis(0)).unwrap();
    let writing = &stats.stages[0];
    assert_eq!((writing.stage, writing.count), (wire::Stage::Writing, 10));
    assert_eq!((writing.median_ms, writing.p95_ms), (1000, 2000));
    for shares in [&stats.by_model, &stats.by_venue] {
        assert_eq!((shares[0].done, shares[0].failed), (10, 10));
    }
    assert_eq!(stats.by_model[0].of, "Raspberry Pi 5");
    assert_eq!(stats.by_venue[0].of, "CORO");
}

/// Says how long every question takes over 50,000 deployments: `cargo test -p station --release
/// -- --ignored --nocapture how_long`.
#[test]
#[ignore = "a measurement; it says figures and proves nothing"]
fn how_long_questions_take_over_a_long_history() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = furnished(folder.path());
    let tx = store.begin().unwrap();
    tx.execute_batch(&long_history()).unwrap();
    tx.commit().unwrap();
    let reader = store.reader().unwrap();
    let texts = [
        None,
        Some("k"),
        Some("kxp2"),
        Some("boa 00777"),
        Some("lba 4242"),
        Some("nothing"),
    ];
    let mut slowest = (std::time::Duration::ZERO, String::new());
    for filter in filters() {
        for (text, offset) in texts.iter().flat_map(|t| [(t, 0), (t, 40_000)]) {
            let filter = HistoryFilter {
                text: text.map(str::to_owned),
                since: filter.since.map(|_| wire::Millis(10_000)),
                until: filter.until.map(|_| wire::Millis(40_000_000)),
                limit: 100,
                offset,
                ..filter.clone()
            };
            let begun = std::time::Instant::now();
            let rows = history::list(&reader, &filter).unwrap().len();
            let list = begun.elapsed();
            let count = history::count(&reader, &filter).unwrap();
            let counted = begun.elapsed().saturating_sub(list);
            let said =
                format!("{list:?} a page of {rows}, {counted:?} to count {count}: {filter:?}");
            let longest = list.max(counted);
            if longest > slowest.0 {
                slowest = (longest, said);
            }
        }
    }
    println!("slowest: {}", slowest.1);
    let begun = std::time::Instant::now();
    super::figures::stats(&reader, wire::Millis(0)).unwrap();
    println!("figures: {:?}", begun.elapsed());
}

/// 50,000 deployments of 5,000 boards, with their steps.
fn long_history() -> String {
    format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
         INSERT INTO boards (id, mac, model, stage, stage_since, first_seen, last_seen)
         SELECT printf('%08x', n + 16), printf('2c:cf:67:%02x:%02x:00', n / 256, n % 256),
            'Raspberry Pi ' || (3 + n % 3), 'done', 1, 1, 1 FROM n;
         INSERT INTO names (hostname, product, venue, state, board, used, changed)
         SELECT 'KXP2-BOA-' || id, 'KXP2', 'CORO', 'assigned', id, 1, 1 FROM boards WHERE id > '0000000f';
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50000)
         INSERT INTO deployments (id, board, attempt, batch, product, venue, image, hostname, mac,
            via, secret, hello, stage, verified, error, started, ended)
         SELECT printf('d%05d', n), printf('%08x', n % 5000 + 17), n, 1, 'KXP2', 'CORO', '{image}',
            'KXP2-BOA-' || printf('%08x', n % 5000 + 17), '2c:cf:67:00:11:22', 'agent', 's', 'h' || n,
            CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'done' END, 'reported',
            CASE WHEN n % 7 = 0 THEN 'the card refused a write at LBA ' || n END,
            n * 1000, n * 1000 + 900 FROM n;
         WITH RECURSIVE s (s) AS (SELECT 0 UNION ALL SELECT s + 1 FROM s WHERE s < 5)
         INSERT INTO steps (deployment, stage, began, took)
         SELECT id, CASE s WHEN 0 THEN 'assigned' WHEN 1 THEN 'preparing_storage' WHEN 2 THEN 'writing'
            WHEN 3 THEN 'verifying' WHEN 4 THEN 'personalising' ELSE 'finishing' END,
            started + s * 100, abs(random() % 1000) FROM deployments, s;",
        image = "a".repeat(64)
    )
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

#[test]
fn the_record_of_deeds_is_neither_changed_nor_cut() {
    let row = "INSERT INTO deeds (id, at, who, door, origin, action, subject, outcome)
        VALUES (1, 1, 'tess', 'login', '192.0.2.9', 'login', '', 'done');";
    forbidden(row, "UPDATE deeds SET who = 'bess';");
    forbidden(row, "DELETE FROM deeds;");
    forbidden(row, &row.replace("INSERT", "INSERT OR REPLACE"));
    forbidden("", &row.replace("'done'", "'perhaps'"));
}

#[test]
fn the_other_logins_of_an_operator_end_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let tx = store.begin().unwrap();
    let (now, until) = (wire::Millis(NOW), wire::Millis(2 * NOW));
    for (name, keys) in [("tess", ["a", "b", "c"]), ("wall", ["d", "e", "f"])] {
        let name = name.parse().unwrap();
        let role = wire::operator::Role::Viewer;
        operators::add(&tx, &name, role, "x", now).unwrap();
        for key in keys {
            operators::begin(&tx, &key.repeat(64), &name, "here", now, until).unwrap();
        }
    }
    operators::end_others(&tx, &"tess".parse().unwrap(), &"b".repeat(64)).unwrap();
    let open = |key: &&str| {
        operators::login(&tx, &key.repeat(64), now)
            .unwrap()
            .is_some()
    };
    let left: Vec<_> = ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .filter(open)
        .collect();
    assert_eq!(left, ["b", "d", "e", "f"]);
}

#[test]
fn an_operator_has_one_name_and_a_known_role() {
    let row = "INSERT INTO operators (name, role, hash, created) VALUES ('tess', 'admin', 'x', 1);";
    forbidden(row, row);
    forbidden("", &row.replace("'tess'", "'Tess'"));
    forbidden("", &row.replace("'admin'", "'emperor'"));
}
