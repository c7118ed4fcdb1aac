#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Requests per second of web servers on three kinds of packet I/O, after P2's figures 2 to 5: nginx on
# Linux's stack, and the stack lwip on AF_XDP that sleeps (lwip-poll) or spins (lwip-busy).
# `sluice bench stack` runs it.
#
#   stack.sh [--json] [--svg FILE]     see stack_report.py
#
# Two cores play all parts.  wrk runs on the last of them, and with two server cores on both.  Receive
# work of a veth is done by who sends; in figure 5 the flood runs on the server's core with real-time
# priority, as a card's interrupt would.  Rates hold for this machine, ratios within one run.

. "$(dirname "$0")/../system/lib.sh"

SECONDS_EACH=${SLUICE_BENCH_SECONDS:-3}
CONNECTIONS=50
FIGURES=${SLUICE_BENCH_FIGURES:-2 3 4 5}
BARE=/sys/fs/bpf/bare

tell() {
	printf '%s\n' "$*" >&2
}

make_files() {
	mkdir -p "$LAB/www"
	head -c 64 /dev/zero | tr '\0' x >"$LAB/www/64.txt"
	cat >"$LAB/stack.yaml" <<-END
		address: $SERVER
		root: $LAB/www
	END
}

# A protocol dropped by one rule, as P2 did it, and sources that a detector has to find.
make_configs() {
	config rule >/dev/null <<-'END'
		version: 1
		interfaces: [eth0]
		deliver: [{ protocol: tcp, ports: [80] }, { protocol: udp, ports: [80] }]
		rules: [{ name: no-udp, match: { protocol: udp, destination_port: 80 }, action: drop }]
	END
	config detect >/dev/null <<-'END'
		version: 1
		interfaces: [eth0]
		window: 1s
		allow: [10.0.0.1]
		detectors: [{ plugin: threshold, options: { source_pps: 2 } }]
		policy: { max_new_per_window: 20k, max_blocked: 20k }
		deliver: [{ protocol: tcp, ports: [80] }, { protocol: udp, ports: [80] }]
	END
}

# The queues of the pair, which are the cores of the server.
set_queues() {
	ethtool -L a0 rx "$1" tx "$1" >/dev/null 2>&1
	on_server ethtool -L eth0 rx "$1" tx "$1" >/dev/null 2>&1
	return 0 # It fails if they are so many already.
}

start_nginx() {
	sed "s|@LAB@|$LAB|g; s|@LISTEN@|80|; s|worker_processes 1|worker_processes $1|" \
		"$HERE/../system/stack/nginx.conf.in" >"$LAB/nginx.conf"
	taskset -c "0-$(($1 - 1))" nsenter -t "$SERVER_PID" -n -m nginx -c "$LAB/nginx.conf" -p "$LAB" \
		-e "$LAB/nginx.log" >"$LAB/nginx.out.log" 2>&1 &
	SERVERS=$!
}

# start_bare CORES wait|busy PROGRAM: lwip behind the bare program of that name.
start_bare() {
	on_server ip link set dev eth0 xdp pinned "$BARE/prog/$3" || fail "cannot attach $3"
	start_lwip "$1" "$2" "$BARE/map/bare_xsks"
}

# start_behind_sluice FILE: lwip on one core behind the daemon, which has the other.
start_behind_sluice() {
	start sluiced taskset -c 1 "$BIN/sluiced" --config "$1" || fail "sluiced does not start"
	SLUICED=$STARTED
	start_lwip 1 wait "$(find /sys/fs/bpf -name sluice_xsks)"
}

# start_lwip CORES wait|busy MAP
start_lwip() {
	SERVERS=
	core=0
	while [ "$core" -lt "$1" ]; do
		start "stack$core" taskset -c "$core" "$BIN/sluice-stack-host" \
			"$BUILD/lib/sluice/plugins" lwip "$LAB/stack.yaml" xsk eth0 "$core" \
			"$3" "$SERVER_MAC" "$2" || fail "the stack does not start"
		SERVERS="$SERVERS $STARTED"
		core=$((core + 1))
	done
}

# start_server VARIANT CORES
start_server() {
	set_queues "$2"
	case $1 in
	nginx) start_nginx "$2" ;;
	lwip-poll) start_bare "$2" wait sluice_bare_all ;;
	lwip-busy) start_bare "$2" busy sluice_bare_all ;;
	lwip-poll-drop) start_bare "$2" wait sluice_bare_tcp ;;
	lwip-sluice-rule) start_behind_sluice "$LAB/rule.yaml" ;;
	lwip-sluice-detect) start_behind_sluice "$LAB/detect.yaml" ;;
	esac
	wait_for 10 curl -sf -m 1 -o /dev/null "http://$SERVER/64.txt" || fail "$1 does not answer"
}

stop_server() {
	for pid in $SERVERS; do
		kill -TERM "$pid"
		wait "$pid"
	done
	if [ -n "$SLUICED" ]; then
		stop "$SLUICED"
		sluice detach >/dev/null
		SLUICED=
	fi
	on_server ip link set dev eth0 xdp off
}

