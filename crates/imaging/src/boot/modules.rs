//! Kernel modules for the agent: what the image's own kernel does not have built in.
//!
//! The agent boots the image's kernel from memory, without the image's file systems. What it may
//! need to reach the network and the disks travels in a second cpio archive: the wanted modules
//! with everything they depend on, decompressed, and a list of them in the order of loading.

use super::cpio_archive::Archive;
use super::root::Root;
use super::unpack;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Where the agent finds the order of loading: one absolute path per line.
pub const LOAD_ORDER: &str = "/lib/modules/load-order";

/// The modules the agent may need, by name. Most kernels have most of them built in.
pub const WANTED: &[&str] = &[
    // network, on boards and in emulators
    "af_packet",
    "bcmgenet",
    "broadcom",
    "bcm7xxx",
    "mdio_bcm_unimac",
    "genet",
    "macb",
    "microchip",
    "lan78xx",
    "smsc95xx",
    "r8152",
    "ax88179_178a",
    "cdc_ether",
    "asix",
    "r8169",
    "realtek",
    "igb",
    "igc",
    "e1000",
    "e1000e",
    "virtio_net",
    "net_failover",
    "failover",
    // buses and disks
    "pcie_brcmstb",
    "reset_brcmstb_rescal",
    "reset_raspberrypi",
    "clk_raspberrypi",
    "raspberrypi",
    "xhci_pci",
    "xhci_plat_hcd",
    "dwc2",
    "dwc3",
    "phy_generic",
    "usb_storage",
    "uas",
    "sd_mod",
    "mmc_core",
    "mmc_block",
    "bcm2835",
    "sdhci_iproc",
    "sdhci_brcmstb",
    "nvme",
    "nvme_core",
    "virtio_pci",
    "virtio_mmio",
    "virtio_blk",
    "virtio_scsi",
    "virtio_rng",
    "ahci",
    // file systems
    "ext4",
    "crc32c_generic",
    "vfat",
    "fat",
    "nls_cp437",
    "nls_ascii",
    "nls_iso8859_1",
    "nls_utf8",
    // inventory
    "nvmem_rmem",
    "raspberrypi_hwmon",
    "efivarfs",
];

/// Most bytes of modules in all, decompressed.
const MAX_TOTAL: usize = 96 << 20;
/// Most module folders that are looked at.
const MAX_VERSIONS: usize = 64;

/// The modules for one kernel.
#[derive(Debug, Clone)]
pub struct Modules {
    /// Name of the module folder.
    pub version: String,
    /// A `newc` archive with `/lib/modules/<version>/…` and [`LOAD_ORDER`].
    pub cpio: Bytes,
    /// The modules in it, in the order of loading.
    pub names: Vec<String>,
    /// Wanted modules that are neither in it nor built in.
    pub missing: Vec<String>,
}

/// True for a name that can be put into a path without surprises.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    !name.is_empty() && name.len() <= 128 && !name.starts_with('.') && name.chars().all(plain)
}

/// Collects the wanted modules for the kernel at a path, whose version may be known.
pub(super) fn collect(root: &Root, kernel: &str, version: Option<&str>) -> Option<Modules> {
    let version = version_for(root, kernel, version)?;
    let folder = format!("/lib/modules/{version}");
    let dep = root.text(&format!("{folder}/modules.dep"))?;
    let builtin = root.text(&format!("{folder}/modules.builtin"));
    let index = Index::parse(&dep, &builtin.unwrap_or_default());
    let mut archive = Archive::default();
    let mut names = Vec::new();
    let mut order = String::new();
    let mut missing: Vec<String> = index.absent(WANTED);
    let mut total = 0;
    for path in index.load_order(WANTED) {
        let name = name_of(path);
        let bytes = root
            .file(&format!("{folder}/{path}"))
            .and_then(|b| unpack::module(path, b));
        let Some(bytes) = bytes.filter(|b| total + b.len() <= MAX_TOTAL) else {
            missing.push(name);
            continue;
        };
        total += bytes.len();
        let place = format!("{folder}/{}", plain_ending(path));
        order.push_str(&place);
        order.push('\n');
        archive.file(&place, bytes);
        names.push(name);
    }
    archive.file(LOAD_ORDER, order.into_bytes());
    Some(Modules {
        cpio: archive.newc().ok()?.into(),
        version,
        names,
        missing,
    })
}

