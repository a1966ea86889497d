//! What a bootloader has in memory when it starts the kernel, and whether a real board would come
//! up with it.

use super::cmdline::Parameters;
use super::config::Config;
use bytes::Bytes;

/// Everything a boot fetched that matters afterwards.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The folder the files came from, with its slash; empty for the root.
    pub folder: String,
    /// The configuration as last read.
    pub config: Config,
    /// Name and content of the kernel.
    pub kernel: (String, Bytes),
    /// The joined initramfs.
    pub initramfs: Vec<u8>,
    /// Name and content of the device tree.
    pub device_tree: (String, Bytes),
    /// Overlays by name.
    pub overlays: Vec<(String, Bytes)>,
    /// The command line file.
    pub cmdline: Option<Bytes>,
}

impl Loaded {
    /// Checks what the kernel is handed and reads the parameters of the agent. An error says why
    /// nothing would come up.
    pub fn check(&self) -> Result<Parameters, String> {
        if !is_arm64_kernel(&self.kernel.1) {
            return Err(format!("{} is not an arm64 kernel", self.kernel.0));
        }
        if !self.device_tree.1.starts_with(&[0xd0, 0x0d, 0xfe, 0xed]) {
            return Err(format!("{} is not a device tree", self.device_tree.0));
        }
        if !is_initramfs(&self.initramfs) {
            return Err("no initramfs was loaded, so there is no agent to start".into());
        }
        let cmdline = self.cmdline.as_ref().ok_or("there is no cmdline.txt")?;
        Parameters::parse(cmdline)
    }

    /// The station's public key out of the initramfs, 32 bytes, when one was put there.
    pub fn station_key(&self) -> Option<[u8; 32]> {
        let path = wire::agent::KEY_PATH.trim_start_matches('/');
        let text = cpio_file(&self.initramfs, path)?;
        let text = std::str::from_utf8(text).ok()?.trim();
        let hash: wire::ImageId = text.parse().ok()?;
        Some(hash.0)
    }
}

// Documentation/arch/arm64/booting.rst: "ARM\x64" at byte 56. A compressed kernel is unpacked by
// the firmware.
fn is_arm64_kernel(bytes: &[u8]) -> bool {
    bytes.get(56..60) == Some(b"ARM\x64") || bytes.starts_with(&[0x1f, 0x8b])
}

// newc, gzip, zstd, xz: what the vendor's kernels unpack.
fn is_initramfs(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 4] = [
        b"070701",
        &[0x1f, 0x8b],
        &[0x28, 0xb5, 0x2f, 0xfd],
        b"\xfd7zXZ",
    ];
    magics.iter().any(|m| bytes.starts_with(m))
}

/// Finds a file in the uncompressed newc archives among `bytes`
/// (Documentation/driver-api/early-userspace/buffer-format.rst: a 110-byte header of hex digits,
/// the name, the data; name and data each padded to 4 bytes).
fn cpio_file<'a>(bytes: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let mut name = path.as_bytes().to_vec();
    name.push(0);
    let mut from = 0;
    loop {
        let at = from + find(bytes.get(from..)?, &name)?;
        from = at + 1;
        let Some(header) = at.checked_sub(110).and_then(|h| bytes.get(h..at)) else {
            continue;
        };
        if !header.starts_with(b"070701") {
            continue;
        }
        let field = |n: usize| {
            let digits = std::str::from_utf8(header.get(6 + 8 * n..14 + 8 * n)?).ok()?;
            usize::from_str_radix(digits, 16).ok()
        };
        let (Some(len), Some(name_len)) = (field(6), field(11)) else {
            continue;
        };
        if name_len != name.len() {
            continue;
        }
        // The header begins on a multiple of 4 within its archive, so counting from it pads right.
        let data = (110 + name_len).next_multiple_of(4) + (at - 110);
        return bytes.get(data..data.checked_add(len)?);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn loaded() -> Loaded {
        let mut kernel = vec![0; 64];
        kernel[56..60].copy_from_slice(b"ARM\x64");
        Loaded {
            kernel: ("kernel8.img".into(), kernel.into()),
            initramfs: [
                vec![0x28, 0xb5, 0x2f, 0xfd, 7, 7, 7],
                testing::initramfs(&[0xab; 32]),
            ]
            .concat(),
            device_tree: (
                "x.dtb".into(),
                Bytes::from_static(&[0xd0, 0x0d, 0xfe, 0xed]),
            ),
            cmdline: Some(Bytes::from_static(b"punnet.station=http://127.0.0.1:5001")),
            ..Loaded::default()
        }
    }

    #[test]
    fn a_sound_boot_passes_and_gives_the_key() {
        let loaded = loaded();
        assert_eq!(loaded.check().unwrap().token, None);
        assert_eq!(loaded.station_key(), Some([0xab; 32]));
    }

    #[test]
    fn each_missing_part_is_named() {
        type Spoil = fn(&mut Loaded);
        let spoils: [(Spoil, &str); 4] = [
            (|l| l.kernel.1 = Bytes::from_static(b"MZ"), "arm64 kernel"),
            (|l| l.initramfs.clear(), "no initramfs"),
            (|l| l.device_tree.1 = Bytes::new(), "device tree"),
            (|l| l.cmdline = None, "cmdline.txt"),
        ];
        for (spoil, why) in spoils {
            let mut l = loaded();
            spoil(&mut l);
            assert!(l.check().unwrap_err().contains(why));
        }
    }

    #[test]
    fn a_torn_archive_gives_no_key() {
        let mut l = loaded();
        let key = find(&l.initramfs, b"abab").unwrap();
        l.initramfs.truncate(key + 10);
        assert_eq!(l.station_key(), None);
        l.initramfs = b"etc/punnet/station.pub\0".to_vec();
        assert_eq!(l.station_key(), None);
    }
}
