//! What the engine cannot know by itself: network cards, transfers under way, the machine.
//!
//! The service that runs around an engine hands it one [`Outside`] when it starts. An engine that
//! runs alone, for a verb of the command line, has none and refuses those questions.

use crate::backup::outgoing::Outgoing;
use crate::config::{Config, Deployment};
use crate::counts::Tally;
use std::pin::Pin;
use wire::backup::Backups;
use wire::configuration::{Change, Configuration};
use wire::health::Works;
use wire::refusal::Code;
use wire::self_test::SelfTest;
use wire::{BoardId, ImageId, Mac, Millis, Refusal};

/// An answer that takes a moment.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The world around an engine.
pub trait Outside: Send + Sync + 'static {
    /// The network cards of this machine.
    fn nics(&self) -> Soon<'_, Result<Vec<crate::net::Nic>, Refusal>>;

    /// What is being done at this moment. Which board a transfer is for is left open.
    fn works(&self) -> Soon<'_, Works>;

    /// The backups in the folder, and when the next is made after the `last` good one.
    fn backups(&self, last: Option<Millis>) -> Soon<'_, Result<Backups, Refusal>>;

    /// Begins an archive of the station, with its packs or without; refused while one is on its way.
    fn archive(&self, packs: bool) -> Soon<'_, Result<Outgoing, Refusal>>;

    /// Reads the configuration again: what differs from what is in effect, and what is wanted now.
    fn read_again(&self) -> Soon<'_, Result<(Vec<Change>, Config), Refusal>>;

    /// Applies what is wanted of the changes that were found, apart from those that wait and from what
    /// the engine applies. Those that could not be applied come back as waiting too.
    fn apply(&self, wanted: Box<Config>, found: Vec<Change>) -> Soon<'_, Vec<Change>>;

    /// The configuration that is in effect; `chosen` is what the operator chose over it.
    fn configuration(&self, chosen: Option<Deployment>) -> Configuration;

    /// What the servers have done since the station started.
    fn tally(&self) -> Tally;

    /// Runs the self-test; refused while one runs.
    fn self_test(&self, image: Result<ImageId, String>) -> Soon<'_, Result<SelfTest, Refusal>>;

    /// The last packets of the deployment side (pcap): all, or those of these addresses.
    fn packets(&self, of: Option<&[Mac]>) -> Vec<u8>;

    /// The lines of the station's log about a board, oldest first.
    fn log_of(&self, board: BoardId) -> Soon<'_, Vec<String>>;

    /// How the station is set, in the manner of its file and without secrets.
    fn settings(&self) -> String;

    /// Can the pack of this image be opened, and is it the one that its name says?
    fn pack(&self, image: ImageId) -> Soon<'_, Result<(), Refusal>>;

    /// Where a browser finds the page, when there is one.
    fn page(&self) -> Option<String>;

    /// The fingerprint of the certificate that it shows there, when it is encrypted.
    fn fingerprint(&self) -> Option<String>;
}

/// The refusal of whoever asks an engine that runs alone.
pub fn alone() -> Refusal {
    let text = "No station is running on this data folder, so there is nothing to be said of it.";
    Refusal::new(Code::Unavailable, text).next("Start Punnet, or `punnet --daemon`.")
}
