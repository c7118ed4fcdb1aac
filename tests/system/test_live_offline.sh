#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Live equals offline: a capture that tcpreplay sends over veth to a running daemon comes to the same
# verdicts as in `sluice replay`: the same sources blocked for the same reason, the same rule, and,
# to the packet, as many dropped.
#
# When a window ends within the capture is chance live.  How many packets passed before the verdict
# tells it afterwards, and the replay's windows are laid likewise: the capture gets a lone packet in
# front, so long before that a window ends where the verdict came.  A verdict that came a window too
# late or too early live then leaves other packets offline.  What is not told by it is only what must
# not matter: which of the packets came while the engine worked.

. "$(dirname "$0")/lib.sh"

# A packet each 500 us, exactly.
PPS=2000 SECONDS_LONG=6 WINDOW_MS=500

# live NAME KIND DETECTORS: the capture of a kind, to a daemon that goes on.
live() {
	file=$(config "$1" <<-EOT
		version: 1
		interfaces: [eth0]
		window: ${WINDOW_MS}ms
		detectors: $3
		policy: { min_pass: 0 }
	EOT
	)
	"$BIN/sluice-film" "$2" "$LAB/$1.pcap" --pps $PPS --seconds $SECONDS_LONG >"$LAB/count" ||
		fail "sluice-film"
	count=$(cat "$LAB/count")
	start_sluiced "$file"
	wait_for 20 windows_passed 0 3 || fail "no windows"
	before=$(total_passes)
	tcpreplay -q -i a0 "$LAB/$1.pcap" >"$LAB/tcpreplay.log" 2>&1 || fail "tcpreplay"
	wait_for 10 arrived "$before" "$count" ||
		fail "$1: not all packets arrived: $(total_drops) + $(total_passes) - $before"
	ok "$1: all packets arrived"
	dropped=$(total_drops)
}

# replayed NAME KIND: the same capture offline, its windows as those of the live run.
replayed() {
	passed=$((count - dropped)) window_us=$((WINDOW_MS * 1000))
	# The window ends after the last packet that passed, and before the next.
	end_us=$((passed * 1000000 / PPS - 250))
	lead_us=$((window_us - end_us % window_us))
	"$BIN/sluice-film" "$2" "$LAB/led.pcap" --pps $PPS --seconds $SECONDS_LONG \
		--lead $lead_us >/dev/null || fail "sluice-film"
	"$BIN/sluice" replay --config "$file" --protect 10.99.0.1 --json "$LAB/led.pcap" \
		>"$LAB/offline.json" 2>"$LAB/replay.log" || fail "sluice replay"
	expect "packets replayed" "$(offline .runs[0].packets)" == $((count + 1))
	expect "packets dropped, live $dropped" "$(offline '[.rules[].packets] | add')" == "$dropped"
}

# A condition for wait_for: the daemon's figures, which are those of its last window, hold N more.
arrived() {
	[ "$(($(total_drops) + $(total_passes) - $1))" -eq "$2" ]
}

offline() {
	json "$1" "$LAB/offline.json"
}

lab_enter "$0" "$@"
command -v tcpreplay >/dev/null || skip "tcpreplay is not installed"
lab_network 2
on_server ip addr add 10.99.0.1/32 dev eth0

# Each of the 50 sends 40 a second: of a whole window 20, of a part of one soon more than this allows.
live sources reflect "[{ plugin: threshold, options: { source_pps: 3 } }]"
replayed sources reflect
expect "sources blocked offline" "$(offline .total.sources_blocked)" == 50
expect "sources blocked live" "$(status .blocked.total)" == 50
expect "reasons offline" "$(offline '[.rules[].reason] | unique | length')" == 1
reason=$(offline '.rules[0].reason')
for i in $(seq 0 7 343); do
	source=93.184.$((i / 256)).$((i % 256))
	sluice explain --json "$source" >"$LAB/explain.json" || fail "sluice explain $source"
	[ "$(json .reason "$LAB/explain.json")" = "$reason" ] || fail "$source: $(cat "$LAB/explain.json")"
done
ok "each of the 50 senders is blocked live, for the reason $reason"
stop "$SLUICED" || fail "sluiced does not end cleanly"
sluice detach >/dev/null || fail "sluice detach"

live rules syn "[{ plugin: signature }]"
replayed rules syn
expect "sources blocked offline" "$(offline .total.sources_blocked)" == 0
expect "sources blocked live" "$(status .blocked.total)" == 0
expect "rules offline" "$(offline .total.rules_enforced)" == 1
sluice rules --json >"$LAB/rules.json" || fail "sluice rules"
expect "rules live" "$(json '.rules | length' "$LAB/rules.json")" == 1
expect "the rule live" "$(json '.rules[0].name' "$LAB/rules.json" | sed 's/\..*//')" \
	is "$(offline '.rules[0].reason' | sed 's/\..*//')"
expect "its detector" "$(json '.rules[0].origin' "$LAB/rules.json")" is "$(offline '.rules[0].detector')"
stop "$SLUICED" || fail "sluiced does not end cleanly"
