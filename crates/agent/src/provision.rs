//! The timetable of one deployment: every step in order, each reported as it begins.

use crate::choose::choose;
use crate::failure::{Trouble, failed, of_write};
use crate::gauge::{Gauge, Look};
use crate::meter::Meter;
use crate::pipeline::{Intake, decoders};
use crate::platform::{Platform, Witness};
use crate::report::Reporter;
use crate::screen::{Screen, Tone};
use crate::settings::{Link, Settings};
use crate::system::{self, Changes};
use delivery::Transport as _;
use delivery::http::{HttpError, Station};
use imaging::target::Target;
use imaging::write::{Opened, Sealed, WriteError};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wire::agent::{AgentEvent, Job, Outcome};
use wire::batch::VerifyLevel;
use wire::board::{Failure, Limit, Progress, Stage};
use wire::manifest::Manifest;

/// Answers of "no" in a row after which the image counts as not to be had.
const MOST_REFUSALS: u32 = 20;
/// How often the screen is drawn anew while a step runs.
const REDRAW: Duration = Duration::from_millis(500);

type Disk = Box<dyn Target>;

/// Provisions the board, and returns once the station has stored how it ended, or has called it off.
pub(crate) fn provision(
    platform: &dyn Platform,
    link: &Link,
    settings: &Settings,
    station: &Station,
    job: &Job,
) -> Result<(), Trouble> {
    platform.witness(Witness::Job(job));
    let station = &station.in_session(&job.deployment, &job.secret);
    let reporter = Reporter::new(platform, station.clone(), settings, job);
    std::thread::scope(|scope| {
        scope.spawn(|| reporter.work());
        let desk = Desk::new(platform, &reporter, job);
        let result = deploy(&desk, link, settings, station, job);
        let result = settle(&desk, result);
        reporter.finish();
        result
    })
}

/// Waits until the station knows the end, good or bad.
fn settle(desk: &Desk<'_>, result: Result<Sealed<Disk>, Trouble>) -> Result<(), Trouble> {
    match result {
        Ok(sealed) => match desk.reporter.wait_acked() {
            Ok(()) => {
                if let Some(outcome) = &desk.place.borrow().outcome {
                    desk.platform.witness(Witness::Done(outcome));
                }
                Ok(())
            }
            Err(Trouble::Stopped(why)) => {
                // Called off at the last moment: a disk that nobody has on record must not boot.
                let Err(e) = sealed.undo() else {
                    return Err(Trouble::Stopped(why));
                };
                // Nobody listens any more; the screen has to say it.
                let failure = Failure {
                    stage: Stage::Finishing,
                    what: format!("{why}; {e}"),
                    next: "Take the disk out before it boots.".to_owned(),
                };
                desk.show_failure(&failure);
                Err(Trouble::Failed(failure))
            }
            Err(other) => Err(other),
        },
        Err(Trouble::Failed(failure)) => {
            desk.show_failure(&failure);
            desk.reporter.tell(AgentEvent::Failed(failure.clone()));
            desk.reporter.wait_acked()?;
            desk.platform.witness(Witness::Failed(&failure));
            Err(Trouble::Failed(failure))
        }
        Err(other) => Err(other),
    }
}

