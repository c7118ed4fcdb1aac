#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The stack lwip and its web server on a TAP device, by itself: neither XDP nor the daemon, so neither
# sluice-stack, which has its sockets from it.  The TAP loses frames at will.  Clients are
# Linux's own stack with curl, wrk and ab; the server beside it is nginx, with the same files.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

lab_enter "$0" "$@"

STACK=10.9.0.2
STACK6=fd09::2
CONNECTIONS=${CONNECTIONS:-100000}
CONFORM="python3 $HERE/stack/malformed.py"

make_files() {
	mkdir -p "$LAB/www"
	for size in 64 1024 16384 262144 1048576; do
		head -c "$size" /dev/urandom >"$LAB/www/$size.txt"
	done
	echo '<p>hello</p>' >"$LAB/www/index.html"
	: >"$LAB/www/empty"
	for name in f.htm f.css f.js f.json f.png f.jpg f.JPEG f.svg f.xml f.gif f.ico f.webp f.woff f.woff2 f.pdf \
		f.wasm f.zip f.mp3 f.mp4 f.webm f.tar.gz f.other no-suffix "a b.txt" a+b.txt; do
		echo "$name" >"$LAB/www/$name"
	done
}

start_nginx() {
	sed "s|@LAB@|$LAB|g; s|@LISTEN@|10.9.0.1:80|" "$HERE/stack/nginx.conf.in" >"$LAB/nginx.conf"
	nginx -c "$LAB/nginx.conf" -p "$LAB" -e "$LAB/nginx.log" >"$LAB/nginx.out.log" 2>&1 &
	wait_for 10 curl -sf -o /dev/null http://10.9.0.1/ || fail "nginx does not answer"
}

make_tap() {
	sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.tcp_tw_reuse=1 net.ipv4.ip_local_port_range="1024 65000"
	ip link set lo up
	ip tuntap add dev t0 mode tap || skip "this kernel has no TAP devices"
	ip link set t0 txqueuelen 10000
	ip addr add 10.9.0.1/24 dev t0
	ip -6 addr add fd09::1/64 dev t0 nodad
	ip link set t0 up
}

# start_stack NEIGHBOURS [LOSE-IN LOSE-OUT]
start_stack() {
	config stack >/dev/null <<-END
		address: $STACK
		address6: "$STACK6"
		neighbours: $1
		root: $LAB/www
		request_timeout: 2s
		window: 256KiB
	END
	shift
	rm -f "$LAB/stack.ready"
	"$BIN/ready-exec" "$LAB/stack.ready" "$BIN/sluice-stack-host" "$BUILD/lib/sluice/plugins" lwip \
		"$LAB/stack.yaml" tap t0 "$@" >"$LAB/stack.log" 2>&1 &
	STACK_PID=$!
	wait_for 10 test -e "$LAB/stack.ready" || fail "the stack does not start"
}

# report NAME: a figure that the stack gave at its end.
report() {
	awk -v name="$1" '$1 == name { print $2 }' "$LAB/stack.log"
}

# The part of an answer that both servers must agree on.
seen_by_client() {
	curl -s -i "$@" | tr -d '\r' | grep -avE '^(Server|Date):'
}

like_nginx() {
	for path in 64.txt 1024.txt 16384.txt 262144.txt 1048576.txt index.html ""; do
		for method in --get --head; do
			seen_by_client "$method" "http://10.9.0.1/$path" | md5sum >"$LAB/nginx.sum"
			seen_by_client "$method" "http://$STACK/$path" | md5sum >"$LAB/stack.sum"
			cmp -s "$LAB/nginx.sum" "$LAB/stack.sum" ||
				fail "$method /$path: another answer than nginx's"
		done
	done
	ok "curl sees 14 files as nginx has them"
	alike=$(python3 "$HERE/stack/like_nginx.py" 10.9.0.1 "$STACK" "$LAB/www" 2>"$LAB/like.log") ||
		fail "other answers than nginx's"
	expect "requests that have nginx's answer" "$alike" '>' 500
	sum=$(curl -sg "http://[$STACK6]/1048576.txt" | md5sum)
	expect "1 MiB over IPv6" "$sum" is "$(md5sum <"$LAB/www/1048576.txt")"
	expect "connections for 50 requests" "$(curl -s -o /dev/null -w '%{num_connects}\n' \
		"http://$STACK/bytes/[1-50]" | awk '{ n += $1 } END { print n }')" == 1
	expect "primes below 100" "$(curl -s "http://$STACK/prime/100" | wc -l)" == 25
}

