//! The block producer: an async-tftp server that only this process talks to.
//!
//! It listens on a loopback port of its own. For every transfer the guard leaves a [`Source`]
//! under a fresh random name, asks for that name from a fresh loopback port ([`Lane`]), and takes
//! the blocks from there. The producer therefore never sees a board: a name is opened once and
//! instantly, a source port is one transfer, and the only peer it has keeps to the protocol.

mod gate;
mod health;
mod lane;
mod line;
mod source;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_tftp::packet;
use async_tftp::server::{Handler, TftpServer, TftpServerBuilder};

use self::health::Health;
pub(super) use self::lane::Lane;
use self::source::Source;
use super::live::Live;
use super::packet::LARGEST_BLOCK;

/// Loopback loses nothing but what overflows a socket buffer, so this is rarely waited for.
const TIMEOUT: Duration = Duration::from_millis(200);
const RETRIES: u32 = 10;

/// The way to the running block producer.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    address: SocketAddr,
    offered: Offered,
    health: Arc<Health>,
    live: Live,
}

/// Sources that wait to be opened, by name.
type Offered = Arc<Mutex<HashMap<String, (SocketAddr, Source)>>>;

/// The producer itself, to be run by [`Producer::run`].
pub(super) struct Producer(TftpServer<Opener>);

/// Opens a producer on a loopback port.
pub(super) async fn open(live: &Live) -> io::Result<(Upstream, Producer)> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    let offered = Offered::default();
    let server = TftpServerBuilder::with_handler(Opener(Arc::clone(&offered)))
        .std_socket(socket)
        .map_err(io::Error::other)?
        .timeout(TIMEOUT)
        .max_send_retries(RETRIES)
        .block_size_limit(LARGEST_BLOCK)
        .window_size_limit(1)
        .build()
        .await
        .map_err(io::Error::other)?;
    Ok((
        Upstream {
            address,
            offered,
            health: Arc::default(),
            live: live.clone(),
        },
        Producer(server),
    ))
}

impl Producer {
    /// Produces until the future is dropped; returns only with the error that ended it.
    pub(super) async fn run(self) -> io::Error {
        match self.0.serve().await {
            Ok(()) => io::Error::other("the block producer stopped by itself"),
            Err(error) => io::Error::other(error),
        }
    }
}

impl Upstream {
    /// Tells when the producer has stopped answering.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    fn offer(&self, name: String, reader: SocketAddr, source: Source) {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered.insert(name, (reader, source));
    }

    fn withdraw(&self, name: &str) {
        let source = {
            let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
            offered.remove(name)
        };
        drop(source);
    }
}

/// Gives every source out once, to the port it was made for.
struct Opener(Offered);

impl Handler for Opener {
    type Reader = Source;
    type Writer = futures_lite::io::Sink;

    async fn read_req_open(
        &mut self,
        client: &SocketAddr,
        path: &Path,
    ) -> Result<(Source, Option<u64>), packet::Error> {
        let name = path.to_str().ok_or(packet::Error::FileNotFound)?;
        let mut offered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match offered.get(name) {
            Some((reader, _)) if reader == client => {}
            Some(_) | None => return Err(packet::Error::FileNotFound),
        }
        let (_, source) = offered.remove(name).ok_or(packet::Error::FileNotFound)?;
        Ok((source, None))
    }

    async fn write_req_open(
        &mut self,
        _client: &SocketAddr,
        _path: &Path,
        _size: Option<u64>,
    ) -> Result<Self::Writer, packet::Error> {
        Err(packet::Error::PermissionDenied)
    }
}
