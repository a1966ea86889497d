#!/bin/sh
# Builds the small arm64 system image of the tests: a real kernel and busybox, laid out like
# Raspberry Pi OS.
#
# usage: small.sh [OUT]            (default target/lab-cache/small-arm64.img; prints its path)
#
# It starts from a Raspberry-Pi-style boot partition, from UEFI firmware, or as input of a
# rehearsal. When up it takes an address by DHCP, takes its name from /etc/hostname, runs
# /etc/rc.local and prints "PUNNET-UP hostname=… machine-id=…" on the console. Packages come from
# Debian and are cached beside the image; nothing is mounted and no root is needed.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/packaging/image
cache=$root/target/lab-cache
out=${1:-$cache/small-arm64.img}
export SOURCE_DATE_EPOCH=1735689600
disk_id=50554e31
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$cache"
exec 9>"$cache/small.lock"
flock 9
stamp=$out.stamp
inputs=$(cat "$here"/*.sh | sha256sum | cut -c1-64)
if [ -s "$out" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$inputs" ]; then
    echo "$out"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kernel_package=$(find "$cache/debs" -name 'linux-image-*-cloud-arm64_*' -printf '%f\n' 2>/dev/null |
    sed 's/_.*//' | sort -V | tail -1)
if [ -z "$kernel_package" ]; then
    meta=$("$here/fetch-deb.sh" "$cache" linux-image-cloud-arm64)
    kernel_package=$(dpkg-deb -f "$meta" Depends | sed 's/[ ,(].*//')
fi
kernel_deb=$("$here/fetch-deb.sh" "$cache" "$kernel_package")
busybox_deb=$("$here/fetch-deb.sh" "$cache" busybox-static)
version=${kernel_package#linux-image-}
mkdir "$work/kernel" "$work/busybox"
dpkg-deb -x "$kernel_deb" "$work/kernel"
dpkg-deb -x "$busybox_deb" "$work/busybox"
depmod -b "$work/kernel" "$version"

# --- the root file system ---
fs=$work/root
mkdir -p "$fs/usr/bin" "$fs/usr/sbin" "$fs/usr/lib/modules/$version" "$fs/etc/init.d" \
    "$fs/etc/ssh" "$fs/etc/default" "$fs/boot/firmware" "$fs/dev" "$fs/proc" "$fs/sys" "$fs/run" \
    "$fs/tmp" "$fs/root" "$fs/home" "$fs/mnt" "$fs/var/lib" "$fs/var/log" \
    "$fs/usr/share/udhcpc"
for dir in bin sbin lib; do ln -s "usr/$dir" "$fs/$dir"; done
chmod 1777 "$fs/tmp"
chmod 700 "$fs/root"
cp "$work/busybox/bin/busybox" "$fs/usr/bin/busybox"
for applet in sh ash cat cp cut date dd df dmesg echo env false find grep head hostname kill ln ls \
    mkdir mount mv poweroff printf ps reboot rm sed seq sleep sort sync tail test timeout touch tr true \
    umount uname wc wget; do
    ln -s busybox "$fs/usr/bin/$applet"
done
for applet in blkid depmod fdisk halt ifconfig init insmod ip lsmod modprobe route udhcpc; do
    ln -s ../bin/busybox "$fs/usr/sbin/$applet"
done

# The modules that a virtual machine's system and agent want, with everything they need.
modules=$fs/usr/lib/modules/$version
wanted="virtio_net virtio_blk virtio_pci virtio_mmio virtio_scsi virtio_rng virtio_console
    vfat nls_cp437 nls_ascii nls_utf8 efivarfs"
closure=$(for module in $wanted; do
    pattern=$(echo "$module" | sed 's/_/[-_]/g')
    sed -n "s,^\(kernel/[^:]*/$pattern\.ko\):\(.*\),\1 \2,p" "$work/kernel/lib/modules/$version/modules.dep"
done | tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u)
for file in $closure; do
    mkdir -p "$modules/$(dirname "$file")"
    cp "$work/kernel/lib/modules/$version/$file" "$modules/$file"
done
cp "$work/kernel/lib/modules/$version/modules.builtin" \
    "$work/kernel/lib/modules/$version/modules.builtin.modinfo" \
    "$work/kernel/lib/modules/$version/modules.order" "$modules/"
depmod -b "$fs" "$version"

cat >"$fs/etc/os-release" <<'TEXT'
PRETTY_NAME="Punnet small test system (Debian 12 kernel)"
NAME="Punnet small test system"
ID=debian
VERSION_ID="12"
TEXT
echo golden >"$fs/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\tgolden\n' >"$fs/etc/hosts"
# What a careless golden image brings along; every board must end up with its own.
echo 0123456789abcdef0123456789abcdef >"$fs/etc/machine-id"
for kind in rsa ed25519; do
    echo "test key of the golden image" >"$fs/etc/ssh/ssh_host_${kind}_key"
    echo "test key of the golden image" >"$fs/etc/ssh/ssh_host_${kind}_key.pub"
    chmod 600 "$fs/etc/ssh/ssh_host_${kind}_key"
done
echo 'root::0:0:root:/root:/bin/sh' >"$fs/etc/passwd"
echo 'root:x:0:' >"$fs/etc/group"
cat >"$fs/etc/fstab" <<TEXT
proc /proc proc defaults 0 0
PARTUUID=$disk_id-01 /boot/firmware vfat defaults 0 2
PARTUUID=$disk_id-02 / ext4 defaults,noatime 0 1
TEXT
cat >"$fs/etc/inittab" <<'TEXT'
::sysinit:/etc/init.d/rcS
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
TEXT
cat >"$fs/etc/init.d/rcS" <<'TEXT'
#!/bin/sh
# Everything this system does: file systems, modules, name, network, rc.local, a line to be seen.
export PATH=/usr/sbin:/usr/bin
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -o remount,rw /
hostname -F /etc/hostname
ip link set lo up
for module in virtio_pci virtio_mmio virtio_net virtio_rng virtio_blk nls_cp437 nls_ascii vfat; do
    modprobe "$module" 2>/dev/null
done
mount -t vfat -o ro /dev/nvme0n1p1 /boot/firmware 2>/dev/null
if [ ! -s /etc/machine-id ] || grep -qx uninitialized /etc/machine-id; then
    tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
fi
for nic in /sys/class/net/*; do
    nic=${nic##*/}
    [ "$nic" != lo ] || continue
    ip link set "$nic" up
    udhcpc -q -t 20 -T 1 -A 1 -x "hostname:$(hostname)" -i "$nic" -s /usr/share/udhcpc/default.script
done
[ ! -x /etc/rc.local ] || /etc/rc.local
sync
echo "PUNNET-UP hostname=$(hostname) machine-id=$(cat /etc/machine-id) root=$(df -k / | tail -1 | tr -s ' ' | cut -d' ' -f2)k"
TEXT
cat >"$fs/usr/share/udhcpc/default.script" <<'TEXT'
#!/bin/sh
# Called by udhcpc: takes the address, the route and the name servers.
case $1 in
deconfig) ip addr flush dev "$interface" ;;
bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    [ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
    : >/etc/resolv.conf
    for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
    ;;
esac
exit 0
TEXT
cat >"$fs/etc/rc.local" <<'TEXT'
#!/bin/sh
# Local things to do at the end of the start.
exit 0
TEXT
chmod 755 "$fs/etc/init.d/rcS" "$fs/etc/rc.local" "$fs/usr/share/udhcpc/default.script"
find "$fs" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

# Owner, times and the console node are set inside the file system: building needs no root, and the
# builder's user and clock leave no trace.
ext4=$work/root.ext4
truncate -s 48M "$ext4"
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
mke2fs -q -t ext4 -b 4096 -L rootfs -U 50554e4e-4554-4000-8000-000000000001 \
    -E "hash_seed=50554e4e-4554-4000-8000-000000000002,root_owner=0:0" -d "$fs" "$ext4"
{
    find "$fs" -mindepth 1 -printf '/%P\n' | LC_ALL=C sort | while read -r path; do
        for field in uid gid; do echo "sif $path $field 0"; done
        for field in atime ctime mtime; do echo "sif $path $field @$SOURCE_DATE_EPOCH"; done
    done
    echo "cd /dev"
    echo "mknod console c 5 1"
    echo "mknod null c 1 3"
    echo "sif /dev/console mode 020600"
    echo "sif /dev/null mode 020666"
} >"$work/commands"
debugfs -w -f "$work/commands" "$ext4" >/dev/null 2>"$work/debugfs.err" ||
    { cat "$work/debugfs.err" >&2; exit 1; }
e2fsck -fn "$ext4" >"$work/fsck.out" 2>&1 || { cat "$work/fsck.out" >&2; exit 1; }

# --- the boot partition, and all together ---
"$here/boot-files.sh" "$work/boot" "$work/kernel/boot/vmlinuz-$version" "$disk_id-02"
"$here/assemble.sh" "$out" "$work/boot" 96 "$ext4" "$disk_id"
echo "$inputs" >"$stamp"
echo "$out"
