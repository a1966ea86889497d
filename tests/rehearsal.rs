//! A whole batch of virtual boards, and a station that is killed in the middle of it.

use punnet_tests::running::{Running, output};
use punnet_tests::station::{Doors, Station};
use punnet_tests::{binaries, ground, plan};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wire::Stage;
use wire::query::{Answer, HistoryFilter, NameFilter, Query};
use wire::rehearsal::RehearsalReport;

/// Everything that a run of this many boards must have proven.
pub(crate) fn assert_proven(report: &RehearsalReport, boards: u32) {
    assert_eq!(report.boards, boards);
    let faults: Vec<_> = report
        .per_board
        .iter()
        .filter_map(|b| b.fault.as_ref())
        .collect();
    assert_eq!((report.done, report.failed), (boards, 0), "{faults:?}");
    assert!(report.verified, "{faults:?}");
    let names: BTreeSet<_> = report.hostnames.iter().collect();
    assert_eq!(
        names.len(),
        boards as usize,
        "a name was doubled or is missing: {names:?}"
    );
    assert_eq!(report.per_board.len(), boards as usize);
    for board in &report.per_board {
        assert!(board.state.is_finished(), "{board:?}");
        assert!(
            board.bytes_written > 0 && board.bytes_read_back > 0,
            "{board:?}"
        );
        assert!(report.hostnames.contains(&board.hostname), "{board:?}");
    }
}

#[test]
fn thirty_two_boards() {
    let _turn = ground::alone();
    let said = output(Command::new(binaries::punnet()).args([
        "rehearse",
        "--boards",
        "32",
        "--headless",
        "--json",
    ]));
    let words = String::from_utf8_lossy(&said.stdout);
    assert!(
        said.status.success(),
        "{}: {words}{}",
        said.status,
        String::from_utf8_lossy(&said.stderr)
    );
    let report: RehearsalReport = serde_json::from_str(words.trim())
        .unwrap_or_else(|e| panic!("{e}: exactly one JSON object was promised: {words}"));
    assert_proven(&report, 32);
    assert!(report.seconds > 0.0 && report.image_bytes > 0);
    assert!(report.wire_bytes > 0, "{report:?}");
}

/// Moments nobody chose, and the seed by which a run can be repeated (`PUNNET_SEED`).
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = std::env::var("PUNNET_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| {
                std::collections::hash_map::RandomState::new()
                    .build_hasher()
                    .finish()
            });
        println!("PUNNET_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64, Steele et al. 2014.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn killing_the_station_loses_no_board_and_doubles_no_name() {
    let _turn = ground::alone();
    let mut chance = Chance::new();
    let rounds = if std::env::var_os("PUNNET_SOAK").is_some() {
        20
    } else {
        2
    };
    for round in 0..rounds {
        println!("round {round}");
        one_round_of_kills(&mut chance);
    }
}

fn one_round_of_kills(chance: &mut Chance) {
    const BOARDS: u32 = 12;
    let (mut station, Doors { dhcp, tftp, .. }) = Station::for_virtual_boards();
    station.serve();
    plan::product_venue_names(&station, BOARDS + 3);
    plan::image(&station, binaries::small_image());
    plan::batch(&station, BOARDS);

    let report = station.scratch().join("report.json");
    let mut boards = Command::new(binaries::example("virtual-pi", "boards"));
    boards
        .args(["--dhcp", &format!("127.0.0.1:{dhcp}")])
        .args(["--tftp", &format!("127.0.0.1:{tftp}")])
        .args([
            "--boards",
            &BOARDS.to_string(),
            "--seed",
            &chance.below(1 << 32).to_string(),
        ])
        .args(["--disk-bytes", "536870912", "--timeout", "420", "--json"])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&report).expect("a file"));
    let mut boards = Running::start(boards);

    let deadline = Instant::now() + Duration::from_mins(8);
    let mut kills = 0;
    let status = loop {
        let moment = Instant::now() + Duration::from_millis(200 + chance.below(2500));
        // The random moment is what is tested; nothing is waited for here.
        while Instant::now() < moment && boards.ended().is_none() {
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(status) = boards.ended() {
            break status;
        }
        assert!(
            Instant::now() < deadline,
            "the boards never finished\n{}",
            station.log_tail()
        );
        // After some kills the batch may come to its end.
        if kills < 12 {
            station.kill();
            kills += 1;
            station.serve();
        }
    };
    println!("{kills} kills");
    assert!(
        kills >= 3,
        "the batch was over before the station was killed: {kills}"
    );
    let words = std::fs::read_to_string(&report).expect("the report");
    assert!(
        status.success(),
        "{status}: {words}\n{}",
        station.log_tail()
    );
    let report: RehearsalReport = serde_json::from_str(words.trim()).expect("a report");
    assert_proven(&report, BOARDS);
    assert_books(&station, &report, BOARDS);
}

/// The station's own books say the same as the boards' disks.
fn assert_books(station: &Station, report: &RehearsalReport, boards: u32) {
    let bench = station.boards();
    assert_eq!(
        bench.len(),
        boards as usize,
        "a board was lost or doubled: {bench:?}"
    );
    for board in &bench {
        assert!(board.stage.is_finished(), "{board:?}");
    }
    let Answer::Names(names) = station.query(&Query::Names(NameFilter::default())) else {
        panic!("names were asked for")
    };
    let owned: Vec<_> = names.iter().filter(|n| n.board.is_some()).collect();
    assert_eq!(owned.len(), boards as usize, "{owned:?}");
    let owners: BTreeSet<_> = owned.iter().filter_map(|n| n.board).collect();
    assert_eq!(
        owners.len(),
        boards as usize,
        "one board owns two names: {owned:?}"
    );
    let told: BTreeSet<&str> = report.hostnames.iter().map(String::as_str).collect();
    let written: BTreeSet<&str> = owned.iter().map(|n| n.hostname.as_str()).collect();
    assert_eq!(told, written);
    let Answer::History(rows) = station.query(&Query::History(HistoryFilter::default())) else {
        panic!("history was asked for")
    };
    let finished = rows.iter().filter(|r| r.stage.is_finished()).count();
    assert_eq!(finished, boards as usize, "{rows:?}");
    assert!(rows.iter().all(|r| r.stage != Stage::Failed), "{rows:?}");
}
