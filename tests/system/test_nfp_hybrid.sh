#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A hybrid mitigation by the back end `nfp` on the simulated card: the filter runs on the host, a
# program of the card before it, and the heaviest sources of a flood move into the card's map.  Under
# the flood the card is reset, its program is taken off, its map fails, the daemon is killed and
# comes back; no packet of the attack gets through.  SIGTERM leaves an empty card, and a card that is
# pulled out is told in words.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

SOURCES=60
K=24

# read_knob NAME
read_knob() {
	cat "$CARD/$1"
}

# knob_is NAME VALUE: a condition for wait_for.
knob_is() {
	[ "$(read_knob "$1")" = "$2" ]
}

# What ip says is attached: drv for the host, offload for the card.
modes() {
	on_server ip -j -d link show eth0 | jq -r '[.[0].xdp.attached[]?.mode, .[0].xdp.mode?] |
		map({ "1": "drv", "3": "offload" }[tostring] // empty) | unique | join(" ")'
}

# none_passes WHAT: in five windows; sets $by_card and $by_filter, packets that each dropped in them.
none_passes() {
	delivered=$(probe_count within)
	by_card=$(read_knob bpf_dropped)
	by_filter=$(total_drops)
	wait_for 60 windows_passed "$(status .window.count)" 5 || fail "$1: the windows do not go on"
	by_card=$(($(read_knob bpf_dropped) - by_card))
	by_filter=$(($(total_drops) - by_filter))
	expect "$1: packets of the attack delivered" $(($(probe_count within) - delivered)) == 0
	expect "$1: sources blocked" "$(status .blocked.total)" == "$SOURCES"
}

full_again() {
	wait_for 90 knob_is bpf_entries "$K" || fail "$1: the card is not filled"
	none_passes "$1"
	expect "$1: of these dropped by the card" "$by_card" '>' 0
}

lab_network 4
knob bpf_max_entries "$K"
file=$(config hybrid <<-EOT
	version: 1
	interfaces: [{ name: eth0, mode: native }]
	placement: hybrid
	window: 500ms
	detectors: [{ plugin: threshold, options: { source_pps: 5 } }]
	rate_monitor: { quiet: 1, windows: 100 }
	offload: { backend: nfp }
EOT
)
start_sluiced "$file"
expect "programs on the host and on the card" "$(modes)" is "drv offload"
expect "capacity that was found" "$(status .offload.capacity)" == "$K"
expect "the card counts" "$(status .offload.counters)" is true
start_probe --sources 198.18.0.0-198.19.255.255
counts_begin
start_flood "$SERVER" --sources "$SOURCES" --distribution gaussian:0.3 --rate 2k --duration 1200
wait_for 60 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
full_again "under the flood"
# The heaviest 24 of 60 send 0.55 of all; any 24 send 0.40.
expect "share dropped by the card" "$(echo "$by_card $by_filter" | awk '{ print $1 / ($1 + $2) }')" '>=' 0.47
sluice explain 198.18.0.$((SOURCES / 2)) --json >"$LAB/explain.json" || fail "explain"
expect "state of the heaviest source" "$(json .state "$LAB/explain.json")" is offloaded
expect "its packets/s by the card's counter" "$(json .hw_pps "$LAB/explain.json")" '>' 0

knob reset 1
full_again "reset"
on_server ip link set dev eth0 xdpoffload off || fail "ip"
full_again "program taken off"
expect "programs on the host and on the card" "$(modes)" is "drv offload"
knob fail 10
knob delay_us 2000
none_passes "failing and slow"
knob fail 0
knob delay_us 0

kill -TERM "$FLOOD"
wait "$FLOOD" || fail "sluice-gen failed"
counts_end
expect_conserved $(($(json .accepted "$LAB/flood.json") - $(read_knob bpf_dropped)))

kill -KILL "$SLUICED"
wait "$SLUICED" 2>/dev/null
expect "rules in the card after a kill" "$(read_knob bpf_entries)" == "$K"
before=$(read_knob bpf_dropped)
flood "$SERVER" --source-base 198.18.0.$((SOURCES / 2)) --count 1000
expect "dropped by the card without a daemon" $(($(read_knob bpf_dropped) - before)) == 1000
start_sluiced "$file"
wait_for 20 status_is .offload.entries "$K" || fail "the card's rules are not taken over"
expect "maps on the card" "$(read_knob bpf_maps)" == 1
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules in the card at the end" "$(read_knob bpf_entries)" == 0
wait_for 10 knob_is bpf_programs 0 || fail "a program stays on the card"
wait_for 10 knob_is bpf_maps 0 || fail "a map stays on the card"
expect "programs on the host and on the card" "$(modes)" is "drv"

start_sluiced "$file"
on_server ip link del eth0 || fail "the card stays"
wait_for 30 status_is .offload.healthy false || fail "nobody notices that the card is gone"
# Before it has gone the kernel takes the program off, which is told first.
is_told_gone() { status .offload.last_error | grep -q -e 'is gone' -e 'none of that name'; }
wait_for 30 is_told_gone || fail "the card is gone, which is told as: $(status .offload.last_error)"
stop "$SLUICED" || fail "sluiced does not end cleanly without its card"
expect_no_complaint
