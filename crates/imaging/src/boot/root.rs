//! The root file system: what is installed, read without mounting it.

use super::window::{Shared, Window};
use crate::partitions::Partition;
use ext4_view::Ext4;

/// Largest text file that is read, in bytes; lists of modules are the largest.
const MAX_FILE: u64 = 16 << 20;
/// Longest system name that is shown.
const MAX_NAME: usize = 120;

/// A root file system.
pub(super) struct Root {
    fs: Ext4,
    partition: u32,
}

impl Root {
    /// Opens a partition that holds an installed system; `None` when it holds something else.
    pub(super) fn open(image: &Shared, partition: &Partition) -> Option<Self> {
        let window = Window::new(image, partition.start, partition.len);
        let root = Self {
            fs: Ext4::load(Box::new(window)).ok()?,
            partition: partition.number,
        };
        let installed = ["/etc/os-release", "/usr/lib/os-release", "/etc/fstab"];
        installed.iter().any(|p| root.exists(p)).then_some(root)
    }

    pub(super) fn partition(&self) -> u32 {
        self.partition
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.fs.exists(path).unwrap_or(false)
    }

    /// A whole file, if it is there and not larger than `MAX_FILE`.
    pub(super) fn file(&self, path: &str) -> Option<Vec<u8>> {
        let size = self.fs.metadata(path).ok()?.len();
        if size > MAX_FILE {
            return None;
        }
        self.fs.read(path).ok()
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.file(path)
            .map(|b| String::from_utf8_lossy(&b).into_owned())
    }

    /// Names of the entries of a folder.
    pub(super) fn names(&self, path: &str, most: usize) -> Vec<String> {
        let Ok(entries) = self.fs.read_dir(path) else {
            return Vec::new();
        };
        let names = entries.take(most).filter_map(|e| {
            let entry = e.ok()?;
            entry.file_name().as_str().ok().map(str::to_owned)
        });
        let mut names: Vec<_> = names.filter(|n| n != "." && n != "..").collect();
        names.sort();
        names
    }

    /// `PRETTY_NAME` of os-release (freedesktop.org, os-release(5)).
    pub(super) fn pretty_name(&self) -> Option<String> {
        let places = ["/etc/os-release", "/usr/lib/os-release"];
        let text = places.iter().find_map(|p| self.text(p))?;
        let value = text
            .lines()
            .find_map(|l| l.trim().strip_prefix("PRETTY_NAME="))?
            .trim();
        let quoted = ['"', '\'']
            .iter()
            .find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
        let name = quoted.unwrap_or(value).replace('\\', "");
        let plain = name.chars().filter(|c| !c.is_control());
        Some(plain.take(MAX_NAME).collect())
    }

    /// True when something installed grows the root file system by itself.
    pub(super) fn grows_at_boot(&self) -> bool {
        self.has_rpi_resize() || self.has_growpart()
    }

    /// Raspberry Pi OS from Trixie on: a service, which does nothing where it asks for the word
    /// `resize` on the command line (that word has been looked for already).
    fn has_rpi_resize(&self) -> bool {
        let units = ["/usr/lib/systemd/system", "/etc/systemd/system"];
        let unit = units
            .iter()
            .find_map(|u| self.text(&format!("{u}/rpi-resize.service")));
        let unconditional = unit.is_some_and(|text| !text.contains("ConditionKernelCommandLine"));
        let wants = self.names("/etc/systemd/system", 1000);
        let enabled = wants.iter().any(|target| {
            let link = format!("/etc/systemd/system/{target}/rpi-resize.service");
            self.fs.symlink_metadata(link.as_str()).is_ok()
        });
        unconditional && enabled
    }

    /// cloud-init runs its growpart module at every boot.
    fn has_growpart(&self) -> bool {
        let config = self.text("/etc/cloud/cloud.cfg").unwrap_or_default();
        let named = config
            .lines()
            .any(|l| l.trim().trim_start_matches("- ").trim_matches('"') == "growpart");
        named
            && self.exists("/usr/bin/cloud-init")
            && self.exists("/usr/bin/growpart")
            && !self.exists("/etc/cloud/cloud-init.disabled")
    }
}
