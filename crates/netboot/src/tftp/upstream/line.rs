//! One request to the producer: a loopback port, a name nobody knows, and a gate in front of the
//! file, from one place in it to its end.
//!
//! Pieces are acknowledged before they are there. The producer waits for every acknowledgement,
//! and when it has to wait, it puts its socket and a timer into its reactor, which is another
//! thread: two or three hand-overs between processors for every piece, while boards wait for both.
//! An acknowledgement that lies ready lets it go on in the same breath. It is said only for pieces
//! that the gate lets through, and those fit into the receive buffer of the port. Should one be
//! lost all the same, nobody says it again: the owner opens another line from that place on.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::{Source, Upstream};
use crate::tftp::content::Content;
use crate::tftp::download::{Download, Heard, Wish};
use crate::tftp::packet::{Packet, ack};
use crate::tftp::port::Port;

/// When to ask the producer again.
const RESEND: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Line {
    socket: Port,
    name: String,
    gate: Arc<Gate>,
    download: Download,
    /// Bytes per piece.
    piece: u64,
    /// Pieces the producer may have sent.
    allowed: u64,
    /// Where the producer sends from, once it has granted the size of the pieces.
    peer: Option<SocketAddr>,
    /// Pieces acknowledged.
    acknowledged: u64,
    out: Vec<u8>,
}

impl Line {
    /// Leaves `rest` with the producer and asks for it.
    pub(super) fn open(
        upstream: &Upstream,
        rest: &Content,
        piece: u16,
        now: Instant,
    ) -> io::Result<Self> {
        let socket = Port::open(Ipv4Addr::LOCALHOST.into(), None)?;
        let name = random_name()?;
        let gate = Arc::new(Gate::default());
        let source = Source::new(rest.clone(), Arc::clone(&gate), upstream.live.count());
        upstream.offer(name.clone(), socket.address()?, source);
        let wish = Wish {
            block: Some(piece),
            ..Wish::default()
        };
        let mut line = Self {
            download: Download::new(upstream.address, &name, wish, RESEND, now),
            socket,
            name,
            gate,
            piece: u64::from(piece),
            allowed: 0,
            peer: None,
            acknowledged: 0,
            out: Vec::new(),
        };
        line.speak(now)?;
        Ok(line)
    }

    pub(super) fn socket(&self) -> &Port {
        &self.socket
    }

    /// Lets the producer go on up to this piece.
    pub(super) fn allow(&mut self, pieces: u64) -> io::Result<()> {
        if pieces > self.allowed {
            self.allowed = pieces;
            self.acknowledge_ahead()?;
            self.gate.allow(pieces * self.piece);
        }
        Ok(())
    }

    /// Takes in a datagram.
    pub(super) fn handle<'a>(
        &mut self,
        datagram: &'a [u8],
        from: SocketAddr,
        now: Instant,
    ) -> io::Result<Heard<'a>> {
        let heard = self.download.handle(datagram, from);
        match heard {
            Heard::Block { .. } if self.download.received() <= self.acknowledged => {
                self.download.is_acknowledged();
            }
            _ => {}
        }
        self.speak(now)?;
        if matches!(heard, Heard::Options { .. }) {
            self.peer = Some(from);
            self.acknowledge_ahead()?;
        }
        Ok(heard)
    }

    /// When to ask again. Once the producer has answered, it is the one that repeats itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self.peer {
            None => self.download.next_deadline(),
            Some(_) => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> io::Result<()> {
        if self.peer.is_none() {
            self.download.handle_timeout(now);
        }
        self.speak(now)
    }

    /// Lets nothing through any more.
    pub(super) fn shut(&self, upstream: &Upstream) {
        self.gate.close();
        upstream.withdraw(&self.name);
    }

    /// Waits until the producer has let go of the file. The socket stays open until then, so that
    /// its port cannot become another transfer's while the producer still answers this one.
    pub(super) async fn until_let_go(&self) {
        let mut head = [0; 64];
        loop {
            tokio::select! {
                biased;
                () = self.gate.until_let_go() => return,
                ready = self.socket.ready() => {
                    if ready.is_err() {
                        return;
                    }
                    let Ok((length, from)) = self.socket.receive_from(&mut head) else { continue };
                    // Acknowledging whatever it waits for makes it read on, and reading fails.
                    let number = match Packet::parse(&head[..length]) {
                        Some(Packet::Data { block, .. }) => block,
                        Some(Packet::Options(_)) => 0,
                        Some(Packet::Ack(_) | Packet::Error { .. }) | None => continue,
                    };
                    let _ = self.socket.send_to(&ack(number), from);
                }
            }
        }
    }

    fn acknowledge_ahead(&mut self) -> io::Result<()> {
        let Some(peer) = self.peer else { return Ok(()) };
        while self.acknowledged < self.allowed {
            self.acknowledged += 1;
            // Modulo 65536 is how block numbers travel.
            self.send(&ack(self.acknowledged as u16), peer)?;
        }
        Ok(())
    }

    fn speak(&mut self, now: Instant) -> io::Result<()> {
        let mut out = std::mem::take(&mut self.out);
        while let Some(to) = self.download.poll(now, &mut out) {
            self.send(&out, to)?;
        }
        self.out = out;
        Ok(())
    }

    fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        match self.socket.send_to(datagram, to) {
            // As good as lost: it is said again at the deadline.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// A name nobody on this machine can guess.
fn random_name() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
