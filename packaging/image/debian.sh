#!/bin/sh
# Builds a full Debian arm64 system image in the layout of Raspberry Pi OS, for the soak tests.
#
# usage: debian.sh [OUT]           (default target/lab-cache/debian-arm64.img; prints its path)
#
# systemd, an SSH server, curl, a generic kernel with its initramfs; MBR, 512 MiB FAT, ext4. Takes
# some ten minutes, once: foreign packages are configured under user-mode emulation. Needs root or
# passwordless sudo. When up it prints "PUNNET-UP hostname=… machine-id=…" on the console.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/packaging/image
cache=$root/target/lab-cache
out=${1:-$cache/debian-arm64.img}
disk_id=50554e32
export PATH="$PATH:/usr/sbin:/sbin" SOURCE_DATE_EPOCH=1735689600

mkdir -p "$cache"
exec 9>"$cache/debian.lock"
flock 9
stamp=$out.stamp
inputs=$(cat "$0" "$here/boot-files.sh" "$here/assemble.sh" | sha256sum | cut -c1-64)
if [ -s "$out" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ]; then
    echo "$out"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo "debian.sh needs root or passwordless sudo" >&2; exit 1; }
    flock -u 9
    exec sudo -n "$0" "$out"
fi

tools=
for package in mmdebstrap arch-test qemu-user-static binfmt-support; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        tools="$tools $package"
done
# shellcheck disable=SC2086
[ -z "$tools" ] || { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $tools; } >&2
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
update-binfmts --enable qemu-aarch64 >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fs=$work/root
mmdebstrap --architectures=arm64 --variant=minbase --quiet \
    --include=systemd-sysv,udev,dbus,iproute2,netbase,iputils-ping,curl,ca-certificates \
    --include=openssh-server,initramfs-tools,linux-image-cloud-arm64,zstd,kmod,e2fsprogs \
    bookworm "$fs" http://deb.debian.org/debian >&2

echo golden >"$fs/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\tgolden\n' >"$fs/etc/hosts"
# A careless golden image: it was started once before it was captured.
echo 0123456789abcdef0123456789abcdef >"$fs/etc/machine-id"
mkdir -p "$fs/boot/firmware"
cat >"$fs/etc/fstab" <<TEXT
PARTUUID=$disk_id-01 /boot/firmware vfat defaults,nofail 0 2
PARTUUID=$disk_id-02 / ext4 defaults,noatime 0 1
TEXT
cat >"$fs/etc/systemd/network/80-wired.network" <<'TEXT'
[Match]
Name=en* eth*
[Network]
DHCP=ipv4
TEXT
cat >"$fs/etc/systemd/system/punnet-up.service" <<'TEXT'
[Unit]
Description=Say on the console who this is
Wants=network-online.target
After=network-online.target ssh.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "PUNNET-UP hostname=$(hostname) machine-id=$(cat /etc/machine-id) root=$(df -k --output=size / | tail -1 | tr -d " ")k ssh=$(systemctl is-active ssh)" >/dev/console'

[Install]
WantedBy=multi-user.target
TEXT
for unit in systemd-networkd.service systemd-networkd-wait-online.service punnet-up.service; do
    chroot "$fs" systemctl enable "$unit" >&2
done
rm -rf "$fs/var/cache/apt/archives"/*.deb "$fs/var/lib/apt/lists"/*

kernel=$(find "$fs/boot" -name 'vmlinuz-*' | head -1)
initrd=$(find "$fs/boot" -name 'initrd.img-*' | head -1)
"$here/boot-files.sh" "$work/boot" "$kernel" "$disk_id-02" "$initrd"

ext4=$work/root.ext4
used=$(du -sm "$fs" | cut -f1)
truncate -s "$(((used * 13 / 10 + 256) / 8 * 8))M" "$ext4"
mke2fs -q -t ext4 -b 4096 -L rootfs -d "$fs" "$ext4"
e2fsck -fn "$ext4" >"$work/fsck.out" 2>&1 || { cat "$work/fsck.out" >&2; exit 1; }
"$here/assemble.sh" "$out" "$work/boot" 512 "$ext4" "$disk_id" >&2
echo "$inputs" >"$stamp"
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$out" "$stamp"
echo "$out"
