//! A whole station, put together and running: the one place that knows how the rooms connect.
//!
//! [`run`] opens the engine and the library, sets the boot tree on them, starts the deployment side
//! and the two doors, and carries what each tells to whom it concerns. What it returns is held by
//! whoever wants the station to run: the daemon, the window, a rehearsal, a test.

mod backups;
mod carry;
mod conduct;
mod live;
mod management;
mod misfit;
mod own_log;
mod packs;
mod world;

pub use live::{Reload, Stays};
pub use misfit::{Misfit, misfits};

use crate::alerts;
use crate::backup::outgoing::Archives;
use crate::backup::remedied;
use crate::boot_tree::shelf::Shelf;
use crate::boot_tree::{BootTree, Loaders};
use crate::config::Config;
use crate::counts::Door;
use crate::doors::apart::Apart;
use crate::doors::board;
use crate::doors::counted::counted;
use crate::doors::operator::page::Page;
use crate::doors::operator::token::TokenError;
use crate::doors::routes::Listed;
use crate::doors::terms::{Terms, TermsError};
use crate::engine::{self, Engine};
use crate::library::Library;
use crate::library::imports::Importer;
use crate::library::uploads::Uploads;
use crate::link::Station;
use crate::net::port::PortError;
use crate::net::{Netlink, NetlinkError};
use crate::rehearsal::Rehearsals;
use crate::rights::Rights;
use crate::rights::search::Search;
use crate::self_test::visits::Visits;
use crate::supervise::launch::Launcher;
use crate::supervise::{Side, Told};
use crate::traffic::Traffic;
use imaging::key::KeyError;
use netboot::packets::Packets;
use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::health::{ServerKind, ServerState, ServerStatus};

/// Longest wait for the servers of a rehearsal to serve.
const REHEARSAL_READY: Duration = Duration::from_secs(15);
/// Events of one server that may wait for the engine.
const EVENTS: usize = 4096;

/// What the station is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real boards on a NIC.
    Serve,
    /// Virtual boards on the loopback: no device, no rights, answers go back where they came from.
    Rehearsal,
}

/// Why a station did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("the data folder {folder} cannot be used: {why}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The engine did not open.
    #[error(transparent)]
    Engine(#[from] engine::OpenError),
    /// The settings that the station keeps cannot be read.
    #[error("the settings cannot be read: {0}")]
    Settings(wire::Refusal),
    /// There is no station key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no token for scripts.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A setting does not fit this machine.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// There is no certificate that does.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The kernel says nothing about network cards.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// The operator's address is taken.
    #[error("the door for operators cannot open: {0}")]
    Port(#[from] PortError),
    /// The operator's address cannot be listened on.
    #[error("the door for operators cannot open on {at}: {why}")]
    Operator {
        /// Where.
        at: String,
        /// Why.
        why: io::Error,
    },
    /// A rehearsal's servers do not serve.
    #[error("the rehearsal's servers do not serve: {0}")]
    NotServing(String),
}

/// Where a running station can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// DHCP, while it serves.
    pub dhcp: Option<SocketAddrV4>,
    /// TFTP, while it serves.
    pub tftp: Option<SocketAddrV4>,
    /// The door for boards, while it serves.
    pub http: Option<SocketAddrV4>,
    /// The operator's HTTP door.
    pub operator: SocketAddr,
    /// The fingerprint of its certificate, when it is encrypted.
    pub fingerprint: Option<String>,
    /// The operator's Unix socket.
    pub socket: PathBuf,
}

/// The servers as they are now, with where they can be reached.
type Servers = Vec<(ServerStatus, Option<SocketAddrV4>)>;

