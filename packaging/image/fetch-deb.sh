#!/bin/sh
# Prints the path of each named Debian package for arm64, downloading what the cache lacks.
#
# usage: fetch-deb.sh CACHE PACKAGE…
#
# Needs no root: where the machine's own package lists do not know arm64, private ones are fetched
# into the cache with the machine's sources and keys.
set -eu
cache=$1
shift
mkdir -p "$cache/debs"
cd "$cache"
cache=$PWD

# APT as the machine has it first, then with lists of our own.
apt_options=
private_lists() {
    [ -z "$apt_options" ] || return 1
    mkdir -p "$cache/lists/partial" "$cache/apt/partial"
    apt_options="-o Dir::State::Lists=$cache/lists -o Dir::Cache=$cache/apt
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=1"
    # shellcheck disable=SC2086
    apt-get $apt_options update -q >&2
}

known() {
    # shellcheck disable=SC2086
    apt-cache $apt_options show "$1:arm64" >/dev/null 2>&1
}

download() {
    # shellcheck disable=SC2086
    (cd "$cache/debs" && apt-get $apt_options download -q "$1:arm64" >&2)
}

newest() {
    find "$cache/debs" -name "$1_*_arm64.deb" -printf '%T@ %p\n' | sort -rn | head -1 | cut -d' ' -f2-
}

for package in "$@"; do
    have=$(newest "$package")
    if [ -z "$have" ]; then
        known "$package" || private_lists || true
        download "$package" || { private_lists && download "$package"; }
        have=$(newest "$package")
    fi
    [ -n "$have" ] || { echo "fetch-deb: $package for arm64 is nowhere to be had" >&2; exit 1; }
    echo "$have"
done
