#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The back ends for cards conform on the simulated card, by the kernel's own driver interfaces, and
# leave others' rules in it alone.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

FULL=64

# conforms BACKEND OKS: with the options on standard input; so many cases pass, and none fails.
conforms() {
	cat >"$LAB/$1.yaml"
	sluice plugins test "$BUILD/lib/sluice/plugins/$1.so" --interface eth0 --json \
		--options "$LAB/$1.yaml" >"$LAB/$1.json" || {
		cat "$LAB/$1.json" >&2
		fail "$1 does not conform on the simulated card"
	}
	expect "$1: cases that failed" "$(json '[.cases[] | select(.result == "FAILED")] | length' \
		"$LAB/$1.json")" == 0
	expect "$1: cases that passed" "$(json '[.cases[] | select(.result == "ok")] | length' \
		"$LAB/$1.json")" == "$2"
	expect "$1: the card was filled to its end" "$(json '.cases[] |
		select(.case == "capacity") | .text' "$LAB/$1.json")" is ""
}

lab_network 4
on_server tc qdisc add dev eth0 clsact || fail "no clsact"
# In the middle of our priorities, with a handle that ours would have.
on_server tc filter add dev eth0 ingress prio 31000 protocol ip handle 1 flower skip_sw src_ip 192.0.2.1 \
	action drop || fail "tc"
knob capacity $FULL
# In a pipe a failure ends the subshell alone.
echo "mode: skip_sw" | conforms flower 9 || exit 1
expect "others' rules in the card after flower" "$(card_stat table_rules)" == 1

for location in own driver; do
	printf 'adopt: true\nlocation: %s\nv6_prefix: 64\n' $location | conforms flowdir 8 || exit 1
	expect "others' rules in the card after flowdir" "$(card_stat table_rules)" == 1
done
# A table of ordinary size: to find a place in it must not take long.
knob capacity 4096
printf 'adopt: true\n' | conforms flowdir 8 || exit 1
# With a sink queue, and beside somebody else's ntuple rule.
on_server ethtool -N eth0 flow-type ip4 src-ip 192.0.2.2 action -1 loc 0 >"$LAB/ethtool.log" 2>&1
printf 'adopt: true\nsink_queue: 3\n' | conforms flowdir 8 || exit 1
expect "others' rules in the card after flowdir to a queue" "$(card_stat table_rules)" == 2
expect_no_complaint
