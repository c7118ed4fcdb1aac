#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two interfaces of one deployment, each with clients and an address of its own: the stack serves both, each fails
# by itself, one that is deleted and made again finds its place in the map, and the filter is before both.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/system/stack.sh
. "$HERE/stack.sh"

SECOND=10.0.1.2
SECOND_MAC=02:00:00:00:01:02
PACKETS=20000
PORT=4000 # Of a foreign program.

lab_enter "$0" "$@"

# wire2_add: b0 here and eth1 on the server, with addresses, neighbours and one queue.
wire2_add() {
	ip link add b0 address 02:00:00:00:01:01 type veth peer name eth1 address "$SECOND_MAC" \
		netns "$SERVER_PID" || fail "cannot make the second wire"
	ethtool -K b0 gro on tx off >/dev/null # Sums as from a wire.
	on_server ethtool -K eth1 gro on
	ip link set b0 multicast off up
	on_server ip link set eth1 multicast off up
	ip addr add 10.0.1.1/24 dev b0
	on_server ip addr add "$SECOND/24" dev eth1
	ip neigh replace "$SECOND" lladdr "$SECOND_MAC" dev b0 nud permanent
	on_server ip neigh replace 10.0.1.1 lladdr 02:00:00:00:01:01 dev eth1 nud permanent
}

# Of 20 connections there, those that another server answered, or nobody.
failed_of_20() {
	failed=0
	for _ in $(seq 20); do
		answers "$2" "$1" || failed=$((failed + 1))
	done
	echo "$failed"
}

expect_server() {
	expect "of 20 connections to $1, not answered by $2" "$(failed_of_20 "$1" "$2")" == 0
}

# Who serves, as "eth0/0 eth0/1 eth1/0".
served() {
	status_json | json '[.stacks[]? | select(.ready) | "\(.interface)/\(.queue)"] | sort | join(" ")'
}

those_are() {
	[ "$(served)" = "$1" ]
}

slots() {
	status '[.interfaces[] | "\(.name)=\(.deliver_slot)"] | join(" ")'
}

# The process of a queue.
process_of() {
	status ".stacks[] | select(.interface == \"$1\" and .queue == $2) | .pid"
}

# The events of a kind that name a queue of an interface.
said() {
	sluice events --json | jq -s --arg kind "$1" --arg queue "$2" \
		'[.[] | select(.kind == $kind and (.text | startswith($queue)))] | length'
}

said_is() {
	[ "$(said "$1" "$2")" = "$3" ]
}

# What came to the sockets of an interface: taken by its stack, or dropped for want of a frame.
came_to() {
	status "[.stacks[] | select(.interface == \"$1\" and .counts) | .counts | .received + .dropped] | add"
}

# The reports, which come once a second, tell of all that the filter ever handed over.
all_told() {
	[ $(($(came_to eth0) + $(came_to eth1))) = "$(status .deliver.socket)" ]
}

# Nothing is on its way any more: the daemon's and the stacks' counts agree.
settle() {
	windows 2
	wait_for 10 all_told || fail "packets that were handed over came to no stack"
}

# send_on DEV ADDRESS MAC FIRST: from 100 sources on; sets ACCEPTED.
send_on() {
	"$BIN/sluice-gen" --dev "$1" --to "$2" --to-mac "$3" --source-base "$4" --sources 100 \
		--count "$PACKETS" --rate 50k >"$LAB/flood.json" 2>"$LAB/flood.log" || fail "sluice-gen failed"
	ACCEPTED=$(json .accepted "$LAB/flood.json")
}

# On both interfaces, from sources from FIRST on: sets first and second (what came to the sockets there), dropped,
# accepted.
send_on_both() {
	settle
	first=$(came_to eth0) second=$(came_to eth1) dropped=$(total_drops) accepted=0
	send_on a0 "$SERVER" "$SERVER_MAC" "$1"
	accepted=$((accepted + ACCEPTED))
	send_on b0 "$SECOND" "$SECOND_MAC" "$1"
	accepted=$((accepted + ACCEPTED))
	settle
	first=$(($(came_to eth0) - first)) second=$(($(came_to eth1) - second))
	dropped=$(($(total_drops) - dropped))
}