fn deploy(
    desk: &Desk<'_>,
    link: &Link,
    settings: &Settings,
    station: &Station,
    job: &Job,
) -> Result<Sealed<Disk>, Trouble> {
    desk.enter(Stage::PreparingStorage, Some("looking at the disks"));
    let manifest = manifest(desk, link, settings, station, job)?;
    let disks = desk.platform.inventory(link.mac).disks;
    let disk = choose(job, &disks, manifest.raw_bytes)?;
    let wrong = |stage, e: WriteError| of_write(stage, &disk.path, e);
    let target = desk.platform.open_disk(disk).map_err(|e| {
        let what = format!("{} cannot be opened: {e}", disk.path);
        let next = "Power-cycle the board; replace the disk if it happens again.";
        failed(Stage::PreparingStorage, what, next)
    })?;

    let pack = station.pack(job.image);
    let (gauge, received) = (Gauge::default(), AtomicU64::new(0));
    let halted = || desk.reporter.halted();
    let intake = Intake {
        transport: &pack,
        manifest: &manifest,
        gauge: &gauge,
        received: &received,
        halted: &halted,
        pauses: (settings.pause, settings.longest_pause),
    };
    let first = intake
        .fetch_one(0)
        .map_err(|e| wrong(Stage::PreparingStorage, e))?;
    let opened = Opened::open(
        target,
        manifest.clone(),
        &job.deployment,
        first,
        job.personalise.grow,
    );
    let opened = opened.map_err(|e| wrong(Stage::PreparingStorage, e))?;
    desk.log(format!(
        "writing to {} ({}, {}, {} bytes)",
        disk.path, disk.kind, disk.model, disk.bytes
    ));
    desk.enter(Stage::PreparingStorage, Some("clearing the disk"));
    // The last moment at which nothing is lost.
    if let Some(trouble) = desk.reporter.halted() {
        return Err(trouble);
    }
    let cleared = opened
        .clear()
        .map_err(|e| wrong(Stage::PreparingStorage, e))?;

    desk.enter(Stage::Writing, Some(&disk.path));
    let mut look = Look::new(decoders(), Instant::now());
    let read_back = intake
        .with_feed(|feed| {
            let watch = &mut |done, total| {
                let limit = look.limit(&gauge, Instant::now());
                desk.progress(Stage::Writing, done, total, limit)
            };
            let written = cleared
                .write(feed, watch)
                .map_err(|e| wrong(Stage::Writing, e))?;
            desk.enter(Stage::Verifying, Some(&disk.path));
            let watch =
                &mut |done, total| desk.progress(Stage::Verifying, done, total, Limit::Disk);
            written
                .read_back(feed, watch)
                .map_err(|e| wrong(Stage::Verifying, e))
        })
        .map_err(|e| desk.or_power(e))?;

    desk.enter(Stage::Personalising, Some(job.hostname.as_str()));
    let mut changes = Changes::default();
    let personalised = read_back
        .personalise(|target, layout| {
            let edited = system::edit(desk.platform, disk, job, target, layout, &mut changes)?;
            desk.enter(Stage::Finishing, Some("reading changed files back"));
            system::read_back(desk.platform, disk, &edited, &mut changes)?;
            Ok(changes.bytes)
        })
        .map_err(|e| wrong(desk.stage(), e))?;
    for note in &changes.notes {
        desk.log(note.clone());
    }
    // The last moment at which a stop costs nothing.
    if let Some(trouble) = desk.reporter.halted() {
        return Err(trouble);
    }
    desk.enter(Stage::Finishing, Some("writing the partition table"));
    let sealed = personalised
        .seal()
        .map_err(|e| wrong(Stage::Finishing, e))?;

    let figures = sealed.figures();
    desk.done(Outcome {
        verified: VerifyLevel::FullReadBack,
        bytes_written: figures.bytes_written,
        bytes_read_back: figures.bytes_read_back,
        bytes_received: received.load(Ordering::Relaxed),
        rewritten_chunks: figures.rewritten_chunks,
        transport: pack.name().to_owned(),
        stage_ms: Vec::new(),
        changed_files: changes.files,
    });
    Ok(sealed)
}

/// Fetches the manifest and checks it: its hash is the image's id, its signature the station's.
fn manifest(
    desk: &Desk<'_>,
    link: &Link,
    settings: &Settings,
    station: &Station,
    job: &Job,
) -> Result<Manifest, Trouble> {
    let stage = Stage::PreparingStorage;
    let (mut pause, mut refused) = (settings.pause, 0);
    let signed = loop {
        if let Some(trouble) = desk.reporter.halted() {
            return Err(trouble);
        }
        match station.manifest(job.image) {
            Ok(signed) => break signed,
            Err(HttpError::Unreachable { .. }) => {}
            Err(e) => {
                refused += 1;
                if refused >= MOST_REFUSALS {
                    let next = "Look at the image in the station's library.";
                    return Err(failed(
                        stage,
                        format!("the image is not to be had: {e}"),
                        next,
                    ));
                }
            }
        }
        desk.rest(pause);
        pause = (pause * 2).min(settings.longest_pause);
    };
    let next = "Import the image again; if it happens again, another station is on this wire.";
    let wrong = |what: String| failed(stage, what, next);
    if blake3::hash(&signed.bytes) != job.image.0 {
        return Err(wrong(format!(
            "the manifest that came is not the one of image {}",
            job.image.short()
        )));
    }
    let Some(key) = &link.station_key else {
        return Err(wrong(
            "the boot files held no key of the station, so no image can be trusted".to_owned(),
        ));
    };
    imaging::key::verify(key, &signed).map_err(|e| wrong(e.to_string()))?;
    let manifest: Manifest = serde_json::from_slice(&signed.bytes)
        .map_err(|e| wrong(format!("the image's manifest cannot be read: {e}")))?;
    manifest.check().map_err(|e| wrong(e.to_string()))?;
    Ok(manifest)
}

