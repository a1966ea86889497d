//! Growing an ext4 file system that lies inside a larger file.
//!
//! `resize2fs` takes an offset, but at its end it cuts the file to the size of the file system as
//! if there were none, and the file system loses its tail. So it works on a copy of the partition,
//! and what it changed is copied back.

use super::e2fs::{complaints, run, tool};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Copied at once.
const PIECE: usize = 1 << 20;

/// Grows the file system at `offset` of `file` to `bytes`, which must lie inside the file.
pub(super) fn grow(file: &Path, offset: u64, bytes: u64) -> io::Result<()> {
    let disk = OpenOptions::new().read(true).write(true).open(file)?;
    let len = disk.metadata()?.len();
    if offset.checked_add(bytes).is_none_or(|end| end > len) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "{bytes} bytes at {offset} reach past the end of {}",
                file.display()
            ),
        ));
    }
    // Beside the disk: there is room for it, and a temporary folder may lie in memory.
    let folder = file.parent().unwrap_or(Path::new("."));
    let copy = tempfile::NamedTempFile::new_in(folder)?;
    copy.as_file().set_len(bytes)?;
    carry(&disk, offset, copy.as_file(), 0, bytes)?;
    let size = format!("{}K", bytes / 1024);
    let output = run(tool("resize2fs").arg(copy.path()).arg(size))?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "resize2fs: {}",
            complaints(&output)
        )));
    }
    copy.as_file().set_len(bytes)?;
    carry(copy.as_file(), 0, &disk, offset, bytes)
}

// Copies what differs, so that holes stay holes.
fn carry(from: &File, from_at: u64, to: &File, to_at: u64, bytes: u64) -> io::Result<()> {
    let (mut new, mut old) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    while at < bytes {
        let len = usize::try_from(bytes - at).map_or(PIECE, |left| left.min(PIECE));
        from.read_exact_at(&mut new[..len], from_at + at)?;
        to.read_exact_at(&mut old[..len], to_at + at)?;
        if new[..len] != old[..len] {
            to.write_all_at(&new[..len], to_at + at)?;
        }
        at += len as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn ran(program: &str, args: &[&str]) -> String {
        let output = run(tool(program).args(args)).unwrap();
        assert!(
            output.status.success(),
            "{program}: {}",
            complaints(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn the_file_around_it_keeps_its_length_and_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let (offset, old, new, len) = (3 << 20, 20 << 20, 60 << 20, 64 << 20);
        let file = File::create_new(&path).unwrap();
        file.set_len(len).unwrap();
        file.write_all_at(b"before", offset - 6).unwrap();
        file.write_all_at(b"after", offset + new).unwrap();
        let name = path.to_str().unwrap();
        let options = format!("offset={offset}");
        let size = format!("{}k", old >> 10);
        ran(
            "mke2fs",
            &[
                "-q", "-F", "-t", "ext4", "-b", "4096", "-E", &options, name, &size,
            ],
        );
        grow(&path, offset, new).unwrap();

        assert_eq!(file.metadata().unwrap().len(), len);
        let read = |at, len| {
            let mut bytes = vec![0; len];
            File::open(&path)
                .unwrap()
                .read_exact_at(&mut bytes, at)
                .unwrap();
            bytes
        };
        assert_eq!(read(offset - 6, 6), b"before");
        assert_eq!(read(offset + new, 5), b"after");
        // Checked where nothing but the file system is, so that the tool sees its true size.
        let alone = folder.path().join("alone");
        std::fs::write(&alone, read(offset, new as usize)).unwrap();
        ran("e2fsck", &["-fn", alone.to_str().unwrap()]);
        let stats = Command::new("/usr/sbin/dumpe2fs")
            .arg("-h")
            .arg(&alone)
            .output()
            .unwrap();
        let stats = String::from_utf8_lossy(&stats.stdout).into_owned();
        assert!(
            stats.contains(&format!("Block count:              {}", new / 4096)),
            "{stats}"
        );
    }

    #[test]
    fn a_partition_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        File::create(&path).unwrap().set_len(1 << 20).unwrap();
        assert!(grow(&path, 4096, 1 << 20).is_err());
        assert!(grow(&path, u64::MAX, 2).is_err());
    }
}
