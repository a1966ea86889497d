#!/bin/sh
# Builds the machine on which the packages are tried: a Debian for this processor with systemd and
# nothing of Punnet in it, for QEMU without a boot loader.
#
# usage: guest.sh [FOLDER]      (default target/lab-cache/guest; prints its path)
#
# FOLDER gets disk.img (an ext4 file system), vmlinuz and initrd.img. What the packages depend on is
# there, because the guest has no network. A shell of root waits on the second serial port. Takes a
# minute or two, once. Needs root or passwordless sudo, and mmdebstrap.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/target/lab-cache
out=${1:-$cache/guest}
export PATH="$PATH:/usr/sbin:/sbin" SOURCE_DATE_EPOCH=1735689600

mkdir -p "$cache"
exec 9>"$cache/guest.lock"
flock 9
inputs=$(sha256sum <"$0" | cut -c1-64)
if [ "$(cat "$out/stamp" 2>/dev/null)" = "$inputs" ]; then
    echo "$out"
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo "guest.sh needs root or passwordless sudo" >&2; exit 1; }
    flock -u 9
    exec sudo -n "$0" "$out"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fs=$work/root
arch=$(dpkg --print-architecture)
mmdebstrap --variant=minbase --quiet \
    --include=systemd-sysv,udev,dbus,iproute2,netbase,curl,kmod,e2fsprogs,procps,passwd \
    --include="libcap2-bin,polkitd,initramfs-tools,linux-image-cloud-$arch,jq" \
    bookworm "$fs" http://deb.debian.org/debian >&2

echo guest >"$fs/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\tguest\n' >"$fs/etc/hosts"
echo "/dev/vda / ext4 defaults 0 1" >"$fs/etc/fstab"
# A new machine: the first start makes it its own.
: >"$fs/etc/machine-id"
# Emulated processors are slow; nothing here waits for a person.
mkdir -p "$fs/etc/systemd/system.conf.d" "$fs/etc/systemd/journald.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=5min\n' >"$fs/etc/systemd/system.conf.d/slow.conf"
printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' >"$fs/etc/systemd/journald.conf.d/keep.conf"
cat >"$fs/etc/systemd/system/hands.service" <<'TEXT'
[Unit]
Description=A shell for whoever tests this machine
After=multi-user.target

[Service]
Type=idle
ExecStartPre=/bin/stty -F /dev/ttyS1 raw -echo
ExecStart=/bin/sh -c 'echo HANDS; exec /bin/sh'
WorkingDirectory=/root
Environment=HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER= SYSTEMD_COLORS=0 LC_ALL=C.UTF-8 PS1= PS2=
StandardInput=file:/dev/ttyS1
StandardOutput=file:/dev/ttyS1
StandardError=inherit
KillMode=process
Restart=always

[Install]
WantedBy=multi-user.target
TEXT
chroot "$fs" systemctl enable hands.service >&2
chroot "$fs" systemctl mask serial-getty@ttyS0.service getty@tty1.service apt-daily.timer \
    apt-daily-upgrade.timer >&2
rm -rf "$fs/var/cache/apt/archives"/*.deb "$fs/var/lib/apt/lists"/*

rm -rf "$out"
mkdir -p "$out"
cp "$fs"/boot/vmlinuz-* "$out/vmlinuz"
cp "$fs"/boot/initrd.img-* "$out/initrd.img"
cp "$fs"/boot/config-* "$out/config"
used=$(du -sm "$fs" | cut -f1)
truncate -s "$((used + 3072))M" "$out/disk.img"
mke2fs -q -t ext4 -L root -d "$fs" "$out/disk.img"
echo "$inputs" >"$out/stamp"
[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:$SUDO_GID" "$out"
echo "$out"
