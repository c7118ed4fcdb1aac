#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The back end `flower` on a kernel's own classifier, without a card (skip_hw): it conforms, drops
# what it says and counts it, and leaves others' filters alone.

. "$(dirname "$0")/lib.sh"
lab_enter "$0" "$@"

PLUGIN=$BUILD/lib/sluice/plugins/flower.so
RULES=2000

foreign() {
	on_server tc filter add dev eth0 ingress prio "$1" protocol ip handle "$2" flower skip_hw src_ip "$3" action drop
}

filters() {
	on_server tc -j filter show dev eth0 ingress | jq "[.[] | select(.options.handle)] | length"
}

lab_network 2
on_server tc qdisc add dev eth0 clsact || fail "no clsact"
foreign 100 1 192.0.2.1 2>"$LAB/tc.log" || skip "this kernel has no flower classifier"
# In the middle of our priorities, with handles that ours would have.
foreign 31000 1 192.0.2.2 || fail "tc"
foreign 31000 5 192.0.2.3 || fail "tc"

printf 'mode: skip_hw\ncapacity: 300\n' >"$LAB/options.yaml"
sluice plugins test "$PLUGIN" --interface eth0 --options "$LAB/options.yaml" >"$LAB/conform.log" ||
	fail "flower does not conform"
expect "cases skipped" "$(grep -c '^skipped' "$LAB/conform.log")" == 0
expect "cases passed" "$(grep -c '^ok' "$LAB/conform.log")" == 9
expect "others' filters that are still there" "$(filters)" == 3

# A refusal comes with the kernel's own words.
printf 'mode: skip_sw\n' >"$LAB/hardware.yaml"
sluice plugins test "$PLUGIN" --interface eth0 --options "$LAB/hardware.yaml" >"$LAB/hw.log" &&
	fail "a veth took a rule in hardware"
expect "others' filters after a refusal" "$(filters)" == 3

on_server "$BIN/sluice-bench-flower" --interface eth0 --rules "$RULES" --keep >"$LAB/bench.json" ||
	fail "sluice-bench-flower"
expect "rules in the kernel" "$(filters)" == $((RULES + 3))

received() {
	# shellcheck disable=SC2016 # awk's fields
	on_server awk '$1 == "Ip:" && $3 ~ /[0-9]/ { print $4 }' /proc/net/snmp
}

before=$(received)
flood "$SERVER" --source-base 198.18.0.7 --count 1000
on_server "$BIN/sluice-bench-flower" --interface eth0 --packets 198.18.0.7 >"$LAB/packets" ||
	fail "sluice-bench-flower --packets"
expect "packets counted for their source" "$(cat "$LAB/packets")" == "$(json .accepted "$LAB/flood.json")"
expect "of them received" $(($(received) - before)) == 0
flood "$SERVER" --source-base 198.19.0.7 --count 1000
expect "packets received of another source" $(($(received) - before)) == "$(json .accepted "$LAB/flood.json")"
on_server "$BIN/sluice-bench-flower" --interface eth0 --flush || fail "flush"
expect "others' filters after a flush" "$(filters)" == 3

# Its own hook goes with it: when it was tried, and with the daemon that took rules over.
hooks() {
	on_server tc -j qdisc show dev eth0 | jq '[.[] | select(.kind == "clsact")] | length'
}

on_server tc qdisc del dev eth0 clsact || fail "tc"
sluice plugins test "$PLUGIN" --interface eth0 --options "$LAB/options.yaml" >"$LAB/conform.log" ||
	fail "flower does not conform"
expect "hooks left by the trial" "$(hooks)" == 0

# The daemon drops before the classifier sees a packet, and so gets no rule to stay in it.
on_server "$BIN/sluice-bench-flower" --interface eth0 --rules 8 --keep >"$LAB/bench.json" ||
	fail "sluice-bench-flower"
expect "rules left in the kernel" "$(filters)" == 8
expect "hooks" "$(hooks)" == 1
start_sluiced "$(config flower <<-EOT
	version: 1
	interfaces: [eth0]
	known_clients: { egress: off }
	offload: { backend: flower, options: { mode: skip_hw } }
EOT
)"
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules left by the daemon" "$(filters)" == 0
expect "hooks left by the daemon" "$(hooks)" == 0
