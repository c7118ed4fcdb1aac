#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The back end `nfp` on the simulated card, by the kernel's own control path of BPF offload: it
# conforms, with counters and without, drops and counts to the packet, says in words what a card
# refuses, and leaves an empty card behind.  The card does not run the program, it does what the
# program would: what that does to packets, bpf/nic_drop tests.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

PLUGIN=$BUILD/lib/sluice/plugins/nfp.so
FULL=300

# The kernel frees programs and maps some time after the last one has let them go.
card_is_empty() {
	[ "$(cat "$CARD/bpf_programs") $(cat "$CARD/bpf_maps") $(cat "$CARD/bpf_entries")" = "0 0 0" ]
}

expect_empty() {
	wait_for 10 card_is_empty || fail "$1: the card still holds $(cat "$CARD/bpf_programs") programs," \
		"$(cat "$CARD/bpf_maps") maps, $(cat "$CARD/bpf_entries") entries"
	expect "$1: programs in the card's hook" "$(on_server ip -j link show eth0 |
		jq '[.[0].xdp | .. | objects | select(.mode? == 3)] | length')" == 0
}

# conforms NAME OPTIONS OKS: so many cases pass, and none fails.
conforms() {
	echo "$2" >"$LAB/options.yaml"
	sluice plugins test "$PLUGIN" --interface eth0 --json --options "$LAB/options.yaml" \
		>"$LAB/conform.json" || {
		cat "$LAB/conform.json" >&2
		fail "nfp does not conform: $1"
	}
	expect "$1: cases that failed" "$(json '[.cases[] | select(.result == "FAILED")] | length' \
		"$LAB/conform.json")" == 0
	expect "$1: cases that passed" "$(json '[.cases[] | select(.result == "ok")] | length' \
		"$LAB/conform.json")" == "$3"
	expect "$1: the card was filled to its end" "$(json '.cases[] |
		select(.case == "capacity") | .text' "$LAB/conform.json")" is ""
	expect_empty "$1"
}

# refused KNOB VALUE NORMAL WORDS: with the knob set it says so; then the knob is as before.
refused() {
	knob "$1" "$2"
	echo "{}" >"$LAB/options.yaml"
	sluice plugins test "$PLUGIN" --interface eth0 --json --options "$LAB/options.yaml" \
		>"$LAB/refused.json" && fail "a card with $1 $2 was taken"
	text=$(json '.cases[] | select(.case == "open") | .text' "$LAB/refused.json")
	case $text in
	*"interface 'eth0': cannot "*"$4"*) ok "$1 $2: $text" ;;
	*) fail "$1 $2: '$text' does not say: $4" ;;
	esac
	knob "$1" "$3"
	expect_empty "$1 $2"
}

lab_network 4
knob bpf_max_entries $FULL
conforms "with counters" "capacity: $FULL" 9
knob bpf_uncounted Y
conforms "a card that cannot count" "{ capacity: $FULL, v6_prefix: 128 }" 8
knob bpf_uncounted N

refused bpf_off Y N "firmware that runs BPF"
refused bpf_max_entries 0 $FULL "no memory for a single rule"
refused bpf_max_entry_size 32 64 "no memory for a single rule"
expect_no_complaint
