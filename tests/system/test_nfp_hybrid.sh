#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A hybrid mitigation by the back end `nfp` on the simulated card: the filter runs on the host, a
# program of the card before it, and the heaviest sources of a flood move into the card's map.  Under
# the flood the card is reset, its link goes down and up, its program is taken off, its map fails, the
# daemon is killed and comes back; no packet of the attack gets through.  SIGTERM leaves an empty card,
# and a card that is pulled out is told in words.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
. "$(dirname "$0")/hybrid.sh"
simnic_enter "$0" "$@"

card_rules() {
	cat "$CARD/bpf_entries"
}

card_dropped() {
	cat "$CARD/bpf_dropped"
}

# What ip says is attached: drv for the host, offload for the card.
modes() {
	on_server ip -j -d link show eth0 | jq -r '[.[0].xdp.attached[]?.mode, .[0].xdp.mode?] |
		map({ "1": "drv", "3": "offload" }[tostring] // empty) | unique | join(" ")'
}

goes_on_dropping() {
	hits=$(card_dropped)
	flood "$SERVER" --source-base "$HEAVIEST" --count 1000
	expect "dropped by the card without a daemon" $(($(card_dropped) - hits)) == 1000
}

lab_network 4
knob bpf_max_entries "$K"
hybrid_daemon nfp
expect_simulation
expect "programs on the host and on the card" "$(modes)" is "drv offload"
expect "capacity that was found" "$(status .offload.capacity)" == "$K"
expect "the card counts" "$(status .offload.counters)" is true
attack nfp
expect_counted

knob reset 1
full_again "reset"
on_server ip link set dev eth0 xdpoffload off || fail "ip"
flap :
full_again "program taken off, and a flap"
expect "programs on the host and on the card" "$(modes)" is "drv offload"
knob fail 10
knob delay_us 2000
none_passes "failing and slow"
knob fail 0
knob delay_us 0
attack_ends nfp "$(lost)"

killed goes_on_dropping
expect "maps on the card" "$(cat "$CARD/bpf_maps")" == 1
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules in the card at the end" "$(card_rules)" == 0
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
