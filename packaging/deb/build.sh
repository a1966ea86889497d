#!/usr/bin/env bash
# Builds the Debian packages punnet-daemon and punnet into target/deb.
#
# usage: build.sh [--arch amd64|arm64] [--programs FOLDER] [--version X] [--out FOLDER]
#
# Without --programs everything is built from the source, the page and the agents included; what cannot
# be built here (no npm, no WebKitGTK) is left out, and said. FOLDER holds programs that were built
# already: punnet, punnet-net, and punnet-window if there is to be a window. The packages of another
# processor have no window.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
arch=$(dpkg --print-architecture)
own=$arch
programs=
version=
out=$target/deb
while [ $# -gt 0 ]; do
    case $1 in
        --arch) arch=$2 ;;
        --programs) programs=$(realpath "$2") ;;
        --version) version=$2 ;;
        --out) out=$2 ;;
        *) echo "usage: build.sh [--arch amd64|arm64] [--programs FOLDER] [--version X] [--out FOLDER]" >&2
           exit 2 ;;
    esac
    shift 2
done

say() { echo "deb: $*" >&2; }

# Where the built programs of a processor lie; sets `build` to the words of cargo that make them.
compiler_for() {
    release=$target/release
    build=(cargo build --release --locked --manifest-path "$root/Cargo.toml")
    [ "$arch" != "$own" ] || return 0
    [ "$arch" = arm64 ] || { say "only arm64 is built on $own"; exit 2; }
    command -v aarch64-linux-gnu-gcc >/dev/null ||
        { say "no compiler for arm64; packaging/setup/deps.sh installs one"; exit 1; }
    # As for the board's agent: Debian's compiler with Debian's arm64 standard library.
    release=$target/deb-build/aarch64-unknown-linux-gnu/release
    build=(env "CARGO_TARGET_DIR=$target/deb-build" RUSTC=/usr/bin/rustc
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        "${build[@]}" --target aarch64-unknown-linux-gnu)
}

# The two builds of the app have one name, so each is taken away before the next.
build_programs() {
    local with_window=
    "$root/packaging/page/build.sh" || say "the daemon will have no page for browsers"
    compiler_for
    if [ "$arch" != "$own" ]; then
        say "no window for $arch"
    elif [ -f "$root/ui/dist/index.html" ] && pkg-config --exists webkit2gtk-4.1; then
        with_window=yes
    else
        say "the window cannot be built here; there will be no package punnet"
    fi
    if [ -n "$with_window" ]; then
        "${build[@]}" -p punnet
        install -m 0755 "$release/punnet" "$work/programs/punnet-window"
    fi
    "${build[@]}" -p punnet --no-default-features
    "${build[@]}" -p punnet-net
    install -m 0755 "$release/punnet" "$release/punnet-net" "$work/programs/"
    "$root/packaging/board/build.sh" arm64 amd64
}

work=$out/work-$arch
rm -rf "$work"
mkdir -p "$work"/{programs,boards,man,completions,icons/hicolor,ufw,sysusers,tmpfiles}
if [ -n "$programs" ]; then
    cp "$programs"/punnet* "$work/programs/"
else
    build_programs
fi
cp "$target"/board/punnet-agent-*.cpio.zst "$work/boards/" ||
    say "no agent for boards; packaging/board/build.sh makes it"
cp -r "$root/packaging" "$work/"
cp -r "$root/packaging/deb/debian" "$work/debian"
cp "$root/packaging/systemd/punnet.sysusers" "$work/sysusers/punnet.conf"
cp "$root/packaging/systemd/punnet.tmpfiles" "$work/tmpfiles/punnet.conf"
cp "$root/packaging/firewall/punnet.ufw" "$work/ufw/punnet"
: "${version:=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$work/debian/changelog")}"
sed -i "1s/(.*)/($version)/" "$work/debian/changelog"

for png in "$root"/icons/punnet-[0-9]*.png; do
    size=${png##*-}
    size=${size%.png}
    install -D -m 0644 "$png" "$work/icons/hicolor/${size}x$size/apps/punnet.png"
done
install -D -m 0644 "$root/icons/punnet.svg" "$work/icons/hicolor/scalable/apps/punnet.svg"
for state in attention idle serving; do
    install -D -m 0644 -t "$work/icons/hicolor/symbolic/apps" "$root/icons/punnet-$state-symbolic.svg"
done

# A program of this machine's says what it can do.
talks=$work/programs/punnet
if [ "$arch" != "$own" ]; then
    cargo build --release --locked --manifest-path "$root/Cargo.toml" -p punnet --no-default-features
    talks=$target/release/punnet
fi
"$talks" manual "$work/man"
"$talks" completions bash >"$work/completions/punnet"
"$talks" completions zsh >"$work/completions/_punnet"
"$talks" completions fish >"$work/completions/punnet.fish"
awk -v version="$version" -f "$root/packaging/settings/manual.awk" \
    "$root/packaging/settings/station.example.toml" >"$work/man/station.toml.5"
cargo tree --locked --offline --manifest-path "$root/Cargo.toml" -p punnet -p punnet-net \
    -e normal --prefix none --format '{p}: {l}' | sed "s, ($root[^)]*),," | LC_ALL=C sort -u >"$work/crates.txt"

export DEB_COMPRESSION=${DEB_COMPRESSION:-}
(cd "$work" && dpkg-buildpackage -b -uc -us -nc -d -a"$arch" >"$out/build-$arch.log" 2>&1) || {
    tail -40 "$out/build-$arch.log" >&2
    exit 1
}
rm -rf "$work" "$out"/punnet_*.buildinfo "$out"/punnet_*.changes
ls "$out"/*_"${version}_$arch.deb"