# CPU time of the servers and their children so far, in hundredths of a second.
server_ticks() {
	for pid in $SERVERS; do
		for one in $pid $(pgrep -P "$pid"); do
			cut -d ' ' -f 14,15 "/proc/$one/stat"
		done
	done 2>/dev/null | awk '{ n += $1 + $2 } END { print n + 0 }'
}

# measure FIGURE VARIANT CORES X PATH CONNECTIONS CPUS
measure() {
	before=$(server_ticks)
	taskset -c "$7" wrk -t 1 -c "$6" -d "${SECONDS_EACH}s" "http://$SERVER/$5" \
		>"$LAB/wrk.log" 2>&1 || fail "wrk fails"
	answered=$(awk '/^Requests\/sec/ { print $2 }' "$LAB/wrk.log")
	jq -cn --argjson figure "$1" --arg variant "$2" --argjson cores "$3" --argjson x "$4" \
		--argjson rate "${answered:-0}" \
		--argjson cpu "$(echo "$before $(server_ticks) $SECONDS_EACH" |
			awk '{ printf "%.1f", ($2 - $1) / $3 }')" \
		'{figure: $figure, variant: $variant, cores: $cores, x: $x, requests_per_s: $rate,
			cpu_percent: $cpu}'
	tell "figure $1: $2, $3 cores, x = $4: $answered requests/s"
}

# P2's figure 2: cores.
figure_2() {
	for cores in 1 2; do
		for variant in nginx lwip-poll lwip-busy; do
			start_server "$variant" "$cores"
			measure 2 "$variant" "$cores" "$cores" 64.txt "$CONNECTIONS" \
				"$([ "$cores" = 1 ] && echo 1 || echo 0-1)"
			stop_server
		done
	done
}

# P2's figure 3: CPU time against load, which is the number of connections that ask at a time.
figure_3() {
	for variant in nginx lwip-poll lwip-busy; do
		start_server "$variant" 1
		for connections in 1 2 4 8 16 50; do
			measure 3 "$variant" 1 "$connections" 64.txt "$connections" 1
		done
		stop_server
	done
}

# P2's figure 4: requests that cost CPU time, clients and server on one core.
figure_4() {
	for variant in lwip-poll lwip-busy; do
		start_server "$variant" 1
		for limit in 100 200 400 600 800; do
			measure 4 "$variant" 1 "$limit" "prime/$limit" "$CONNECTIONS" 0
		done
		stop_server
	done
}

# P2's figure 5: a flood of UDP to the server's port.  Each rate meets a new server, which knows none
# of the sources.
figure_5() {
	variants="nginx lwip-poll lwip-busy lwip-poll-drop"
	# Of a clone whose daemon delivers ports to AF_XDP.
	[ ! -e "$HERE/../../bpf/deliver_shared.h" ] ||
		variants="$variants lwip-sluice-rule lwip-sluice-detect"
	for variant in $variants; do
		for rate in 0 100000 200000 400000 800000 1600000 3200000; do
			start_server "$variant" 1
			[ "$rate" = 0 ] || flood_server "$variant" "$rate"
			measure 5 "$variant" 1 "$rate" 64.txt "$CONNECTIONS" 1
			[ "$rate" = 0 ] || end_flood
			stop_server
		done
	done
}

# flood_server VARIANT RATE
flood_server() {
	start_flood "$SERVER" --rate "$2" --cpu 0 --fifo --sources 10k --distribution cycle \
		--duration $((SECONDS_EACH + 40))
	wait_for 10 flood_arrives || fail "the flood does not arrive"
	[ "$1" != lwip-sluice-detect ] || await_blocks
}

end_flood() {
	kill -TERM "$FLOOD"
	wait "$FLOOD" || fail "sluice-gen failed"
	tell "  of that flood $(json '(.accepted / .seconds | round)' "$LAB/flood.json") packets/s arrived"
}

# Until the detector has found all sources of the flood.
await_blocks() {
	windows=$(status .window.count)
	wait_for 30 status_is .blocked.total 10000 ||
		tell "only $(status .blocked.total) of 10000 sources are blocked"
	tell "10000 sources blocked after $(($(status .window.count) - windows)) windows"
}

frames_in() {
	on_server cat /sys/class/net/eth0/statistics/rx_packets
}

flood_arrives() {
	first=$(frames_in)
	sleep 0.2
	[ "$(frames_in)" -gt $((first + 1000)) ]
}

lab_enter "$0" "$@"
[ "$(nproc)" -ge 2 ] || skip "two cores are needed"
lab_network 2
# What a client sends has its checksum, as from a wire.
ethtool -K a0 tx off >/dev/null
FLOOD=
SLUICED=
make_files
make_configs
on_server mkdir "$BARE"
on_server bpftool prog loadall "$BUILD/tests/support/deliver_bare.bpf.o" "$BARE/prog" type xdp \
	pinmaps "$BARE/map" >&2 || fail "cannot load the bare programs"
for figure in $FIGURES; do
	"figure_$figure" >>"$LAB/lines"
done
python3 "$HERE/stack_report.py" "$@" <"$LAB/lines"
