//! One transfer's own way to the producer, over which a source comes piece by piece into the
//! supply.
//!
//! Every piece is compared with the file before it may be said to a board. That costs a memory
//! comparison per piece and makes a mixed-up answer, from whatever cause, an error of ours instead
//! of a wrong file on a board.

use std::io;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::Upstream;
use super::line::Line;
use crate::tftp::content::Content;
use crate::tftp::download::Heard;
use crate::tftp::packet::HEADER;
use crate::tftp::supply::Supply;

/// When to stop hoping for a piece that was acknowledged ahead, and to ask anew. Such a piece is
/// there in microseconds, or the machine is so busy that asking again would only add to it.
const LOST: Duration = Duration::from_millis(500);
/// How long the producer may leave a wanted piece out before the transfer is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// The reading end at the producer.
#[derive(Debug)]
pub(in super::super) struct Lane {
    upstream: Upstream,
    line: Line,
    /// Pieces that came before this line was opened.
    before: u64,
    opened_at: Instant,
    /// Lines that lost a piece and were given up.
    given_up: Vec<Line>,
    /// The same file once more, to compare with; it stands where the next piece begins.
    proof: Content,
    piece: u16,
    pieces: u64,
    allowed: u64,
    complete: bool,
    /// Since when the producer owes a piece.
    owed_since: Option<Instant>,
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
        let piece = supply.piece_size();
        let mut lane = Self {
            line: Line::open(upstream, &content, piece, now)?,
            upstream: upstream.clone(),
            before: 0,
            opened_at: now,
            given_up: Vec::new(),
            proof: content,
            piece,
            pieces: 0,
            allowed: 0,
            complete: false,
            owed_since: None,
        };
        lane.allow(supply, now)?;
        Ok(lane)
    }

    /// Whether there may be something to receive.
    pub(in super::super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.owes() {
            self.line.socket().poll_ready(cx)
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
            let (length, from) = match self.line.socket().receive_from(&mut buffer) {
                Ok(received) => received,
                Err(error) => {
                    supply.put_back(buffer);
                    return match error.kind() {
                        io::ErrorKind::WouldBlock => Ok(()),
                        _ => Err(error.into()),
                    };
                }
            };
            match self.line.handle(&buffer[..length], from, now)? {
                Heard::Block { data, last } => {
                    if !self.proof.matches(data) || (last && !self.proof.is_at_end()) {
                        return Err(LaneError::OtherBytes);
                    }
                    self.pieces += 1;
                    self.upstream.health.answered();
                    self.complete = last;
                    self.owed_since = self.owes().then_some(now);
                    supply.add(buffer, length - HEADER);
                }
                Heard::Refused { message, .. } => return Err(LaneError::Refused(message)),
                Heard::BadOptions => return Err(LaneError::Refused("options".to_owned())),
                Heard::Nothing | Heard::Options { .. } => supply.put_back(buffer),
            }
        }
        Ok(())
    }

    /// Lets the producer go on as far as the supply has room.
    pub(in super::super) fn allow(&mut self, supply: &Supply, now: Instant) -> io::Result<()> {
        self.allowed = self.allowed.max(supply.allowance());
        if self.owes() {
            self.line.allow(self.allowed - self.before)?;
            self.owed_since.get_or_insert(now);
        }
        Ok(())
    }

    /// When [`Lane::handle_timeout`] wants to be called.
    pub(in super::super) fn next_deadline(&self) -> Option<Instant> {
        let since = self.owed_since?;
        let late = self.lost_at(since).min(since + PATIENCE);
        Some(self.line.next_deadline().map_or(late, |at| at.min(late)))
    }

    /// The time has come to ask again or to give up.
    pub(in super::super) fn handle_timeout(&mut self, now: Instant) -> Result<(), LaneError> {
        let Some(since) = self.owed_since else {
            return Ok(());
        };
        if now >= since + PATIENCE {
            self.upstream.health.silent();
            return Err(LaneError::Silent);
        }
        if now >= self.lost_at(since) {
            return Ok(self.ask_anew(now)?);
        }
        Ok(self.line.handle_timeout(now)?)
    }

    /// Ends the producer's side and waits until it has let go of the file.
    pub(in super::super) async fn close(self) {
        let ending = async {
            for line in self.given_up.iter().chain([&self.line]) {
                line.shut(&self.upstream);
                line.until_let_go().await;
            }
        };
        if tokio::time::timeout(PATIENCE, ending).await.is_err() {
            tracing::warn!("the block producer still holds an ended transfer");
        }
    }

    fn lost_at(&self, owed_since: Instant) -> Instant {
        owed_since.max(self.opened_at) + LOST
    }

    /// Opens another line from the first missing piece on.
    fn ask_anew(&mut self, now: Instant) -> io::Result<()> {
        tracing::debug!(piece = self.pieces, "a piece was lost on the loopback");
        let line = Line::open(&self.upstream, &self.proof, self.piece, now)?;
        let old = std::mem::replace(&mut self.line, line);
        old.shut(&self.upstream);
        self.given_up.push(old);
        self.before = self.pieces;
        self.opened_at = now;
        self.line.allow(self.allowed - self.before)
    }

    fn owes(&self) -> bool {
        !self.complete && self.pieces < self.allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::Lane;
    use crate::tftp::content::Content;
    use crate::tftp::live::Live;
    use crate::tftp::packet::HEADER;
    use crate::tftp::request::Mode;
    use crate::tftp::supply::Supply;
    use crate::tftp::upstream;

    const BLOCK: u16 = 1024;
    const PIECE: usize = 4096;

    /// Reads a whole file over a lane, taking a piece off its socket unseen after each of these
    /// numbers of pieces; says how often the lane asked anew.
    async fn read(file: &Bytes, lost: &[u64]) -> (Vec<u8>, usize) {
        let live = Live::default();
        let (upstream, producer) = upstream::open(&live).await.unwrap();
        let producing = tokio::spawn(producer.run());
        let content = Content::new(file.clone(), Mode::Octet);
        let mut supply = Supply::new(BLOCK, 1, file.len(), PIECE);
        let mut lane = Lane::open(&upstream, content, &supply, Instant::now()).unwrap();
        let mut lost = lost.iter().peekable();
        let mut got = Vec::new();
        let mut block = 0;
        while supply.last().is_none_or(|last| block < last) {
            if block < supply.ready() {
                block += 1;
                got.extend_from_slice(supply.block(block).unwrap());
                supply.release(block);
                lane.allow(&supply, Instant::now()).unwrap();
                continue;
            }
            let deadline = lane.next_deadline().unwrap().into();
            let _ = tokio::time::timeout_at(deadline, lane.line.socket().ready()).await;
            if lost.next_if(|after| **after <= lane.pieces).is_some() {
                let mut piece = [0; HEADER + PIECE];
                while lane.line.socket().receive_now(&mut piece).is_err() {
                    tokio::task::yield_now().await;
                }
            }
            let now = Instant::now();
            lane.handle_timeout(now).unwrap();
            lane.receive(&mut supply, now).unwrap();
        }
        let asked_anew = lane.given_up.len();
        lane.close().await;
        assert_eq!(live.now(), 0);
        producing.abort();
        (got, asked_anew)
    }

    #[tokio::test]
    async fn a_piece_that_is_lost_on_the_loopback_is_fetched_anew() {
        let file: Bytes = (0..50_000_u32).map(|n| (n / 7) as u8).collect();
        let (got, _) = read(&file, &[]).await;
        assert!(got == file);
        // The first of these is no piece but the answer to the request: the producer repeats it.
        let (got, asked_anew) = read(&file, &[0, 3, 9]).await;
        assert!(got == file);
        assert!(asked_anew >= 2, "asked anew {asked_anew} times");
    }
}
