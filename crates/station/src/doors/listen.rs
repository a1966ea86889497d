//! Accepts connections and runs a router on each: the one loop under both doors.
//!
//! A board that was unplugged must not hold a connection for ever, and nobody must hold all of them:
//! headers have to arrive in time, dead peers are found by TCP itself, and connections are counted
//! per address. When there is no place left, the address that has the most gives up its oldest, so
//! whoever has few is always let in. A failing `accept` (no file descriptor left) is waited out; only
//! a socket that takes no connection ever again ends the server, for whoever runs it to open another.

use super::apart::Apart;
use super::limits::asker;
use super::sendfile::{Files, Line};
use super::terms::Terms;
use super::tls::{Opened, Tls};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::errno::Errno;
use socket2::{SockRef, TcpKeepalive};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Time for the head of a request to arrive, also while a kept-alive connection is idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Unacknowledged data this old means that the peer is gone (TCP_USER_TIMEOUT, tcp(7)).
const DEAD_PEER: Duration = Duration::from_secs(30);
/// Pause between two lines about connections that were turned away.
const SELDOM: Duration = Duration::from_secs(10);
/// Time for running answers to end after a stop. Downloads resume by range, so it is short.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Connections at once, in all, when as many files may be open.
const MOST: usize = 2048;
/// Connections at once from one address.
const MOST_PER_ADDRESS: usize = 128;

/// The two ends of the connection that a request came on; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The peer; absent on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The address it reached us on; absent on a Unix socket.
    pub own: Option<SocketAddr>,
    /// Whose process it is; on a Unix socket alone.
    pub user: Option<Peer>,
}

/// The user at the other end of a Unix socket, as the kernel says (SO_PEERCRED, unix(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// A listening socket that takes no connections any more. What was open on it is closed.
#[derive(Debug, thiserror::Error)]
#[error("its socket takes no connections any more ({0})")]
pub struct Dead(io::Error);

/// What a listener for operators goes by.
#[derive(Debug, Clone)]
pub struct Private {
    /// What may change about the door.
    pub terms: watch::Receiver<Terms>,
    /// Who is not let in.
    pub apart: Apart,
}

/// Says something at most every [`SELDOM`]: a flood fills no log.
#[derive(Debug, Default)]
struct Told(Option<Instant>);

impl Told {
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= SELDOM);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// Serves `router` on a TCP listener until `stop`, then lets running answers end. A door that is
/// private closes to whoever hangs where boards hang. Where its terms say so, it is served behind TLS,
/// and a browser that comes without is sent to the address with.
pub async fn tcp(
    listener: TcpListener,
    router: Router,
    private: Option<Private>,
    stop: CancellationToken,
) -> Result<(), Dead> {
    let crowd = Crowd::new(most());
    let mut running = JoinSet::new();
    let (mut crowded, mut barred) = (Told::default(), Told::default());
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = running.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(pair) => pair,
                Err(error) => {
                    wait_out(error).await?;
                    continue;
                }
            },
        };
        let ends = Ends {
            peer: Some(peer),
            own: stream.local_addr().ok(),
            user: None,
        };
        let (tls, apart) = private
            .as_ref()
            .map(|Private { terms, apart }| (terms.borrow().tls.clone(), apart.clone()))
            .unzip();
        if apart.as_ref().is_some_and(|apart| apart.bars(ends)) {
            if barred.is_due() {
                tracing::warn!(
                    %peer,
                    "the door for operators is not for the network of the boards; somebody there was \
                     turned away"
                );
            }
            continue;
        }
        let Some(place) = crowd.enter(peer.ip()) else {
            if crowded.is_due() {
                tracing::warn!(%peer, "too many connections; some were turned away");
            }
            continue;
        };
        if let Err(error) = tune(&stream) {
            tracing::debug!(%peer, %error, "socket options");
        }
        let (router, stop) = (router.clone(), stop.clone());
        running.spawn(async move {
            tokio::select! {
                () = open(stream, ends, router, tls.flatten(), stop) => {}
                () = place.lost.cancelled() => {
                    tracing::debug!(%peer, "a connection made way for another address");
                }
                () = reached(apart, ends) => {
                    tracing::debug!(%peer, "boards are served there now; a connection was closed");
                }
            }
        });
    }
    drop(listener);
    finish(running).await;
    Ok(())
}

async fn reached(apart: Option<Apart>, ends: Ends) {
    match apart {
        Some(apart) => apart.reaches(ends).await,
        None => std::future::pending().await,
    }
}

