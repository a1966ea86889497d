//! A station that gives one job and misbehaves on request.

use super::board::Board;
use super::image::Golden;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use delivery::range::{Asked, parse};
use imaging::pack::Pack;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use wire::agent::{
    Ack, After, AgentEvent, CheckIn, Job, Order, Outcome, Personalise, Report, SESSION_HEADER,
    SIGNATURE_HEADER,
};
use wire::board::{Failure, Hold, Stage};
use wire::disk::DiskPolicy;
use wire::image::Grow;
use wire::refusal::{Code, Refusal};

/// How the station behaves.
#[derive(Debug, Clone)]
pub(crate) struct Mood {
    /// Check-ins that are made to wait before the order.
    pub(crate) waits: u32,
    /// Orders it gives; then the plug of whoever asks is pulled.
    pub(crate) orders: u32,
    /// It believes no token.
    pub(crate) doubts: bool,
    /// The board is already done.
    pub(crate) finished: bool,
    /// What the board does afterwards.
    pub(crate) after: After,
    /// Every n-th range is cut off in the middle.
    pub(crate) break_every: u32,
    /// Ranges are refused for a while, as by a station that has just started.
    pub(crate) refuse_for_a_while: bool,
    /// This chunk comes damaged so many times.
    pub(crate) damage: Option<(usize, u32)>,
    /// In the manifest, this text is replaced by that one.
    pub(crate) rewrites: Option<(&'static str, &'static str)>,
    /// The manifest comes without a signature.
    pub(crate) signs_nothing: bool,
    /// Says stop when this stage is reported.
    pub(crate) stop_at: Option<Stage>,
    /// From the report of this stage on, reports are refused like this, so many times.
    pub(crate) refuse_at: Option<(Stage, Code, u32)>,
    /// Pulls the board's plug when this stage is reported.
    pub(crate) pull_plug_at: Option<Stage>,
}

impl Default for Mood {
    fn default() -> Self {
        Self {
            waits: 0,
            orders: 1,
            doubts: false,
            finished: false,
            after: After::Reboot,
            break_every: 0,
            refuse_for_a_while: false,
            damage: None,
            rewrites: None,
            signs_nothing: false,
            stop_at: None,
            refuse_at: None,
            pull_plug_at: None,
        }
    }
}

#[derive(Default)]
struct Log {
    events: Vec<(u64, AgentEvent)>,
    ranges: u32,
    plug: Option<Arc<AtomicBool>>,
    stopped: bool,
    refusing: bool,
}

struct Inner {
    pack: Pack,
    key: [u8; 32],
    mood: Mutex<Mood>,
    log: Mutex<Log>,
}

