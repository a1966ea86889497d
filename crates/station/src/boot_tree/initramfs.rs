//! Puts the installer's initramfs together: the agent's archive, the image's kernel modules, and the
//! station's public key, one behind the other.
//!
//! The kernel unpacks concatenated archives one after another and skips zero bytes between them
//! (`init/initramfs.c`); each begins at a multiple of four. So the agent's archive stays bit-equal to
//! the one that was built and signed off, whatever it travels with.

use bytes::Bytes;
use cpio::newc;
use std::io::{self, Write};
use wire::agent::KEY_PATH;

/// Concatenates archives, each padded to four bytes.
pub fn concatenate(parts: &[&[u8]]) -> Bytes {
    let room = parts.iter().map(|p| p.len() + 4).sum();
    let mut whole = Vec::with_capacity(room);
    for part in parts {
        whole.extend_from_slice(part);
        whole.resize(whole.len().next_multiple_of(4), 0);
    }
    whole.into()
}

/// An archive with nothing in it.
pub fn empty() -> Vec<u8> {
    // Writing to memory does not fail.
    newc::trailer(Vec::new()).unwrap_or_default()
}

/// A plain archive that holds the station's public key at [`KEY_PATH`]. Its folders come first: the
/// kernel does not make them.
pub fn key_archive(public_key: &[u8; 32]) -> io::Result<Vec<u8>> {
    let path = KEY_PATH.trim_start_matches('/');
    let mut archive = Vec::new();
    let mut inode = 0x7075_6e00;
    for (at, _) in path.match_indices('/') {
        inode += 1;
        let folder = newc::Builder::new(&path[..at])
            .ino(inode)
            .nlink(2)
            .mode(0o755)
            .set_mode_file_type(newc::ModeFileType::Directory);
        archive = folder.write(archive, 0).finish()?;
    }
    let line = format!("{}\n", hex::encode(public_key));
    let length = u32::try_from(line.len()).map_err(io::Error::other)?;
    let mut file = newc::Builder::new(path)
        .ino(inode + 1)
        .nlink(1)
        .mode(0o644)
        .set_mode_file_type(newc::ModeFileType::Regular)
        .write(archive, length);
    file.write_all(line.as_bytes())?;
    newc::trailer(file.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// Reads archive after archive as the kernel does: names and contents, in order.
    fn unpack(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        loop {
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            bytes = &bytes[zeros..];
            if bytes.is_empty() {
                return found;
            }
            let mut entry = newc::Reader::new(bytes).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            if !entry.entry().is_trailer() {
                found.push((entry.entry().name().to_owned(), content));
            }
            bytes = entry.finish().unwrap();
        }
    }

    #[test]
    fn the_key_lies_where_the_agent_looks() {
        let whole = concatenate(&[&empty(), &key_archive(&[0xab; 32]).unwrap()]);
        let found = unpack(&whole);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["etc", "etc/punnet", "etc/punnet/station.pub"]);
        assert_eq!(found[2].1, format!("{}\n", "ab".repeat(32)).as_bytes());
    }

    #[test]
    fn every_archive_begins_at_a_multiple_of_four() {
        let whole = concatenate(&[b"12345", b"x", b""]);
        assert_eq!(&whole[..], b"12345\0\0\0x\0\0\0");
    }
}