# ab's count of what went wrong; its other word for that is Non-2xx.
ab_failures() {
	awk '/^Failed requests:|^Non-2xx responses:|^Write errors:/ { n += $NF }
		/^Complete requests:/ { done = $NF } END { print n + (done != wanted) }' wanted="$1" \
		"$LAB/ab.log"
}

many_connections() {
	wrk -t 1 -c 800 -d 2s --timeout 5s "http://$STACK/64.txt" >"$LAB/wrk.log" || fail "wrk fails"
	grep -E 'Socket errors|Non-2xx' "$LAB/wrk.log" && fail "800 connections: errors"
	ok "800 connections: $(awk '/requests in/ { print $1 }' "$LAB/wrk.log") requests, no error"
	ab -q -n "$CONNECTIONS" -c 800 "http://$STACK/64.txt" >"$LAB/ab.log" 2>&1 || fail "ab fails"
	expect "failures in $CONNECTIONS connections without keep-alive" "$(ab_failures "$CONNECTIONS")" == 0
	ab -q -k -n "$CONNECTIONS" -c 800 "http://$STACK/1024.txt" >"$LAB/ab.log" 2>&1 || fail "ab -k fails"
	expect "failures in $CONNECTIONS requests with keep-alive" "$(ab_failures "$CONNECTIONS")" == 0
	expect "of them kept alive" "$(awk '/^Keep-Alive requests:/ { print $3 }' "$LAB/ab.log")" == "$CONNECTIONS"
}

bad_clients() {
	refused=$($CONFORM "$STACK" 1000 20261126) || fail "malformed requests"
	expect "refused of 1000 mutants" "$refused" '>' 700
	left=$($CONFORM --pipeline "$STACK" 300) || fail "pipelined requests"
	expect "bytes left over by 300 pipelined requests" "$left" == 0
	seconds=$($CONFORM --slow "$STACK" 8) || fail "a request that does not end"
	expect "seconds that a request may dawdle" "$seconds" '<' 5
	seconds=$($CONFORM --same-port "$STACK" 20) || fail "connections from one port"
	expect "seconds for 20 connections from one port" "$seconds" '<' 5
	$CONFORM --syn t0 "02:00:00:00:00:02" "$STACK" 2000 >/dev/null || fail "no SYNs sent"
	wait_for 10 curl -s -m 2 -o /dev/null "http://$STACK/64.txt" ||
		fail "half-open connections keep others out for more than 10 s"
	ok "half-open connections give way"
}

make_tap
make_files
start_nginx
start_stack stack
like_nginx
many_connections
bad_clients
stop "$STACK_PID" || fail "the stack ends badly"
cat "$LAB/stack.log"
expect "frames missing" "$(report kept)" == 0
expect "connections left" "$(report connections)" == 0
expect "half-open ones given up" "$(report half_open_dropped)" '>' 0

ip neigh replace "$STACK" lladdr 02:00:00:00:00:02 dev t0 nud permanent
start_stack linux 150 150
for round in 1 2; do
	sum=$(curl -s -m 60 "http://$STACK/1048576.txt" | md5sum)
	expect "round $round of 1 MiB with 1 in 150 frames lost" "$sum" is \
		"$(md5sum <"$LAB/www/1048576.txt")"
done
stop "$STACK_PID" || fail "the stack ends badly"
expect "segments sent again" "$(report retransmits)" '>' 0
