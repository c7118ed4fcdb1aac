#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The reference of `sluice bench stack` on DPDK: the stack lwip on net_af_packet, two queues, which serves as
# on AF_XDP, and of which Linux answers nothing.  Built only where DPDK is.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_enter "$0" "$@"

CLIENTS=40
OBJECT=$BUILD/tests/support/deliver_bare.bpf.o

make_files() {
	mkdir -p "$LAB/www"
	head -c 64 /dev/urandom >"$LAB/www/64.txt"
	head -c 1048576 /dev/urandom >"$LAB/www/large.txt"
	config stack >/dev/null <<-END
		address: $SERVER
		root: $LAB/www
	END
}

# Linux gets what DPDK gets a copy of, behind the copying, and must not answer.
keep_linux_out() {
	on_server bpftool prog loadall "$OBJECT" /sys/fs/bpf/bare || fail "cannot load $OBJECT"
	on_server tc qdisc add dev eth0 clsact
	on_server tc filter add dev eth0 ingress bpf direct-action \
		object-pinned /sys/fs/bpf/bare/sluice_bare_copied || fail "cannot attach"
}

report() {
	awk -v name="$1" '$1 == name { n += $2; found++ } END { print found + 0, n + 0 }' "$LAB/stack.log"
}

who() {
	curl -sI -m 3 "http://$SERVER/64.txt" | tr -d '\r' | awk -F '[ /]' '/^Server:/ { print $2 }'
}

[ "$(nproc)" -ge 2 ] || skip "each queue has a CPU, and there are two"
lab_network 2
ethtool -K a0 tx off >/dev/null # Sums as from a wire.
make_files
keep_linux_out
expect "who answers before" "$(who)" is ""
start stack "$BIN/sluice-stack-dpdk" "$BUILD/lib/sluice/plugins" lwip "$LAB/stack.yaml" eth0 2 ||
	fail "the stack does not start"
STACK_PID=$STARTED
expect "queues, each a process" "$(pgrep -P "$STACK_PID" | wc -l)" == 1
for _ in $(seq "$CLIENTS"); do
	who
done >"$LAB/servers"
expect "of $CLIENTS clients served" "$(grep -c sluice "$LAB/servers")" == "$CLIENTS"
curl -s -m 20 -o "$LAB/large" "http://$SERVER/large.txt" || fail "the large file does not come"
expect "the large file" "$(cmp "$LAB/large" "$LAB/www/large.txt" && echo same)" is same
expect "the primes below 10" "$(curl -s -m 3 "http://$SERVER/prime/10" | tr -s ' \n' ' ')" is "2 3 5 7 "
stop "$STACK_PID" || fail "the stack ends badly"
expect "reports, and requests in them" "$(report requests)" is "2 $((CLIENTS + 2))"
expect "reports, and frames kept" "$(report kept)" is "2 0"
expect "of two queues, those with requests" "$(awk '/^requests/ && $2 { n++ } END { print n }' "$LAB/stack.log")" == 2
