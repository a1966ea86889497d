//! What a technician would notice of the engine, tried against a real data folder.

mod batches;
mod boots;
mod crash;
mod deployment;
mod device;
mod holds;
mod names;
mod operators;
mod packs;
mod papers;
mod parallel;
mod profiles;
mod rehearsals;
mod reports;
mod restart;
mod same_board;
mod sheet;
mod tries;
mod warnings;
mod watching;

use super::{Engine, NewImage, Options};
use netboot::dhcp::{Client, DhcpEvent, PiIdentity};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use wire::agent::{
    Ack, AgentEvent, CheckIn, Hello, HelloAck, Inventory, Job, Order, Outcome, Report,
};
use wire::batch::{Batch, BatchId, BatchPlan, BatchRules, ReimagePolicy, VerifyLevel};
use wire::board::{Board, Failure, Hold, Mac, Serial, Stage};
use wire::command::{Command, NameSource, NamesReport, Receipt};
use wire::disk::{Disk, DiskContent, DiskKind, DiskPolicy};
use wire::event::Event;
use wire::health::Lease;
use wire::image::{Image, ImageContents, PackFault};
use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};
use wire::name::Hostname;
use wire::query::{Answer, Deployment, EventFilter, HistoryFilter, NameFilter, Query};
use wire::refusal::{Code, Refusal};
use wire::revision::Revision;
use wire::{BoardId, ImageId, Millis};

/// A station with a clock in the test's hand.
struct Rig {
    folder: TempDir,
    clock: Arc<AtomicI64>,
    engine: Engine,
}

fn open(folder: &std::path::Path, clock: &Arc<AtomicI64>) -> Engine {
    let clock = Arc::clone(clock);
    let options = Options {
        data_dir: folder.to_owned(),
        rehearsal: false,
    };
    let now = Arc::new(move || Millis(clock.load(Ordering::SeqCst)));
    Engine::open_with(options, now).unwrap()
}

