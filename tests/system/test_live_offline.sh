#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Live equals offline: a capture that tcpreplay sends over veth to a running daemon comes to the same
# verdicts as in `sluice replay`: the same sources blocked for the same reason, the same rule.  When a
# window ends within the capture is chance live, so packets dropped may differ by two windows' worth,
# no more.

. "$(dirname "$0")/lib.sh"

PPS=1500 SECONDS_LONG=6 WINDOW_MS=500

# both NAME KIND DETECTORS: the capture of a kind, live into $LAB/live.json and offline.
both() {
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
	"$BIN/sluice" replay --config "$file" --protect 10.99.0.1 --json "$LAB/$1.pcap" \
		>"$LAB/offline.json" 2>"$LAB/replay.log" || fail "sluice replay"
	start_sluiced "$file"
	wait_for 20 windows_passed 0 3 || fail "no windows"
	before=$(total_passes)
	tcpreplay -q -i a0 "$LAB/$1.pcap" >"$LAB/tcpreplay.log" 2>&1 || fail "tcpreplay"
	wait_for 10 arrived "$before" "$(cat "$LAB/count")" ||
		fail "$1: not all packets arrived: $(total_drops) + $(total_passes) - $before"
	ok "$1: all packets arrived"
}

# A condition for wait_for: the daemon's figures, which are those of its last window, hold N more.
arrived() {
	[ "$(($(total_drops) + $(total_passes) - $1))" -eq "$2" ]
}

# same WHAT LIVE OFFLINE SLACK: numbers that differ by SLACK at most.
same() {
	expect "$1, live, offline $3" "$2" '>=' "$(($3 - $4))"
	expect "$1, live, offline $3" "$2" '<=' "$(($3 + $4))"
}

offline() {
	json "$1" "$LAB/offline.json"
}

lab_enter "$0" "$@"
command -v tcpreplay >/dev/null || skip "tcpreplay is not installed"
lab_network 2
on_server ip addr add 10.99.0.1/32 dev eth0
slack=$((2 * PPS * WINDOW_MS / 1000))

both sources reflect "[{ plugin: threshold, options: { source_pps: 10 } }]"
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
same "packets dropped" "$(total_drops)" "$(offline '[.rules[].packets] | add')" "$slack"
stop "$SLUICED" || fail "sluiced does not end cleanly"
sluice detach >/dev/null || fail "sluice detach"

both rules syn "[{ plugin: signature }]"
expect "sources blocked offline" "$(offline .total.sources_blocked)" == 0
expect "sources blocked live" "$(status .blocked.total)" == 0
expect "rules offline" "$(offline .total.rules_enforced)" == 1
sluice rules --json >"$LAB/rules.json" || fail "sluice rules"
expect "rules live" "$(json '.rules | length' "$LAB/rules.json")" == 1
expect "the rule live" "$(json '.rules[0].name' "$LAB/rules.json" | sed 's/\..*//')" \
	is "$(offline '.rules[0].reason' | sed 's/\..*//')"
expect "its detector" "$(json '.rules[0].origin' "$LAB/rules.json")" is "$(offline '.rules[0].detector')"
same "packets dropped" "$(total_drops)" "$(offline '.rules[0].packets')" "$slack"
stop "$SLUICED" || fail "sluiced does not end cleanly"
