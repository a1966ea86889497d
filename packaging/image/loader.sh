#!/bin/sh
# Makes the UEFI network boot loader for arm64 boards that are no Raspberry Pi.
#
# usage: loader.sh [OUT]           (default target/board/grubaa64.efi)
#
# The loader fetches /grub/grub.cfg from whoever served it; the station renders that file for the
# board that asks. When there is none, the board restarts after a pause, so that a station that
# comes up late is found.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$root/target/board/grubaa64.efi}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/early.cfg" <<'CFG'
set timeout=0
configfile (tftp)/grub/grub.cfg
echo "The station has no boot configuration for this board. Trying again."
sleep 10
reboot
CFG
mkdir -p "$(dirname "$out")"
grub-mkimage -O arm64-efi -d /usr/lib/grub/arm64-efi -c "$work/early.cfg" -p '(tftp)/grub' \
    -o "$out.partial" efinet tftp http net linux normal echo configfile test sleep reboot
mv "$out.partial" "$out"
echo "$out"
