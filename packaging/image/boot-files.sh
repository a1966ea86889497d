#!/bin/sh
# Fills a directory with the boot partition of a test image, as Raspberry Pi OS lays it out.
#
# usage: boot-files.sh DIR KERNEL ROOT-PARTUUID [INITRD]
#
# The kernel is a generic arm64 one under the names a Raspberry Pi asks for. Firmware and device
# trees carry the right names and no use: they are what a netbooting board fetches and what nobody
# here executes. EFI/BOOT lets UEFI firmware start the image from its disk.
set -eu
dir=$1 kernel=$2 partuuid=$3 initrd=${4:-}

mkdir -p "$dir/overlays" "$dir/EFI/BOOT"
cp "$kernel" "$dir/kernel8.img"
cp "$kernel" "$dir/kernel_2712.img"
options="root=PARTUUID=$partuuid rootfstype=ext4 fsck.repair=yes rootwait"
echo "console=serial0,115200 console=tty1 $options" >"$dir/cmdline.txt"
{
    echo "# For more options and information see"
    echo "# http://rptl.io/configtxt"
    echo "arm_64bit=1"
    echo "disable_overscan=1"
    [ -z "$initrd" ] || echo "auto_initramfs=1"
    echo "[all]"
} >"$dir/config.txt"
if [ -n "$initrd" ]; then
    cp "$initrd" "$dir/initramfs8"
    cp "$initrd" "$dir/initramfs_2712"
fi

# A flattened device tree with one empty node: header, empty reserve map, structure, no strings.
tree() {
    be32() { printf "\\$(printf %o $(($1 >> 24 & 255)))\\$(printf %o $(($1 >> 16 & 255)))\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 & 255)))"; }
    for word in 0xd00dfeed 72 56 72 40 17 16 0 0 16 0 0 0 0 1 0 2 9; do be32 "$word"; done
}
for board in bcm2710-rpi-3-b bcm2710-rpi-3-b-plus bcm2711-rpi-4-b bcm2711-rpi-400 bcm2711-rpi-cm4 \
    bcm2712-rpi-5-b bcm2712d0-rpi-5-b bcm2712-rpi-500 bcm2712-rpi-cm5-cm5io \
    bcm2712-rpi-cm5l-cm5io; do
    tree >"$dir/$board.dtb"
done
for overlay in overlay_map.dtb bcm2712d0.dtbo vc4-kms-v3d.dtbo vc4-kms-v3d-pi5.dtbo \
    disable-bt.dtbo; do
    tree >"$dir/overlays/$overlay"
done
echo "Overlays of a test image." >"$dir/overlays/README"
for firmware in bootcode.bin start.elf fixup.dat start4.elf fixup4.dat; do
    printf 'Stands for the firmware file %s in a test image.\n' "$firmware" >"$dir/$firmware"
done
echo "Debian arm64 in the layout of Raspberry Pi OS, for tests" >"$dir/issue.txt"

grub-mkimage -O arm64-efi -d /usr/lib/grub/arm64-efi -p /EFI/BOOT -o "$dir/EFI/BOOT/BOOTAA64.EFI" \
    part_msdos part_gpt fat linux normal echo configfile test
{
    echo "set timeout=0"
    echo "echo Starting from the own disk"
    echo "linux /kernel8.img console=ttyAMA0 $options rw"
    [ -z "$initrd" ] || echo "initrd /initramfs8"
    echo "boot"
} >"$dir/EFI/BOOT/grub.cfg"