/// Serves `router` on a Unix socket until `stop`, then lets running answers end.
pub async fn unix(
    listener: UnixListener,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Dead> {
    let mut running = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = running.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    wait_out(error).await?;
                    continue;
                }
            },
        };
        if running.len() >= MOST {
            continue;
        }
        let user = stream.peer_cred().ok().map(|user| Peer {
            uid: user.uid(),
            gid: user.gid(),
        });
        let ends = Ends {
            peer: None,
            own: None,
            user,
        };
        running.spawn(converse(stream, ends, None, router.clone(), stop.clone()));
    }
    drop(listener);
    finish(running).await;
    Ok(())
}

/// Waits until accepting may work again. It never will where the kernel says that this socket does not
/// listen (accept(2)).
async fn wait_out(error: io::Error) -> Result<(), Dead> {
    let code = error.raw_os_error().map(Errno::from_raw);
    if let Some(Errno::EINVAL | Errno::EBADF | Errno::ENOTSOCK) = code {
        return Err(Dead(error));
    }
    tracing::warn!(%error, "accepting a connection failed");
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

async fn finish(mut running: JoinSet<()>) {
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
        running.shutdown().await;
    }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5))
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(DEAD_PEER))
}

/// Finds out how the peer speaks, and speaks with it. Files go out past this program where nothing
/// encrypts them.
async fn open(
    stream: TcpStream,
    ends: Ends,
    router: Router,
    tls: Option<Tls>,
    stop: CancellationToken,
) {
    let Some(tls) = tls else {
        let line = Line::new(stream);
        let files = Some(line.files());
        return converse(line, ends, files, router, stop).await;
    };
    match tls.open(stream, &stop).await {
        Some(Opened::Secret(stream)) => converse(*stream, ends, None, router, stop).await,
        Some(Opened::Plain(stream)) => converse(stream, ends, None, tls.sends_on(), stop).await,
        None => {}
    }
}

async fn converse<S>(
    stream: S,
    ends: Ends,
    files: Option<Files>,
    router: Router,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ends);
        if let Some(files) = &files {
            request.extensions_mut().insert(files.clone());
        }
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(64)
        // `nc` in installer scripts closes its sending side once the request is out.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = ?ends.peer, %error, "a connection ended early");
    }
}

/// How many connections may be open at once: a quarter of the files that this process may open. There
/// are two doors, and other work.
fn most() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let quarter = files.map_or(MOST, |files| usize::try_from(files / 4).unwrap_or(MOST));
    quarter.clamp(64, MOST)
}

/// The open connections, by address.
#[derive(Clone)]
struct Crowd {
    most: usize,
    there: Arc<Mutex<There>>,
}

#[derive(Default)]
struct There {
    /// Each with its number, the oldest first; all of one network of IPv6 under one address.
    of: HashMap<IpAddr, VecDeque<(u64, CancellationToken)>>,
    all: usize,
    next: u64,
}

/// One connection; leaving is dropping it.
struct PlaceInCrowd {
    crowd: Crowd,
    address: IpAddr,
    number: u64,
    /// Cancelled when it has to make way.
    lost: CancellationToken,
}

impl Crowd {
    fn new(most: usize) -> Self {
        Self {
            most,
            there: Arc::default(),
        }
    }

    fn enter(&self, address: IpAddr) -> Option<PlaceInCrowd> {
        let address = asker(address);
        let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let own = there.of.get(&address).map_or(0, VecDeque::len);
        if own >= MOST_PER_ADDRESS || (there.all >= self.most && !there.make_way(own)) {
            return None;
        }
        let number = there.next;
        there.next += 1;
        there.all += 1;
        let lost = CancellationToken::new();
        let place = (number, lost.clone());
        there.of.entry(address).or_default().push_back(place);
        drop(there);
        Some(PlaceInCrowd {
            crowd: self.clone(),
            address,
            number,
            lost,
        })
    }
}

impl There {
    /// Takes a place from the address that has the most, when somebody with `own` places has fewer
    /// even with one more.
    fn make_way(&mut self, own: usize) -> bool {
        let Some((address, places)) = self.of.iter().max_by_key(|(_, places)| places.len()) else {
            return false;
        };
        if places.len() <= own + 1 {
            return false;
        }
        let address = *address;
        let oldest = places.front().map(|(number, _)| *number);
        oldest.is_some_and(|number| self.leave(address, number))
    }

    fn leave(&mut self, address: IpAddr, number: u64) -> bool {
        let Some(places) = self.of.get_mut(&address) else {
            return false;
        };
        let Some(at) = places.iter().position(|(n, _)| *n == number) else {
            return false;
        };
        if let Some((_, lost)) = places.remove(at) {
            lost.cancel();
            self.all -= 1;
        }
        if places.is_empty() {
            self.of.remove(&address);
        }
        true
    }
}

