#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A hybrid mitigation on the simulated card, by the whole daemon: the heaviest sources of a flood move
# into the card, hardware's and software's counters are merged, the card is reset under the flood and
# brought in line again, and no packet of the attack gets through or is lost from the accounts.
# SIGTERM leaves the card to others' rules.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

SOURCES=60
K=24

# daemon BACKEND OPTIONS
daemon() {
	file=$(config hybrid <<-EOT
		version: 1
		interfaces: [{ name: eth0, mode: native }]
		placement: hybrid
		window: 500ms
		detectors: [{ plugin: threshold, options: { source_pps: 5 } }]
		rate_monitor: { quiet: 1, windows: 100 }
		offload: { backend: $1, options: $2, capacity: $K }
	EOT
	)
	start_sluiced "$file"
}

# Somebody else's rules: a filter in the middle of our priorities, with a handle that ours would have,
# and an ntuple rule.
foreign_filter() {
	on_server tc filter add dev eth0 ingress prio 31000 protocol ip handle 1 flower skip_sw \
		src_ip 192.0.2.1 action drop || fail "tc"
	foreign=1
}

foreign_ntuple() {
	on_server ethtool -N eth0 flow-type ip4 src-ip 192.0.2.2 action -1 loc 0 >"$LAB/ethtool.log" 2>&1
	foreign=$((foreign + 1))
}

expect_foreign() {
	expect "$1: rules in the card" "$(card_stat table_rules)" == "$foreign"
	expect "$1: filters, all others'" "$(on_server tc -j filter show dev eth0 ingress |
		jq -c '[.[] | select(.kind == "flower" and .options.handle) | .options |
			[.handle, .keys.src_ip]]')" is '[[1,"192.0.2.1"]]'
	expect "$1: ntuple rules, all others'" "$(on_server ethtool -n eth0 |
		grep -c -e '^Filter:' -e 'Src IP addr: 192.0.2.2 ')" == 2
}

# in_card N: a condition for wait_for.
in_card() {
	[ "$(card_stat table_rules)" -ge $(($1 + foreign)) ]
}

# none_passes WHAT: in three windows; sets $by_card and $by_filter, packets that each dropped in them.
none_passes() {
	delivered=$(probe_count within)
	by_card=$(card_stat table_dropped)
	by_filter=$(total_drops)
	wait_for 60 windows_passed "$(status .window.count)" 3 || fail "$1: the windows do not go on"
	by_card=$(($(card_stat table_dropped) - by_card))
	by_filter=$(($(total_drops) - by_filter))
	expect "$1: packets of the attack delivered" $(($(probe_count within) - delivered)) == 0
	expect "$1: sources blocked" "$(status .blocked.total)" == "$SOURCES"
}

# reset WHAT [FAILURES]: of the card, which loses others' rules too, and then is slow and fails.
reset() {
	knob reset 1
	foreign=0
	foreign_ntuple
	knob fail "${2:-0}"
	knob delay_us 2000
	none_passes "$1, reset"
	wait_for 60 in_card "$K" || fail "$1: the card is not filled again after a reset"
	none_passes "$1, filled again"
	knob delay_us 0
	expect "$1: of these by the card" "$by_card" '>' 0
}

# mitigate BACKEND OPTIONS: fills the card under a flood.
mitigate() {
	daemon "$1" "$2"
	start_probe --sources 198.18.0.0-198.19.255.255
	counts_begin
	before=$(card_stat table_dropped)
	start_flood "$SERVER" --sources $SOURCES --distribution gaussian:0.3 --rate 3k --duration 300
	wait_for 60 status_is .blocked.total "$SOURCES" || fail "$1: not all sources get blocked"
	wait_for 60 in_card "$K" || fail "$1: the card is not filled"
	none_passes "$1"
	# The heaviest 24 of 60 send 0.55 of all; any 24 send 0.40.
	expect "$1: share dropped by the card" \
		"$(echo "$by_card $by_filter" | awk '{ print $1 / ($1 + $2) }')" ">=" 0.47
}

# finish BACKEND: the flood ends; all that the link took was dropped by the card or the filter, or
# delivered, and SIGTERM leaves nothing of ours.
finish() {
	kill -TERM "$FLOOD"
	wait "$FLOOD" || fail "sluice-gen failed"
	counts_end
	by_card=$(($(card_stat table_dropped) - before))
	say "$1: dropped by the card $by_card"
	expect_conserved $(($(json .accepted "$LAB/flood.json") - by_card))
	stop "$PROBE"
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	expect_foreign "$1, ended"
	on_server "$BIN/sluice" detach >"$LAB/detach.log" 2>&1 || fail "detach"
}

lab_network 4
on_server tc qdisc add dev eth0 clsact || fail "no clsact"
foreign_filter
foreign_ntuple

mitigate flower "{ mode: skip_sw }"
wait_for 20 status_is '.traffic.hw_pps > 0' true || fail "the card's counters are not merged"
heaviest=198.18.0.$((SOURCES / 2))
sluice explain "$heaviest" --json >"$LAB/explain.json" || fail "explain"
expect "state of the heaviest source" "$(json .state "$LAB/explain.json")" is offloaded
expect "its packets/s by the card's counter" "$(json .hw_pps "$LAB/explain.json")" '>' 0
# Somebody takes one of our rules away.
ours=$(on_server tc -j filter show dev eth0 ingress |
	jq -r '[.[] | select(.pref == 31000) | .options.handle // empty | select(. != 1)][0]')
on_server tc filter del dev eth0 ingress prio 31000 protocol ip handle "$ours" flower || fail "tc"
wait_for 30 in_card "$K" || fail "a rule that somebody deleted is not replaced"
none_passes "flower, somebody's edit"
reset flower 40
grep -q "refused a rule: simnic: the card did not answer" "$LAB/sluiced.log" ||
	fail "the driver's words are lost"
finish flower

mitigate flowdir "{ first_location: 1 }"
expect "counters of ntuple rules" "$(status .offload.counters)" is false
reset flowdir
finish flowdir
expect_no_complaint
