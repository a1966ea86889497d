//! Accepts connections and runs a router on each: the one loop under both doors.
//!
//! A board that was unplugged must not hold a connection for ever, and one address must not hold all
//! of them: headers have to arrive in time, dead peers are found by TCP itself, connections are
//! counted per address. A failing `accept` (no file descriptor left) is waited out, never the end of
//! the server.

use super::tls::{Opened, Tls};
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Time for the head of a request to arrive, also while a kept-alive connection is idle.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// Unacknowledged data this old means that the peer is gone (TCP_USER_TIMEOUT, tcp(7)).
const DEAD_PEER: Duration = Duration::from_secs(30);
/// Time for running answers to end after a stop. Downloads resume by range, so it is short.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Connections at once, in all.
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

/// Serves `router` on a TCP listener until `stop`, then lets running answers end.
pub async fn tcp(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve(listener, router, None, stop).await;
}

/// The same behind TLS. A browser that comes without is sent to the address with.
pub async fn tls(listener: TcpListener, router: Router, tls: Tls, stop: CancellationToken) {
    serve(listener, router, Some(tls), stop).await;
}

async fn serve(listener: TcpListener, router: Router, tls: Option<Tls>, stop: CancellationToken) {
    let crowd = Crowd::default();
    let mut running = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = running.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok(pair) => pair,
                Err(error) => {
                    wait_out(&error).await;
                    continue;
                }
            },
        };
        let Some(place) = crowd.enter(peer.ip()).filter(|_| running.len() < MOST) else {
            tracing::warn!(%peer, "too many connections; one more was turned away");
            continue;
        };
        if let Err(error) = tune(&stream) {
            tracing::debug!(%peer, %error, "socket options");
        }
        let ends = Ends {
            peer: Some(peer),
            own: stream.local_addr().ok(),
            user: None,
        };
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        running.spawn(async move {
            match tls {
                None => converse(stream, ends, router, stop).await,
                Some(tls) => match tls.open(stream, &stop).await {
                    Some(Opened::Secret(stream)) => converse(*stream, ends, router, stop).await,
                    Some(Opened::Plain(stream)) => {
                        converse(stream, ends, tls.sends_on(), stop).await
                    }
                    None => {}
                },
            }
            drop(place);
        });
    }
    drop(listener);
    finish(running).await;
}

/// Serves `router` on a Unix socket until `stop`, then lets running answers end.
pub async fn unix(listener: UnixListener, router: Router, stop: CancellationToken) {
    let mut running = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = running.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    wait_out(&error).await;
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
        running.spawn(converse(stream, ends, router.clone(), stop.clone()));
    }
    drop(listener);
    finish(running).await;
}

async fn wait_out(error: &io::Error) {
    tracing::warn!(%error, "accepting a connection failed");
    tokio::time::sleep(Duration::from_millis(100)).await;
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

async fn converse<S>(stream: S, ends: Ends, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ends);
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

/// Counts connections per address.
#[derive(Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One counted connection; leaving is dropping it.
struct PlaceInCrowd {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    fn enter(&self, address: IpAddr) -> Option<PlaceInCrowd> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MOST_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(PlaceInCrowd {
            crowd: self.clone(),
            address,
        })
    }
}

impl Drop for PlaceInCrowd {
    fn drop(&mut self) {
        let mut counts = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
