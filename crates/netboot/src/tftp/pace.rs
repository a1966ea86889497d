//! How long to wait for an ACK before saying something again.
//!
//! A lost datagram must not cost the full second that a silent board is worth: at two lost
//! datagrams in a thousand, a 40 MB file would wait a minute in sum and run into the firmware's
//! 30 s per file. So the wait follows the round trips measured on this very transfer (RFC 6298),
//! and doubles while nothing is heard. By Karn's rule a block said twice measures nothing, and the
//! doubled wait stays until a block said once was measured: otherwise a client slower than the wait
//! would be sent every block twice. Saying a block too early is harmless: the client acknowledges it
//! again and that second ACK is ignored.

use std::time::Duration;

/// The retransmission clock of one transfer.
#[derive(Debug)]
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
    smooth: Option<Duration>,
    vary: Duration,
    wait: Duration,
}

impl Pace {
    /// Waits `first` until a first round trip was measured, and never less than `shortest`: a board
    /// that merely takes a breath need not be sent its block again. Doubles up to `longest`.
    pub(super) fn new(shortest: Duration, first: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            smooth: None,
            vary: Duration::ZERO,
            wait: first,
        }
    }

    /// How long to wait from the newest datagram on.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Takes in one clean measurement.
    pub(super) fn measured(&mut self, trip: Duration) {
        let smooth = match self.smooth {
            None => {
                self.vary = trip / 2;
                trip
            }
            Some(smooth) => {
                self.vary = (self.vary * 3 + smooth.abs_diff(trip)) / 4;
                (smooth * 7 + trip) / 8
            }
        };
        self.smooth = Some(smooth);
        let wait = smooth + self.vary * 4;
        self.wait = wait.max(self.shortest).min(self.longest);
    }

    /// Nothing came back in time.
    pub(super) fn missed(&mut self) {
        self.wait = (self.wait * 2).min(self.longest);
    }
}
