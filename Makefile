# Punnet: one command for each thing that is done to the tree.
#
#   make build   the release binary `punnet` (command line and daemon) in target/release
#   make window  the same with the window; needs npm and WebKitGTK
#   make deb     the Debian packages punnet-daemon (the service) and punnet (the window) in target/deb
#   make run     everything from nothing: tools, build, board agent, and the window; where there is no
#                display, a rehearsal you can read
#   make test    every check and every test, the lab of namespaces and QEMU boards included
#   make bench   ratios against dnsmasq, tftpd-hpa, nginx, zstd and dd in the same run
#   make soak    the lab once more with a full Debian image, many more kills, and the packages
#                installed on an emulated machine
#
# The lab needs root or passwordless sudo; without it `make test` runs all the rest and says so.

SHELL := /bin/sh
CARGO ?= cargo
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin
export CARGO_TARGET_DIR ?= $(CURDIR)/target

BOARDS ?= 8

.PHONY: build window deb run test bench soak deps board page

# With the page for browsers when it can be built; a plain build needs no npm.
build:
	@packaging/page/build.sh || echo "The daemon will have no page for browsers."
	$(CARGO) build --release --locked -p punnet --no-default-features
	$(CARGO) build --release --locked -p punnet-net

window: page
	$(CARGO) build --release --locked -p punnet
	$(CARGO) build --release --locked -p punnet-net

deb: deps
	@packaging/deb/build.sh

deps:
	@packaging/setup/deps.sh

board:
	@packaging/board/build.sh

page:
	@packaging/page/build.sh

run: deps board
	@if [ -z "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
	    echo "There is no display here: a rehearsal instead of the window."; \
	elif packaging/page/build.sh && pkg-config --exists webkit2gtk-4.1; then \
	    $(MAKE) window && exec $(CARGO_TARGET_DIR)/release/punnet; \
	    exit; \
	else \
	    echo "The window cannot be built here: a rehearsal instead."; \
	fi; \
	$(MAKE) build && exec $(CARGO_TARGET_DIR)/release/punnet rehearse --boards $(BOARDS) --headless

test: deps
	@tests/run.sh

bench: deps
	@tests/bench.sh

soak: deps
	@PUNNET_SOAK=1 tests/run.sh lab
