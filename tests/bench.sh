#!/bin/sh
# Builds everything for speed and prints ratios against peers.
#
# usage: bench.sh [PART…]          parts: daemon import http pipeline dhcp tftp (default: all)
set -eu
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR
cargo build --locked --release -p punnet --no-default-features
cargo build --locked --release -p netboot --examples
cargo build --locked --release -p imaging -p agent --examples
export PUNNET="$CARGO_TARGET_DIR/release/punnet"
export PUNNET_EXAMPLES="$CARGO_TARGET_DIR/release/examples"
if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
fi
cargo bench --locked -p punnet-tests --bench peers -- "$@"
