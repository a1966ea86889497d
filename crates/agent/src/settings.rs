//! What an agent is told before it begins: where its station is, and how patient to be.

use std::net::Ipv4Addr;
use std::time::Duration;
use wire::Mac;

/// How an agent reaches its station, and who it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The station's door for boards, `http://address:port`.
    pub station: String,
    /// The one-time boot token.
    pub token: Option<String>,
    /// The Ethernet address of the interface that booted.
    pub mac: Mac,
    /// Source address of every connection, for virtual boards that share one machine.
    pub local: Option<Ipv4Addr>,
    /// The station's public key, when the initramfs held one.
    pub station_key: Option<[u8; 32]>,
}

/// Paces. The defaults are for boards; tests are less patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often the station hears of a board that works; at most a second.
    pub report_every: Duration,
    /// Pause after a call that failed; it doubles up to `longest_pause`.
    pub pause: Duration,
    /// Longest pause between two calls.
    pub longest_pause: Duration,
    /// Pause after a failure, before the agent asks what to do next.
    pub after_failure: Duration,
    /// How long the station may refuse the boot token before the board boots anew.
    pub doubted: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            report_every: Duration::from_millis(500),
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(5),
            after_failure: Duration::from_secs(3),
            doubted: Duration::from_mins(1),
        }
    }
}
