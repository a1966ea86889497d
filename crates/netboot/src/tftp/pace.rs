//! How long to wait for an ACK before saying something again.
//!
//! A lost datagram must not cost the full second that a silent board is worth: at two lost
//! datagrams in a thousand, a 40 MB file would wait a minute in sum and run into the firmware's
//! 30 s per file. So the wait follows the round trips measured on this very transfer (RFC 6298,
//! with Karn's rule that a block said twice measures nothing), doubles while nothing is heard, and
//! never exceeds the agreed timeout. Saying a block too early is harmless: the client acknowledges
//! it again and that second ACK is ignored.

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
    /// Waits `longest` until a first round trip was measured, and never less than `shortest`: a
    /// board that merely takes a breath need not be sent its block again.
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            smooth: None,
            vary: Duration::ZERO,
            wait: longest,
        }
    }

    /// How long to wait from the newest datagram on.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Takes in one clean measurement.
    pub(super) fn measured(&mut self, trip: Duration) {
        match self.smooth {
            None => {
                self.smooth = Some(trip);
                self.vary = trip / 2;
            }
            Some(smooth) => {
                self.vary = (self.vary * 3 + smooth.abs_diff(trip)) / 4;
                self.smooth = Some((smooth * 7 + trip) / 8);
            }
        }
        self.settle();
    }

    /// Nothing came back in time.
    pub(super) fn missed(&mut self) {
        self.wait = (self.wait * 2).min(self.longest);
    }

    /// The client was heard again, though not in a way that measures anything.
    pub(super) fn settle(&mut self) {
        self.wait = match self.smooth {
            Some(smooth) => (smooth + self.vary * 4)
                .max(self.shortest)
                .min(self.longest),
            None => self.longest,
        };
    }
}
