#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The interface changes under a stack that serves: more receive queues, its link down and up, deleted and made
# again with one.  Each queue there is gets a process, and no connection is left to Linux for long.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

# Connections of N that somebody else than the stack answered, or nobody.
failed_of() {
	failed=0
	for _ in $(seq "$1"); do
		curl -s --max-time 2 -o "$LAB/answer" "http://$SERVER/" && grep -q hello "$LAB/answer" ||
			failed=$((failed + 1))
	done
	echo "$failed"
}

lab_enter "$0" "$@"
stack_network 4

# Down and up.  Addresses of IPv4 stay; routes and neighbours go.
reopen() {
	on_server ip link set eth0 down
	sleep "${1:-0}"
	on_server ip link set eth0 up
	on_server ip route replace default via 10.0.0.1
	on_server ip neigh replace 10.0.0.1 lladdr "$WORLD_MAC" dev eth0 nud permanent
}

# A veth's receive queue is the number of its peer's sending queue.  A veth runs no program on queues that are
# new until it is opened again.
queues() {
	ethtool -L a0 tx 1 >/dev/null 2>&1
	on_server ethtool -L eth0 rx "$1" >/dev/null || fail "cannot have $1 receive queues"
	[ "$1" = 1 ] || ethtool -L a0 tx "$1" >/dev/null || fail "cannot have $1 sending queues"
	reopen
}

make_www
queues 1
FILE=$(stack_config stack </dev/null)
start_sluiced "$FILE"
start_stack 1
expect "of 20 connections over 1 queue failed" "$(failed_of 20)" == 0

queues 4
wait_for 20 served_is 4 || fail "the stack does not serve the new queues"
expect "of 40 connections over 4 queues failed" "$(failed_of 40)" == 0

# The kernel takes away no queue whose socket somebody holds.
on_server ethtool -L eth0 rx 2 >"$LAB/fewer.log" 2>&1 && fail "queues with sockets can be taken away"
served_is 4 || fail "a queue is not served any more"

reopen 0.5
wait_for 30 answers sluice || fail "the stack does not answer after its link was down"
wait_for 30 served_is 4 || fail "not all queues are served after the link was down"
expect "of 40 connections after the link was down failed" "$(failed_of 40)" == 0

# Deleted while nobody asks anything, so that no send can fail; then there is another of the same name.
ip link del a0
wait_for 30 served_is 0 || fail "who has the socket of a deleted interface keeps it"
make_wire 1
ethtool -K a0 tx off >/dev/null
wire_up
wait_for 90 answers sluice || fail "the stack does not answer on the next interface"
wait_for 5 served_is 1 || fail "the next interface has one queue"
grep -q 'queues: 1 instead of 4' "$LAB/stack.log" || fail "it is not said that three queues are gone"
expect "processes of the one queue there is" "$(pgrep -c -P "$STACK")" == 1
expect "of 20 connections over the next interface failed" "$(failed_of 20)" == 0

stop "$STACK" || fail "sluice-stack ends badly"
stop "$SLUICED" || fail "sluiced does not end cleanly"
