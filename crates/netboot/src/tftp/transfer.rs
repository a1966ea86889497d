//! One board, one file: carries a conversation out over a socket of its own.
//!
//! ```text
//! board ◀─▶ socket ─▶ Conversation ◀── Supply ◀── Lane ◀── block producer
//! ```
//!
//! The task that runs a transfer wakes for a datagram, a piece or a deadline, takes the state's
//! lock, hears everything there is to hear and says everything there is to say; no other task is
//! involved in a block. The port-69 task takes the same lock when the same client asks again, so
//! that what was sent earlier is heard earlier, and a transfer that was superseded cannot say one
//! more word.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::What;
use super::content::Content;
use super::conversation::{Again, Conversation, Ending, Say};
use super::packet::{self, code, data_header};
use super::port::Port;
use super::supply::Supply;
use super::telling::Telling;
use super::terms::Terms;
use super::upstream::{Lane, Upstream};

/// Progress is told at most this often.
const PROGRESS: Duration = Duration::from_millis(250);
/// Bytes fetched from the producer at a time.
const PIECE: usize = 32 * 1024;
/// Longer than any datagram that a client may send into a transfer and that is of interest.
const LONGEST_HEARD: usize = 256;
/// Datagrams taken in at one go, so that a flood from one client leaves time for the others.
const MOST_HEARD: usize = 64;
/// A timer that is not wanted.
const FAR: Duration = Duration::from_hours(1);

/// A transfer, shared by the task that runs it and the one that listens for requests.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: u64,
    pub(super) client: SocketAddr,
    path: String,
    /// The request as it arrived, to recognise it again.
    request: Vec<u8>,
    socket: Port,
    state: Mutex<State>,
    /// The state was changed by another task.
    nudged: Notify,
    content: Content,
}

#[derive(Debug)]
struct State {
    conversation: Conversation,
    supply: Supply,
    offer: Vec<u8>,
    block: u64,
    /// The datagram being put together.
    out: Vec<u8>,
    /// Why it ended, if the conversation does not know.
    stopped: Option<Stopped>,
    /// The newest failure to send, for the record.
    send_error: Option<io::Error>,
}

#[derive(Debug)]
enum Stopped {
    Superseded,
    Closing,
    Failed(String),
}

impl Transfer {
    /// Begins a transfer over a socket that is connected to the client.
    pub(super) fn new(
        id: u64,
        client: SocketAddr,
        path: String,
        request: &[u8],
        socket: Port,
        terms: &Terms,
        content: Content,
    ) -> Self {
        let supply = Supply::new(terms.block, terms.window, content.most(), PIECE);
        let transfer = Self {
            id,
            client,
            path,
            request: request.to_vec(),
            socket,
            state: Mutex::new(State {
                conversation: Conversation::new(terms, Instant::now()),
                supply,
                offer: terms.offer.clone(),
                block: u64::from(terms.block),
                out: Vec::with_capacity(packet::HEADER + usize::from(terms.block)),
                stopped: None,
                send_error: None,
            }),
            nudged: Notify::new(),
            content,
        };
        transfer.state().speak(&transfer.socket, Instant::now());
        transfer
    }

    /// The same client asked again from the same port.
    pub(super) fn again(&self, request: &[u8]) -> Again {
        let now = Instant::now();
        let mut state = self.state();
        // What the client sent before this request, above all an ERROR, comes first.
        state.hear(Port::receive_now, &self.socket, now);
        let again = state.conversation.again(self.request == request, now);
        match again {
            Again::Continues => state.speak(&self.socket, now),
            Again::Superseded => state.stop(Stopped::Superseded),
        }
        drop(state);
        self.nudged.notify_one();
        again
    }

    /// Tells the client that it is over and ends the transfer.
    pub(super) fn close(&self) {
        let mut state = self.state();
        if !state.is_over() {
            let _ = self
                .socket
                .send(&packet::error(code::SEE_MESSAGE, "server stops"));
        }
        state.stop(Stopped::Closing);
        drop(state);
        self.nudged.notify_one();
    }

    /// Runs the transfer to its end and tells how it went. `ended` is called as soon as the board
    /// is done with it; the producer's side is cleaned up after that.
    pub(super) async fn run(&self, upstream: &Upstream, telling: &Telling, ended: impl FnOnce()) {
        let tell = |what| telling.tell(self.client, self.id, &self.path, what);
        let mut lane = None;
        if let Err(why) = self.converse(upstream, &mut lane, &tell).await {
            let mut state = self.state();
            let _ = self
                .socket
                .send(&packet::error(code::SEE_MESSAGE, "server failed"));
            state.stop(Stopped::Failed(why));
        }
        let what = self.state().outcome(self.content.file_size());
        ended();
        tell(what);
        if let Some(lane) = lane {
            lane.close().await;
        }
    }

