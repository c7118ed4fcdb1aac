#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Rules a second of the back end `flower` beside `tc -batch`, into a veth with skip_hw: in turns, and the
# median of the rounds' ratios.  In a virtual machine: sudo VM_LABELS=bench ./run vm

. "$(dirname "$0")/../system/lib.sh"
lab_enter "$0" "$@"

RULES=2000
ROUNDS=5

lab_network 2
on_server tc qdisc add dev eth0 clsact || fail "no clsact"
awk -v n="$RULES" 'BEGIN { for (i = 0; i < n; i++)
	printf "filter add dev eth0 ingress prio 200 protocol ip flower skip_hw src_ip 198.18.%d.%d action drop\n",
		i / 256, i % 256 }' >"$LAB/batch"
for _ in $(seq "$ROUNDS"); do
	begin=$(date +%s%N)
	on_server tc -batch "$LAB/batch" || fail "tc -batch"
	end=$(date +%s%N)
	on_server tc filter del dev eth0 ingress prio 200 || fail "tc"
	on_server "$BIN/sluice-bench-flower" --interface eth0 --rules "$RULES" >"$LAB/bench.json" ||
		fail "sluice-bench-flower"
	json .rules_per_s "$LAB/bench.json" |
		awk -v n="$RULES" -v ns=$((end - begin)) '{ tc = n / ns * 1e9; printf "%.0f %.0f %.2f\n", tc, $1, $1 / tc }' |
		tee -a "$LAB/rounds" |
		awk '{ printf "tc -batch %6d rules/s, flower %6d rules/s: %5.2f times\n", $1, $2, $3 }'
done
say "Linux $(uname -r): $RULES rules into a veth, skip_hw; median of $ROUNDS rounds:" \
	"flower puts in $(sort -n -k 3 "$LAB/rounds" | sed -n "$(((ROUNDS + 1) / 2))p" | cut -d ' ' -f 3) times as many a second as tc -batch"
