//! Image files as people have them, and what goes wrong with them.

use crate::fixture::{Dice, run, temp, text};
use crate::golden::packed;
use imaging::source::{Format, Source, SourceError};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// The beginning of a disk, under every compression.
static PACKED: LazyLock<(TempDir, Vec<(&'static str, PathBuf)>)> = LazyLock::new(|| {
    let dir = temp();
    let file = dir.path().join("disk.img");
    let mut disk = disk();
    let words = "some of it packs well; ".repeat(250_000);
    disk.extend_from_slice(words.as_bytes());
    disk.extend(Dice::new(9).bytes(2_000_000));
    fs::write(&file, disk).unwrap();
    let all = packed(&file, dir.path());
    (dir, all)
});

fn read(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut source = Source::open(path)?;
    let mut bytes = Vec::new();
    match source.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => Err(SourceError::from_read(path, e)),
    }
}

#[test]
fn every_compression_gives_the_same_bytes_and_uses_the_whole_file() {
    let wanted = fs::read(&PACKED.1[0].1).unwrap();
    for (name, path) in &PACKED.1 {
        // The name of the file says nothing.
        let dir = temp();
        let disguised = dir.path().join("download.dat");
        fs::copy(path, &disguised).unwrap();
        let mut source = Source::open(&disguised).unwrap();
        let count = source.read_bytes();
        let mut got = Vec::new();
        source.read_to_end(&mut got).unwrap();
        assert!(got == wanted, "{name} gives {} bytes", got.len());
        assert_eq!(count.so_far(), source.total_bytes(), "{name}");
    }
}

fn compressed() -> impl Iterator<Item = (&'static str, PathBuf)> {
    let packed = PACKED.1.iter().filter(|(name, _)| *name != "raw");
    packed.map(|(name, path)| (*name, path.clone()))
}

#[test]
fn a_file_that_ends_early_is_never_a_short_image() {
    let dir = temp();
    let cut = dir.path().join("cut");
    for (name, path) in compressed() {
        let whole = fs::read(path).unwrap();
        for left in [whole.len() - 1, whole.len() - 9, whole.len() / 2, 20] {
            fs::write(&cut, &whole[..left]).unwrap();
            let e = read(&cut).unwrap_err();
            let zip = name == "zip" && matches!(e, SourceError::Corrupt { .. });
            assert!(
                zip || matches!(e, SourceError::Truncated(_)),
                "{name} to {left}: {e}"
            );
        }
    }
}

#[test]
fn a_changed_byte_is_noticed() {
    let dir = temp();
    let bad = dir.path().join("bad");
    for (name, path) in compressed() {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        for byte in &mut bytes[middle..middle + 8] {
            *byte ^= 0x55;
        }
        fs::write(&bad, bytes).unwrap();
        // The zstd tool adds a checksum to a stream, and every format has one.
        let e = read(&bad).unwrap_err();
        let noticed = matches!(
            e,
            SourceError::Corrupt { .. }
                | SourceError::Truncated(_)
                | SourceError::TrailingGarbage(_)
        );
        assert!(noticed, "{name}: {e}");
    }
}

#[test]
fn what_follows_the_data_is_refused_and_padding_is_not() {
    let dir = temp();
    let longer = dir.path().join("longer");
    for (name, path) in compressed().filter(|(name, _)| *name != "zip") {
        let whole = fs::read(path).unwrap();
        fs::write(&longer, [&whole[..], b"and then some"].concat()).unwrap();
        let e = read(&longer).unwrap_err();
        assert!(matches!(e, SourceError::TrailingGarbage(_)), "{name}: {e}");
        if name != "zst" {
            fs::write(&longer, [&whole[..], &[0; 1024]].concat()).unwrap();
            assert!(read(&longer).is_ok(), "{name}");
        }
    }
}

#[test]
fn unreadable_files_say_why() {
    let dir = temp();
    let empty = dir.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert!(matches!(read(&empty), Err(SourceError::Empty(_))));
    assert!(matches!(read(dir.path()), Err(SourceError::NotAFile(_))));
    assert!(matches!(
        read(Path::new("/dev/null")),
        Err(SourceError::NotAFile(_))
    ));
    let e = read(&dir.path().join("absent")).unwrap_err();
    assert!(
        matches!(&e, SourceError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    );
    let other = dir.path().join("other");
    fs::write(&other, b"7z\xbc\xaf\x27\x1c and so on").unwrap();
    let words = read(&other).unwrap_err().to_string();
    assert!(words.contains("7-Zip") && words.contains(".xz"), "{words}");
}

#[test]
fn a_stream_that_wants_too_much_memory_is_refused() {
    let dir = temp();
    let plain = dir.path().join("plain");
    fs::write(&plain, Dice::new(1).bytes(1 << 20)).unwrap();
    let wide = dir.path().join("wide.zst");
    let line = format!(
        "zstd -q --long=30 --no-content-size < {} > {}",
        text(&plain),
        text(&wide)
    );
    run("sh", &["-c", &line]);
    let e = read(&wide).unwrap_err();
    assert!(
        matches!(e, SourceError::TooMuchMemory { limit_mib: 128, .. }),
        "{e}"
    );
}

/// An archive of these files.
fn zip(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let dir = temp();
    let path = dir.path().join("a.zip");
    for (name, bytes) in files {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        let line = format!("cd {} && zip -q a.zip '{name}'", text(dir.path()));
        run("sh", &["-c", &line]);
    }
    (dir, path)
}

fn disk() -> Vec<u8> {
    let mut disk = Dice::new(3).bytes(100_000);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

#[test]
fn the_one_image_of_an_archive_is_found_among_its_companions() {
    let disk = disk();
    let companions: [(&str, &[u8]); 4] = [
        ("README.txt", b"read me"),
        ("os/image.img", &disk),
        ("os/image.img.sha256", b"abc"),
        ("__MACOSX/os/._image.img", b"litter"),
    ];
    let (_dir, path) = zip(&companions);
    let source = Source::open(&path).unwrap();
    assert_eq!(source.format(), Format::Zip);
    assert_eq!(source.inner_name(), Some("os/image.img"));
    assert!(read(&path).unwrap() == disk);

    let dir = temp();
    let plain = dir.path().join("image.img");
    fs::write(&plain, &disk).unwrap();
    run("xz", &[text(&plain)]);
    let xz = fs::read(dir.path().join("image.img.xz")).unwrap();
    let (_dir, path) = zip(&[("image.img.xz", &xz), ("notes.txt", b"notes")]);
    assert!(read(&path).unwrap() == disk, "an xz inside a zip");
}

#[test]
fn an_archive_without_one_clear_image_names_what_it_holds() {
    let disk = disk();
    let refusal = |files: &[(&str, &[u8])]| {
        let (_dir, path) = zip(files);
        let e = Source::open(&path).unwrap_err();
        assert!(matches!(e, SourceError::Archive(_)), "{e}");
        e.to_string()
    };
    let words = refusal(&[("lite.img", &disk), ("full.img", &disk), ("a.txt", b"a")]);
    assert!(
        words.contains("lite.img, full.img") && !words.contains("a.txt"),
        "{words}"
    );
    let words = refusal(&[("a.txt", b"a"), ("b.txt", b"b")]);
    assert!(
        words.contains("no disk image") && words.contains("a.txt, b.txt"),
        "{words}"
    );
}
