#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The back end `flower` on a kernel's own classifier, without a card (skip_hw): it conforms, drops
# what it says and counts it, leaves others' filters alone, and is faster than tc.

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

# Beside tc, in turns, each as often; the best of each.
awk -v n="$RULES" 'BEGIN { for (i = 0; i < n; i++)
	printf "filter add dev eth0 ingress prio 200 protocol ip flower skip_hw src_ip 198.18.%d.%d action drop\n",
		i / 256, i % 256 }' >"$LAB/batch"
tcs=0 ours=0
for _ in 1 2 3; do
	begin=$(date +%s%N)
	on_server sh -c "tc -batch $LAB/batch && times" >"$LAB/times" || fail "tc -batch"
	end=$(date +%s%N)
	expect "tc's rules in the kernel" "$(filters)" == $((RULES + 3))
	on_server tc filter del dev eth0 ingress prio 200 || fail "tc"
	rate=$(awk -v n="$RULES" -v ns=$((end - begin)) 'BEGIN { printf "%.0f", n / ns * 1e9 }')
	[ "$rate" -le "$tcs" ] || tcs=$rate
	say "tc -batch: $rate rules/s; all of it, user and kernel: $(tail -n 1 "$LAB/times")"
	on_server "$BIN/sluice-bench-flower" --interface eth0 --rules "$RULES" >"$LAB/bench.json" ||
		fail "sluice-bench-flower"
	say "flower: $(cat "$LAB/bench.json")"
	rate=$(json .rules_per_s "$LAB/bench.json")
	[ "$rate" -le "$ours" ] || ours=$rate
done
say "Linux $(uname -r): $RULES rules into a veth, skip_hw; tc -batch $tcs rules/s, flower $ours rules/s:" \
	"$(awk -v a="$ours" -v b="$tcs" 'BEGIN { printf "%.1f", a / b }') times"
expect "rules/s as a multiple of tc -batch" "$(awk -v a="$ours" -v b="$tcs" 'BEGIN { print a / b }')" '>=' 5
