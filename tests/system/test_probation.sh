#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The emulated card with hit counters and without, under the same floods: one whose sources keep their
# rates, and one whose rates drift.  Without counters probation finds out who has slowed down: the
# table drops at least 0.90 of what it drops with them, and 2 % of its entries are out at a time.

. "$(dirname "$0")/lib.sh"

CARD=/sys/fs/bpf/card0
ENTRIES=256
SOURCES=2048

card_dropped() {
	"$BIN/sluice-emu-card" show --pin "$CARD" --json | json .dropped_packets
}

# send BASE SECONDS: the sources from 198.18.0.BASE on; the middle ones send most.
send() {
	start_flood "$SERVER" --card "$CARD" --sources "$SOURCES" --source-base "198.18.0.$1" \
		--distribution gaussian:0.1 --rate 60k --duration "$2"
}

note_probation() {
	now=$(status .offload.probation)
	[ "$now" -le "$most" ] || most=$now
}

begin_share() {
	hits=$(card_dropped)
	misses=$(status .drops.blocked.packets)
}

# Of the packets of blocked sources since then, in thousandths: those that the table dropped.
end_share() {
	hits=$(($(card_dropped) - hits))
	misses=$(($(status .drops.blocked.packets) - misses))
	[ $((hits + misses)) -gt 20000 ] || fail "only $hits and $misses packets were dropped"
	echo $((hits * 1000 / (hits + misses)))
}

# with CARD_OPTION: sets static and drifting, the shares, and most, on probation at a time.
with() {
	most=0
	"$BIN/sluice-emu-card" create --pin "$CARD" --capacity "$ENTRIES" "$@" >"$LAB/card.log" 2>&1 ||
		fail "cannot make the emulated NIC"
	start_sluiced "$file"
	send 0 15
	wait_for 10 status_is .offload.entries "$ENTRIES" || fail "the table is not filled"
	windows 20
	begin_share
	while ! gone "$FLOOD"; do
		note_probation
	done
	static=$(end_share) || exit 1
	begin_share
	for base in 16 32 48 64 80 96; do
		send "$base" 2
		while ! gone "$FLOOD"; do
			note_probation
		done
	done
	drifting=$(end_share) || exit 1
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	"$BIN/sluice-emu-card" destroy --pin "$CARD" >"$LAB/card.log" 2>&1 || fail "the card stays"
}

lab_enter "$0" "$@"
lab_network 2
file=$(config probation <<-EOT
	version: 1
	interfaces: [eth0]
	window: 100ms
	plugin_path: $BUILD/lib/sluice/plugins
	detectors: [{ plugin: threshold, budget: 100ms, options: { source_pps: 5 } }]
	rate_monitor: { quiet: 1, windows: 1000 }
	offload: { backend: emu, options: { card: $CARD } }
EOT
)
with
say "with counters: $static and $drifting thousandths of the packets are dropped in the table"
expect "on probation with counters" "$most" == 0
static_with=$static drifting_with=$drifting
with --no-counters
say "without: $static and $drifting"
expect "share of that with counters, rates that stay" \
	"$(awk -v a="$static" -v b="$static_with" 'BEGIN { print a / b }')" '>=' 0.90
expect "share of that with counters, rates that drift" \
	"$(awk -v a="$drifting" -v b="$drifting_with" 'BEGIN { print a / b }')" '>=' 0.90
expect "the most on probation at a time" "$most" '>' 0
expect "the most on probation at a time, of $ENTRIES" "$most" '<=' $((ENTRIES * 2 / 100))
