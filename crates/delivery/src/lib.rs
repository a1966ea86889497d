//! One pack to many boards: which bytes are wanted next, and how they come.
//!
//! [`plan`] is pure: it knows which chunks of a pack a board still lacks, puts neighbouring frames
//! together into one range, and says when to try again after a failure. A [`Transport`] brings the
//! frames; [`http`] is the one that always works. Chunks are accepted by whoever checks their hash,
//! in any order, from any transport, once: that is what makes resuming and repairing the same thing.
//! [`range`] is the other side of the same call, the header as the station's door reads it.
//!
//! ```text
//! plan ──Fetch──▶ Transport ──frame──▶ (decompress, hash) ──accepted / damaged──▶ plan
//! ```

pub mod http;
pub mod plan;
pub mod range;

use plan::Fetch;

/// Takes the frames that a transport brings.
pub trait Sink {
    /// Room for the frame of `chunk`, `bytes` long; waits until there is memory for it. `None`
    /// means that nothing more is wanted.
    fn room(&mut self, chunk: usize, bytes: usize) -> Option<Vec<u8>>;

    /// A whole frame, not checked yet.
    fn frame(&mut self, chunk: usize, frame: Vec<u8>);
}

/// A way by which frames reach a board.
pub trait Transport: Send + Sync {
    /// Its name in a deployment's record.
    fn name(&self) -> &'static str;

    /// Brings the frames of `fetch`. An error may come after some of them have arrived.
    fn fetch(&self, fetch: &Fetch, sink: &mut dyn Sink) -> Result<(), TransportError>;
}

/// Why a fetch ended early.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The station cannot be reached, or the connection broke. Worth trying again.
    #[error("{0}")]
    Broken(String),
    /// The station answered that it will not. Worth trying again, later.
    #[error("the station answered: {0}")]
    Refused(String),
    /// The sink wants nothing more.
    #[error("nothing more is wanted")]
    Unwanted,
}
