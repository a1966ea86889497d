# Punnet: one command for each thing that is done to the tree.
#
#   make build   the release binary `punnet` (command line and daemon) in target/release
#   make run     everything from nothing: tools, build, board agent, a rehearsal you can read
#   make test    every check and every test, the lab of namespaces and QEMU boards included
#   make bench   ratios against dnsmasq, tftpd-hpa, nginx, zstd and dd in the same run
#   make soak    the lab once more with a full Debian image and many more kills
#
# The lab needs root or passwordless sudo; without it `make test` runs all the rest and says so.

SHELL := /bin/sh
CARGO ?= cargo
export PATH := $(PATH):$(HOME)/.cargo/bin:/usr/sbin:/sbin
export CARGO_TARGET_DIR ?= $(CURDIR)/target

BOARDS ?= 8

.PHONY: build run test bench soak deps board

build:
	$(CARGO) build --release --locked -p punnet --no-default-features

deps:
	@packaging/setup/deps.sh

board:
	@packaging/board/build.sh

run: deps build board
	$(CARGO_TARGET_DIR)/release/punnet rehearse --boards $(BOARDS) --headless

test: deps
	@tests/run.sh

bench: deps
	@tests/bench.sh

soak: deps
	@PUNNET_SOAK=1 tests/run.sh lab
