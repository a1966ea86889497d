//! The pipeline by itself, without station, reports or personalising: to be measured against other
//! ways of getting an image onto a disk.

use crate::gauge::Gauge;
use crate::pipeline::Intake;
use delivery::Transport;
use imaging::target::Target;
use imaging::write::{Figures, Opened, WriteError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wire::image::Grow;
use wire::manifest::Manifest;

/// What a copy cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// What the writer did.
    pub figures: Figures,
    /// Bytes received.
    pub received: u64,
}

/// Fetches a whole image and writes it to `target`, which is left without its partition table.
/// With `read_back` every written chunk is read from the medium and compared.
pub fn copy(
    transport: &dyn Transport,
    manifest: &Manifest,
    target: Box<dyn Target>,
    read_back: bool,
) -> Result<Copied, WriteError> {
    let (gauge, received) = (Gauge::default(), AtomicU64::new(0));
    let intake = Intake {
        transport,
        manifest,
        gauge: &gauge,
        received: &received,
        halted: &|| None,
        pauses: (Duration::from_millis(200), Duration::from_secs(2)),
    };
    let first = intake.fetch_one(0)?;
    let opened = Opened::open(target, manifest.clone(), "measurement", first, Grow::Never)?;
    let cleared = opened.clear()?;
    let watch = &mut |_, _| Ok(());
    let figures = intake.with_feed(|feed| {
        let written = cleared.write(feed, watch)?;
        if read_back {
            return Ok(written.read_back(feed, watch)?.figures());
        }
        Ok::<_, WriteError>(written.figures())
    })?;
    Ok(Copied {
        figures,
        received: received.load(Ordering::Relaxed),
    })
}
