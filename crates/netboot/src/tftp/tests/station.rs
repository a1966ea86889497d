//! A running server and the simplest possible clients for it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::tftp::client::{Client, Outcome, Output, Want};
use crate::tftp::live::Live;
use crate::tftp::serve::serve_counted;
use crate::tftp::{Files, Opened, ServeError, Settings, TftpEvent, What};

/// Far longer than any answer that comes at once, far shorter than [`slow`]'s timeout.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// Settings under which nothing happens because of a timeout.
pub(super) fn slow() -> Settings {
    let never = Duration::from_mins(1);
    Settings {
        soonest: never,
        timeout: never,
        ..Settings::default()
    }
}

/// Repeatable bytes without a pattern that could hide a misplaced block.
pub(super) fn noise(length: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// The file whose first request comes before the station knows what to say.
pub(super) const LATE: &str = "late";

struct Memory {
    files: HashMap<String, Bytes>,
    late: AtomicBool,
}

impl Files for Memory {
    fn open(&self, _client: SocketAddr, path: &str) -> Opened {
        if path == LATE && self.late.swap(false, Ordering::Relaxed) {
            return Opened::NotYet;
        }
        self.files.get(path).cloned().into()
    }
}

pub(super) struct Station {
    pub(super) address: SocketAddr,
    live: Live,
    events: mpsc::Receiver<TftpEvent>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Station {
    pub(super) fn with(settings: Settings, files: &[(&str, Bytes)]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self::on(socket, None, settings, files)
    }

    pub(super) fn on(
        socket: UdpSocket,
        device: Option<&str>,
        settings: Settings,
        files: &[(&str, Bytes)],
    ) -> Self {
        let address = socket.local_addr().unwrap();
        let files = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.clone()))
            .collect();
        let (device, live) = (device.map(str::to_owned), Live::default());
        let counter = live.clone();
        let (stop, stopped) = oneshot::channel();
        let (sender, events) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let (told, mut listener) = tokio::sync::mpsc::channel::<TftpEvent>(16);
                tokio::spawn(async move {
                    while let Some(event) = listener.recv().await {
                        let _ = sender.send(event);
                    }
                });
                let files = Arc::new(Memory {
                    files,
                    late: AtomicBool::new(true),
                });
                let stop = async { drop(stopped.await) };
                serve_counted(socket, device, files, settings, told, stop, counter).await
            })
        });
        Self {
            address,
            live,
            events,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The next event that is not progress.
    pub(super) fn event(&self) -> TftpEvent {
        loop {
            let event = self.events.recv_timeout(SOON).expect("an event");
            if !matches!(event.what, What::Progress { .. }) {
                return event;
            }
        }
    }

    /// The bytes of a progress event, if the next event is one and is there.
    pub(super) fn progress(&self) -> Option<u64> {
        match self.events.try_recv().ok()?.what {
            What::Progress { sent } => Some(sent),
            _ => None,
        }
    }

    /// An event that is there already.
    pub(super) fn told(&self) -> Option<TftpEvent> {
        self.events.try_recv().ok()
    }

    /// The next event that ends a request.
    pub(super) fn end(&self) -> TftpEvent {
        loop {
            let event = self.event();
            if !matches!(event.what, What::Started { .. }) {
                return event;
            }
        }
    }

    /// Waits until no transfer is left, neither towards a board nor at the block producer.
    pub(super) fn until_nothing_is_left(&self) {
        let limit = Instant::now() + SOON;
        while self.live.now() > 0 {
            assert!(Instant::now() < limit, "a transfer was left behind");
            std::thread::yield_now();
        }
    }

    pub(super) fn live(&self) -> usize {
        self.live.now()
    }

    pub(super) fn fetch(&self, want: Want) -> Outcome {
        fetch(self.address, want)
    }

    /// Reads a file that has to be there.
    pub(super) fn read(&self, want: Want) -> Vec<u8> {
        match self.fetch(want) {
            Outcome::File { bytes } => bytes,
            other => panic!("no file but {other:?}"),
        }
    }

    pub(super) fn stop(mut self) -> Result<(), ServeError> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
        {
            thread.join().unwrap().unwrap();
        }
    }
}