/// A station that runs until it is stopped.
#[derive(Debug)]
pub struct RunningStation {
    engine: Engine,
    servers: watch::Receiver<Servers>,
    operator: SocketAddr,
    terms: watch::Receiver<Terms>,
    socket: PathBuf,
    stop: CancellationToken,
    /// Cancelled when a part ended although nobody stopped it.
    broken: CancellationToken,
    /// The deployment side, the doors and the carriers, which end only when told to.
    parts: Vec<JoinHandle<()>>,
    importer: Importer,
    routes: Served,
}

/// What the two doors serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// To operators.
    pub operators: Vec<Listed>,
    /// To boards.
    pub boards: Vec<Listed>,
}

/// What whoever runs a station gives it beyond its configuration.
#[derive(Default)]
pub struct Extras {
    /// The page that a browser gets on the operator's address.
    pub page: Page,
    /// Somebody who can rehearse beside the station; without, it refuses to.
    pub rehearsals: Option<Arc<dyn Rehearsals>>,
    /// Reads the configuration again; without, the station refuses to.
    pub reload: Option<Arc<dyn Reload>>,
}

/// Starts a station. Must be called within a tokio runtime; returns once the doors are open. The
/// servers of the deployment side follow as soon as the NIC allows; in a rehearsal they serve when
/// this returns.
pub async fn run(config: Config, mode: Mode) -> Result<RunningStation, StartError> {
    run_with(config, mode, Extras::default()).await
}

/// The same, with extras.
#[expect(
    clippy::too_many_lines,
    reason = "one line for each part, in the order in which they need each other"
)]
pub async fn run_with(
    config: Config,
    mode: Mode,
    Extras {
        page,
        rehearsals,
        reload,
    }: Extras,
) -> Result<RunningStation, StartError> {
    let rehearsal = mode == Mode::Rehearsal;
    make_private(&config.data_dir)?;
    let engine = open_engine(&config, rehearsal)?;
    let (plan, planned) = watch::channel(config.backup_plan());
    let (alerts, alerted) = watch::channel(config.alerts.clone());
    let (orders, ordered) = mpsc::channel(64);
    let library = open_library(&config)?;
    let key = Arc::new(imaging::key::load_or_create(
        &config.data_dir.join("station.key"),
    )?);
    let public_key = key.verifying_key().to_bytes();
    let (doors, tell_terms) = management::Listening::open(&config)?;
    let (operator_at, terms) = (doors.at, doors.terms());
    let (show, servers) = watch::channel(Servers::new());
    let traffic = Traffic::default();
    let visits = Visits::default();
    let packets = Packets::new(netboot::packets::USUAL);
    let shelf = Shelf::new(library.clone(), config.agent.clone(), public_key, rehearsal);
    let world = world::World {
        config: config.clone(),
        servers: servers.clone(),
        traffic: traffic.clone(),
        library: library.clone(),
        shelf: shelf.clone(),
        public_key,
        rehearsal,
        visits: visits.clone(),
        packets: packets.clone(),
        operator: operator_at,
        has_page: page.has("/index.html"),
        terms: terms.clone(),
        begun: Instant::now(),
        archives: open_archives(&config)?,
        live: live::Live::new(&config, reload, (plan, alerts, tell_terms), orders.clone()),
    };
    let config = world.show(&engine, config).await?;
    let (standing, chosen) = watch::channel(config.deployment.clone());
    let netlink = (!rehearsal).then(Netlink::open).transpose()?;

    let loaders = Loaders::read(&config.uefi);
    let tree =
        Arc::new(BootTree::new(engine.clone(), shelf.clone(), loaders).open_to(visits.clone()));
    let uploads = open_uploads(&config)?;
    let importer = Importer::new(engine.clone(), library.clone(), key).clearing(uploads.clone());
    let boards = board::routes(board::Rooms {
        engine: engine.clone(),
        library: library.clone(),
        traffic: traffic.clone(),
        device_api: config.boards.device_api,
        visits: visits.clone(),
    });
    let board_routes = boards.list().to_vec();
    let boards = counted(boards.into_router(), Door::Boards, traffic.counts().clone());

    let stop = CancellationToken::new();
    let (dhcp_events, dhcp_heard) = mpsc::channel(EVENTS);
    let (tftp_events, tftp_heard) = mpsc::channel(EVENTS);
    let events = (dhcp_events, tftp_events);
    let rights = Rights::watched(Search::of_process(), packets.clone());
    let launcher = Launcher::new(
        &config,
        rights.clone(),
        rehearsal,
        engine.clone(),
        tree,
        boards,
        events,
    )
    .watched(visits, packets);
    let teller = engine.clone();
    let side = Side::new(&config, launcher, rights, netlink, move |told| {
        tell(&teller, &show, told);
    });
    let side = tokio::spawn(side.run(ordered, stop.clone()));
    let alerting = tokio::spawn(alerts::run(&engine, alerted, stop.clone()));

    let conductor = rehearsals.map(|rehearsals| conduct::begin(&engine, rehearsals, &stop));
    let (rehearsals, conducting) = conductor.unzip();
    let (backups, keeping) = backups::begin(&engine, &library, &config, planned, &stop).await;
    let checking = packs::begin(&engine, &library, &stop);
    let carrier = carry::Carrier {
        engine: engine.clone(),
        library,
        shelf,
        importer: importer.clone(),
        orders,
        standing,
        traffic: traffic.clone(),
        rehearsals,
        backups,
        stop: stop.clone(),
    };
    let (operator_routes, serving) =
        doors.serve(&engine, page, uploads, &traffic, Apart::new(chosen), &stop);
    let carrying = carrier.begin(dhcp_heard, tftp_heard);
    let broken = CancellationToken::new();
    let parts = [side].into_iter().chain(serving).chain(carrying);
    let parts = parts.chain([alerting, keeping, checking]).chain(conducting);
    let parts = parts
        .map(|part| tokio::spawn(look_after(part, stop.clone(), broken.clone())))
        .collect();
    let station = RunningStation {
        engine,
        servers,
        operator: operator_at,
        terms,
        socket: config.socket(),
        stop,
        broken,
        parts,
        importer,
        routes: Served {
            operators: operator_routes,
            boards: board_routes,
        },
    };
    if rehearsal && let Err(why) = station.all_serving().await {
        station.stop().await;
        return Err(StartError::NotServing(why));
    }
    Ok(station)
}

