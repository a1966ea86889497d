//! Every disk checked against the image, which is fetched as boards fetch it, in the session of one.

use super::bench::Life;
use super::{Halt, Progress};
use crate::board::{End, Story};
use crate::check::{Expected, Reference, check};
use delivery::http::Station;
use delivery::plan::Fetch;
use delivery::{Sink, Transport};
use imaging::pack::decode_chunk;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use wire::ImageId;
use wire::manifest::{ChunkClass, Manifest};

/// How often a fetch is tried, and the pause between two tries.
const PATIENCE: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// What the disks turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proofs {
    /// What is wrong with each board's disk, in the order of the boards.
    pub faults: Vec<Option<String>>,
    /// Size of the image in bytes; 0 when no board got one.
    pub image_bytes: u64,
}

/// Checks the disk of every board that runs its own system; once `halt` is called, no more of them.
pub fn prove(
    lives: &[Life],
    work: &Path,
    halt: &Halt,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Proofs {
    let references = references(lives, work);
    let found: Vec<Mutex<Option<String>>> = lives.iter().map(|_| Mutex::default()).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicU32::new(0));
    let of = u32::try_from(lives.len()).unwrap_or(u32::MAX);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !halt.is_called()
                    && let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && let (Some(life), Some(place)) = (lives.get(index), found.get(index))
                {
                    let fault = one(life, &references).err();
                    if let Ok(mut place) = place.lock() {
                        *place = fault;
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    progress(Progress::Checked { done, of });
                }
            });
        }
    });
    let faults = found
        .into_iter()
        .map(|place| place.into_inner().unwrap_or_default());
    let sizes = references.values().filter_map(|r| r.as_ref().ok());
    Proofs {
        faults: faults.collect(),
        image_bytes: sizes.map(Reference::bytes).max().unwrap_or(0),
    }
}

type References = HashMap<ImageId, Result<Reference, String>>;

fn one(life: &Life, references: &References) -> Result<(), String> {
    let story = life.story.as_ref().ok_or("it has no story")?;
    let End::Running { .. } = story.end else {
        return Ok(());
    };
    let (Some(job), Some(outcome)) = (&story.job, &story.outcome) else {
        return Err("it runs a system that it was not given".to_owned());
    };
    let reference = references.get(&job.image).ok_or("its image is not known")?;
    let reference = reference.as_ref().map_err(String::clone)?;
    let expected = Expected {
        hostname: job.hostname.clone(),
        changed: outcome.changed_files.clone(),
    };
    check(reference, &life.disk, &expected).map_err(|wrong| wrong.join("; "))
}

// Each image that a board got, once.
fn references(lives: &[Life], work: &Path) -> References {
    let mut references = References::new();
    for story in lives.iter().filter_map(|l| l.story.as_ref()) {
        // Its session lasts for as long as what it was given does.
        let Story {
            end: End::Running { .. },
            job: Some(job),
            station: Some(station),
            address,
            ..
        } = story
        else {
            continue;
        };
        references.entry(job.image).or_insert_with(|| {
            let path = work.join(format!("reference-{}", job.image.short()));
            let station = Station::new(station, *address);
            let station = station.in_session(&job.deployment, &job.secret);
            download(&station, job.image, &path)
        });
    }
    references
}

fn download(station: &Station, image: ImageId, into: &Path) -> Result<Reference, String> {
    let failed =
        |e: &dyn std::fmt::Display| format!("the image to compare with cannot be fetched: {e}");
    let signed = again(|| station.manifest(image)).map_err(|e| failed(&e))?;
    if *blake3::hash(&signed.bytes).as_bytes() != image.0 {
        return Err(failed(&"the manifest is not that of the image"));
    }
    let manifest: Manifest = serde_json::from_slice(&signed.bytes).map_err(|e| failed(&e))?;
    manifest.check().map_err(|e| failed(&e))?;
    let file = File::create(into).map_err(|e| failed(&e))?;
    file.set_len(manifest.raw_bytes).map_err(|e| failed(&e))?;
    let pack = station.pack(image);
    for (index, chunk) in manifest.chunks.iter().enumerate() {
        if chunk.class != ChunkClass::Data {
            continue;
        }
        let wanted = Fetch {
            id: index as u64,
            range: chunk.offset..chunk.offset + chunk.packed,
            frames: vec![(index, usize::try_from(chunk.packed).unwrap_or(usize::MAX))],
        };
        let mut frame = OneFrame::default();
        again(|| pack.fetch(&wanted, &mut frame)).map_err(|e| failed(&e))?;
        let raw = decode_chunk(&manifest, index, &frame.0).map_err(|e| failed(&e))?;
        file.write_all_at(&raw, manifest.start(index))
            .map_err(|e| failed(&e))?;
    }
    Reference::open(into, manifest).map_err(|e| e.to_string())
}

// The station may be restarting at this very moment.
fn again<T, E>(mut act: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut tries = 0;
    loop {
        tries += 1;
        match act() {
            Err(_) if tries < PATIENCE => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
}

/// Room for one frame.
#[derive(Default)]
struct OneFrame(Vec<u8>);

impl Sink for OneFrame {
    fn room(&mut self, _: usize, _: usize) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    fn frame(&mut self, _: usize, frame: Vec<u8>) {
        self.0 = frame;
    }
}
