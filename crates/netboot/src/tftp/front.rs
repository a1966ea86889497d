//! The well-known port: takes requests, answers refusals itself, and starts transfers.
//!
//! Everything here is instant. A request is parsed, looked up in memory, and its first answer is
//! on the wire before the next request is read; nothing that a board or the block producer does
//! later can hold this loop up.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::content::Content;
use super::conversation::Again;
use super::live::Live;
use super::packet::{self, code};
use super::port::Port;
use super::request::{Rejected, Request};
use super::table::{NoPlace, Table};
use super::telling::Telling;
use super::terms::Terms;
use super::transfer::Transfer;
use super::upstream::Upstream;
use super::{Files, Opened, ServeError, Settings, What};
use crate::limits::Buckets;
use crate::packets::{Packets, Way};
use crate::socket::is_lost;
use wire::Millis;

/// No request that is answered is longer; what is cut off here is refused as too long.
const LONGEST_DATAGRAM: usize = 2048;
/// Requests taken before other work gets its turn.
const BURST: usize = 64;
/// Failures to receive in a row that mean the socket is dead rather than the network busy.
const MOST_FAILURES: u32 = 20;
/// Longer than a lookup in memory ever takes.
const SLOW_LOOKUP: Duration = Duration::from_millis(5);
/// A pause after such a failure.
const BREATH: Duration = Duration::from_millis(50);
/// How long transfers may take to end when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the loop at the well-known port holds.
pub(super) struct Front {
    address: SocketAddr,
    socket: Port,
    /// Refusals leave from a port of their own, as every answer to a request does.
    refusals: Port,
    device: Option<String>,
    files: Arc<dyn Files>,
    settings: Settings,
    upstream: Upstream,
    telling: Telling,
    table: Table,
    tasks: JoinSet<()>,
    live: Live,
    next_id: u64,
    buckets: Buckets<IpAddr>,
    packets: Packets,
}