impl Drop for PlaceInCrowd {
    fn drop(&mut self) {
        let mut there = self
            .crowd
            .there
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        there.leave(self.address, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::apart::tests::deployment;
    use super::*;
    use crate::config::{Config, Environment};
    use std::path::Path;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    fn address(n: u8) -> IpAddr {
        IpAddr::from([127, 64, 0, n])
    }

    #[test]
    fn whoever_has_few_connections_is_let_in() {
        let crowd = Crowd::new(6);
        let flood: Vec<_> = (0..6).map(|_| crowd.enter(address(1)).unwrap()).collect();
        assert!(crowd.enter(address(1)).is_none(), "it has all of them");
        let board = crowd.enter(address(2)).unwrap();
        let lost: Vec<bool> = flood.iter().map(|p| p.lost.is_cancelled()).collect();
        assert_eq!(lost, [true, false, false, false, false, false]);
        let more: Vec<_> = (0..2).map(|_| crowd.enter(address(2)).unwrap()).collect();
        assert!(
            crowd.enter(address(2)).is_none(),
            "three each is a fair share"
        );
        drop((flood, more));
        assert!(!board.lost.is_cancelled());
        assert_eq!(crowd.there.lock().unwrap().all, 1);
        drop(board);
        assert!(crowd.there.lock().unwrap().of.is_empty());
    }

    #[test]
    fn a_machine_with_many_addresses_of_ipv6_has_no_more_places() {
        let crowd = Crowd::new(1000);
        let of = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        let all: Vec<_> = (0..200).filter_map(|n| crowd.enter(of(n))).collect();
        assert_eq!(all.len(), MOST_PER_ADDRESS);
        let other = IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
        assert!(crowd.enter(other).is_some());
        drop(all);
        assert!(crowd.there.lock().unwrap().of.is_empty());
    }

    /// A door for operators on the loopback, open until the result is dropped.
    async fn private_door(apart: Apart) -> (SocketAddr, tokio_util::sync::DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let management = Config::defaults(&Environment::default()).management;
        let terms = Terms::of(&management, Path::new("/nowhere")).unwrap();
        let private = Private {
            terms: watch::channel(terms).1,
            apart,
        };
        let router = Router::new().fallback(|| async { "served" });
        let stop = CancellationToken::new();
        tokio::spawn(tcp(listener, router, Some(private), stop.clone()));
        (at, stop.drop_guard())
    }

    /// What the door says to a machine with this address; nothing where it hangs up.
    async fn asked(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 1024];
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        if stream.write_all(request).await.is_err() {
            return String::new();
        }
        let n = stream.read(&mut buffer).await.unwrap_or(0);
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    }

    async fn call(from: &str, at: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(at).await.unwrap()
    }

    #[tokio::test]
    async fn the_door_for_operators_is_closed_where_boards_hang_wherever_that_is_now() {
        let (choose, chosen) = watch::channel(deployment(Some("no-card"), "127.77.0.1/24"));
        let (at, _open) = private_door(Apart::new(chosen)).await;
        let board = asked(&mut call("127.77.0.5", at).await).await;
        assert_eq!(board, "", "not a byte");
        let mut operator = call("127.78.0.5", at).await;
        assert!(asked(&mut operator).await.starts_with("HTTP/1.1 200"));

        choose.send_replace(deployment(Some("no-card"), "127.78.0.1/24"));
        let mut rest = Vec::new();
        let ended = operator.read_to_end(&mut rest).await;
        assert!(!matches!(ended, Ok(1..)), "what was open is closed");
        assert_eq!(asked(&mut call("127.78.0.5", at).await).await, "");
        let mut board = call("127.77.0.5", at).await;
        assert!(asked(&mut board).await.starts_with("HTTP/1.1 200"));

        // A rehearsal stands on the loopback, and so does everybody.
        choose.send_replace(deployment(None, "127.0.0.1/8"));
        let mut here = call("127.0.0.1", at).await;
        assert!(asked(&mut here).await.starts_with("HTTP/1.1 200"));
    }

    #[test]
    fn one_address_has_so_many_and_no_more() {
        let crowd = Crowd::new(1000);
        let all: Vec<_> = (0..200).filter_map(|_| crowd.enter(address(1))).collect();
        assert_eq!(all.len(), MOST_PER_ADDRESS);
        assert!(crowd.enter(address(2)).is_some());
    }
}