impl Rig {
    /// An empty station whose boards need no tokens.
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_000_000));
        let engine = open(folder.path(), &clock);
        engine.set_require_token(false);
        Self {
            folder,
            clock,
            engine,
        }
    }

    /// A station with a product, a venue, an image, and names 1 to `names`.
    async fn ready(names: u32) -> Self {
        let rig = Self::empty();
        rig.product("KXP2", "{product}-{venue}-{number:03}").await;
        rig.venue("CORO").await;
        rig.image("KXP2", 1).await.unwrap();
        if names > 0 {
            rig.import(&format!("1-{names}")).await;
        }
        rig
    }

    /// The same with a batch of `count` boards, started.
    async fn with_batch(count: u32) -> Self {
        let rig = Self::ready(count).await;
        rig.batch(count).await;
        rig
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// Closes the engine and opens its folder again, as after a restart of the station.
    async fn reopen(self) -> Self {
        self.engine.close().await;
        let engine = open(self.folder.path(), &self.clock);
        engine.set_require_token(false);
        Self { engine, ..self }
    }

    async fn command(&self, command: Command) -> Receipt {
        self.engine.command(command).await.unwrap()
    }

    async fn refused(&self, command: Command) -> Refusal {
        self.engine.command(command).await.unwrap_err()
    }

    async fn product(&self, code: &str, pattern: &str) {
        self.command(Command::ProductAdd {
            code: code.parse().unwrap(),
            name: "a product".to_owned(),
            pattern: pattern.to_owned(),
        })
        .await;
    }

    async fn venue(&self, code: &str) {
        self.command(Command::VenueAdd {
            code: code.parse().unwrap(),
            name: "a venue".to_owned(),
            location: String::new(),
            contact: String::new(),
        })
        .await;
    }

    /// An active image; `mark` makes it differ from others.
    async fn image(&self, product: &str, mark: u8) -> Result<Image, Refusal> {
        self.engine.image_imported(new_image(product, mark)).await
    }

    async fn import(&self, spec: &str) -> NamesReport {
        let receipt = self.command(import(spec, false)).await;
        let Receipt::Names(report) = receipt else {
            panic!("{receipt:?}");
        };
        report
    }

    /// A started batch of KXP2 boards for CORO.
    async fn batch(&self, count: u32) -> BatchId {
        self.batch_of(plan(count)).await
    }

    async fn batch_of(&self, plan: BatchPlan) -> BatchId {
        let Receipt::Batch(batch) = self.command(Command::BatchCreate(plan)).await else {
            panic!("no batch");
        };
        self.command(Command::BatchStart { batch: batch.id }).await;
        batch.id
    }

    async fn see_batch(&self, batch: BatchId) -> Batch {
        match self.engine.query(Query::Batch { batch }).await.unwrap() {
            Answer::Batch(batch) => *batch,
            other => panic!("{other:?}"),
        }
    }

    async fn tile(&self, n: u32) -> Board {
        let board = BoardId::Pi(n);
        match self.engine.query(Query::Board { board }).await.unwrap() {
            Answer::Board(tile) => *tile,
            other => panic!("{other:?}"),
        }
    }

    async fn history(&self, filter: HistoryFilter) -> Vec<Deployment> {
        match self.engine.query(Query::History(filter)).await.unwrap() {
            Answer::History(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    async fn history_of(&self, n: u32) -> Vec<Deployment> {
        let filter = HistoryFilter {
            board: Some(BoardId::Pi(n)),
            ..HistoryFilter::default()
        };
        self.history(filter).await
    }

    async fn events(&self) -> Vec<Event> {
        let everything = Query::Events(EventFilter::default());
        match self.engine.query(everything).await.unwrap() {
            Answer::Events(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    async fn name(&self, hostname: &str) -> wire::batch::Name {
        let filter = NameFilter {
            text: Some(hostname.to_owned()),
            ..NameFilter::default()
        };
        match self.engine.query(Query::Names(filter)).await.unwrap() {
            Answer::Names(mut names) if names.len() == 1 => names.remove(0),
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&self, check_in: CheckIn) -> Order {
        self.engine.check_in(address(1), check_in).await.unwrap()
    }

    /// Board `n` asks and gets a job.
    async fn job(&self, n: u32) -> Job {
        match self.ask(board(n)).await {
            Order::Provision(job) => *job,
            other => panic!("board {n} got {other:?}"),
        }
    }

    /// Board `n` asks and has to wait.
    async fn held(&self, n: u32) -> Hold {
        match self.ask(board(n)).await {
            Order::Wait { hold, .. } => hold,
            other => panic!("board {n} got {other:?}"),
        }
    }

    async fn report(&self, job: &Job, events: Vec<(u64, AgentEvent)>) -> Ack {
        self.engine.report(report(job, events)).await.unwrap()
    }

    /// Board `n` is provisioned from asking to done.
    async fn finish(&self, n: u32) -> Job {
        let job = self.job(n).await;
        self.report(&job, work()).await;
        job
    }

    /// Board `n` is given a job and fails at it.
    async fn fail(&self, n: u32) -> Job {
        let job = self.job(n).await;
        self.report(&job, vec![(1, step(Stage::Writing)), (2, failed())])
            .await;
        job
    }

    async fn hello(&self, job: &Job, hostname: &str) -> HelloAck {
        let secret = job.personalise.hello.as_ref().unwrap().secret.clone();
        let hello = Hello {
            secret,
            hostname: hostname.to_owned(),
            machine_id: None,
        };
        self.engine.hello(hello).await.unwrap()
    }

    /// The bootloader of board `n` asks for an address.
    async fn discover(&self, n: u32) {
        self.engine.dhcp(DhcpEvent::Seen {
            mac: mac(n),
            client: pi(n),
            xid: n,
            vendor_class: None,
        });
        self.caught_up().await;
    }

    async fn lease(&self, n: u32) {
        self.engine.dhcp(DhcpEvent::Leased {
            lease: Lease {
                mac: mac(n),
                board: None,
                ip: address(n),
                until: Millis(9_000_000),
            },
            client: pi(n),
        });
        self.caught_up().await;
    }

    /// Everything said so far was taken.
    async fn caught_up(&self) {
        self.engine.work(|_| Ok(())).await.unwrap();
    }
}

fn pi(n: u32) -> Client {
    Client::Pi(PiIdentity {
        board: BoardId::Pi(n),
        serial_low: n,
        revision: Some(Revision(0xd0_4170)),
        mac_tail: None,
    })
}

fn mac(n: u32) -> Mac {
    let mut octets = [0x2c, 0xcf, 0, 0, 0, 0];
    octets[2..].copy_from_slice(&n.to_be_bytes());
    Mac(octets)
}

fn address(n: u32) -> Ipv4Addr {
    let [_, b, c, d] = n.to_be_bytes();
    Ipv4Addr::new(10, b, c, d)
}

fn import(spec: &str, dry_run: bool) -> Command {
    Command::NamesImport {
        product: "KXP2".parse().unwrap(),
        venue: "CORO".parse().unwrap(),
        source: NameSource::Spec {
            text: spec.to_owned(),
        },
        dry_run,
    }
}

fn import_csv(table: &str) -> Command {
    Command::NamesImport {
        product: "KXP2".parse().unwrap(),
        venue: "CORO".parse().unwrap(),
        source: NameSource::Csv {
            text: table.to_owned(),
        },
        dry_run: false,
    }
}

fn plan(count: u32) -> BatchPlan {
    BatchPlan {
        product: "KXP2".parse().unwrap(),
        venue: "CORO".parse().unwrap(),
        count,
        image: None,
        rules: BatchRules::default(),
        disks: DiskPolicy::default(),
        reimage: ReimagePolicy::Ask,
    }
}

fn host(text: &str) -> Hostname {
    text.parse().unwrap()
}

/// An image of 4 GB for 64-bit boards.
fn new_image(product: &str, mark: u8) -> NewImage {
    let chunk = Chunk {
        class: ChunkClass::Data,
        hash: Some(Hash32([mark; 32])),
        offset: 0,
        packed: 100,
    };
    NewImage {
        imported: imaging::import::Imported {
            id: ImageId([mark; 32]),
            path: "/nowhere.pack".into(),
            before: imaging::import::Before::Nothing,
            pack_bytes: 200,
            manifest: Manifest {
                format: 1,
                raw_bytes: 4_000_000_000,
                chunk_bytes: 4 << 20,
                head_bytes: 512,
                chunks: vec![chunk],
            },
            sha256: "ab".repeat(32),
            contents: ImageContents {
                kernel: "kernel8.img".to_owned(),
                arch: "arm64".to_owned(),
                ..ImageContents::default()
            },
            skipped: Vec::new(),
            file_name: "golden.img".to_owned(),
            format: imaging::source::Format::Raw,
        },
        product: product.parse().unwrap(),
        version: format!("1.{mark}"),
        description: String::new(),
        activate: true,
        import: "import".to_owned(),
    }
}

fn card(content: DiskContent) -> Disk {
    Disk {
        path: "/dev/mmcblk0".to_owned(),
        kind: DiskKind::Sd,
        bytes: 32_000_000_000,
        sector: 512,
        model: "SD32G".to_owned(),
        serial: "0x1234".to_owned(),
        removable: false,
        read_only: false,
        content,
    }
}

fn system() -> DiskContent {
    DiskContent::System {
        found: "a partition table with 2 partitions".to_owned(),
    }
}

/// A Raspberry Pi 5 with a blank card.
fn board(n: u32) -> CheckIn {
    CheckIn {
        protocol: 1,
        agent: "0.1.0".to_owned(),
        token: Some(format!("boot-1-of-{n}")),
        inventory: Inventory {
            board: BoardId::Pi(n),
            serial: Some(Serial(0x9d00_ce41_0000_0000 | u64::from(n))),
            revision: Some(Revision(0xd0_4170)),
            model: "Raspberry Pi 5 Model B Rev 1.0".to_owned(),
            arch: "aarch64".to_owned(),
            ram_mib: 8192,
            mac: mac(n),
            macs: vec![mac(n)],
            link_mbit: Some(1000),
            disks: vec![card(DiskContent::Blank)],
            eeprom_version: None,
            boot_order: None,
            temperature_millicelsius: None,
            throttled: None,
        },
    }
}

/// The same board after it was started again.
fn rebooted(n: u32, boot: u32, content: DiskContent) -> CheckIn {
    let mut check_in = board(n);
    check_in.token = Some(format!("boot-{boot}-of-{n}"));
    check_in.inventory.disks = vec![card(content)];
    check_in
}

fn step(stage: Stage) -> AgentEvent {
    AgentEvent::Step {
        stage,
        detail: None,
    }
}

fn outcome() -> Outcome {
    Outcome {
        verified: VerifyLevel::FullReadBack,
        bytes_written: 5_000_000,
        bytes_read_back: 5_000_000,
        bytes_received: 1_000,
        rewritten_chunks: 0,
        transport: "http".to_owned(),
        stage_ms: Vec::new(),
        changed_files: vec!["/etc/hostname".to_owned()],
    }
}

fn failed() -> AgentEvent {
    AgentEvent::Failed(Failure {
        stage: Stage::Writing,
        what: "the card refused a write at LBA 77".to_owned(),
        next: "Replace the card.".to_owned(),
    })
}

/// What an agent reports from its first step to the last.
fn work() -> Vec<(u64, AgentEvent)> {
    let stages = [
        Stage::PreparingStorage,
        Stage::Writing,
        Stage::Verifying,
        Stage::Personalising,
        Stage::Finishing,
    ];
    let steps = stages.into_iter().map(step);
    let events = steps.chain([AgentEvent::Done(outcome())]);
    (1..).zip(events).collect()
}

fn report(job: &Job, events: Vec<(u64, AgentEvent)>) -> Report {
    Report {
        deployment: job.deployment.clone(),
        secret: job.secret.clone(),
        events,
        progress: None,
    }
}
