//! Files that contestants move: bytes that no compression helps with, and the test image.

use punnet_tests::binaries;
use punnet_tests::running::expect;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes a file of pseudo-random bytes.
pub(crate) fn random(file: &Path, bytes: usize, seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).expect("a file"));
    for _ in 0..bytes.div_ceil(8) {
        // xorshift64*, Vigna 2016.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let word = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
        out.write_all(&word.to_le_bytes()).expect("written");
    }
}

/// The biggest real image at hand: the Debian one when it was made before, the small one otherwise.
pub(crate) fn image() -> PathBuf {
    let debian = binaries::root().join("target/lab-cache/debian-arm64.img");
    if debian.exists() {
        debian
    } else {
        binaries::small_image().to_owned()
    }
}

/// The image as an `.xz` file as they are published; made once.
pub(crate) fn image_xz() -> PathBuf {
    let image = image();
    let packed = PathBuf::from(format!("{}.xz", image.display()));
    let older = |a: &Path, b: &Path| {
        let time = |f: &Path| f.metadata().and_then(|m| m.modified()).ok();
        time(a) < time(b)
    };
    if !packed.exists() || older(&packed, &image) {
        println!("(packing {} once)", image.display());
        let partial = format!("{}.partial", packed.display());
        let script = format!("xz -6 -T2 -c '{}' >'{partial}'", image.display());
        expect(Command::new("sh").args(["-c", &script]));
        std::fs::rename(partial, &packed).expect("renamed");
    }
    packed
}
