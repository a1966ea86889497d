//! What one transfer was agreed to be: block size, window, patience, and the OACK that says so.
//!
//! Only what the client asked for is granted, in its order, and never more than it asked: boards
//! have an error path for an OACK that holds anything else. Sources: RFC 2347–2349, RFC 7440.

use std::time::Duration;

use super::Settings;
use super::packet::{self, DEFAULT_BLOCK, LARGEST_BLOCK, SMALLEST_BLOCK};
use super::request::{Asked, Mode, Request};

/// A client may ask for up to 255 s. Granting that would let one silent client hold a place for
/// half an hour; a longer wish is left out of the OACK, as RFC 2349 allows.
const LONGEST_TIMEOUT: u64 = 30;

/// How often a client that asked for a timeout of its own is told something, at least.
const TRIES: u32 = 3;

/// Bytes of one window: what a socket's send buffer holds without losing the tail.
const LARGEST_WINDOW: usize = 96 * 1024;

/// The agreed terms of one transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    /// Bytes per block.
    pub(super) block: u16,
    /// Blocks in flight before an ACK is due.
    pub(super) window: u16,
    /// The shortest wait before something is said again.
    pub(super) soonest: Duration,
    /// The wait before something is said again, until round trips were measured.
    pub(super) timeout: Duration,
    /// As far as the wait doubles.
    pub(super) longest: Duration,
    /// How long a silent client is kept.
    pub(super) patience: Duration,
    /// The OACK to send first; empty when there were no options to grant.
    pub(super) offer: Vec<u8>,
}

impl Terms {
    /// Agrees on a request for a file of `size` bytes.
    pub(super) fn agree(request: &Request, size: u64, settings: &Settings) -> Self {
        let block = block_size(request, settings);
        let mut window = 1;
        let mut timeout = settings.timeout;
        let mut granted = Vec::with_capacity(request.asked.len());
        for asked in &request.asked {
            let value = match *asked {
                Asked::BlockSize(_) => u64::from(block),
                Asked::WindowSize(wish) => {
                    window = window_size(wish, block, settings);
                    u64::from(window)
                }
                Asked::Timeout(wish) if wish <= LONGEST_TIMEOUT => {
                    timeout = Duration::from_secs(wish);
                    wish
                }
                // The size on the wire of a converted text is not known beforehand.
                Asked::TransferSize if request.mode == Mode::Octet => size,
                Asked::Timeout(_) | Asked::TransferSize => continue,
            };
            granted.push((asked.name(), value));
        }
        let offer = if granted.is_empty() {
            Vec::new()
        } else {
            packet::options(granted)
        };
        Self {
            block,
            window,
            soonest: settings.soonest,
            timeout,
            longest: settings.longest.max(timeout),
            patience: settings.patience.max(timeout.saturating_mul(TRIES)),
            offer,
        }
    }
}

fn block_size(request: &Request, settings: &Settings) -> u16 {
    let most = settings.max_block.clamp(SMALLEST_BLOCK, LARGEST_BLOCK);
    let wish = request.asked.iter().find_map(|asked| match asked {
        Asked::BlockSize(wish) => Some(*wish),
        Asked::Timeout(_) | Asked::TransferSize | Asked::WindowSize(_) => None,
    });
    wish.map_or(DEFAULT_BLOCK, |wish| {
        u16::try_from(wish).unwrap_or(most).min(most)
    })
}

fn window_size(wish: u64, block: u16, settings: &Settings) -> u16 {
    let fits = u16::try_from(LARGEST_WINDOW / usize::from(block)).unwrap_or(u16::MAX);
    let most = settings.max_window.min(fits).max(1);
    u16::try_from(wish).unwrap_or(most).min(most)
}
