//! `grub/grub.cfg`, for boards whose UEFI firmware starts a GRUB over the network.

use super::cmdline::{Console, Told, render};

/// Renders the file. Paths carry the TFTP device, because the loader's prefix is its own folder.
pub(super) fn config(console: Console, told: &Told<'_>) -> String {
    let line = render(console, told);
    format!("set timeout=0\nlinux (tftp)/efi/kernel {line}\ninitrd (tftp)/efi/initramfs\nboot\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Mac;

    #[test]
    fn it_starts_the_installer_at_once() {
        let told = Told {
            station: "http://10.0.0.1:5001",
            token: "ab",
            mac: Mac([2, 0, 0, 0, 0, 1]),
        };
        let text = config(Console::Arm, &told);
        assert!(
            text.contains("linux (tftp)/efi/kernel console=ttyAMA0"),
            "{text}"
        );
        assert!(text.contains("initrd (tftp)/efi/initramfs\n"), "{text}");
        assert!(text.ends_with("boot\n"), "{text}");
    }
}
