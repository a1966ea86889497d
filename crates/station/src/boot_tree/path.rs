//! Who asks for which file, read from the path alone.
//!
//! A bootloader asks under a prefix (`TFTP_PREFIX` of its EEPROM): its serial number (0, the
//! default), its Ethernet address with dashes (2), or none at all once the probe under the prefix
//! has failed. A prefix that does not parse as either is an ordinary folder of the tree.

use wire::{BoardId, Mac};

/// A path taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked<'p> {
    /// The board, when the prefix says which.
    pub(super) who: Prefix,
    /// The path below the prefix.
    pub(super) file: &'p str,
}

/// What the prefix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Nothing: the file was asked for at the root.
    None,
    /// A board's serial number.
    Board(BoardId),
    /// An Ethernet address.
    Mac(Mac),
}

/// Takes `path` apart. Slashes that were doubled are single by now; a leading one is not there.
pub(super) fn asked(path: &str) -> Asked<'_> {
    let root = Asked {
        who: Prefix::None,
        file: path,
    };
    let Some((first, file)) = path.split_once('/') else {
        return root;
    };
    let file = file.trim_start_matches('/');
    if let Some(who) = serial(first).or_else(|| address(first)) {
        return Asked { who, file };
    }
    root
}

/// Eight hex digits in lower case, as every bootloader writes its serial number.
fn serial(text: &str) -> Option<Prefix> {
    let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let fits = text.len() == 8 && text.bytes().all(digits);
    let number = u32::from_str_radix(text, 16).ok().filter(|_| fits)?;
    Some(Prefix::Board(BoardId::Pi(number)))
}

/// Six pairs of hex digits with dashes between them.
fn address(text: &str) -> Option<Prefix> {
    let dashes = text.len() == 17 && text.bytes().skip(2).step_by(3).all(|b| b == b'-');
    let mac = text.parse().ok().filter(|_| dashes)?;
    Some(Prefix::Mac(mac))
}

/// True for a file that is never taken from the image, because a bootloader would follow it away
/// from the installer: other configurations, firmware updates, other boot archives. The EEPROM asks
/// for updates by these names over TFTP as well (`bootloader_update`), and an image's copy would
/// flash every board that passes.
pub(super) fn is_kept_back(file: &str) -> bool {
    if file.contains('/') {
        return false;
    }
    let name = file.to_ascii_lowercase();
    let begins = ["pieeprom.", "recovery", "recover4.", "vl805."];
    begins.iter().any(|start| name.starts_with(start))
        || matches!(name.as_str(), "boot.img" | "boot.sig" | "bootsig.bin")
        || std::path::Path::new(&name)
            .extension()
            .is_some_and(|e| e == "txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_say_who_asks() {
        let pi = Prefix::Board(BoardId::Pi(0xd137_e638));
        let mac = Prefix::Mac("dc:a6:32:01:36:c2".parse().unwrap());
        for (path, who, file) in [
            ("d137e638/config.txt", pi, "config.txt"),
            ("d137e638//overlays/x.dtbo", pi, "overlays/x.dtbo"),
            ("dc-a6-32-01-36-c2/start4.elf", mac, "start4.elf"),
            ("config.txt", Prefix::None, "config.txt"),
            ("overlays/README", Prefix::None, "overlays/README"),
            ("D137E638/config.txt", Prefix::None, "D137E638/config.txt"),
            ("+137e638/config.txt", Prefix::None, "+137e638/config.txt"),
            ("efi/kernel", Prefix::None, "efi/kernel"),
            ("", Prefix::None, ""),
        ] {
            assert_eq!(asked(path), Asked { who, file }, "{path}");
        }
    }

    #[test]
    fn nothing_of_the_image_leads_a_bootloader_astray() {
        for name in [
            "pieeprom.sig",
            "pieeprom.upd",
            "recovery.bin",
            "recovery.elf",
            "recover4.elf",
            "vl805.sig",
            "autoboot.txt",
            "tryboot.txt",
            "bootcfg.txt",
            "CONFIG.TXT",
            "boot.img",
        ] {
            assert!(is_kept_back(name), "{name}");
        }
        for name in [
            "start4.elf",
            "kernel8.img",
            "armstub8.bin",
            "overlays/README.txt",
        ] {
            assert!(!is_kept_back(name), "{name}");
        }
    }
}