stack_network 2
wire2_add
start_nginx
FILE=$(config stack <<-END
	version: 1
	interfaces: [eth0, eth1]
	window: 200ms
	deliver:
	  - { protocol: tcp, ports: [80] }
	  - { protocol: udp, ports: [80, $PORT] }
	stack:
	  plugin: lwip
	  options: { root: "$LAB/www" }
	  interfaces:
	    - { name: eth0, options: { address: $SERVER } }
	    - { name: eth1, options: { address: $SECOND } }
	  frames: 1024
	  group: nogroup
END
)
start_sluiced "$FILE"
expect "slots" "$(slots)" is "eth0=0 eth1=1"
start_stack 3
expect_server "$SERVER" sluice
expect_server "$SECOND" sluice

# All that passes goes to the stack of its own interface, and nothing of a blocked source does.
reload
send_on_both 203.0.113.0
expect "packets sent on both" "$accepted" '>' $((PACKETS * 19 / 10))
expect "of them on the first not with its stack" $((accepted - ACCEPTED - first)) == 0
expect "of them on the second not with its stack" $((ACCEPTED - second)) == 0
sluice block 198.18.0.0/15 >/dev/null || fail "cannot block a prefix"
send_on_both 198.18.0.0
expect "packets of blocked sources that the filter did not drop" $((accepted - dropped)) == 0
expect "of them with the first stack" "$first" == 0
expect "of them with the second stack" "$second" == 0

# One process is killed, and its supervisor does not start it again yet.
left=$(said stack_left "queue 0 of eth1")
kill -STOP "$STACK"
kill -KILL "$(process_of eth1 0)"
wait_for 10 those_are "eth0/0 eth0/1" || fail "served are: $(served)"
expect_server "$SECOND" nginx
expect_server "$SERVER" sluice
said_is stack_left "queue 0 of eth1" $((left + 1)) || fail "no event says that a stack left eth1"
said_is stack_left "queue 0 of eth0" 0 || fail "an event says that a stack left eth0"
kill -CONT "$STACK"
wait_for 20 those_are "eth0/0 eth0/1 eth1/0" || fail "a killed process is not started again"
expect_server "$SECOND" sluice

# Deleted, and made again.
before=$(on_server cat /sys/class/net/eth1/ifindex)
on_server ip link del eth1
wait_for 20 those_are "eth0/0 eth0/1" || fail "served are: $(served)"
expect_server "$SERVER" sluice
wire2_add
expect "its number is another" "$(on_server cat /sys/class/net/eth1/ifindex)" '!=' "$before"
wait_for 90 those_are "eth0/0 eth0/1 eth1/0" || fail "the next interface is not served"
wait_for 30 answers sluice "$SECOND" || fail "the stack does not answer on the next interface"
expect "slots" "$(slots)" is "eth0=0 eth1=1"
expect_server "$SECOND" sluice
expect_server "$SERVER" sluice

# The daemon dies: both go on, and the next one finds each in its place, whatever the order of the file.
kill_sluiced
expect_server "$SECOND" sluice
expect_server "$SERVER" sluice
sed -i 's/^interfaces:.*/interfaces: [eth1, eth0]/' "$FILE"
start_sluiced "$FILE"
expect "slots" "$(slots)" is "eth1=1 eth0=0"
wait_for 20 those_are "eth0/0 eth0/1 eth1/0" || fail "the next daemon knows of: $(served)"
expect_server "$SECOND" sluice
expect_server "$SERVER" sluice

# Without it both are Linux's, and a foreign program joins the second by the slot that status tells.
stop "$STACK" || fail "sluice-stack ends badly"
expect_server "$SECOND" nginx
expect_server "$SERVER" nginx
start echo "$BIN/sluice-xsk-echo" eth1 0 "$(pinned_sockets)" \
	"$(status '.interfaces[] | select(.name == "eth1") | .deliver_slot')" || fail "the program does not start"
ECHO=$STARTED
for address in "$SECOND" "$SERVER"; do
	python3 - "$address" "$PORT" <<-'END' || fail "the program serves not what it should"
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.settimeout(1)
		s.connect((sys.argv[1], int(sys.argv[2])))
		served = 0
		for i in range(20 if sys.argv[1] == '10.0.1.2' else 1):
		    try:
		        s.send(b'%d' % i)
		        served += s.recv(100) == b'%d' % i
		    except (TimeoutError, ConnectionRefusedError):
		        pass
		sys.exit(served != (20 if sys.argv[1] == '10.0.1.2' else 0))
	END
done
stop "$ECHO" || fail "the program ends badly"
expect "packets that it served" "$(awk '$1 == "served" { print $2 }' "$LAB/echo.log")" == 20
stop "$SLUICED" || fail "sluiced does not end cleanly"
