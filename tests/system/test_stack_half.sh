#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two receive queues, of which one alone has a socket: packets of the other go to Linux, and are counted
# as no_socket, to the packet.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_enter "$0" "$@"

PACKETS=20000
CLIENTS=40

who() {
	curl -sI -m 3 "http://$SERVER/" | tr -d '\r' | awk -F '[ /]' '/^Server:/ { print $2 }'
}

answers() {
	[ "$(who)" = "$1" ]
}

start_nginx() {
	mkdir -p "$LAB/www"
	echo hello >"$LAB/www/index.html"
	sed "s|@LAB@|$LAB|g; s|@LISTEN@|80|" "$HERE/stack/nginx.conf.in" >"$LAB/nginx.conf"
	nsenter -t "$SERVER_PID" -n -m nginx -c "$LAB/nginx.conf" -p "$LAB" -e "$LAB/nginx.log" \
		>"$LAB/nginx.out.log" 2>&1 &
	wait_for 10 answers nginx || fail "nginx does not answer"
}

# On queue 0 only.
start_stack() {
	config stack >/dev/null <<-END
		address: $SERVER
		root: $LAB/www
	END
	start stack "$BIN/sluice-stack-host" "$BUILD/lib/sluice/plugins" lwip "$LAB/stack.yaml" xsk \
		eth0 0 "$(find /sys/fs/bpf -name sluice_xsks)" "$SERVER_MAC" || fail "the stack does not start"
	STACK_PID=$STARTED
}

# The daemon tells its counters once a window.
counts() {
	wait_for 10 windows_passed "$(status .window.count)" 2 || fail "no more windows"
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
lab_network 2
ethtool -K a0 tx off >/dev/null # Sums as from a wire.
start_nginx
start_sluiced "$(config sluice <<-'END'
	version: 1
	interfaces: [eth0]
	window: 200ms
	deliver: [{ protocol: tcp, ports: [80] }, { protocol: udp, ports: [80] }]
END
)"
start_probe --sources 198.18.0.0-198.19.255.255
start_stack

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
	who
done >"$LAB/servers"
expect "clients served by the stack" "$(grep -c sluice "$LAB/servers")" '>' 0
expect "clients served by Linux" "$(grep -c nginx "$LAB/servers")" '>' 0
expect "of $CLIENTS clients served" "$(grep -cE 'sluice|nginx' "$LAB/servers")" == "$CLIENTS"
counts
expect "their packets to the socket" $((SOCKET - socket)) '>' 0
expect "their packets counted no_socket" $((NO_SOCKET - no_socket)) '>' 0
stop "$STACK_PID" || fail "the stack ends badly"
stop "$SLUICED" || fail "sluiced does not end cleanly"
