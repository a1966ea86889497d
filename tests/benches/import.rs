//! Importing a published image against decompressing and compressing it again with the programs
//! everybody has.

use crate::files;
use crate::table::{Contestant, race};
use punnet_tests::binaries;
use punnet_tests::running::expect;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) fn run() {
    let source = files::image_xz();
    let raw = files::image().metadata().expect("there").len();
    let folder = tempfile::tempdir_in(binaries::target()).expect("a folder");
    let packs = folder.path().join("packs");
    let program = binaries::example("imaging", "import");
    let pipe = |threads: u32| {
        let out = folder.path().join("image.zst");
        let script = format!(
            "xz -dc -T{threads} '{}' | zstd -q -f -3 -T{threads} -o '{}'",
            source.display(),
            out.display()
        );
        move || timed(Command::new("sh").args(["-c", &script]))
    };
    race(
        &format!("Import of {} (decompressed)", source.display()),
        2,
        raw as f64 / 1e6,
        "MB/s",
        &mut [
            Contestant::new("punnet import", || {
                // A fresh library each time: importing the same image again would be free.
                let _ = std::fs::remove_dir_all(&packs);
                std::fs::create_dir_all(&packs).expect("a folder");
                timed(Command::new(&program).arg(&source).arg(&packs))
            }),
            Contestant::new("xz -d | zstd", pipe(1)),
            Contestant::new("xz -d -T2 | zstd -T2", pipe(2)),
        ],
    );
}

pub(crate) fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    expect(command);
    begun.elapsed()
}
