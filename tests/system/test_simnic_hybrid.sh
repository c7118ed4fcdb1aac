#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A hybrid mitigation on the simulated card, by the whole daemon: the heaviest sources of a flood move
# into the card, hardware's and software's counters are merged, the card is reset under the flood, its
# link goes down and up, somebody edits its table, the daemon is killed, the interface is deleted and
# made anew; each time the table is put right and no packet of the attack gets through or is lost from
# the accounts.  Others' rules stay.  SIGTERM leaves the card to them.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
. "$(dirname "$0")/hybrid.sh"
simnic_enter "$0" "$@"

card_rules() {
	echo $(($(card_stat table_rules) - foreign))
}

card_dropped() {
	card_stat table_dropped
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

# A reset of the card, which loses others' rules, too.
lose_all() {
	knob reset 1
	foreign=0
}

# reset WHAT [FAILURES]: after one; somebody puts his rule back, and the card is slow and fails.
reset() {
	foreign_ntuple
	knob fail "${2:-0}"
	knob delay_us 2000
	none_passes "$1, reset"
	full_again "$1, filled again"
	knob delay_us 0
}

# finish BACKEND: SIGTERM leaves nothing of ours.
finish() {
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	expect_foreign "$1, ended"
	on_server "$BIN/sluice" detach >"$LAB/detach.log" 2>&1 || fail "detach"
}

# The interface goes for good, and one of its name comes, with a card that is empty.
replace_interface() {
	on_server ip link del eth0 || fail "the card stays"
	wait_for 30 status_is .offload.healthy false || fail "nobody notices that the card is gone"
	make_wire 4
	wire_up
	wait_for 60 status_is '.interfaces[0].state' attached || fail "the new interface is not attached"
	wait_for 30 status_is .offload.healthy true || fail "the new card is not found"
	foreign_filter
	foreign_ntuple
}

lab_network 4
on_server tc qdisc add dev eth0 clsact || fail "no clsact"
foreign_filter
foreign_ntuple

hybrid_daemon flower ", options: { mode: skip_sw }, capacity: $K"
expect_simulation
attack flower
expect_counted
# Somebody takes one of our rules away.
ours=$(on_server tc -j filter show dev eth0 ingress |
	jq -r '[.[] | select(.pref == 31000) | .options.handle // empty | select(. != 1)][0]')
on_server tc filter del dev eth0 ingress prio 31000 protocol ip handle "$ours" flower || fail "tc"
flap :
full_again "flower, somebody's edit and a flap"
killed lose_all
reset flower 40
grep -q "refused a rule: simnic: the card did not answer" "$LAB/sluiced.log" ||
	fail "the driver's words are lost"
attack_ends flower "$(lost)"
replace_interface
start_probe --sources 198.18.0.0-198.19.255.255
flood_on "flower, a new interface"
stop "$FLOOD" || fail "sluice-gen failed"
stop "$PROBE"
finish flower

hybrid_daemon flowdir ", options: { first_location: 1 }, capacity: $K"
expect "counters of ntuple rules" "$(status .offload.counters)" is false
attack flowdir
flap lose_all
reset "flowdir, flap"
attack_ends flowdir "$(lost)"
finish flowdir
expect_no_complaint
