#!/bin/sh
# Puts a boot directory and a root file system together as a disk image, without mounting anything.
#
# usage: assemble.sh OUT BOOT-DIR BOOT-MIB ROOT-EXT4 DISK-ID
#
# MBR; a FAT partition of BOOT-MIB at 8 MiB, the ext4 file system behind it. The same input gives
# the same bytes.
set -eu
out=$1 boot=$2 boot_mib=$3 rootfs=$4 disk_id=$5
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1735689600}"
export MTOOLS_SKIP_CHECK=1 TZ=UTC
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fat=$work/boot.fat
truncate -s "${boot_mib}M" "$fat"
mkfs.vfat -F 32 -s 1 -n BOOTFS -i "$disk_id" --invariant "$fat" >/dev/null
find "$boot" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(
    cd "$boot"
    find . -mindepth 1 -type d -printf '%P\n' | LC_ALL=C sort | while read -r dir; do
        mmd -i "$fat" "::$dir"
    done
    find . -type f -printf '%P\n' | LC_ALL=C sort | while read -r file; do
        mcopy -m -i "$fat" "$file" "::$file"
    done
)

root_bytes=$(stat -c %s "$rootfs")
root_start=$((8 + boot_mib))
truncate -s "$((root_start * 1048576 + root_bytes))" "$out.partial"
sfdisk -q "$out.partial" <<PARTITIONS
label: dos
label-id: 0x$disk_id
unit: sectors
start=$((8 * 2048)), size=$((boot_mib * 2048)), type=c
start=$((root_start * 2048)), size=$((root_bytes / 512)), type=83
PARTITIONS
dd if="$fat" of="$out.partial" bs=1M seek=8 conv=notrunc,sparse status=none
dd if="$rootfs" of="$out.partial" bs=1M seek="$root_start" conv=notrunc,sparse status=none
mv "$out.partial" "$out"
