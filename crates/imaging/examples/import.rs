//! Imports an image file into a folder of packs and prints one JSON object with the figures:
//! `cargo run --release -p imaging --example import -- FILE FOLDER [THREADS]`.

use imaging::import::{Options, clean, import};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use wire::manifest::ChunkClass;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [source, into, threads @ ..] = &arguments[..] else {
        return Err("usage: import FILE FOLDER [THREADS]".into());
    };
    let mut options = Options::default();
    if let [threads] = threads {
        options.threads = threads.parse()?;
    }
    clean(Path::new(into))?;
    let begun = Instant::now();
    let never = AtomicBool::new(false);
    let done = import(
        Path::new(source),
        Path::new(into),
        &options,
        &|_| {},
        &never,
    )?;
    let seconds = begun.elapsed().as_secs_f64();
    let count = |class| {
        let chunks = done.manifest.chunks.iter();
        chunks.filter(|c| c.class == class).count()
    };
    let figures = serde_json::json!({
        "id": done.id,
        "format": done.format.to_string(),
        "seconds": seconds,
        "file_bytes": Path::new(source).metadata()?.len(),
        "raw_bytes": done.manifest.raw_bytes,
        "written_bytes": done.manifest.written_bytes(),
        "pack_bytes": done.pack_bytes,
        "raw_mib_per_second": done.manifest.raw_bytes as f64 / seconds / f64::from(1 << 20),
        "chunks": {
            "data": count(ChunkClass::Data),
            "zero": count(ChunkClass::Zero),
            "hole": count(ChunkClass::Hole),
        },
        "sha256": done.sha256,
        "contents": done.contents,
    });
    println!("{figures:#}");
    Ok(())
}
