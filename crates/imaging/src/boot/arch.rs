//! Which processor a kernel is for, and which version it is, told by its bytes.

use super::unpack;

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM.
    Arm,
    /// 64-bit x86.
    X86_64,
}

impl std::fmt::Display for Arch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Arm64 => "arm64",
            Self::Arm => "arm",
            Self::X86_64 => "x86_64",
        })
    }
}

/// The architecture of a kernel, compressed or not; `None` when it is not recognised.
pub(super) fn of_kernel(kernel: &[u8]) -> Option<Arch> {
    of_plain(kernel).or_else(|| of_plain(&unpack::gzip_start(kernel)?))
}

fn of_plain(kernel: &[u8]) -> Option<Arch> {
    let at = |place: usize, magic: &[u8]| kernel.get(place..)?.starts_with(magic).then_some(());
    // Documentation/arch/arm64/booting.rst: "ARM\x64" at 56.
    if at(56, b"ARM\x64").is_some() {
        return Some(Arch::Arm64);
    }
    // Documentation/arch/x86/boot.rst: "HdrS" at 0x202; bit 0 of xloadflags: 64-bit entry.
    if at(0x202, b"HdrS").is_some() {
        return (kernel.get(0x236)? & 1 == 1).then_some(Arch::X86_64);
    }
    if at(0, b"MZ").is_some() {
        return of_pe(kernel);
    }
    // A 32-bit ARM zImage carries this number at 36.
    at(36, &0x016f_2818_u32.to_le_bytes()).map(|()| Arch::Arm)
}

/// An EFI application: the machine field behind the PE signature.
fn of_pe(kernel: &[u8]) -> Option<Arch> {
    let place = u32::from_le_bytes(*kernel.get(0x3c..)?.first_chunk()?) as usize;
    let header = kernel.get(place..)?.strip_prefix(b"PE\0\0")?;
    match u16::from_le_bytes(*header.first_chunk()?) {
        0xaa64 => Some(Arch::Arm64),
        0x8664 => Some(Arch::X86_64),
        0x01c0 | 0x01c2 | 0x01c4 => Some(Arch::Arm),
        _ => None,
    }
}

/// The version a kernel says it has, e.g. `6.12.25+rpt-rpi-2712`: the name of its module folder.
pub(super) fn version(kernel: &[u8]) -> Option<String> {
    if kernel.get(0x202..0x206) == Some(b"HdrS") {
        let at = usize::from(u16::from_le_bytes(*kernel.get(0x20e..)?.first_chunk()?));
        return word(kernel.get(at + 0x200..)?);
    }
    banner(kernel).or_else(|| banner(&unpack::kernel(kernel)?))
}

fn banner(kernel: &[u8]) -> Option<String> {
    const BANNER: &[u8] = b"Linux version ";
    let mut rest = kernel;
    loop {
        let at = rest.windows(BANNER.len()).position(|w| w == BANNER)?;
        rest = &rest[at + BANNER.len()..];
        // The kernel also holds the pattern it prints this line with.
        if let Some(version) = word(rest) {
            return Some(version);
        }
    }
}

fn word(bytes: &[u8]) -> Option<String> {
    let bytes = &bytes[..bytes.len().min(128)];
    let end = bytes.iter().position(|b| *b == b' ' || *b == 0)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let plain = text.starts_with(|c: char| c.is_ascii_digit()) && super::modules::is_plain(text);
    plain.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn image() -> Vec<u8> {
        let mut kernel = vec![0; 4096];
        kernel[56..60].copy_from_slice(b"ARM\x64");
        kernel.extend_from_slice(b"Linux version %s (%s)\0");
        kernel.extend_from_slice(b"Linux version 6.12.25+rpt-rpi-2712 (serge@raspberrypi.com)\0");
        kernel.resize(100_000, 7);
        kernel
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn an_arm64_image_is_known_plain_and_compressed() {
        for kernel in [image(), gzip(&image())] {
            assert_eq!(of_kernel(&kernel), Some(Arch::Arm64));
            assert_eq!(version(&kernel).unwrap(), "6.12.25+rpt-rpi-2712");
        }
        // Compressed and cut short it is still recognised, as firmware images are padded.
        let mut cut = gzip(&image());
        cut.truncate(cut.len() - 20);
        assert_eq!(of_kernel(&cut), Some(Arch::Arm64));
    }

    #[test]
    fn other_machines_are_told_apart() {
        let mut pc = vec![0; 0x400];
        pc[0x202..0x206].copy_from_slice(b"HdrS");
        pc[0x236] = 1;
        pc[0x20e] = 0x40;
        pc[0x240..0x24d].copy_from_slice(b"6.1.0-9-amd64");
        assert_eq!(of_kernel(&pc), Some(Arch::X86_64));
        assert_eq!(version(&pc).unwrap(), "6.1.0-9-amd64");

        let mut zimage = vec![0; 64];
        zimage[36..40].copy_from_slice(&0x016f_2818_u32.to_le_bytes());
        assert_eq!(of_kernel(&zimage), Some(Arch::Arm));

        let mut efi = vec![0; 256];
        efi[..2].copy_from_slice(b"MZ");
        efi[0x3c] = 0x80;
        efi[0x80..0x86].copy_from_slice(b"PE\0\0\x64\xaa");
        assert_eq!(of_kernel(&efi), Some(Arch::Arm64));
    }

    #[test]
    fn rubbish_is_nothing() {
        for bytes in [&b""[..], b"MZ", b"\x1f\x8b", &[0xff; 700], b"Linux version"] {
            assert_eq!((of_kernel(bytes), version(bytes)), (None, None));
        }
    }
}