pub(crate) struct FakeStation {
    inner: Arc<Inner>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl FakeStation {
    pub(crate) fn start(golden: &Golden, mood: Mood) -> Self {
        let inner = Arc::new(Inner {
            pack: Pack::open(&golden.pack).unwrap(),
            key: golden.key,
            mood: Mutex::new(mood),
            log: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/agent/v1/check-in", post(check_in))
            .route("/agent/v1/report", post(report))
            .route("/agent/v1/packs/{image}/manifest", get(manifest))
            .route("/agent/v1/packs/{image}", get(pack))
            .with_state(Arc::clone(&inner));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            inner,
            address,
            _runtime: runtime,
        }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn key(&self) -> [u8; 32] {
        self.inner.key
    }

    /// Lets the station pull this board's plug.
    pub(crate) fn wire_plug(&self, board: &Board) {
        self.inner.log.lock().unwrap().plug = Some(Arc::clone(&board.plug));
    }

    pub(crate) fn events(&self) -> Vec<(u64, AgentEvent)> {
        self.inner.log.lock().unwrap().events.clone()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let events = self.events();
        let done = events.into_iter().find_map(|(_, e)| match e {
            AgentEvent::Done(outcome) => Some(outcome),
            _ => None,
        });
        done.expect("the board said that it is done")
    }

    pub(crate) fn failure(&self) -> Failure {
        let events = self.events();
        let failed = events.into_iter().find_map(|(_, e)| match e {
            AgentEvent::Failed(failure) => Some(failure),
            _ => None,
        });
        failed.expect("the board said that it failed")
    }
}

type Station = State<Arc<Inner>>;

async fn check_in(
    State(station): Station,
    Json(question): Json<CheckIn>,
) -> Result<Json<Order>, (StatusCode, Json<Refusal>)> {
    assert_eq!(question.token.as_deref(), Some("token"));
    let mut mood = station.mood.lock().unwrap();
    if mood.doubts {
        let refusal = Refusal::new(Code::Forbidden, "Board 7 shows a token of an earlier boot.");
        return Err((StatusCode::FORBIDDEN, Json(refusal)));
    }
    Ok(order(&station, &mut mood))
}

fn order(station: &Inner, mood: &mut Mood) -> Json<Order> {
    if mood.finished {
        let hostname = "KXP2-CORO-001".parse().unwrap();
        return Json(Order::BootFromDisk { hostname });
    }
    if mood.waits > 0 {
        mood.waits -= 1;
        return Json(Order::Wait {
            hold: Hold::NoMatchingBatch,
            words: "start a batch".to_owned(),
            again_ms: 1,
            identify_s: 3,
        });
    }
    if mood.orders == 0 {
        if let Some(plug) = &station.log.lock().unwrap().plug {
            plug.store(true, Ordering::Relaxed);
        }
        return Json(Order::Unknown);
    }
    mood.orders -= 1;
    Json(Order::Provision(Box::new(Job {
        deployment: "D-1".to_owned(),
        secret: "secret".to_owned(),
        hostname: "KXP2-CORO-001".parse().unwrap(),
        image: station.pack.id(),
        disks: DiskPolicy::default(),
        disk: "/dev/mmcblk0".to_owned(),
        overwrite: false,
        personalise: Personalise {
            grow: Grow::Agent,
            fresh_machine_id: true,
            fresh_ssh_keys: true,
            hello: None,
        },
        after: mood.after,
    })))
}

fn stage_of(event: &AgentEvent) -> Option<Stage> {
    match event {
        AgentEvent::Step { stage, .. } => Some(*stage),
        AgentEvent::Done(_) => Some(Stage::Done),
        AgentEvent::Failed(_) => Some(Stage::Failed),
        _ => None,
    }
}

async fn report(
    State(station): Station,
    Json(report): Json<Report>,
) -> Result<Json<Ack>, (StatusCode, Json<Refusal>)> {
    assert_eq!(
        (report.deployment.as_str(), report.secret.as_str()),
        ("D-1", "secret")
    );
    if let Some(refusal) = refused(&station, &report) {
        let status = StatusCode::from_u16(refusal.code.http_status()).unwrap();
        return Err((status, Json(refusal)));
    }
    let mood = station.mood.lock().unwrap().clone();
    let mut log = station.log.lock().unwrap();
    let mut acked = log.events.last().map_or(0, |(n, _)| *n);
    for (number, event) in report.events {
        if number <= acked {
            continue;
        }
        assert_eq!(number, acked + 1, "an event was lost");
        acked = number;
        log.stopped |= mood.stop_at.is_some() && stage_of(&event) == mood.stop_at;
        if mood.pull_plug_at.is_some() && stage_of(&event) == mood.pull_plug_at {
            log.plug.as_ref().unwrap().store(true, Ordering::Relaxed);
        }
        log.events.push((number, event));
    }
    let stop = log.stopped.then(|| "cancelled by the operator".to_owned());
    Ok(Json(Ack {
        acked,
        stop,
        identify_s: 0,
    }))
}

/// The refusal of a report, once its time has come.
fn refused(station: &Inner, report: &Report) -> Option<Refusal> {
    let mut mood = station.mood.lock().unwrap();
    let (stage, code, times) = mood.refuse_at.as_mut()?;
    let mut events = report.events.iter();
    let begun = station.log.lock().unwrap().refusing;
    if *times == 0 || !(begun || events.any(|(_, event)| stage_of(event) == Some(*stage))) {
        return None;
    }
    *times -= 1;
    station.log.lock().unwrap().refusing = true;
    Some(Refusal::new(*code, "deployment D-1 is not in the books"))
}

async fn manifest(
    State(station): Station,
    Path(image): Path<String>,
    headers: HeaderMap,
) -> Response {
    assert_eq!(headers[SESSION_HEADER], "D-1:secret");
    assert_eq!(image, station.pack.id().to_string());
    let signed = station.pack.signed();
    let signature = hex::encode(signed.signature);
    let mut bytes = signed.bytes.clone();
    let mood = station.mood.lock().unwrap().clone();
    if let Some((was, is)) = mood.rewrites {
        bytes = String::from_utf8(bytes).unwrap().replace(was, is).into();
    }
    let mut signature = signature;
    if mood.signs_nothing {
        signature = "0".repeat(128);
    }
    ([(SIGNATURE_HEADER, signature)], bytes).into_response()
}

async fn pack(State(station): Station, headers: HeaderMap) -> Response {
    assert_eq!(headers[SESSION_HEADER], "D-1:secret");
    let mood = station.mood.lock().unwrap().clone();
    let number = {
        let mut log = station.log.lock().unwrap();
        log.ranges += 1;
        log.ranges
    };
    if mood.refuse_for_a_while && (2..8).contains(&number) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let length = station.pack.length();
    let asked = parse(headers[header::RANGE].to_str().unwrap(), length);
    let Asked::Part(part) = asked else {
        panic!("{asked:?}");
    };
    let mut bytes = station.pack.read_packed(part.clone()).unwrap();
    if let Some((chunk, times)) = mood.damage
        && times > 0
    {
        let frame = station.pack.manifest().chunks[chunk];
        if part.contains(&frame.offset) {
            bytes[(frame.offset - part.start + frame.packed / 2) as usize] ^= 1;
            station.mood.lock().unwrap().damage = Some((chunk, times.saturating_sub(1)));
            if times == u32::MAX {
                station.mood.lock().unwrap().damage = Some((chunk, times));
            }
        }
    }
    let content_range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
    let whole = bytes.len();
    let cut = mood.break_every > 0 && number.is_multiple_of(mood.break_every);
    // Past half of the range, in the middle of a frame or between two.
    let pieces: Vec<Result<Bytes, std::io::Error>> = if cut {
        bytes.truncate(whole * 2 / 3);
        vec![Ok(bytes.into()), Err(std::io::Error::other("cut"))]
    } else {
        vec![Ok(bytes.into())]
    };
    Response::builder()
        .status(StatusCode::PARTIAL_CONTENT)
        .header(header::CONTENT_RANGE, content_range)
        .header(header::CONTENT_LENGTH, whole)
        .body(Body::from_stream(Pieces(pieces.into_iter())))
        .unwrap()
}

struct Pieces(std::vec::IntoIter<Result<Bytes, std::io::Error>>);

impl futures_lite::Stream for Pieces {
    type Item = Result<Bytes, std::io::Error>;
    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
