#!/bin/sh
# Every check and every test, with one line per stage and a sum at the end.
#
# usage: run.sh [STAGE…]      stages: format licences clippy board units page browser lab window
#                             (default: all)
#
# A failed stage does not stop the others, so that one run tells everything. Output of a stage goes
# to target/test-logs/STAGE.log and is shown when it fails.
set -u
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=$PWD/target}"
export CARGO_TARGET_DIR CARGO_TERM_COLOR=never
logs=$CARGO_TARGET_DIR/test-logs
mkdir -p "$logs"
export PUNNET_NOT_RUN="$logs/not-run"
: >"$PUNNET_NOT_RUN"
stages=${*:-format licences clippy board units page browser lab window}
failed_stages=
passed=0
failed=0

# Runs one stage, adds up the tests that its output reports, and goes on whatever happens.
stage() {
    name=$1
    shift
    begun=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1
    status=$?
    took=$(($(date +%s) - begun))
    # libtest: "test result: ok. 3 passed; 0 failed; …", once per test binary.
    counts=$(sed -n 's/^test result: .*\. \([0-9]*\) passed; \([0-9]*\) failed;.*/\1 \2/p' \
        "$logs/$name.log" | awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
    # vitest: "Tests  1 failed | 3 passed (4)", once per run.
    [ "$counts" != "0 0" ] || counts=$(sed -n 's/^ *Tests  *//p' "$logs/$name.log" | awk '
        { for (i = 2; i <= NF; i++) { if ($i == "passed") p += $(i - 1); if ($i == "failed") f += $(i - 1) } }
        END { print p + 0, f + 0 }')
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    tests=
    [ "$counts" = "0 0" ] || tests=", ${counts% *} passed, ${counts#* } failed"
    if [ "$status" -eq 0 ]; then
        printf '%-9s ok      %4d s%s\n' "$name" "$took" "$tests"
    else
        printf '%-9s FAILED  %4d s%s (%s)\n' "$name" "$took" "$tests" "$logs/$name.log"
        failed_stages="$failed_stages $name"
        tail -n 80 "$logs/$name.log" | sed 's/^/    | /'
    fi
}

# Can the window be built here? It needs npm for the page and WebKitGTK.
windowed() {
    packaging/page/build.sh && pkg-config --exists webkit2gtk-4.1 librsvg-2.0
}

# Everything; the app both with the window, where it can be built, and without.
lints() {
    package=--workspace
    if windowed; then
        cargo clippy --locked --workspace --all-targets -- -D warnings || return 1
        package=--package=punnet
    fi
    cargo clippy --locked "$package" --all-targets --no-default-features -- -D warnings
}

licences() {
    if ! cargo deny --version; then
        echo "licences: cargo-deny is not installed" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    cargo deny --offline check licenses bans sources
}

# The lab runs as root. Everything is built beforehand as the person who called, so that no file of
# root's is left in the tree; only the test binary itself is raised.
lab() {
    programs || return 1
    cargo build --locked -p punnet-net || return 1
    export PUNNET_HELPER="$CARGO_TARGET_DIR/debug/punnet-net"
    if [ "$(id -u)" -ne 0 ] && sudo -n true 2>/dev/null; then
        export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="sudo -n -E"
    fi
    # What takes too long for every day is marked "ignored".
    cargo test --locked -p punnet-tests --test whole -- --test-threads=2 ${PUNNET_SOAK:+--include-ignored}
}

# The station without a window, and what it is tried with.
programs() {
    cargo build --locked -p punnet --no-default-features || return 1
    export PUNNET="$CARGO_TARGET_DIR/debug/punnet"
    virtual_boards
}

virtual_boards() {
    cargo build --locked -p virtual-pi --example boards || return 1
    export PUNNET_EXAMPLES="$CARGO_TARGET_DIR/debug/examples"
}

# The page by itself: its types, its style, its rules and its parts without a browser.
page() {
    if ! packaging/page/build.sh; then
        echo "page: the page could not be built (npm)" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    (cd ui && npm run check && npm run lint && NO_COLOR=1 npm test)
}

# The page in a headless Chromium, over its made-up station and before a real one.
browser() {
    if ! packaging/page/build.sh; then
        echo "browser: the page could not be built (npm)" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
        echo "browser: Chromium is not installed" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    programs || return 1
    packaging/image/small.sh || return 1
    (cd ui && NO_COLOR=1 npm run test:browser)
}

# The window, on a display of its own. It needs npm for the page and WebKitGTK; programs that a test
# misses are found by the test.
window() {
    if ! packaging/page/build.sh; then
        echo "window: the page could not be built (npm)" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    if ! pkg-config --exists webkit2gtk-4.1 librsvg-2.0; then
        echo "window: WebKitGTK is not installed" >>"$PUNNET_NOT_RUN"
        return 0
    fi
    cargo test --locked -p punnet --bin punnet window:: || return 1
    # The build without a window has the same name, so this one gets another.
    cargo build --locked -p punnet || return 1
    ln -f "$CARGO_TARGET_DIR/debug/punnet" "$CARGO_TARGET_DIR/debug/punnet-window" || return 1
    virtual_boards || return 1
    export PUNNET_WINDOW="$CARGO_TARGET_DIR/debug/punnet-window"
    export PUNNET="$PUNNET_WINDOW"
    cargo test --locked -p punnet-tests --test window --no-run || return 1
    for triple in X86_64 AARCH64; do
        export "CARGO_TARGET_${triple}_UNKNOWN_LINUX_GNU_RUNNER=$PWD/tests/with_card.sh"
    done
    cargo test --locked --offline -p punnet-tests --test window -- --test-threads=2
}

units() {
    cargo test --locked --workspace --exclude punnet-tests --no-default-features
}

cargo fetch --locked >"$logs/fetch.log" 2>&1 || { cat "$logs/fetch.log"; exit 1; }
for name in $stages; do
    case $name in
    format) stage format cargo fmt --all --check ;;
    licences) stage licences licences ;;
    clippy) stage clippy lints ;;
    board) stage board packaging/board/build.sh ;;
    units) stage units units ;;
    page) stage page page ;;
    browser) stage browser browser ;;
    lab) stage lab lab ;;
    window) stage window window ;;
    *) echo "no such stage: $name" >&2; exit 2 ;;
    esac
done

not_run=$(sort -u "$PUNNET_NOT_RUN" | grep -c .)
if [ "$not_run" -gt 0 ]; then
    echo "not run:"
    sort -u "$PUNNET_NOT_RUN" | sed 's/^/    /'
fi
# A test that found that it cannot run here ended well without testing anything.
idle=$(sort -u "$PUNNET_NOT_RUN" | grep -vcE '^(licences|page|browser|window: (the page|WebKitGTK)|window: launcher)')
passed=$((passed - idle))
[ "$passed" -ge 0 ] || passed=0
[ -z "$failed_stages" ] || echo "failed stages:$failed_stages"
echo "$passed passed, $failed failed, $not_run not run"
[ -z "$failed_stages" ] && [ "$failed" -eq 0 ]
