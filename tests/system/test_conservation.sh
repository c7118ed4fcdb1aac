#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# No packet is lost and none counted twice: what the link accepted = what the filter dropped, by
# reason, + what it passed; and what it passed arrives behind it.  At full rate, over many swaps,
# with sources being blocked meanwhile, for IPv4 and IPv6.

. "$(dirname "$0")/lib.sh"

SOURCES=2000

# block_some FIRST: blocks every tenth source while the flood runs.
block_some() {
	n=0
	while [ "$n" -lt "$SOURCES" ] && ! gone "$FLOOD"; do
		if [ "$1" = 6 ]; then
			sluice block "2001:db8:0:$(printf %x "$n")::1" >/dev/null || fail "cannot block"
		else
			sluice block "198.18.$((n / 256)).$((n % 256))" >/dev/null || fail "cannot block"
		fi
		n=$((n + 10))
	done
	blocked=$((n / 10))
}

# conserve FAMILY ADDRESS
conserve() {
	counts_begin
	windows=$(status .window.count)
	start_flood "$2" --sources "$SOURCES" --duration 6 --cpu 1
	block_some "$1"
	wait "$FLOOD" || fail "sluice-gen failed"
	accepted=$(json .accepted "$LAB/flood.json")
	counts_end
	windows=$(($(status .window.count) - windows))
	say "IPv$1: $(json -c . "$LAB/flood.json")"
	say "IPv$1: windows $windows, blocked meanwhile $blocked"
	expect "IPv$1 packets dropped" "$dropped" ">" 0
	expect_conserved "$accepted"
	expect "IPv$1 windows" "$windows" ">=" 20
	expect "IPv$1 sources blocked meanwhile" "$blocked" ">=" 20
	expect "IPv$1 packets that missed the feature program" "$(status .passes.no_features.packets)" \
		"==" 0
}

lab_enter "$0" "$@"
lab_network 2
file=$(config conservation <<-'EOT'
	version: 1
	interfaces: [eth0]
	window: 100ms
	detectors: [{ plugin: threshold, enforce: false }]
EOT
)
start_sluiced "$file"
# What arrives is dropped there, so that the stack does not slow the flood down.
start_probe --sources 198.18.0.0-198.19.255.255 --drop
conserve 4 "$SERVER"
stop "$PROBE"
start_probe --sources 2001:db8::-2001:db8:ffff:: --drop
conserve 6 "$SERVER6"
stop "$PROBE"
stop "$SLUICED" || fail "sluiced does not end cleanly"
