//! Which of the boot partition's files are kernels, and which one a board is to boot.

use super::arch::{self, Arch};
use super::config;
use super::modules::Modules;
use bytes::Bytes;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::revision::Family;

type Files = BTreeMap<String, Bytes>;

/// A kernel in the boot partition.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// Its path.
    pub path: String,
    /// The processor it is for; `None` when not recognised.
    pub arch: Option<Arch>,
    /// Its version, e.g. `6.12.25+rpt-rpi-2712`, when it could be found.
    pub version: Option<String>,
    /// The modules that the agent may need with it; `None` when the root file system has none for
    /// it.
    pub modules: Option<Arc<Modules>>,
}

/// Every kernel that some family might boot.
pub(super) fn find(files: &Files) -> Vec<Kernel> {
    let mut paths: Vec<_> = super::FAMILIES
        .iter()
        .flat_map(|f| candidates(files, *f))
        .collect();
    paths.sort();
    paths.dedup();
    let kernel = |path: String| {
        let bytes = &files[&path];
        let arch = arch::of_kernel(bytes);
        Kernel {
            version: arch.and_then(|_| arch::version(bytes)),
            arch,
            path,
            modules: None,
        }
    };
    paths.into_iter().map(kernel).collect()
}

/// The path of the kernel for a family: what `config.txt` names, else what the bootloader would
/// take, else a kernel by its usual name. One for 64-bit ARM wins over any other on a Pi, because
/// the agent is built for that.
pub(super) fn choose(files: &Files, kernels: &[Kernel], family: Family) -> Option<String> {
    let paths = candidates(files, family);
    let is_arm64 = |path: &&String| {
        let mut of_path = kernels.iter().filter(|k| k.path == **path);
        of_path.any(|k| k.arch == Some(Arch::Arm64))
    };
    let first = paths.first();
    let best = match family {
        Family::Unknown => first,
        Family::Pi3 | Family::Pi4 | Family::Pi5 => paths.iter().find(is_arm64).or(first),
    };
    best.cloned()
}

/// The kernels a family might boot, best first; all of them exist.
fn candidates(files: &Files, family: Family) -> Vec<String> {
    let fixed: &[&str] = match family {
        Family::Pi5 => &["kernel_2712.img", "kernel8.img", "vmlinuz"],
        Family::Pi4 | Family::Pi3 => &["kernel8.img", "vmlinuz"],
        Family::Unknown => &["vmlinuz", "Image"],
    };
    let named = config::setting(files, family, "kernel");
    let mut paths: Vec<_> = named
        .iter()
        .map(String::as_str)
        .chain(fixed.iter().copied())
        .filter_map(|name| config::resolve(files, family, name))
        .collect();
    let mut versioned: Vec<_> = files
        .keys()
        .filter(|p| p.starts_with("vmlinuz-"))
        .cloned()
        .collect();
    versioned.sort_by(|a, b| by_version(b, a));
    paths.extend(versioned);
    if family == Family::Unknown {
        paths.extend(config::resolve(files, family, "kernel8.img"));
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|p| seen.insert(p.clone()));
    paths
}

/// Orders names as people order versions: runs of digits by their value.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (run_a, rest_a) = run(a);
        let (run_b, rest_b) = run(b);
        let digits = |r: &[u8]| r.first().is_some_and(u8::is_ascii_digit);
        let order = if digits(run_a) && digits(run_b) {
            let value = |r: &'_ [u8]| {
                let zeros = r.iter().take_while(|c| **c == b'0').count();
                (r.len() - zeros, r[zeros..].to_vec())
            };
            value(run_a).cmp(&value(run_b))
        } else {
            run_a.cmp(run_b)
        };
        if order != Ordering::Equal || (run_a.is_empty() && run_b.is_empty()) {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The leading run of digits, or of anything else.
fn run(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.first().is_some_and(u8::is_ascii_digit);
    let end = text.iter().position(|c| c.is_ascii_digit() != digits);
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm64() -> Bytes {
        let mut kernel = vec![0; 64];
        kernel[56..60].copy_from_slice(b"ARM\x64");
        kernel.into()
    }

    fn chosen(files: &[(&str, Bytes)], family: Family) -> Option<String> {
        let pairs = files.iter().map(|(p, b)| ((*p).to_owned(), b.clone()));
        let files = pairs.collect();
        choose(&files, &find(&files), family)
    }

    #[test]
    fn each_family_gets_its_own_kernel() {
        let stock = [
            ("kernel.img", Bytes::new()),
            ("kernel7l.img", Bytes::new()),
            ("kernel8.img", arm64()),
            ("kernel_2712.img", arm64()),
            ("config.txt", Bytes::from_static(b"arm_64bit=1\n")),
        ];
        assert_eq!(chosen(&stock, Family::Pi5).unwrap(), "kernel_2712.img");
        assert_eq!(chosen(&stock, Family::Pi4).unwrap(), "kernel8.img");
        assert_eq!(chosen(&stock, Family::Pi3).unwrap(), "kernel8.img");
        assert_eq!(chosen(&stock[..2], Family::Pi5), None);
        assert_eq!(chosen(&stock[2..3], Family::Pi5).unwrap(), "kernel8.img");
    }

    #[test]
    fn config_txt_has_the_first_word_unless_the_file_is_missing_or_for_another_machine() {
        let config = |text: &'static str| ("config.txt", Bytes::from_static(text.as_bytes()));
        let own = ("own.img", arm64());
        let other = ("kernel8.img", arm64());
        let named = [
            config("[pi5]\nkernel=own.img\n"),
            own.clone(),
            other.clone(),
        ];
        assert_eq!(chosen(&named, Family::Pi5).unwrap(), "own.img");
        assert_eq!(chosen(&named, Family::Pi4).unwrap(), "kernel8.img");
        let absent = [config("kernel=gone.img\n"), other.clone()];
        assert_eq!(chosen(&absent, Family::Pi4).unwrap(), "kernel8.img");
        let for_32_bit = [
            config("kernel=kernel7l.img\n"),
            ("kernel7l.img", Bytes::new()),
            other,
        ];
        assert_eq!(chosen(&for_32_bit, Family::Pi4).unwrap(), "kernel8.img");
    }

    #[test]
    fn the_newest_debian_kernel_wins() {
        let debian = [
            ("vmlinuz-6.1.0-9-arm64", arm64()),
            ("vmlinuz-6.1.0-13-arm64", arm64()),
        ];
        for family in [Family::Pi4, Family::Unknown] {
            assert_eq!(chosen(&debian, family).unwrap(), "vmlinuz-6.1.0-13-arm64");
        }
    }
}
