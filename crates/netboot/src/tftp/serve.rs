//! The server as a whole: a thread of its own with the requests, the transfers and the block
//! producer on it, and the way in and out.
//!
//! One thread serves all boards, so that no block is ever handed from one thread to another: a
//! board waits for every single answer, and a hand-over on a busy machine costs more than all the
//! work. It also keeps the boards apart from whatever else the caller's runtime is busy with.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::front::Front;
use super::live::Live;
use super::telling::{self, Telling};
use super::upstream;
use super::{Files, Settings, TftpEvent};
use crate::packets::Packets;

/// How long the listener may take for the last events when the server stops.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Why serving ended. Every cause is mended by starting anew, if it can be mended at all.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket is bound to no address of its own, so that answers could leave from another one.
    #[error(
        "the TFTP socket is bound to {0}, which is no single address: bind it to the address of \
         the deployment interface"
    )]
    NoAddress(SocketAddr),
    /// A transfer's socket cannot be bound to the interface.
    #[error(
        "cannot open TFTP transfer sockets on {device}: {source}; check that the interface is there"
    )]
    Device {
        /// The interface or address asked for.
        device: String,
        /// What the system said.
        source: io::Error,
    },
    /// The port-69 socket failed.
    #[error("the TFTP socket on {address} failed: {source}")]
    Socket {
        /// The socket's address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The block producer cannot be started or died.
    #[error("the TFTP block producer failed: {0}; check that the loopback interface is up")]
    Upstream(io::Error),
    /// The server's own thread could not be started, or it panicked.
    #[error("the TFTP server's thread failed: {0}")]
    Thread(io::Error),
}

/// Serves files over TFTP until `stop` is done.
///
/// `socket` is bound to the NIC's own address; transfers get sockets with that address and a port
/// chosen by the system, bound to `device` if one is given. On `stop` every running transfer is
/// ended with an ERROR so that its board need not wait. The open file limit of the process must
/// leave room for three sockets per transfer.
pub async fn serve(
    socket: UdpSocket,
    device: Option<String>,
    files: Arc<dyn Files>,
    settings: Settings,
    events: mpsc::Sender<TftpEvent>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    serve_watched(
        socket,
        device,
        files,
        settings,
        events,
        Packets::default(),
        stop,
    )
    .await
}

/// [`serve`], writing down what is said but the blocks.
pub async fn serve_watched(
    socket: UdpSocket,
    device: Option<String>,
    files: Arc<dyn Files>,
    settings: Settings,
    events: mpsc::Sender<TftpEvent>,
    packets: Packets,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (telling, told) = telling::queue();
    let work = Work {
        socket,
        device,
        files,
        settings,
        telling,
        live: Live::default(),
        packets,
    };
    carry_out(work, told, events, stop).await
}

/// [`serve`], counting what is alive.
#[cfg(test)]
pub(super) async fn serve_counted(
    socket: UdpSocket,
    device: Option<String>,
    files: Arc<dyn Files>,
    settings: Settings,
    events: mpsc::Sender<TftpEvent>,
    stop: impl Future<Output = ()>,
    live: Live,
) -> Result<(), ServeError> {
    let (telling, told) = telling::queue();
    let work = Work {
        socket,
        device,
        files,
        settings,
        telling,
        live,
        packets: Packets::default(),
    };
    carry_out(work, told, events, stop).await
}

async fn carry_out(
    work: Work,
    told: telling::Told,
    events: mpsc::Sender<TftpEvent>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    // Dropping the sender stops the thread, also when this future is dropped half-way.
    let (stopper, stopped) = oneshot::channel();
    let ended = start_thread(work, stopped)?;

    let mut stopper = Some(stopper);
    let mut listener_left = false;
    let (mut stop, mut ended) = (pin!(stop), pin!(ended));
    let mut carrying = pin!(telling::carry(told, events));
    let result = loop {
        tokio::select! {
            result = &mut ended => break result,
            () = &mut stop, if stopper.is_some() => drop(stopper.take()),
            () = &mut carrying, if !listener_left => listener_left = true,
        }
    };
    if !listener_left && tokio::time::timeout(LAST_EVENTS, carrying).await.is_err() {
        tracing::warn!("nobody takes the last TFTP events; they are lost");
    }
    result.unwrap_or_else(|_| Err(ServeError::Thread(io::Error::other("it panicked"))))
}

/// Everything the thread works with.
struct Work {
    socket: UdpSocket,
    device: Option<String>,
    files: Arc<dyn Files>,
    settings: Settings,
    telling: Telling,
    live: Live,
    packets: Packets,
}

type Ended = oneshot::Receiver<Result<(), ServeError>>;

fn start_thread(work: Work, stopped: oneshot::Receiver<()>) -> Result<Ended, ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::Thread)?;
    let (ender, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("tftp".to_owned())
        .spawn(move || {
            let result = runtime.block_on(run(work, stopped));
            drop(runtime);
            // Nobody listens any more if the caller dropped its future.
            let _ = ender.send(result);
        })
        .map_err(ServeError::Thread)?;
    Ok(ended)
}

async fn run(work: Work, stopped: oneshot::Receiver<()>) -> Result<(), ServeError> {
    let Work {
        socket,
        device,
        files,
        settings,
        telling,
        live,
        packets,
    } = work;
    let (upstream, producer) = upstream::open(&live).await.map_err(ServeError::Upstream)?;
    let health = upstream.health();
    let mut front = Front::open(socket, device, files, settings, upstream, telling, live)?;
    front.watched(packets);
    let mut producing = Producing(tokio::spawn(producer.run()));
    let result = tokio::select! {
        _ = stopped => Ok(()),
        ended = &mut producing.0 => {
            Err(ServeError::Upstream(ended.unwrap_or_else(io::Error::other)))
        }
        error = health.until_dead() => Err(ServeError::Upstream(error)),
        error = front.listen() => Err(error),
    };
    front.close().await;
    result
}

/// The producer's task, which ends with the server.
struct Producing(JoinHandle<io::Error>);

impl Drop for Producing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
