//! `config.txt` as the firmware reads it: the few keys that decide which files are fetched.
//!
//! Source: the vendor's config.txt document. The file is untrusted (it comes over TFTP), so its
//! size is bounded and whatever does not read as a known key is passed over, as the firmware does.

use super::filters::Filters;
use crate::identity::Identity;
use std::collections::HashMap;

/// Largest file that is looked at.
const MAX_BYTES: usize = 64 << 10;
/// Characters of a line beyond this are ignored by the firmware.
const MAX_LINE: usize = 98;

/// What `config.txt` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `kernel=`: the one kernel to use instead of the model's list.
    pub kernel: Option<String>,
    /// `initramfs A,B followkernel`: files that are joined into one.
    pub initramfs: Vec<String>,
    /// `auto_initramfs=1`: take the initramfs whose name goes with the kernel.
    pub auto_initramfs: bool,
    /// `arm_64bit`: prefer a 64-bit kernel. On where a board can.
    pub arm_64bit: bool,
    /// `os_check`: refuse an operating system without this board's device tree.
    pub os_check: bool,
    /// `device_tree=`: the one device tree to use.
    pub device_tree: Option<String>,
    /// `boot_ramdisk=1`: everything else lies in `boot.img`.
    pub boot_ramdisk: bool,
    /// `dtoverlay=`, in order.
    pub overlays: Vec<String>,
    /// `os_prefix=`: put before kernel, initramfs, device tree and cmdline.
    pub os_prefix: String,
    /// `overlay_prefix=`: put before overlays instead of `overlays/`.
    pub overlay_prefix: String,
    /// `cmdline=`: the file with the kernel's command line.
    pub cmdline: String,
    /// `bootloader_update`: may the boot EEPROM update itself?
    pub bootloader_update: bool,
    /// `include`: files to read in its place.
    pub includes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kernel: None,
            initramfs: Vec::new(),
            auto_initramfs: false,
            arm_64bit: true,
            os_check: true,
            device_tree: None,
            boot_ramdisk: false,
            overlays: Vec::new(),
            os_prefix: String::new(),
            overlay_prefix: "overlays/".to_owned(),
            cmdline: "cmdline.txt".to_owned(),
            bootloader_update: true,
            includes: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the file for one board. `included` holds the texts of included files that were
    /// fetched; one that is missing is passed over.
    pub fn parse(bytes: &[u8], board: &Identity, included: &HashMap<String, Vec<u8>>) -> Self {
        let mut config = Self::default();
        let mut filters = Filters::default();
        config.read(bytes, board, included, &mut filters, 0);
        config
    }

    fn read(
        &mut self,
        bytes: &[u8],
        board: &Identity,
        included: &HashMap<String, Vec<u8>>,
        filters: &mut Filters,
        depth: u8,
    ) {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]);
        for line in text.lines() {
            let line: String = line.chars().take(MAX_LINE).collect();
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                filters.section(name, board);
            } else if line.is_empty() || line.starts_with('#') || !filters.pass() {
            } else if let Some(name) = line.strip_prefix("include ") {
                let name = name.trim().to_owned();
                if let Some(bytes) = included.get(&name)
                    && depth < 4
                {
                    self.read(bytes, board, included, filters, depth + 1);
                }
                self.includes.push(name);
            } else if let Some(rest) = line.strip_prefix("initramfs ") {
                let names = rest.split_whitespace().next().unwrap_or_default();
                self.initramfs = split_names(names);
            } else if let Some((key, value)) = line.split_once('=') {
                self.set(key.trim(), value.trim());
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        let on = value != "0";
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match key {
            "kernel" => self.kernel = text(),
            "ramfsfile" => self.initramfs = split_names(value),
            "auto_initramfs" => self.auto_initramfs = on,
            "arm_64bit" => self.arm_64bit = on,
            "os_check" => self.os_check = on,
            "device_tree" => self.device_tree = text(),
            "boot_ramdisk" => self.boot_ramdisk = on,
            "os_prefix" => value.clone_into(&mut self.os_prefix),
            "overlay_prefix" => value.clone_into(&mut self.overlay_prefix),
            "cmdline" if !value.is_empty() => value.clone_into(&mut self.cmdline),
            "bootloader_update" => self.bootloader_update = on,
            "dtoverlay" => {
                let name = value.split([',', ':']).next().unwrap_or_default();
                if !name.is_empty() && self.overlays.len() < 64 {
                    self.overlays.push(name.to_owned());
                }
            }
            _ => {}
        }
    }
}

