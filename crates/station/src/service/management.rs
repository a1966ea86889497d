//! The management side of a station: its two listeners, what guards them and what keeps them open.

use super::StartError;
use super::misfit::Misfit;
use crate::config::Config;
use crate::counts::Door;
use crate::doors::apart::Apart;
use crate::doors::counted::counted;
use crate::doors::listen::{self, Dead, Private};
use crate::doors::operator::guard::{Guard, Limits, guarded};
use crate::doors::operator::page::Page;
use crate::doors::operator::peers::{Peers, known};
use crate::doors::operator::token::Tokens;
use crate::doors::operator::{self, archive, login, upload};
use crate::doors::routes::{Listed, Routes};
use crate::doors::terms::Terms;
use crate::engine::Engine;
use crate::library::uploads::Uploads;
use crate::supervise::backoff::Backoff;
use crate::supervise::launch::{BACKLOG, listen_tcp};
use crate::traffic::Traffic;
use socket2::{Domain, Protocol, Socket, Type};
use std::fs::{self, Permissions};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The listeners, open and not yet served.
pub(super) struct Listening {
    tcp: TcpListener,
    unix: UnixListener,
    peers: Peers,
    terms: watch::Receiver<Terms>,
    tokens: Tokens,
    config: Config,
    /// Where the first listens.
    pub(super) at: SocketAddr,
}

impl Listening {
    /// Opens them; the second is where other terms are told.
    pub(super) fn open(config: &Config) -> Result<(Self, watch::Sender<Terms>), StartError> {
        let management = &config.management;
        let tokens = Tokens::load_or_create(&config.data_dir)?;
        let (tcp, at) = open_tcp(management.listen)?;
        let terms = Terms::of(management, &config.data_dir);
        let terms = terms.map_err(|why| StartError::of_terms(management, why))?;
        let (unix, peers) = open_socket(config)?;
        match terms.fingerprint() {
            Some(fingerprint) => {
                tracing::info!(%at, %fingerprint, "the door for operators speaks HTTPS");
            }
            None if !at.ip().is_loopback() => tracing::warn!(
                %at,
                "the door for operators is open to other machines and not encrypted: passwords and \
                 the token can be read on the way"
            ),
            None => {}
        }
        let (tell, terms) = watch::channel(terms);
        let listening = Self {
            tcp,
            unix,
            peers,
            terms,
            tokens,
            config: config.clone(),
            at,
        };
        Ok((listening, tell))
    }

    /// The terms that hold.
    pub(super) fn terms(&self) -> watch::Receiver<Terms> {
        self.terms.clone()
    }

    /// Serves them until `stop`, and the first not to whom `apart` keeps away.
    pub(super) fn serve(
        self,
        engine: &Engine,
        page: Page,
        uploads: Uploads,
        traffic: &Traffic,
        apart: Apart,
        stop: &CancellationToken,
    ) -> (Vec<Listed>, [JoinHandle<()>; 2]) {
        let guard = Guard {
            engine: engine.clone(),
            tokens: self.tokens,
            loopback: self.at.ip().is_loopback(),
            port: self.at.port(),
            terms: self.terms.clone(),
            limits: Arc::new(Limits::default()),
        };
        let routes = routes(engine, page, uploads, guard.clone());
        let list = routes.list().to_vec();
        let routes = counted(
            routes.into_router(),
            Door::Operators,
            traffic.counts().clone(),
        );
        let outer = guarded(routes.clone(), guard);
        let inner = known(routes, self.peers);
        let (at, config) = (self.at, self.config);
        let tcp = keep_open(
            "the door for operators",
            self.tcp,
            move || Ok(open_tcp(at)?.0),
            {
                let terms = self.terms;
                let (private, stop) = (Private { terms, apart }, stop.clone());
                move |listener| {
                    listen::tcp(listener, outer.clone(), Some(private.clone()), stop.clone())
                }
            },
            stop.clone(),
        );
        let unix = keep_open(
            "the socket of the door for operators",
            self.unix,
            move || Ok(open_socket(&config)?.0),
            {
                let stop = stop.clone();
                move |listener| listen::unix(listener, inner.clone(), stop.clone())
            },
            stop.clone(),
        );
        (list, [tokio::spawn(tcp), tokio::spawn(unix)])
    }
}

/// Serves on a listener until told to stop. When that ends by itself, as it does when the kernel takes
/// the socket away, another is opened, with growing pauses.
async fn keep_open<L, S>(
    door: &'static str,
    mut listener: L,
    open: impl Fn() -> Result<L, StartError>,
    serve: impl Fn(L) -> S,
    stop: CancellationToken,
) where
    S: Future<Output = Result<(), Dead>> + Send + 'static,
{
    let mut backoff = Backoff::default();
    loop {
        backoff.serving(Instant::now());
        // A task of its own, so that a panic is as good as any other end.
        let mut why = match tokio::spawn(serve(listener)).await {
            Ok(Ok(())) => return,
            Ok(Err(dead)) => dead.to_string(),
            Err(gone) => gone.to_string(),
        };
        listener = loop {
            tracing::error!("{door} ended ({why}) and is opened again");
            let pause = backoff.failed(Instant::now()).1;
            let paused = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            if paused.is_none() {
                return;
            }
            match open() {
                Ok(listener) => break listener,
                Err(error) => why = error.to_string(),
            }
        };
    }
}

fn routes(engine: &Engine, page: Page, uploads: Uploads, guard: Guard) -> Routes {
    operator::routes(engine.clone(), page)
        .merge(login::routes(guard))
        .merge(upload::routes(engine.clone(), uploads))
        .merge(archive::routes(engine.clone()))
}

/// Listens there, also where the network that has this address comes up after the station: the kernel is
/// asked not to mind (IP_FREEBIND, ip(7)).
fn open_tcp(at: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = match at {
        SocketAddr::V4(v4) => listen_tcp(None, v4)?,
        SocketAddr::V6(_) => listen_v6(at).map_err(|why| StartError::Operator {
            at: at.to_string(),
            why,
        })?,
    };
    let here = UdpSocket::bind((at.ip(), 0)).err().map(|why| why.kind());
    if here == Some(io::ErrorKind::AddrNotAvailable) {
        tracing::warn!(
            "no network card of this machine has the address {} yet; the door for operators opens with it",
            at.ip()
        );
    }
    let real = listener.local_addr().unwrap_or(at);
    Ok((listener, real))
}

fn listen_v6(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_freebind_v6(true)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The socket, and who may speak through it: its mode says the same to the kernel.
fn open_socket(config: &Config) -> Result<(UnixListener, Peers), StartError> {
    let path = config.socket();
    let failed = |why| StartError::Operator {
        at: path.display().to_string(),
        why,
    };
    let peers = Peers::of_process(config.management.group.as_deref()).map_err(Misfit::of_group)?;
    let open = || {
        let listener = config.open_socket()?;
        if let Some(group) = peers.group() {
            // A service may change no owner, and has nothing to change: its folder is its group's.
            if fs::metadata(&path)?.gid() != group.as_raw() {
                nix::unistd::chown(&path, None, Some(group)).map_err(io::Error::from)?;
            }
            fs::set_permissions(&path, Permissions::from_mode(0o660))?;
        }
        UnixListener::from_std(listener)
    };
    let listener = open().map_err(failed)?;
    Ok((listener, peers))
}