/// The module folder that belongs to a kernel: the one of its version, else the one of its flavour,
/// else the only one.
fn version_for(root: &Root, kernel: &str, known: Option<&str>) -> Option<String> {
    let mut versions = root.names("/lib/modules", MAX_VERSIONS);
    versions.retain(|v| is_plain(v) && root.exists(&format!("/lib/modules/{v}/modules.dep")));
    if let Some(known) = known {
        // One that has no modules is not to be mixed with those of another.
        return versions.into_iter().find(|v| v == known);
    }
    let ends_in = |flavour: &str| {
        let mut fitting = versions.iter().filter(|v| v.ends_with(flavour));
        fitting.next_back().cloned()
    };
    match kernel.rsplit('/').next() {
        Some("kernel_2712.img") => ends_in("-2712").or_else(|| ends_in("-v8-16k")),
        Some("kernel8.img") => ends_in("-v8").or_else(|| ends_in("-v8+")),
        Some(file) => {
            let version = file.strip_prefix("vmlinuz-")?.to_owned();
            versions.contains(&version).then_some(version)
        }
        None => None,
    }
    .or_else(|| match &versions[..] {
        [only] => Some(only.clone()),
        _ => None,
    })
}

/// A module's name from its path: no folder, no ending, `_` for `-` as the kernel has it.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split(".ko").next().unwrap_or(file);
    stem.replace('-', "_")
}

/// The path without the ending of a compressed file.
fn plain_ending(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, "xz" | "gz" | "zst")) => stem,
        _ => path,
    }
}

/// `modules.dep` and `modules.builtin`, taken apart.
#[derive(Debug)]
struct Index<'a> {
    paths: BTreeMap<String, &'a str>,
    needs: BTreeMap<&'a str, Vec<&'a str>>,
    builtin: BTreeSet<String>,
}

impl<'a> Index<'a> {
    fn parse(dep: &'a str, builtin: &str) -> Self {
        let mut paths = BTreeMap::new();
        let mut needs = BTreeMap::new();
        for line in dep.lines() {
            let Some((path, list)) = line.split_once(':') else {
                continue;
            };
            if !is_inside(path) {
                continue;
            }
            paths.insert(name_of(path), path);
            needs.insert(path, list.split_whitespace().collect());
        }
        Self {
            paths,
            needs,
            builtin: builtin.lines().map(name_of).collect(),
        }
    }

    /// Paths of the wanted modules and all they need, each after what it needs.
    fn load_order(&self, wanted: &[&str]) -> Vec<&'a str> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for name in wanted {
            if let Some(path) = self
                .paths
                .get(*name)
                .filter(|_| !self.builtin.contains(*name))
            {
                self.visit(path, &mut seen, &mut order);
            }
        }
        order
    }

    /// Walks down without recursion, because the depth is the file's to choose.
    fn visit(&self, path: &'a str, seen: &mut BTreeSet<&'a str>, order: &mut Vec<&'a str>) {
        let mut open = vec![(path, false)];
        while let Some((path, needs_done)) = open.pop() {
            if needs_done {
                order.push(path);
            } else if seen.insert(path) {
                open.push((path, true));
                let needs = self.needs.get(path).into_iter().flatten();
                let known = needs.filter(|n| self.needs.contains_key(*n));
                open.extend(known.map(|n| (*n, false)));
            }
        }
    }

    fn absent(&self, wanted: &[&str]) -> Vec<String> {
        let here = |n: &&str| self.paths.contains_key(*n) || self.builtin.contains(*n);
        let absent = wanted.iter().filter(|n| !here(n));
        absent.map(|n| (*n).to_owned()).collect()
    }
}

/// True for a path that stays below the module folder.
fn is_inside(path: &str) -> bool {
    path.contains(".ko") && path.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_loaded_first_and_once() {
        let dep = "kernel/a.ko.xz: kernel/b.ko.xz kernel/c.ko.xz\n\
                   kernel/b.ko.xz: kernel/c.ko.xz\nkernel/c.ko.xz:\n\
                   kernel/built-in.ko:\nkernel/other.ko: kernel/a.ko.xz\n";
        let index = Index::parse(dep, "kernel/built-in.ko\nkernel/virtio-net.ko\n");
        let order = index.load_order(&["a", "c", "built_in", "gone", "virtio_net"]);
        assert_eq!(
            order,
            ["kernel/c.ko.xz", "kernel/b.ko.xz", "kernel/a.ko.xz"]
        );
        assert_eq!(
            index.absent(&["a", "gone", "virtio_net", "built_in"]),
            ["gone"]
        );
    }

    #[test]
    fn circles_and_ways_out_do_no_harm() {
        let dep = "a.ko: b.ko\nb.ko: a.ko ../../etc/passwd.ko\n/etc/x.ko:\n../y.ko:\nnot a line\n";
        let index = Index::parse(dep, "");
        assert_eq!(
            index.load_order(&["a", "x", "y", "passwd"]),
            ["b.ko", "a.ko"]
        );
    }

    #[test]
    fn names_are_those_of_the_kernel() {
        assert_eq!(
            name_of("kernel/drivers/net/virtio-net.ko.zst"),
            "virtio_net"
        );
        assert_eq!(plain_ending("a/b.ko.xz"), "a/b.ko");
        assert_eq!(plain_ending("a/b.ko"), "a/b.ko");
    }
}