fn split_names(names: &str) -> Vec<String> {
    names
        .split(',')
        .filter(|n| !n.is_empty())
        .take(16)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::model::Model;
    use wire::Serial;

    fn board(model: Model) -> Identity {
        Identity {
            serial: Serial(0x9d00_ce41_d137_e638),
            ..Identity::draw(model, &mut Chance::new(1, 1))
        }
    }

    fn parse(text: &str, model: Model) -> Config {
        Config::parse(text.as_bytes(), &board(model), &HashMap::new())
    }

    #[test]
    fn a_station_config_reads_for_every_model() {
        let text = "# Punnet\n[all]\narm_64bit=1\ninitramfs a.cpio,b.cpio followkernel\n\
                    bootloader_update=0\n[pi5]\nkernel=kernel_2712.img\n[pi4]\nkernel=kernel8.img\n[all]\nauto_initramfs=0\n";
        let five = parse(text, Model::Pi5);
        assert_eq!(five.kernel.as_deref(), Some("kernel_2712.img"));
        assert_eq!(five.initramfs, ["a.cpio", "b.cpio"]);
        assert!(!five.bootloader_update && !five.auto_initramfs && five.os_check);
        assert_eq!(parse(text, Model::Cm5).kernel, five.kernel);
        assert_eq!(
            parse(text, Model::Pi4).kernel.as_deref(),
            Some("kernel8.img")
        );
        assert_eq!(parse(text, Model::Pi3BPlus).kernel, None);
    }

    #[test]
    fn filters_of_two_kinds_must_both_hold() {
        let text = "[0xd137e638]\n[pi5]\nkernel=ours.img\n[pi4]\nkernel=other.img\n[none]\n\
                    kernel=never.img\n";
        assert_eq!(parse(text, Model::Pi5).kernel.as_deref(), Some("ours.img"));
        let elsewhere = "[0x00000001]\n[pi5]\nkernel=other.img\n";
        assert_eq!(parse(elsewhere, Model::Pi5).kernel, None);
        let gpio = "[gpio4=1]\nkernel=other.img\n[all]\ndevice_tree=x.dtb\n";
        let config = parse(gpio, Model::Pi5);
        assert_eq!(
            (config.kernel, config.device_tree),
            (None, Some("x.dtb".to_owned()))
        );
        assert!(parse("[board-type=0x18]\nboot_ramdisk=1\n", Model::Cm5).boot_ramdisk);
        assert!(!parse("[board-type=0x18]\nboot_ramdisk=1\n", Model::Pi5).boot_ramdisk);
    }

    #[test]
    fn what_lies_beyond_column_98_is_lost_as_on_a_board() {
        let long = format!("kernel={}", "k".repeat(120));
        assert_eq!(parse(&long, Model::Pi5).kernel.map(|k| k.len()), Some(91));
    }

    #[test]
    fn an_included_file_counts_where_it_is_named() {
        let files = HashMap::from([("more.txt".to_owned(), b"kernel=late.img\n".to_vec())]);
        let text = b"kernel=early.img\ninclude more.txt\ninclude gone.txt\n";
        let config = Config::parse(text, &board(Model::Pi5), &files);
        assert_eq!(config.kernel.as_deref(), Some("late.img"));
        assert_eq!(config.includes, ["more.txt", "gone.txt"]);
    }

    #[test]
    fn no_bytes_of_any_kind_upset_it() {
        let mut chance = Chance::new(5, 5);
        for len in 0..200 {
            let mut bytes = vec![0; len];
            chance.fill(&mut bytes);
            parse(&String::from_utf8_lossy(&bytes), Model::Pi4);
        }
        parse(
            "[\n]\n=\ninitramfs \ninclude \ndtoverlay=\n[]\n[0x]\n[board-type=]\n",
            Model::Pi5,
        );
    }
}