/// Carries a client out over a socket of its own.
pub(super) fn fetch(server: SocketAddr, want: Want) -> Outcome {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = Client::new(want, server, Instant::now());
    let mut datagram = vec![0; 65536];
    loop {
        while let Some(output) = client.poll(Instant::now()) {
            match output {
                Output::Send { to, bytes } => drop(socket.send_to(&bytes, to).unwrap()),
                Output::Ended(outcome) => return outcome,
            }
        }
        let wait = client
            .next_deadline()
            .unwrap()
            .saturating_duration_since(Instant::now());
        socket
            .set_read_timeout(Some(wait.max(Duration::from_millis(1))))
            .unwrap();
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) => client.handle(&datagram[..length], from),
            Err(_) => client.handle_timeout(Instant::now()),
        }
    }
}

/// A client that says exactly what a test makes it say.
pub(super) struct Raw {
    pub(super) socket: UdpSocket,
    server: SocketAddr,
}

impl Raw {
    pub(super) fn new(station: &Station) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self {
            socket,
            server: station.address,
        }
    }

    /// Sends a read request: the fields are separated by `|`.
    pub(super) fn request(&self, fields: &str) {
        let mut bytes = vec![0, 1];
        bytes.extend(fields.replace('|', "\0").as_bytes());
        bytes.push(0);
        self.to_port(&bytes);
    }

    /// Sends any datagram to the well-known port.
    pub(super) fn to_port(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.server).unwrap();
    }

    pub(super) fn ack(&self, to: SocketAddr, block: u16) {
        let [high, low] = block.to_be_bytes();
        self.socket.send_to(&[0, 4, high, low], to).unwrap();
    }

    pub(super) fn error(&self, to: SocketAddr, code: u8, message: &str) {
        let mut bytes = vec![0, 5, 0, code];
        bytes.extend(message.as_bytes());
        bytes.push(0);
        self.socket.send_to(&bytes, to).unwrap();
    }

    /// The next datagram, which has to come soon, and its sender.
    pub(super) fn hear(&self) -> (Vec<u8>, SocketAddr) {
        let mut bytes = vec![0; 65536];
        let (length, from) = self
            .socket
            .recv_from(&mut bytes)
            .expect("an answer at once");
        bytes.truncate(length);
        (bytes, from)
    }

    /// Nothing may have arrived.
    pub(super) fn hears_nothing(&self) {
        self.socket.set_nonblocking(true).unwrap();
        let heard = self.socket.recv(&mut [0; 2048]);
        self.socket.set_nonblocking(false).unwrap();
        assert!(heard.is_err(), "a datagram arrived that nobody asked for");
    }

    /// The next datagram has to be this block; returns its data and sender.
    pub(super) fn block(&self, number: u16) -> (Vec<u8>, SocketAddr) {
        let (bytes, from) = self.hear();
        let [high, low] = number.to_be_bytes();
        assert_eq!(bytes[..4], [0, 3, high, low], "block {number}");
        (bytes[4..].to_vec(), from)
    }

    /// The next datagram has to be an OACK with these options, separated by `|`.
    pub(super) fn options(&self, fields: &str) -> SocketAddr {
        let (bytes, from) = self.hear();
        assert_eq!(bytes[..2], [0, 6]);
        let text = String::from_utf8(bytes[2..].to_vec()).unwrap();
        assert_eq!(text.trim_end_matches('\0').replace('\0', "|"), fields);
        from
    }

    /// The next datagram has to be an error with this code.
    pub(super) fn refused(&self, code: u8) -> String {
        let (bytes, from) = self.hear();
        assert_eq!(bytes[..4], [0, 5, 0, code]);
        assert_ne!(
            from.port(),
            self.server.port(),
            "answers leave from a port of their own"
        );
        String::from_utf8(bytes[4..].to_vec())
            .unwrap()
            .trim_end_matches('\0')
            .to_owned()
    }
}
