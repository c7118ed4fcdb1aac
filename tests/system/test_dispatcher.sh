#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# attach: dispatcher, with live packets: others that use libxdp and Sluice on one interface.  All see
# packets, Sluice drops, and whoever leaves leaves the others.  Where the kernel has no dispatchers:
# that sluiced says so and leaves nothing behind.

. "$(dirname "$0")/lib.sh"

# For programs with libxdp 1.3, where the kernel wants places that may change packets.
OWN=$BUILD/lib/sluice/libxdp

passes() {
	before=$(probe_count within)
	# In bursts that fit into the link's ring, however slow the CPU.
	flood "$SERVER" --source-base "$1" --count 1000 --rate 2k --slice 0.05
	[ "$(json .accepted "$LAB/flood.json")" = 1000 ] || fail "the link did not take 1,000 packets"
	echo $(($(probe_count within) - before))
}

# seen NAME PID: packets that a neighbour has counted.
seen() {
	lines=$(wc -l <"$LAB/$1.log")
	kill -USR1 "$2"
	wait_for 5 more_lines "$LAB/$1.log" "$lines" || fail "$1 does not answer"
	tail -n 1 "$LAB/$1.log" | json .seen
}

more_lines() {
	[ "$(wc -l <"$1")" -gt "$2" ]
}

refused_without_dispatchers() {
	sluice check "$file" >"$LAB/check.log" 2>&1 && fail "check calls it fit to run"
	grep -q "$file:2:14: interface 'eth0': this kernel loads no program of type EXT.*attach: exclusive" \
		"$LAB/check.log" || fail "check does not say why: $(cat "$LAB/check.log")"
	start sluiced "$BIN/sluiced" --config "$file" && fail "sluiced starts without dispatchers"
	grep -q "interface 'eth0': this kernel loads no program of type EXT.*attach: exclusive" \
		"$LAB/sluiced.log" || fail "sluiced does not say why"
	expect "pins left" "$(pinned | grep -c sluice)" == 0
	on_server ip link show eth0 | grep -q xdp && fail "a program stayed attached"
	ok "$(grep -o 'this kernel.*' "$LAB/sluiced.log")"
	exit 0
}

all_see_packets() {
	expect "packets passed" "$(passes 198.18.0.9)" == 1000
	sluice block 198.18.0.9 >/dev/null || fail "cannot block"
	expect "packets passed of a blocked source" "$(passes 198.18.0.9)" == 0
	expect "packets passed of another" "$(passes 198.18.0.10)" == 1000
	expect "packets that the one before us saw" "$(seen first "$FIRST")" '>=' 3000
	behind=$(seen last "$LAST")
	expect "packets that the one behind us saw" "$behind" '>=' 2000
	expect "as many, less what was dropped" "$behind" '<' 3000
	expect "drops" "$(status .drops.blocked.packets)" == 1000
}

the_next_daemon_adopts() {
	kill_sluiced
	expect "packets passed without a daemon" "$(passes 198.18.0.9)" == 0
	start_sluiced "$file"
	expect "adopted" "$(status .daemon.adopted)" is true
	expect "packets passed with the next daemon" "$(passes 198.18.0.9)" == 0
}

# The first one leaves, and comes back.
others_come_and_go() {
	stop "$FIRST" || fail "the first one cannot leave"
	expect "packets passed of a blocked source" "$(passes 198.18.0.9)" == 0
	before=$(seen last "$LAST")
	expect "packets passed of another" "$(passes 198.18.0.10)" == 1000
	expect "packets that the last one saw" "$(($(seen last "$LAST") - before))" '>=' 1000
	start first env LIBXDP_OBJECT_PATH="$OWN" "$BIN/sluice-neighbour" eth0 10 ||
		fail "the first one cannot come back"
	FIRST=$STARTED
	expect "packets passed of a blocked source" "$(passes 198.18.0.9)" == 0
	expect "packets that the first one saw" "$(seen first "$FIRST")" '>=' 1000
	expect "interface" "$(status '.interfaces[0].state')" is attached
}

we_leave() {
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	sluice detach || fail "cannot detach"
	expect "pins left" "$(pinned | grep -c sluice)" == 0
	before=$(seen first "$FIRST")
	behind=$(seen last "$LAST")
	expect "packets passed of the source that was blocked" "$(passes 198.18.0.9)" == 1000
	expect "packets that the first one saw" "$(($(seen first "$FIRST") - before))" '>=' 1000
	expect "packets that the last one saw" "$(($(seen last "$LAST") - behind))" '>=' 1000
	stop "$FIRST" || fail "the first one cannot leave"
	stop "$LAST" || fail "the last one cannot leave"
}

lab_enter "$0" "$@"
lab_network 2
file=$(config dispatcher <<-'EOT'
	version: 1
	interfaces: [eth0]
	attach: dispatcher
	window: 100ms
	detectors: [{ plugin: threshold, enforce: false }]
EOT
)
if ! start first env LIBXDP_OBJECT_PATH="$OWN" "$BIN/sluice-neighbour" eth0 10; then
	wait "$STARTED"
	[ $? = 3 ] || fail "the first one cannot join"
	refused_without_dispatchers
fi
FIRST=$STARTED
sluice check "$file" >"$LAB/check.log" 2>&1 || fail "check refuses what works: $(cat "$LAB/check.log")"
start last env LIBXDP_OBJECT_PATH="$OWN" "$BIN/sluice-neighbour" eth0 90 || fail "the last one cannot join"
LAST=$STARTED
start_sluiced "$file"
start_probe --sources 198.18.0.0-198.19.255.255
all_see_packets
the_next_daemon_adopts
others_come_and_go
we_leave
