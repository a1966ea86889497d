//! Telling formats apart by their first bytes.

use super::SourceError;

/// How many bytes are looked at.
pub(super) const BYTES: u64 = 512;

/// What a file is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Not at all.
    Raw,
    /// XZ.
    Xz,
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
    /// An archive with one image in it.
    Zip,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Xz => "XZ",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Zstd => "Zstandard",
            Self::Zip => "ZIP",
        })
    }
}

const KNOWN: &[(&[u8], Format)] = &[
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x1f\x8b", Format::Gzip),
    (b"BZh", Format::Bzip2),
    (b"\x28\xb5\x2f\xfd", Format::Zstd),
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
];

/// Formats that people do try, named so that the refusal says what to do.
const FOREIGN: &[(usize, &[u8], &str)] = &[
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\x04\x22\x4d\x18", "LZ4 data"),
    (0, b"LZIP", "lzip data"),
    (0, b"QFI\xfb", "a QEMU disk (qcow2)"),
    (0, b"KDMV", "a VMware disk"),
    (0, b"vhdxfile", "a Hyper-V disk"),
    (64, b"\x7f\x10\xda\xbe", "a VirtualBox disk"),
    (0, b"\x3a\xff\x26\xed", "an Android sparse image"),
    (0, b"hsqs", "a squashfs file system"),
    (257, b"ustar", "a tar archive"),
    (0, b"PUNNETPK", "a pack, which is in a library already"),
];

pub(super) fn format(first: &[u8]) -> Result<Format, SourceError> {
    let found = KNOWN.iter().find(|(magic, _)| first.starts_with(magic));
    if let Some((_, format)) = found {
        return Ok(*format);
    }
    // A partition table may well carry a boot loader that begins like something else.
    if has_boot_signature(first) {
        return Ok(Format::Raw);
    }
    let foreign = FOREIGN
        .iter()
        .find(|(at, magic, _)| first.get(*at..).is_some_and(|b| b.starts_with(magic)));
    match foreign {
        Some((_, _, name)) => Err(SourceError::Unsupported(name)),
        None => Ok(Format::Raw),
    }
}

/// True when the bytes can be the beginning of a disk image.
pub(super) fn has_boot_signature(first: &[u8]) -> bool {
    first.get(510..512) == Some(&[0x55, 0xaa])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_a_disk_whatever_its_boot_code_looks_like() {
        let mut disk = vec![0; 512];
        disk[..4].copy_from_slice(b"LZIP");
        assert!(matches!(format(&disk), Err(SourceError::Unsupported(_))));
        disk[510..].copy_from_slice(&[0x55, 0xaa]);
        assert_eq!(format(&disk).unwrap(), Format::Raw);
    }

    #[test]
    fn short_files_are_no_trouble() {
        for n in 0..8 {
            assert_eq!(format(&vec![0; n]).unwrap(), Format::Raw);
        }
        assert_eq!(format(b"BZh").unwrap(), Format::Bzip2);
    }
}
