#!/bin/sh
# Installs what building and testing Punnet needs, by Debian package name.
#
# Made for Debian 12. Needs root or passwordless sudo to install; with everything in place it needs
# neither and ends at once. Without rights it says what is missing, what that costs and which
# command helps, and fails only when not even a build is possible.
#
# Services that come with the packages (nginx, tftpd-hpa) are neither started nor left enabled.
set -eu

BUILD="build-essential pkg-config"
PAPER="poppler-utils fonts-urw-base35 zbar-tools"
IMAGE="e2fsprogs dosfstools mtools fdisk xz-utils zstd bzip2 zip unzip cpio kmod"
LAB="iproute2 nftables dnsmasq-base tftpd-hpa tftp-hpa atftp curl isc-dhcp-client udhcpc tcpdump
     busybox-static nginx-light arping ethtool jq libcap2-bin"
QEMU="qemu-system-arm qemu-system-x86 qemu-efi-aarch64 ipxe-qemu grub-efi-arm64-bin grub-common"
# Packages, and the machine that they are tried on.
PACKAGE="debhelper lintian man-db zsh fish mmdebstrap"
CROSS="gcc-aarch64-linux-gnu libc6-dev-arm64-cross rustc-web libstd-rust-web-dev:arm64"
# The window, and what shows it where there is no screen.
WINDOW="libwebkit2gtk-4.1-dev libayatana-appindicator3-dev librsvg2-dev libxdo-dev libssl-dev"
SCREEN="webkit2gtk-driver xvfb xauth openbox xdotool wmctrl imagemagick dbus dbus-x11 dunst
     desktop-file-utils appstream xdg-utils"
# Shows the page to its tests.
BROWSER="chromium"
# Builds the page. Only where the machine brings no npm of its own.
NODE="npm"
# Only where the machine brings no Rust of its own.
RUST="cargo-web rust-web-clippy rustfmt-web"

# The oldest compiler that builds the workspace; keep equal to rust-version in Cargo.toml.
RUST_MINOR=95

say() { printf 'deps: %s\n' "$*"; }

installed() {
    dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# Prints those of the given packages that are not installed.
missing() {
    for package in "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

have_rust() {
    minor=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge "$RUST_MINOR" ]
}

# Vite wants Node 20.19 or newer; an older one of the machine's is as good as none, and Debian's may
# be older too: then the window is left out.
have_node() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

# Runs a command as root, or fails where that cannot be had without a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

may_install() {
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

# invoke-rc.d asks this file whether it may start a service. One that is there already is left as
# it is, because it says what its machine's owner wants.
POLICY=/usr/sbin/policy-rc.d
POLICY_IS_OURS=
forbid_services() {
    [ -e "$POLICY" ] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    POLICY_IS_OURS=yes
}
allow_services() {
    [ -z "$POLICY_IS_OURS" ] || as_root rm -f "$POLICY"
    POLICY_IS_OURS=
}

# Installs packages; where a newer qemu-utils from another source stands in the way, takes the
# release's own instead, because qemu-system-arm depends on exactly that version.
install() {
    as_root apt-get install -y -q --no-install-recommends "$@" && return
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
    say "once more with qemu-utils of $release"
    as_root apt-get install -y -q --no-install-recommends --allow-downgrades "$@" \
        "qemu-utils/$release"
}

report_missing() {
    [ -z "$2" ] || say "$1 missing: $2($3)"
}

if ! command -v dpkg-query >/dev/null; then
    say "this is not a Debian system; install the counterparts of these packages by hand:"
    say "$BUILD $PAPER $IMAGE $LAB $QEMU $PACKAGE $CROSS $WINDOW $SCREEN $BROWSER $NODE"
    exit 1
fi

# shellcheck disable=SC2086 # the lists are lists
{
    m_build=$(missing $BUILD)
    m_paper=$(missing $PAPER)
    m_image=$(missing $IMAGE)
    m_lab=$(missing $LAB)
    m_qemu=$(missing $QEMU)
    m_package=$(missing $PACKAGE)
    m_cross=$(missing $CROSS)
    m_window=$(missing $WINDOW)
    m_screen=$(missing $SCREEN)
    m_browser=$(missing $BROWSER)
}
m_node=
# shellcheck disable=SC2086
have_node || m_node=$(missing $NODE)
m_rust=
have_rust || m_rust=$RUST

all="$m_build$m_paper$m_image$m_lab$m_qemu$m_package$m_cross$m_window$m_screen$m_browser$m_node$m_rust"
if [ -n "$all" ]; then
    if may_install; then
        say "installing: $all"
        trap allow_services EXIT INT TERM
        forbid_services
        if [ -n "$m_cross" ] && ! dpkg --print-foreign-architectures | grep -qx arm64; then
            as_root dpkg --add-architecture arm64
        fi
        as_root apt-get update -q
        services=
        for service in tftpd-hpa:tftpd-hpa nginx-light:nginx; do
            case " $all " in *" ${service%%:*} "*) services="$services ${service##*:}" ;; esac
        done
        # shellcheck disable=SC2086
        install $all
        for service in $services; do
            as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
        done
        allow_services
        trap - EXIT INT TERM
        have_rust || { say "cargo 1.$RUST_MINOR or newer is needed; see https://rustup.rs"; exit 1; }
    else
        report_missing "build tools" "$m_build" "nothing can be built"
        report_missing "Rust" "$m_rust" "nothing can be built; or https://rustup.rs"
        report_missing "readers of printed pages" "$m_paper" "tests of labels and certificates fail"
        report_missing "image tools" "$m_image" "tests of images and rehearsals fail"
        report_missing "cross tools" "$m_cross" "the board agent cannot be built"
        report_missing "lab tools" "$m_lab" "the lab is not run"
        report_missing "QEMU" "$m_qemu" "the QEMU boards are not run"
        report_missing "packaging tools" "$m_package" "no packages are built or tested"
        report_missing "window libraries" "$m_window" "the window cannot be built"
        report_missing "npm" "$m_node" "the page, and with it the window, cannot be built"
        report_missing "browser" "$m_browser" "the page is not tested in a browser"
        report_missing "screen tools" "$m_screen" "the window is not tested"
        say "installing needs root or passwordless sudo. As root:"
        say "  dpkg --add-architecture arm64 && apt-get update &&"
        say "  apt-get install --no-install-recommends $all"
        [ -z "$m_build$m_rust" ] || exit 1
    fi
fi

if ! cargo deny --version >/dev/null 2>&1; then
    say "installing cargo-deny (some minutes, once)"
    # It runs for a second: time spent on making it fast never comes back.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --locked --quiet --debug ||
        say "cargo-deny could not be installed; licences are not checked"
fi
