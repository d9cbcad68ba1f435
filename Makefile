# Everything a newcomer needs is one of these targets. Each one installs what is missing first.

.DEFAULT_GOAL := help
.PHONY: help install build test check models demo bench power-cut fleet-19000 rotation-100000 command-sessions \
	command-crashes command-cost tiny-device format clean

help: ## Lists the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

install: ## Installs the system packages and the Python peers that are missing
	@Scripts/install

build: install ## Builds the starling executable for use (release)
	@Scripts/build

demo: install ## Runs 1,000 devices that find one of three bootstrap servers by temporary names, on loopback
	@Scripts/demo

test: install ## Runs every check: format, arrows, models, warnings, Embedded Swift, tests, interop
	@Scripts/check

check: test ## The same as make test

models: install ## Checks the protocol of command sessions with spin: losses, copies, crashes, an attacker
	@Scripts/models

bench: install ## Prints the benchmarks, beside bare libcoap (some minutes)
	@Scripts/bench

power-cut: install ## Simulates power cuts of up to a million devices and renews docs/power-cut.md (an hour)
	@Scripts/power-cut

fleet-19000: install ## Runs 19,000 devices in one process against starling server (some minutes)
	@Scripts/fleet-19000

rotation-100000: install ## Rotates 100,000 names in BIND while somebody asks for them (some minutes)
	@Scripts/rotation-100000

command-sessions: install ## Simulates a million command sessions over a bad link, with crashes and an attacker (some minutes)
	@Scripts/command-sessions

command-crashes: build ## Kills a gateway and a device 200 times in the middle of commands (some minutes)
	@Scripts/command-crashes

command-cost: build ## Prints what a command in a session costs beside a plain write
	@Scripts/command-cost

tiny-device: install ## Builds the Embedded Swift device, runs it and prints its size and memory
	@Scripts/tiny-device

format: ## Lays out the sources as the format check wants them
	@Scripts/format fix

clean: ## Removes everything that was built
	rm -rf .build .build-* .demo .power-cut Benchmarks/.build Examples/TinyDevice/.build Examples/TinyDevice/.build-*
