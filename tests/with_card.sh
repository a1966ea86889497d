#!/bin/sh
# Runs a program in a network of its own, in which there is a card that leads nowhere else: `boards0`.
# Where no such network may be made it runs as it is, and tests that want the card say so.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
if [ "${1:-}" = --inside ]; then
    shift
    ip link set lo up
    ip link add boards0 type veth peer name wire0
    ip link set boards0 up
    ip link set wire0 up
    exec "$@"
fi
own=--net
[ "$(id -u)" -eq 0 ] || own="--net --map-root-user"
# shellcheck disable=SC2086
if unshare $own true 2>/dev/null; then
    exec unshare $own "$0" --inside "$@"
fi
exec "$@"
