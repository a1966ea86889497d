//! Rehearsals beside a station as the daemon runs it, driven through its doors.

use super::Rehearsals;
use station::config::{AgentFiles, Config};
use station::link::{Station, Updates};
use station::service::{Extras, Mode, RunningStation, run_with};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;
use virtual_pi::rehearse::{HttpOperator, Operator as _};
use wire::board::{Board, Hold, Stage};
use wire::command::Command;
use wire::query::{Answer, HistoryFilter, NameFilter, Query};
use wire::refusal::Code;
use wire::rehearsal::{RehearsalFault, RehearsalPlan, RehearsalReport, RehearsalState};
use wire::update::{Snapshot, Update};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(2);

/// A station as the daemon runs it, without a network card of its own.
struct Real {
    runtime: Runtime,
    station: RunningStation,
    /// Its Unix socket, as another process reaches it.
    link: Station,
    /// Its HTTP door.
    http: HttpOperator,
    /// The verbs of the rehearsal on the HTTP door.
    bench: HttpOperator,
    _folder: TempDir,
}

impl Real {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let nowhere = AgentFiles {
            arm64: "/none/arm64".into(),
            x86_64: "/none/x86_64".into(),
        };
        let config = Config::for_rehearsal(folder.path().join("data"), nowhere.clone());
        let rehearsals = Arc::new(Rehearsals::new(runtime.handle().clone(), nowhere));
        let (station, link) = runtime.block_on(async {
            let extras = Extras {
                rehearsals: Some(rehearsals),
                ..Extras::default()
            };
            let station = run_with(config, Mode::Serve, extras).await;
            let station = station.unwrap();
            let link = Station::attach(&station.addresses().socket).await;
            (station, link.unwrap())
        });
        let token = folder.path().join("data/operator.token");
        let token = std::fs::read_to_string(token).unwrap().trim().to_owned();
        let base = format!("http://{}", station.addresses().operator);
        Self {
            http: HttpOperator::new(&base, Some(token.clone())),
            bench: HttpOperator::new(&base, Some(token)).rehearsal(),
            runtime,
            station,
            link,
            _folder: folder,
        }
    }

    fn start(&self, plan: &RehearsalPlan) {
        let command = Command::RehearsalStart(plan.clone());
        self.http.command(command).unwrap();
    }

    fn watch(&self) -> Screen<'_> {
        let updates = self.runtime.block_on(self.link.watch()).unwrap();
        Screen::new(&self.runtime, updates)
    }

    fn watch_bench(&self) -> Screen<'_> {
        let bench = self.link.rehearsal().unwrap();
        let updates = self.runtime.block_on(bench.watch()).unwrap();
        Screen::new(&self.runtime, updates)
    }

    fn stop(self) {
        self.runtime.block_on(self.station.stop());
    }
}

/// The fold of a watch, and everything that came over it.
struct Screen<'a> {
    runtime: &'a Runtime,
    updates: Updates,
    now: Snapshot,
    heard: Vec<Update>,
}

impl<'a> Screen<'a> {
    fn new(runtime: &'a Runtime, updates: Updates) -> Self {
        Self {
            runtime,
            updates,
            now: Snapshot::default(),
            heard: Vec::new(),
        }
    }

    /// Watches until the screen shows it.
    fn until<T>(&mut self, mut shows: impl FnMut(&Snapshot) -> Option<T>) -> T {
        loop {
            let next = async { tokio::time::timeout(PATIENCE, self.updates.next()).await };
            let update = self.runtime.block_on(next);
            let update = update.unwrap_or_else(|_| panic!("not shown: {:#?}", self.now));
            let update = update.unwrap_or_else(|| panic!("it ended: {:#?}", self.now));
            self.heard.push(update.clone());
            self.now.fold(update);
            if let Some(found) = shows(&self.now) {
                return found;
            }
        }
    }

    fn until_state<T>(&mut self, mut is: impl FnMut(&RehearsalState) -> Option<T>) -> T {
        self.until(|now| is(&now.rehearsal.as_ref()?.state))
    }

    fn until_running(&mut self) {
        self.until_state(|state| (*state == RehearsalState::Running).then_some(()));
    }

    fn until_report(&mut self) -> RehearsalReport {
        self.until_state(|state| match state {
            RehearsalState::Ended { report } => Some((**report).clone()),
            RehearsalState::Stopped { why } => panic!("{why}"),
            _ => None,
        })
    }
}

fn at(now: &Snapshot, stage: fn(&Stage) -> bool) -> Vec<&Board> {
    now.boards.iter().filter(|b| stage(&b.stage)).collect()
}