impl Front {
    pub(super) fn open(
        socket: std::net::UdpSocket,
        device: Option<String>,
        files: Arc<dyn Files>,
        settings: Settings,
        upstream: Upstream,
        telling: Telling,
        live: Live,
    ) -> Result<Self, ServeError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let address = socket.local_addr().map_err(|source| ServeError::Socket {
            address: unknown,
            source,
        })?;
        if address.ip().is_unspecified() {
            return Err(ServeError::NoAddress(address));
        }
        let refusals = Port::open(address.ip(), device.as_deref()).map_err(|source| {
            let device = device.clone().unwrap_or_else(|| address.ip().to_string());
            ServeError::Device { device, source }
        })?;
        let socket =
            Port::from_std(socket).map_err(|source| ServeError::Socket { address, source })?;
        let buckets = Buckets::new(settings.burst, settings.rate);
        Ok(Self {
            address,
            socket,
            refusals,
            device,
            files,
            settings,
            upstream,
            telling,
            table: Table::default(),
            tasks: JoinSet::new(),
            live,
            next_id: 1,
            buckets,
            packets: Packets::default(),
        })
    }

    /// Writes packets down from now on.
    pub(super) fn watched(&mut self, packets: Packets) {
        self.packets = packets;
    }

    /// Takes requests until the socket fails.
    pub(super) async fn listen(&mut self) -> ServeError {
        let mut datagram = [0; LONGEST_DATAGRAM];
        let mut failures = 0;
        loop {
            let failed = match self.socket.ready().await {
                Ok(()) => self.take_burst(&mut datagram).err(),
                Err(error) => Some(error),
            };
            while self.tasks.try_join_next().is_some() {}
            let Some(source) = failed else {
                failures = 0;
                continue;
            };
            failures += 1;
            if failures > MOST_FAILURES || is_lost(&source) {
                return ServeError::Socket {
                    address: self.address,
                    source,
                };
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    fn take_burst(&mut self, datagram: &mut [u8]) -> io::Result<()> {
        for _ in 0..BURST {
            match self.socket.receive_from(datagram) {
                Ok((length, client)) => {
                    let datagram = &datagram[..length];
                    self.packets.tftp(Way::In, client, self.address, datagram);
                    self.request(datagram, client);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn request(&mut self, datagram: &[u8], client: SocketAddr) {
        if client.port() == 0 || client.ip().is_multicast() || client.ip().is_unspecified() {
            return;
        }
        if !self.buckets.take(client.ip(), 1, Millis::now()) {
            return;
        }
        let request = match Request::parse(datagram) {
            Ok(request) => request,
            Err(Rejected::NotARequest) => return,
            Err(Rejected::Answer {
                code,
                message,
                shown,
            }) => {
                self.replace(client, datagram);
                return self.refuse(client, &shown, code, message);
            }
        };
        if self.replace(client, datagram) == Again::Continues {
            return;
        }
        let own = self.settings.per_client;
        if let Err(full) = self.table.place(client.ip(), self.settings.transfers, own) {
            let why = match full {
                NoPlace::Server => "too many transfers, ask again later",
                NoPlace::Client => "too many transfers for one client, ask again later",
            };
            return self.refuse(client, &request.path, code::SEE_MESSAGE, why);
        }
        let bytes = match self.look_up(client, &request.path) {
            Opened::Found(bytes) => bytes,
            Opened::NotFound => {
                return self.refuse(client, &request.path, code::NOT_FOUND, "file not found");
            }
            Opened::NotYet => return,
        };
        let content = Content::new(bytes, request.mode);
        match self.start(client, request, datagram, content) {
            Ok(()) => {}
            Err((path, error)) => {
                tracing::warn!(%client, %path, %error, "cannot open a socket for a TFTP transfer");
                self.refuse(client, &path, code::SEE_MESSAGE, "server is out of sockets");
            }
        }
    }

    fn look_up(&self, client: SocketAddr, path: &str) -> Opened {
        let before = Instant::now();
        let found = self.files.open(client, path);
        let took = before.elapsed();
        if took > SLOW_LOOKUP {
            tracing::warn!(%client, path, ?took, "looking a boot file up held up every board");
        }
        found
    }

    /// What a request means for the transfer that this address and port may already have.
    fn replace(&self, client: SocketAddr, datagram: &[u8]) -> Again {
        match self.table.of(client) {
            None => Again::Superseded,
            Some(transfer) => {
                let again = transfer.again(datagram);
                if again == Again::Superseded {
                    self.table.remove(&transfer);
                }
                again
            }
        }
    }

    fn start(
        &mut self,
        client: SocketAddr,
        request: Request,
        datagram: &[u8],
        content: Content,
    ) -> Result<(), (String, io::Error)> {
        let opened = Port::open(self.address.ip(), self.device.as_deref())
            .and_then(|socket| socket.connect(client).map(|()| socket));
        let socket = match opened {
            Ok(socket) => socket.watched(&self.packets, client),
            Err(error) => return Err((request.path, error)),
        };
        let size = content.file_size();
        let terms = Terms::agree(&request, size, &self.settings);
        let id = self.take_id();
        self.telling
            .tell(client, id, &request.path, What::Started { size });
        let path = request.path;
        let transfer = Arc::new(Transfer::new(
            id, client, path, datagram, socket, &terms, content,
        ));
        self.table.add(Arc::clone(&transfer));

        let counted = self.live.count();
        let (upstream, telling) = (self.upstream.clone(), self.telling.clone());
        let table = self.table.clone();
        self.tasks.spawn(async move {
            transfer
                .run(&upstream, &telling, || table.remove(&transfer))
                .await;
            drop(counted);
        });
        Ok(())
    }

    fn refuse(&mut self, client: SocketAddr, path: &str, code: u16, why: &str) {
        let refusal = packet::error(code, why);
        let own = self.refusals.address().unwrap_or(self.address);
        self.packets.tftp(Way::Out, client, own, &refusal);
        // If the socket is full the client asks again by itself.
        let _ = self.refusals.send_to(&refusal, client);
        let what = match code {
            code::NOT_FOUND => What::NotFound,
            _ => What::Failed {
                why: why.to_owned(),
                sent: 0,
            },
        };
        let id = self.take_id();
        self.telling.tell(client, id, path, what);
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Ends every transfer and waits for their tasks.
    pub(super) async fn close(mut self) {
        for transfer in self.table.all() {
            transfer.close();
        }
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_WORDS, ending).await.is_err() {
            tracing::warn!("TFTP transfers did not end in time and are cut off");
        }
    }
}