impl RunningStation {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A handle as everybody outside holds it.
    pub fn station(&self) -> Station {
        Station::Here(self.engine.clone())
    }

    /// Every route of the two doors, with what it needs; the page's files aside.
    pub fn served(&self) -> &Served {
        &self.routes
    }

    /// Where the station can be reached now.
    pub fn addresses(&self) -> Addresses {
        let servers = self.servers.borrow();
        let at = |kind| {
            let mut of_kind = servers.iter().filter(|(s, _)| s.server == kind);
            of_kind.find_map(|(_, at)| *at)
        };
        Addresses {
            dhcp: at(ServerKind::Dhcp),
            tftp: at(ServerKind::Tftp),
            http: at(ServerKind::Http),
            operator: self.operator,
            fingerprint: self.terms.borrow().fingerprint(),
            socket: self.socket.clone(),
        }
    }

    /// The servers as they are now.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.servers
            .borrow()
            .iter()
            .map(|(s, _)| s.clone())
            .collect()
    }

    /// Waits until every server is in a definite state: serving, waiting for its link, refused or
    /// stopped.
    pub async fn settled(&self) {
        let mut servers = self.servers.clone();
        let settled = |servers: &Servers| {
            let definite = |state: &ServerState| {
                !matches!(
                    state,
                    ServerState::Probing | ServerState::Restarting { .. } | ServerState::Unknown
                )
            };
            servers.len() == ServerKind::ALL.len()
                && servers.iter().all(|(s, _)| definite(&s.state))
        };
        // The channel closes only when the side is gone, and then nothing changes any more.
        let _ = servers.wait_for(settled).await;
    }

    /// Cancelled when a part of the station is gone although nobody stopped it. The servers and the doors
    /// are opened again by themselves, so this is a fault that only another start mends.
    pub fn broken(&self) -> CancellationToken {
        self.broken.clone()
    }

    /// Stops taking boards, lets running answers end, closes the store.
    pub async fn stop(self) {
        self.importer.cancel_all();
        self.stop.cancel();
        for part in self.parts {
            // Nothing breaks down in looking after something.
            let _ = part.await;
        }
        while self.importer.busy() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.engine.close().await;
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }

    async fn all_serving(&self) -> Result<(), String> {
        let mut servers = self.servers.clone();
        let serving = |servers: &Servers| {
            servers.len() == ServerKind::ALL.len() && servers.iter().all(|(_, at)| at.is_some())
        };
        let wait = servers.wait_for(serving);
        if let Ok(Ok(_)) = tokio::time::timeout(REHEARSAL_READY, wait).await {
            return Ok(());
        }
        let states = self.servers();
        let words: Vec<String> = states
            .iter()
            .map(|s| match &s.state {
                ServerState::Refused { why } | ServerState::Restarting { why, .. } => {
                    format!("{}: {why}", s.server.as_str())
                }
                state => format!("{}: {state:?}", s.server.as_str()),
            })
            .collect();
        Err(words.join("; "))
    }
}