    async fn converse(
        &self,
        upstream: &Upstream,
        lane: &mut Option<Lane>,
        tell: &impl Fn(What),
    ) -> Result<(), String> {
        let mut alarm = Instant::now() + FAR;
        let mut timer = pin!(sleep_until(alarm.into()));
        let mut nudged = pin!(self.nudged.notified());
        let mut told_at = Instant::now();
        loop {
            let now = Instant::now();
            let (deadline, delivered) = {
                let mut state = self.state();
                state.hear(Port::receive, &self.socket, now);
                state.conversation.handle_timeout(now);
                if lane.is_none() && !state.is_over() && state.conversation.wants_blocks() {
                    let opened = Lane::open(upstream, self.content.clone(), &state.supply, now);
                    *lane = Some(opened.map_err(|e| format!("no loopback socket: {e}"))?);
                }
                if let Some(lane) = lane {
                    state.refill(lane, now)?;
                }
                state.speak(&self.socket, now);
                if state.is_over() {
                    return Ok(());
                }
                let deadlines = [
                    state.conversation.next_deadline(),
                    lane.as_ref().and_then(Lane::next_deadline),
                ];
                let sent = state.conversation.delivered() * state.block;
                (deadlines.into_iter().flatten().min(), sent)
            };
            if delivered > 0 && now.saturating_duration_since(told_at) >= PROGRESS {
                told_at = now;
                tell(What::Progress { sent: delivered });
            }
            // Deadlines move on with every block. The timer is only moved when it would ring too
            // late; when it rings too early, this loop finds nothing to do and sets it anew.
            let wanted = deadline.unwrap_or(now + FAR);
            if wanted < alarm || alarm <= now {
                alarm = wanted;
                timer.as_mut().reset(alarm.into());
            }
            poll_fn(|cx| {
                let mut woken = self.socket.poll_ready(cx).is_ready();
                woken |= lane
                    .as_ref()
                    .is_some_and(|lane| lane.poll_ready(cx).is_ready());
                woken |= timer.as_mut().poll(cx).is_ready();
                if nudged.as_mut().poll(cx).is_ready() {
                    nudged.set(self.nudged.notified());
                    woken = true;
                }
                if woken {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Hears what has arrived.
    fn hear(
        &mut self,
        receive: impl Fn(&Port, &mut [u8]) -> io::Result<usize>,
        socket: &Port,
        now: Instant,
    ) {
        let mut datagram = [0; LONGEST_HEARD];
        for _ in 0..MOST_HEARD {
            match receive(socket, &mut datagram) {
                Ok(length) => self.conversation.handle(&datagram[..length], now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    self.conversation.gone();
                    return;
                }
                // The network is down for the moment; the deadline decides.
                Err(error) => {
                    self.send_error = Some(error);
                    return;
                }
            }
        }
    }

    /// Makes room for more pieces and takes in those that have arrived.
    fn refill(&mut self, lane: &mut Lane, now: Instant) -> Result<(), String> {
        self.supply.release(self.conversation.delivered());
        lane.allow(&self.supply, now).map_err(|e| e.to_string())?;
        lane.handle_timeout(now).map_err(|e| e.to_string())?;
        lane.receive(&mut self.supply, now)
            .map_err(|e| e.to_string())?;
        self.conversation
            .supplied(self.supply.ready(), self.supply.last());
        Ok(())
    }

    /// Says everything there is to say now.
    fn speak(&mut self, socket: &Port, now: Instant) {
        while !self.is_over() {
            let resent = self.conversation.resent();
            let Some(say) = self.conversation.poll(now) else {
                return;
            };
            // A block is said for the first time because the one before was acknowledged.
            let mut answers = false;
            self.out.clear();
            match say {
                Say::Offer => self.out.extend_from_slice(&self.offer),
                Say::Block(number) => {
                    answers = self.conversation.resent() == resent;
                    let Some(data) = self.supply.block(number) else {
                        return;
                    };
                    // Modulo 65536 is how block numbers travel.
                    self.out.extend_from_slice(&data_header(number as u16));
                    self.out.extend_from_slice(data);
                }
            }
            let sent = if answers {
                socket.answer(&self.out)
            } else {
                socket.send(&self.out)
            };
            match sent {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    self.conversation.gone();
                }
                // As good as lost on the wire: it is said again at the deadline.
                Err(error) => self.send_error = Some(error),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stopped.is_some() || self.conversation.ending().is_some()
    }

    /// Ends the transfer unless it has ended by itself.
    fn stop(&mut self, why: Stopped) {
        if !self.is_over() {
            self.stopped = Some(why);
        }
    }

    fn outcome(&self, size: u64) -> What {
        let sent = self.conversation.delivered() * self.block;
        let failed = |why: String| What::Failed { why, sent };
        match (self.conversation.ending(), &self.stopped) {
            (Some(Ending::Done), _) => What::Done {
                bytes: size,
                resent: self.conversation.resent(),
            },
            // The port was closed without a word of complaint once everything was on its way.
            (Some(Ending::Gone), _) if self.conversation.only_last_is_missing() => What::Done {
                bytes: size,
                resent: self.conversation.resent(),
            },
            (Some(Ending::Declined), _) => What::Declined,
            (Some(Ending::Refused { code, message }), _) => failed(format!(
                "the board reported error {code} \"{message}\" after {sent} bytes"
            )),
            (Some(Ending::Gone), _) => {
                failed(format!("the board closed its port after {sent} bytes"))
            }
            (Some(Ending::Silent), _) if self.conversation.only_last_is_missing() => {
                failed(format!(
                    "all {size} bytes were sent, but the board never acknowledged the last block"
                ))
            }
            (Some(Ending::Silent), _) => {
                let cause = self
                    .send_error
                    .as_ref()
                    .map(|e| format!(" ({e})"))
                    .unwrap_or_default();
                failed(format!("the board fell silent after {sent} bytes{cause}"))
            }
            (None, Some(Stopped::Superseded)) => {
                failed(format!("the board started anew after {sent} bytes"))
            }
            (None, Some(Stopped::Failed(why))) => failed(why.clone()),
            (None, Some(Stopped::Closing) | None) => {
                failed(format!("the server stopped after {sent} bytes"))
            }
        }
    }
}
