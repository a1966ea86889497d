#!/usr/bin/env bash
# Builds the board agent for a processor and packs it as an initramfs whose only program it is:
# target/board/punnet-agent-ARCH.cpio.zst. Two builds of one source are equal bit for bit.
#
#   packaging/board/build.sh [arm64|amd64 ...]        default: arm64
#
# For arm64 there are two roads. A developer's own machine takes the musl target of its rustup
# (`rustup target add aarch64-unknown-linux-musl`); a machine without it takes Debian's compiler
# with Debian's arm64 standard library (rustc-web, libstd-rust-web-dev:arm64,
# gcc-aarch64-linux-gnu), linked statically against glibc.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/target/board
work=$root/target/board-build
most_bytes=$((12 * 1024 * 1024))
# Pages of up to 64 KiB: the stock kernel of a Pi 5 uses 16 KiB ones.
pages="-C link-arg=-Wl,-z,max-page-size=65536"
# Paths of this machine must not reach the binary.
paths="--remap-path-prefix=$root=/punnet --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"

compile() { # triple, then the environment for cargo
    local triple=$1
    shift
    # The board's compiler is not the machine's: their artefacts never share a folder.
    env CARGO_TARGET_DIR="$work/$triple" CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_OPT_LEVEL=3 "$@" \
        cargo build --quiet --manifest-path "$root/Cargo.toml" \
        --release --locked -p agent --bin punnet-agent --target "$triple"
    binary=$work/$triple/$triple/release/punnet-agent
}

build_arm64() {
    if rustup target list --installed 2>/dev/null | grep -qx aarch64-unknown-linux-musl; then
        local linker=rust-lld
        command -v aarch64-linux-gnu-gcc >/dev/null && linker=aarch64-linux-gnu-gcc
        compile aarch64-unknown-linux-musl \
            CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER="$linker" \
            CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=+crt-static $paths"
    elif [ -d /usr/lib/rustlib/aarch64-unknown-linux-gnu/lib ] &&
        command -v aarch64-linux-gnu-gcc >/dev/null; then
        compile aarch64-unknown-linux-gnu RUSTC=/usr/bin/rustc \
            CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
            CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static $pages $paths"
    else
        echo "No compiler for arm64 boards. Run packaging/setup/deps.sh, or:" >&2
        echo "  rustup target add aarch64-unknown-linux-musl" >&2
        exit 1
    fi
}

build_amd64() {
    compile x86_64-unknown-linux-gnu \
        CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static $paths"
}

pack() { # arch
    local tree=$work/initramfs-$1 archive=$out/punnet-agent-$1.cpio.zst
    rm -rf "$tree"
    mkdir -p "$tree"/{dev,etc/punnet,proc,run,sys,tmp,mnt} "$out"
    install -m 0755 "$binary" "$tree/init"
    # One moment for every file: the archive must not know when it was made.
    find "$tree" -exec touch -h -d @1700000000 {} +
    (cd "$tree" && find . -mindepth 1 | LC_ALL=C sort |
        cpio --quiet -o -H newc --reproducible --renumber-inodes -R 0:0) |
        zstd -q -19 --no-check -T1 -f -o "$archive.partial"
    local bytes
    bytes=$(stat -c %s "$archive.partial")
    if [ "$bytes" -gt "$most_bytes" ]; then
        echo "$archive would have $bytes bytes; a board loads at most $most_bytes" >&2
        exit 1
    fi
    mv "$archive.partial" "$archive"
    echo "$archive: $bytes bytes"
}

for arch in "${@:-arm64}"; do
    case $arch in
        arm64 | amd64) ;;
        *) echo "unknown processor $arch: arm64 or amd64" >&2; exit 2 ;;
    esac
    "build_$arch"
    pack "$arch"
done
