//! `config.txt` for the installer, rendered for one board.
//!
//! The image's own `config.txt` is not served: it starts the installed system. Each family of
//! boards gets its own section, so that a board whose family is not known yet (a Pi 3 boot ROM says
//! nothing about itself) still reads the right kernel.

use std::fmt::Write as _;
use wire::revision::Family;

/// Name under which the installer's initramfs is served. Ends in `.cpio` whatever its compression;
/// the kernel looks at the content.
pub const INITRAMFS: &str = "punnet-agent.cpio";

/// What the boot partition of the image has for a family of boards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel<'a> {
    /// The family.
    pub family: Family,
    /// Kernel file in the boot partition.
    pub file: &'a str,
}

/// Renders the file. `device_trees` are the device-tree files of the boot partition.
pub fn render(title: &str, kernels: &[Kernel<'_>], device_trees: &[String]) -> String {
    let mut text = format!("# {title}\n[all]\n");
    let _ = writeln!(text, "initramfs {INITRAMFS} followkernel");
    // The UART shows what happens before the installer can; an EEPROM update is never wanted here.
    text.push_str("enable_uart=1\nbootloader_update=0\n");
    if !device_trees.iter().any(|name| name.starts_with("bcm2712")) {
        // A Pi 5 refuses an image without its device tree unless told not to look.
        text.push_str("os_check=0\n");
    }
    for (family, section) in [
        (Family::Pi3, "pi3"),
        (Family::Pi4, "pi4"),
        (Family::Pi5, "pi5"),
    ] {
        let Some(kernel) = kernels.iter().find(|k| k.family == family) else {
            continue;
        };
        let _ = writeln!(text, "[{section}]\nkernel={}\narm_64bit=1", kernel.file);
        if family == Family::Pi5 {
            // The external PCIe connector is off by default, and an NVMe disk hangs on it.
            text.push_str("dtparam=pciex1\n");
        }
    }
    text.push_str("[all]\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PI5: Kernel<'_> = Kernel {
        family: Family::Pi5,
        file: "kernel_2712.img",
    };

    #[test]
    fn each_family_reads_its_own_kernel() {
        let pi4 = Kernel {
            family: Family::Pi4,
            file: "kernel8.img",
        };
        let text = render("t", &[PI5, pi4], &["bcm2712-rpi-5-b.dtb".to_owned()]);
        let at = |needle: &str| {
            text.find(needle)
                .unwrap_or_else(|| panic!("{needle}: {text}"))
        };
        assert!(at("[pi4]\nkernel=kernel8.img\narm_64bit=1\n") < at("[pi5]"));
        at("[pi5]\nkernel=kernel_2712.img\narm_64bit=1\ndtparam=pciex1\n");
        at("[all]\ninitramfs punnet-agent.cpio followkernel\n");
        at("bootloader_update=0\n");
        assert!(!text.contains("os_check"), "{text}");
    }

    #[test]
    fn a_pi_5_without_its_device_tree_is_told_not_to_look() {
        assert!(
            render("t", &[PI5], &["bcm2711-rpi-4-b.dtb".to_owned()]).contains("\nos_check=0\n")
        );
    }
}