/// Tells when a part ends before the station is stopped.
async fn look_after(part: JoinHandle<()>, stop: CancellationToken, broken: CancellationToken) {
    let ended = part.await;
    if let Err(gone) = &ended {
        tracing::error!(%gone, "a part of the station broke down");
    }
    if ended.is_err() || !stop.is_cancelled() {
        broken.cancel();
    }
}

/// Carries what the deployment side tells to the engine and to whoever waits for addresses.
fn tell(engine: &Engine, servers: &watch::Sender<Servers>, told: Told) {
    match told {
        Told::Findings(findings) => engine.findings_changed(findings),
        Told::Server(status, at) => {
            // The engine first: whoever has waited for a server finds it in a snapshot.
            engine.server_changed(status.clone());
            servers.send_modify(|list| {
                match list.iter_mut().find(|(s, _)| s.server == status.server) {
                    Some(place) => *place = (status, at),
                    None => list.push((status, at)),
                }
            });
        }
    }
}

/// The data folder holds keys and tokens: it is its owner's alone.
fn make_private(folder: &Path) -> Result<(), StartError> {
    let make = || {
        fs::create_dir_all(folder)?;
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & 0o007 != 0 {
            fs::set_permissions(folder, Permissions::from_mode(mode & 0o770))?;
        }
        Ok(())
    };
    make().map_err(|why| StartError::Folder {
        folder: folder.to_owned(),
        why,
    })
}

fn open_engine(config: &Config, rehearsal: bool) -> Result<Engine, engine::OpenError> {
    let engine = Engine::open(engine::Options {
        data_dir: config.data_dir.clone(),
        rehearsal,
    });
    let engine = engine.map_err(|e| remedied(e, &config.data_dir, &config.backup_plan().dir))?;
    engine.set_require_token(config.boards.require_token);
    Ok(engine)
}

fn open_library(config: &Config) -> Result<Library, StartError> {
    let folder = config.packs_dir();
    Library::open(&folder).map_err(|why| StartError::Folder { folder, why })
}

fn open_archives(config: &Config) -> Result<Archives, StartError> {
    let folder = config.data_dir.clone();
    Archives::open(folder.clone()).map_err(|why| StartError::Folder { folder, why })
}

fn open_uploads(config: &Config) -> Result<Uploads, StartError> {
    let folder = config.uploads_dir();
    Uploads::open(folder.clone()).map_err(|why| StartError::Folder { folder, why })
}
