#!/bin/sh
# Builds everything for speed and prints ratios against peers.
#
# usage: bench.sh [PART…]          parts: page daemon window import http pipeline dhcp tftp (default: all)
set -eu
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR
if packaging/page/build.sh && pkg-config --exists webkit2gtk-4.1; then
    cargo build --locked --release -p punnet
    # The build without a window has the same name, so this one gets another.
    ln -f "$CARGO_TARGET_DIR/release/punnet" "$CARGO_TARGET_DIR/release/punnet-window"
    export PUNNET_WINDOW="$CARGO_TARGET_DIR/release/punnet-window"
fi
cargo build --locked --release -p punnet --no-default-features
cargo build --locked --release -p punnet-net
cargo build --locked --release -p netboot --examples
cargo build --locked --release -p imaging -p agent --examples
export PUNNET="$CARGO_TARGET_DIR/release/punnet"
export PUNNET_EXAMPLES="$CARGO_TARGET_DIR/release/examples"
if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
fi
case " ${*:-page} " in
*" page "*)
    if [ -d ui/dist ] && [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
        printf '\nThe page in a browser\n'
        (cd ui && NO_COLOR=1 npm run --silent bench)
    else
        echo "NOT RUN bench: page: needs npm and Chromium"
    fi
    ;;
esac
[ "$*" = page ] || cargo bench --locked -p punnet-tests --bench peers -- "$@"
