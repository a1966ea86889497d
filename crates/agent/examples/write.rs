//! `write PACK_URL TARGET [--read-back]`: fetches a pack and writes it to a file or disk through
//! the agent's own pipeline, and prints what that took as JSON.
//!
//! `PACK_URL` is `http://address:port/agent/v1/packs/<image>`. A file is made anew with the size of
//! the image.

use delivery::http::Station;
use imaging::target::{BlockDevice, FileTarget, Target};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Instant;
use wire::image::ImageId;
use wire::manifest::Manifest;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, target, read_back) = match &arguments[..] {
        [url, target] => (url, target, false),
        [url, target, flag] if flag == "--read-back" => (url, target, true),
        _ => return Err("usage: write PACK_URL TARGET [--read-back]".into()),
    };
    let (base, image) = url
        .split_once("/agent/v1/packs/")
        .ok_or("PACK_URL looks like http://address:port/agent/v1/packs/<image>")?;
    let image: ImageId = image.parse()?;
    let begun = Instant::now();
    let station = Station::new(base, None);
    let manifest: Manifest = serde_json::from_slice(&station.manifest(image)?.bytes)?;
    let disk = open(Path::new(target), manifest.raw_bytes)?;
    let copied = agent::measure::copy(&station.pack(image), &manifest, disk, read_back)?;
    println!(
        "{}",
        serde_json::json!({
            "seconds": begun.elapsed().as_secs_f64(),
            "bytes_written": copied.figures.bytes_written,
            "bytes_read_back": copied.figures.bytes_read_back,
            "bytes_received": copied.received,
        })
    );
    Ok(())
}

fn open(path: &Path, bytes: u64) -> Result<Box<dyn Target>, Error> {
    let is_disk = std::fs::metadata(path).is_ok_and(|m| m.file_type().is_block_device());
    if is_disk {
        Ok(Box::new(BlockDevice::open(path, None)?))
    } else {
        Ok(Box::new(FileTarget::create(path, bytes)?))
    }
}