/// Where the timetable keeps its place: the stage, its time, the screen.
struct Desk<'a> {
    platform: &'a dyn Platform,
    reporter: &'a Reporter<'a>,
    hostname: String,
    place: RefCell<Place>,
}

struct Place {
    stage: Stage,
    since: Instant,
    times: Vec<(Stage, u64)>,
    meter: Meter,
    drawn: Option<Instant>,
    screen: Screen,
    outcome: Option<Outcome>,
}

impl<'a> Desk<'a> {
    fn new(platform: &'a dyn Platform, reporter: &'a Reporter<'a>, job: &Job) -> Self {
        let hostname = job.hostname.to_string();
        let place = Place {
            stage: Stage::Assigned,
            since: Instant::now(),
            times: Vec::new(),
            meter: Meter::default(),
            drawn: None,
            screen: Screen::new(Tone::Working, &hostname, ""),
            outcome: None,
        };
        Self {
            platform,
            reporter,
            hostname,
            place: RefCell::new(place),
        }
    }

    fn stage(&self) -> Stage {
        self.place.borrow().stage
    }

    fn log(&self, line: impl Into<String>) {
        self.reporter.log(line);
    }

    /// A step begins.
    fn enter(&self, stage: Stage, detail: Option<&str>) {
        let mut place = self.place.borrow_mut();
        place.leave();
        place.stage = stage;
        place.meter = Meter::default();
        place.screen = Screen::new(Tone::Working, &self.hostname, stage.words());
        place.screen.lines.extend(detail.map(str::to_owned));
        self.platform.show(&place.screen);
        self.reporter.tell(AgentEvent::Step {
            stage,
            detail: detail.map(str::to_owned),
        });
    }

    fn progress(
        &self,
        stage: Stage,
        done: u64,
        total: u64,
        limit: Limit,
    ) -> Result<(), WriteError> {
        if let Some(trouble) = self.reporter.halted() {
            let why = match trouble {
                Trouble::Stopped(why) => why,
                _ => "the power is gone".to_owned(),
            };
            return Err(WriteError::Stopped(why));
        }
        let now = Instant::now();
        let mut place = self.place.borrow_mut();
        let rate = place.meter.rate(done, now);
        let progress = Progress {
            done,
            total,
            rate,
            limit,
        };
        self.reporter.progress(stage, progress);
        if place
            .drawn
            .is_none_or(|at| now.duration_since(at) >= REDRAW)
        {
            place.drawn = Some(now);
            place.screen.progress = Some(progress);
            place.screen.away = self.reporter.away();
            self.platform.show(&place.screen);
        }
        Ok(())
    }

    fn done(&self, mut outcome: Outcome) {
        let mut place = self.place.borrow_mut();
        place.leave();
        outcome.stage_ms.clone_from(&place.times);
        place.screen = Screen::new(Tone::Good, &self.hostname, Stage::Done.words());
        self.platform.show(&place.screen);
        place.outcome = Some(outcome.clone());
        self.reporter.tell(AgentEvent::Done(outcome));
    }

    fn show_failure(&self, failure: &Failure) {
        let mut screen = Screen::new(Tone::Bad, &self.hostname, "FAILED");
        screen.lines = vec![
            format!("while {}:", failure.stage.words()),
            failure.what.clone(),
            failure.next.clone(),
        ];
        self.platform.show(&screen);
    }

    /// What looks like a stop may be the plug.
    fn or_power(&self, trouble: Trouble) -> Trouble {
        if self.platform.power_lost() {
            return Trouble::PowerLost;
        }
        trouble
    }

    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if left.is_zero() || self.reporter.halted().is_some() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(200)));
        }
    }
}

impl Place {
    /// Adds the time of the stage that ends.
    fn leave(&mut self) {
        let now = Instant::now();
        let ms = now.duration_since(self.since).as_millis() as u64;
        self.since = now;
        match self
            .times
            .iter_mut()
            .find(|(stage, _)| *stage == self.stage)
        {
            Some((_, sum)) => *sum += ms,
            None if self.stage != Stage::Assigned => self.times.push((self.stage, ms)),
            None => {}
        }
    }
}
