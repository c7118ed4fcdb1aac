#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two receive queues, of which one alone has a socket: packets of the other go to Linux, and are counted
# as no_socket, to the packet.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

lab_enter "$0" "$@"

PACKETS=20000
CLIENTS=40

# The daemon tells its counters once a window.
counts() {
	windows 2
	SOCKET=$(status .deliver.socket)
	NO_SOCKET=$(status .deliver.no_socket)
	WITHIN=$(probe_count within)
}

# send_on CPU: a veth's receive queue is the number of the CPU that redirects to it.  Sets ACCEPTED, and how much
# more the counters show.
send_on() {
	counts
	socket=$SOCKET no_socket=$NO_SOCKET within=$WITHIN
	flood "$SERVER" --cpu "$1" --count "$PACKETS" --sources 100 --rate 100k
	ACCEPTED=$(json .accepted "$LAB/flood.json")
	counts
	socket=$((SOCKET - socket)) no_socket=$((NO_SOCKET - no_socket)) within=$((WITHIN - within))
}

[ "$(nproc)" -ge 2 ] || skip "two CPUs are needed to choose between two queues"
stack_network 2
start_nginx
start_sluiced "$(config sluice <<-END
	version: 1
	interfaces: [eth0]
	window: 200ms
	$DELIVER
END
)"
start_probe --sources 198.18.0.0-198.19.255.255
start_stack_host # On queue 0 only.

send_on 0
expect "packets of queue 0" "$ACCEPTED" '>' $((PACKETS / 2))
expect "of them to the socket" "$socket" == "$ACCEPTED"
expect "of them counted no_socket" "$no_socket" == 0
expect "of them seen by Linux" "$within" == 0
send_on 1
expect "packets of queue 1" "$ACCEPTED" '>' $((PACKETS / 2))
expect "of them to the socket" "$socket" == 0
expect "of them counted no_socket" "$no_socket" == "$ACCEPTED"
expect "of them seen by Linux" "$within" == "$ACCEPTED"

# Clients choose neither; each is served, by whoever has its queue.
counts
socket=$SOCKET no_socket=$NO_SOCKET
for _ in $(seq "$CLIENTS"); do
	who "$SERVER"
done >"$LAB/servers"
expect "clients served by the stack" "$(grep -c sluice "$LAB/servers")" '>' 0
expect "clients served by Linux" "$(grep -c nginx "$LAB/servers")" '>' 0
expect "of $CLIENTS clients served" "$(grep -cE 'sluice|nginx' "$LAB/servers")" == "$CLIENTS"
counts
expect "their packets to the socket" $((SOCKET - socket)) '>' 0
expect "their packets counted no_socket" $((NO_SOCKET - no_socket)) '>' 0
stop "$STACK_HOST" || fail "the stack ends badly"
stop "$SLUICED" || fail "sluiced does not end cleanly"
