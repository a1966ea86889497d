//! One transfer's own way to the producer: a loopback socket that reads one source, piece by
//! piece, into the supply.
//!
//! Every piece is compared with the file before it may be said to a board. That costs a memory
//! comparison per piece and makes a mixed-up answer, from whatever cause, an error of ours instead
//! of a wrong file on a board.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::gate::Gate;
use super::{Source, Upstream};
use crate::tftp::content::Content;
use crate::tftp::download::{Download, Heard, Wish};
use crate::tftp::packet::{HEADER, Packet, ack};
use crate::tftp::port::Port;
use crate::tftp::supply::Supply;

/// When to ask the producer again.
const RESEND: Duration = Duration::from_millis(50);
/// How long the producer may leave a wanted piece out before the transfer is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// The reading end at the producer.
#[derive(Debug)]
pub(in super::super) struct Lane {
    socket: Port,
    upstream: Upstream,
    name: String,
    gate: Arc<Gate>,
    download: Download,
    /// The same file once more, to compare with.
    proof: Content,
    piece: u64,
    pieces: u64,
    allowed: u64,
    complete: bool,
    /// Since when the producer owes a piece.
    owed_since: Option<Instant>,
    out: Vec<u8>,
}

/// Why the producer's blocks do not arrive.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum LaneError {
    #[error("the loopback socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error("the block producer refused: {0}")]
    Refused(String),
    #[error("the block producer sent other bytes than the file holds")]
    OtherBytes,
    #[error("the block producer was silent for {} s", PATIENCE.as_secs())]
    Silent,
}

impl Lane {
    /// Leaves the file with the producer and asks for it.
    pub(in super::super) fn open(
        upstream: &Upstream,
        content: Content,
        supply: &Supply,
        now: Instant,
    ) -> io::Result<Self> {
        let socket = Port::open(Ipv4Addr::LOCALHOST.into(), None)?;
        let name = random_name()?;
        let gate = Arc::new(Gate::default());
        let source = Source::new(content.clone(), Arc::clone(&gate), upstream.live.count());
        upstream.offer(name.clone(), socket.address()?, source);

        let wish = Wish {
            block: Some(supply.piece_size()),
            ..Wish::default()
        };
        let mut lane = Self {
            download: Download::new(upstream.address, &name, wish, RESEND, now),
            socket,
            upstream: upstream.clone(),
            name,
            gate,
            proof: content,
            piece: u64::from(supply.piece_size()),
            pieces: 0,
            allowed: 0,
            complete: false,
            owed_since: None,
            out: Vec::new(),
        };
        lane.allow(supply, now);
        lane.speak(now)?;
        Ok(lane)
    }

    /// Whether there may be something to receive.
    pub(in super::super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.owes() {
            self.socket.poll_ready(cx)
        } else {
            Poll::Pending
        }
    }

    /// Takes in what has arrived.
    pub(in super::super) fn receive(
        &mut self,
        supply: &mut Supply,
        now: Instant,
    ) -> Result<(), LaneError> {
        while self.owes() {
            let mut buffer = supply.buffer();
            let (length, from) = match self.socket.receive_from(&mut buffer) {
                Ok(received) => received,
                Err(error) => {
                    supply.put_back(buffer);
                    return match error.kind() {
                        io::ErrorKind::WouldBlock => Ok(()),
                        _ => Err(error.into()),
                    };
                }
            };
            self.take(buffer, length, from, supply, now)?;
            self.speak(now)?;
        }
        Ok(())
    }

    /// Lets the producer go on as far as the supply has room.
    pub(in super::super) fn allow(&mut self, supply: &Supply, now: Instant) {
        let allowance = supply.allowance();
        if allowance > self.allowed {
            self.allowed = allowance;
            self.gate.allow(allowance * self.piece);
        }
        if self.owes() {
            self.owed_since.get_or_insert(now);
        }
    }

    /// When [`Lane::handle_timeout`] wants to be called.
    pub(in super::super) fn next_deadline(&self) -> Option<Instant> {
        let since = self.owed_since?;
        let resend = self.download.next_deadline()?;
        Some(resend.min(since + PATIENCE))
    }

    /// The time has come to ask again or to give up.
    pub(in super::super) fn handle_timeout(&mut self, now: Instant) -> Result<(), LaneError> {
        if self.owed_since.is_some_and(|since| now >= since + PATIENCE) {
            self.upstream.health.silent();
            return Err(LaneError::Silent);
        }
        if self.owed_since.is_some() {
            self.download.handle_timeout(now);
            self.speak(now)?;
        }
        Ok(())
    }

    /// Ends the producer's side and waits until it has let go of the file. The socket stays open
    /// until then, so that its port cannot become another transfer's while the producer still
    /// answers this one.
    pub(in super::super) async fn close(self) {
        self.gate.close();
        self.upstream.withdraw(&self.name);
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        let mut head = [0; 64];
        loop {
            tokio::select! {
                biased;
                () = self.gate.until_let_go() => return,
                () = &mut patience => {
                    tracing::warn!("the block producer still holds an ended transfer");
                    return;
                }
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

    fn take(
        &mut self,
        buffer: Vec<u8>,
        length: usize,
        from: SocketAddr,
        supply: &mut Supply,
        now: Instant,
    ) -> Result<(), LaneError> {
        match self.download.handle(&buffer[..length], from) {
            Heard::Block { data, last } => {
                if !self.proof.matches(data) || (last && !self.proof.is_at_end()) {
                    return Err(LaneError::OtherBytes);
                }
                self.pieces += 1;
                self.upstream.health.answered();
                self.complete = last;
                self.owed_since = self.owes().then_some(now);
                supply.add(buffer, length - HEADER);
                return Ok(());
            }
            Heard::Refused { message, .. } => return Err(LaneError::Refused(message)),
            Heard::BadOptions => return Err(LaneError::Refused("options".to_owned())),
            Heard::Nothing | Heard::Options { .. } => {}
        }
        supply.put_back(buffer);
        Ok(())
    }

    fn speak(&mut self, now: Instant) -> io::Result<()> {
        while let Some(to) = self.download.poll(now, &mut self.out) {
            match self.socket.send_to(&self.out, to) {
                Ok(()) => {}
                // As good as lost: it is said again at the deadline.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn owes(&self) -> bool {
        !self.complete && self.pieces < self.allowed
    }
}

/// A name nobody on this machine can guess.
fn random_name() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
