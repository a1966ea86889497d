//! The station is killed at random moments while boards claim names; afterwards nothing is doubled
//! and nobody is lost.

use super::*;
use std::collections::HashSet;
use std::process::{Command as Process, Stdio};

const FOLDER: &str = "PUNNET_TEST_CRASH_FOLDER";
const BOARDS: u32 = 400;
const KILLS: u32 = 12;

/// Runs in the process that is killed: boards ask, work, restart and finish without end.
#[test]
#[ignore = "runs only as the process that the test below kills"]
fn the_station_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = Options {
            data_dir: folder.into(),
            rehearsal: false,
        };
        let engine = Engine::open(options).unwrap();
        engine.set_require_token(false);
        println!("open");
        for round in 0.. {
            let asking: Vec<_> = (1..=BOARDS)
                .map(|n| {
                    let engine = engine.clone();
                    tokio::spawn(one_board(engine, n, round))
                })
                .collect();
            for board in asking {
                board.await.unwrap();
            }
        }
    });
}

async fn one_board(engine: Engine, n: u32, round: u32) {
    let boot = 1 + (n + round) % 3;
    let asked = engine
        .check_in(address(n), rebooted(n, boot, DiskContent::Blank))
        .await;
    if let Ok(Order::Provision(job)) = asked {
        let some = work().into_iter().take((n % 6) as usize).collect();
        let _ = engine.report(report(&job, some)).await;
    }
}

#[tokio::test]
async fn a_station_killed_at_random_moments_loses_no_board_and_doubles_no_name() {
    let rig = Rig::with_batch(BOARDS).await;
    let (folder, clock) = (rig.folder, rig.clock);
    rig.engine.close().await;
    let mut random = [0_u8; KILLS as usize];
    getrandom::fill(&mut random).unwrap();
    let mut known: HashSet<BoardId> = HashSet::new();
    for after in random {
        let mut station = Process::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--nocapture", "the_station_that_is_killed"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = std::io::BufReader::new(station.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("open") {
            line.clear();
            assert!(
                std::io::BufRead::read_line(&mut said, &mut line).unwrap() > 0,
                "it ended"
            );
        }
        std::thread::sleep(std::time::Duration::from_millis(u64::from(after)));
        station.kill().unwrap();
        station.wait().unwrap();

        let engine = open(folder.path(), &clock);
        let now_known = check(&engine, folder.path()).await;
        assert!(known.is_subset(&now_known), "a board was lost");
        known = now_known;
        engine.close().await;
    }
    assert!(!known.is_empty(), "the boards never got to ask");
}

/// Every rule that must hold at any moment. Returns the boards.
async fn check(engine: &Engine, folder: &std::path::Path) -> HashSet<BoardId> {
    let conn = crate::store::Connection::open(folder.join("punnet.db")).unwrap();
    let one = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(one("PRAGMA integrity_check"), "ok");
    let none = |sql: &str| {
        let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "{sql}");
    };
    none("SELECT count(*) FROM pragma_foreign_key_check");
    none(
        "SELECT count(*) FROM (SELECT board FROM names WHERE board IS NOT NULL
          GROUP BY board HAVING count(*) > 1)",
    );
    none(
        "SELECT count(*) FROM (SELECT hostname FROM deployments WHERE ended IS NULL
          GROUP BY lower(hostname) HAVING count(*) > 1)",
    );
    none(
        "SELECT count(*) FROM deployments d WHERE ended IS NULL AND NOT EXISTS
          (SELECT 1 FROM names n WHERE n.hostname = d.hostname AND n.board = d.board)",
    );
    none(
        "SELECT count(*) FROM (SELECT DISTINCT board, hostname FROM deployments)
          GROUP BY board HAVING count(*) > 1 UNION ALL SELECT 0 LIMIT 1",
    );
    let Answer::Boards(boards) = engine.query(Query::Boards).await.unwrap() else {
        panic!("no boards");
    };
    boards.into_iter().map(|b| b.id).collect()
}