#[test]
fn a_board_that_fails_in_a_rehearsal_is_retried_and_the_real_station_knows_nothing_of_it() {
    let real = Real::new();
    let mut screen = real.watch();
    let mut empty = screen.until(|now| Some(now.clone()));
    assert!(!empty.is_rehearsal && empty.rehearsal.is_none());
    let refusal = real.bench.query(Query::Boards).unwrap_err();
    assert_eq!(refusal.code, Code::Unavailable, "{refusal}");

    let plan = RehearsalPlan {
        boards: 4,
        faulty: 1,
        faults: vec![RehearsalFault::DiskErrorOnce],
        ..RehearsalPlan::default()
    };
    real.start(&plan);
    screen.until_running();
    let second = Command::RehearsalStart(plan.clone());
    assert_eq!(real.http.command(second).unwrap_err().code, Code::Conflict);

    let mut bench = real.watch_bench();
    let failed = bench.until(|now| {
        let failed = at(now, |s| *s == Stage::Failed);
        let done = at(now, |s| *s == Stage::FirstBootConfirmed);
        (failed.len() == 1 && done.len() == 3).then(|| failed[0].clone())
    });
    assert!(bench.now.is_rehearsal);
    assert!(bench.now.boards.iter().all(|b| b.rehearsal));
    assert!(failed.failure.is_some_and(|f| f.what.contains("/dev/")));
    let retry = Command::BoardRetry { board: failed.id };
    real.bench.command(retry).unwrap();

    let report = screen.until_report();
    assert!(report.verified, "{report:#?}");
    assert_eq!((report.boards, report.done, report.failed), (4, 4, 0));
    // The bench can still be looked at, and shows the same.
    let all = real.bench.snapshot().unwrap();
    assert_eq!(at(&all, |s| *s == Stage::FirstBootConfirmed).len(), 4);
    let Answer::History(history) = real
        .bench
        .query(Query::History(HistoryFilter::default()))
        .unwrap()
    else {
        panic!("another answer")
    };
    assert!(history.len() >= 4, "{history:#?}");

    real.http.command(Command::RehearsalStop).unwrap();
    screen.until(|now| now.rehearsal.is_none().then_some(()));
    real.runtime.block_on(async {
        // The end of its watch is the end of its bench.
        while bench.updates.next().await.is_some() {}
    });
    assert_eq!(
        real.bench.snapshot().unwrap_err().code,
        Code::Unavailable,
        "it was put away"
    );

    for update in &screen.heard {
        let of_the_rehearsal = matches!(
            update,
            Update::Board(_) | Update::Batch(_) | Update::Images(_) | Update::Import(_)
        );
        assert!(!of_the_rehearsal, "{update:?}");
    }
    for (query, none) in [
        (Query::Boards, Answer::Boards(vec![])),
        (Query::Batches, Answer::Batches(vec![])),
        (Query::Images, Answer::Images(vec![])),
        (Query::Names(NameFilter::default()), Answer::Names(vec![])),
        (
            Query::History(HistoryFilter::default()),
            Answer::History(vec![]),
        ),
    ] {
        assert_eq!(real.http.query(query).unwrap(), none);
    }
    let now = real.http.snapshot().unwrap();
    empty.at = now.at;
    empty.servers.clone_from(&now.servers);
    empty.findings.clone_from(&now.findings);
    assert_eq!(now, empty);
    real.stop();
}

#[test]
fn a_rehearsal_stops_in_the_middle_and_makes_room_for_another() {
    let real = Real::new();
    let mut screen = real.watch();
    let slow = RehearsalPlan {
        boards: 3,
        speed_percent: 1,
        faulty: 1,
        faults: vec![RehearsalFault::GoesQuiet],
        ..RehearsalPlan::default()
    };
    real.start(&slow);
    screen.until_running();
    let mut bench = real.watch_bench();
    bench.until(|now| (at(now, |s| *s == Stage::Writing).len() == 3).then_some(()));
    real.http.command(Command::RehearsalStop).unwrap();
    let why = screen.until_state(|state| match state {
        RehearsalState::Stopped { why } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(why, "It was stopped.");
    let gone = real.bench.query(Query::Boards).unwrap_err();
    assert_eq!(gone.code, Code::Unavailable, "{gone}");

    real.start(&slow);
    screen.until_running();
    // The station itself goes, and takes it along.
    real.stop();
}

#[test]
fn a_board_with_a_used_disk_waits_until_it_is_approved() {
    let real = Real::new();
    let mut screen = real.watch();
    real.start(&RehearsalPlan {
        boards: 2,
        speed_percent: 0,
        faulty: 1,
        faults: vec![RehearsalFault::UsedDisk],
        // Its boot order has the own disk first.
        models: vec!["pi3b+".to_owned()],
    });
    screen.until_running();
    let mut bench = real.watch_bench();
    let held = bench.until(|now| {
        let holds = |b: &&Board| matches!(b.hold, Some(Hold::DiskHoldsSystem { .. }));
        now.boards.iter().find(holds).map(|b| b.id)
    });
    let approve = Command::BoardApprove { board: held };
    real.bench.command(approve).unwrap();
    let report = screen.until_report();
    assert!(report.verified, "{report:#?}");
    assert_eq!((report.boards, report.done), (2, 2));
    real.stop();
}
