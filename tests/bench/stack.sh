#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Requests per second of web servers on several kinds of packet I/O, after P2's figures 2 to 5: nginx on
# Linux's stack, lwIP in sluice-stack on AF_XDP, behind sluiced, and lwIP on DPDK.  `sluice bench stack` runs it.
#
#   stack.sh [--json] [--svg FILE]     see stack_report.py
#
# SLUICE_BENCH_RAW=FILE keeps each measurement, with its round, as a line.
#
# How lwIP waits for packets is `stack.poll` of the deployment file:
#   lwip-wait   sleeps in poll(), need_wakeup
#   lwip-busy   SO_PREFER_BUSY_POLL, SO_BUSY_POLL, SO_BUSY_POLL_BUDGET: never sleeps, a system call a
#               round, in which the kernel serves the card's NAPI, if its driver says which: veth's does not
#   lwip-spin   never sleeps, looks at the ring
#   lwip-dpdk   the same stack on DPDK's net_af_packet, which never sleeps; no XDP, no sluiced.  Linux gets
#               what AF_PACKET copies, and drops it behind that, so as not to answer
# and what protects it, in figure 5:
#   lwip-bare       nothing: a program that hands over and does nothing else, no sluiced
#   lwip-bare-spin  the same, but it spins
#   lwip-bare-drop  a program that drops UDP and does nothing else, no sluiced
#   lwip-wait, -busy  sluiced delivers and has neither rules nor detectors
#   lwip-rule       one rule drops UDP to the port
#   lwip-detect     a detector finds the sources
#
# Two cores play all parts.  wrk runs on the last of them, and with two server cores on both.  In figure 5
# the flood is made on the server's core with real-time priority, in bursts of 2 ms, and receive work is
# done by threads (NAPI's, `threaded` of an interface) that come before all else, the server's on its core
# and the client's on the client's, as their cards' interrupts would: else a veth's is done by one of the
# senders, and the client takes in the flood.  Rates hold for this machine, ratios within one run.

. "$(dirname "$0")/../system/lib.sh"

SECONDS_EACH=${SLUICE_BENCH_SECONDS:-2}
PATIENCE=10 # Seconds until a server that does not answer at all is given up.
CONNECTIONS=50
CLIENT_CORE=1
FIGURES=${SLUICE_BENCH_FIGURES:-2 3 4 5}
# Of datagrams that fill a packet, as those of reflection floods do: AF_XDP copies them.
FLOOD_LENGTH=1514
RATES="${SLUICE_BENCH_RATES:-250000 500000 750000 1000000 1250000 1500000 2000000 2500000 3000000}"
RATES_OF_OTHERS="500000 1000000"
PAIRS=3 # Of peace and flood, at a rate between them; as stack_report.py counts them.
ROUNDS=5
ROUND= # Of figure 5.
BARE=/sys/fs/bpf/bare
STEER=${SLUICE_BENCH_STEER:-} # See steer.sh.
DPDK=lwip-dpdk
[ -x "$BIN/sluice-stack-dpdk" ] || DPDK= # The report says so.

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

# make_config NAME POLL: a deployment file, of which standard input is the rest.
make_config() {
	config "$1" >/dev/null <<-END
		version: 1
		interfaces: [eth0]
		window: 1s
		deliver: [{ protocol: tcp, ports: [80] }, { protocol: udp, ports: [80] }]
		stack:
		  plugin: lwip
		  poll: $2
		  checksums: software # As the bare host has them.
		  options: { address: $SERVER, root: "$LAB/www" }
		$(cat)
	END
}

# Without protection, but for a protocol dropped by one rule, as P2 did it, and sources that a detector
# has to find.
make_configs() {
	for poll in wait busy spin; do
		make_config "lwip-$poll" "$poll" </dev/null
	done
	make_config lwip-rule wait <<-'END'
		rules: [{ name: no-udp, match: { protocol: udp, destination_port: 80 }, action: drop }]
	END
	make_config lwip-detect wait <<-'END'
		allow: [10.0.0.1]
		detectors: [{ plugin: threshold, options: { source_pps: 2 } }]
		policy: { max_new_per_window: 20k, max_blocked: 20k }
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

# start_bare PROGRAM POLL: lwIP on one core behind the bare program of that name.
start_bare() {
	on_server ip link set dev eth0 xdp pinned "$BARE/prog/$1" || fail "cannot attach $1"
	start stack taskset -c 0 "$BIN/sluice-stack-host" "$BUILD/lib/sluice/plugins" lwip \
		"$LAB/stack.yaml" xsk eth0 0 "$BARE/map/bare_xsks" "$SERVER_MAC" "$2" ||
		fail "the stack does not start"
	SERVERS=$STARTED
}

# start_dpdk CORES
start_dpdk() {
	if ! on_server tc qdisc add dev eth0 clsact || ! on_server tc filter add dev eth0 ingress bpf \
		direct-action object-pinned "$BARE/prog/sluice_bare_copied"; then
		fail "cannot keep Linux from answering"
	fi
	start stack taskset -c "0-$(($1 - 1))" "$BIN/sluice-stack-dpdk" "$BUILD/lib/sluice/plugins" lwip \
		"$LAB/stack.yaml" eth0 "$1" || fail "the stack on DPDK does not start"
	SERVERS=$STARTED
}

# start_behind_sluice NAME CORES: sluice-stack as the deployment file of that name has it.  The daemon
# has the core that clients have.
start_behind_sluice() {
	start sluiced taskset -c "$CLIENT_CORE" "$BIN/sluiced" --config "$LAB/$1.yaml" ||
		fail "sluiced does not start"
	SLUICED=$STARTED
	nsenter -t "$SERVER_PID" -n -m taskset -c "0-$(($2 - 1))" "$BIN/sluice-stack" \
		--config "$LAB/$1.yaml" >"$LAB/stack.log" 2>&1 &
	SERVERS=$!
	wait_for 10 served_is "$2" || fail "sluice-stack does not serve $2 queues"
}

served_is() {
	[ "$(status '[.stacks[]? | select(.ready)] | length')" = "$1" ]
}

# start_server VARIANT CORES
start_server() {
	set_queues "$2"
	case $1 in
	nginx) start_nginx "$2" ;;
	lwip-dpdk) start_dpdk "$2" ;;
	lwip-bare) start_bare sluice_bare_all wait ;;
	lwip-bare-spin) start_bare sluice_bare_all spin ;;
	lwip-bare-drop) start_bare sluice_bare_tcp wait ;;
	*) start_behind_sluice "$1" "$2" ;;
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
	on_server tc qdisc del dev eth0 clsact 2>/dev/null # start_dpdk's
	# A link that was just unpinned goes a little later.
	wait_for 5 on_server ip link set dev eth0 xdp off || fail "eth0 keeps its program"
}

# CPU time of the servers and their children so far, in hundredths of a second.
server_ticks() {
	for pid in $SERVERS; do
		for one in $pid $(pgrep -P "$pid"); do
			cut -d ' ' -f 14,15 "/proc/$one/stat"
		done
	done 2>/dev/null | awk '{ n += $1 + $2 } END { print n + 0 }'
}

# load PATH CONNECTIONS CPUS: the requests per second that are answered.  wrk waits for a first answer before it measures;
# a server that gives none in so long gives none at all.
load() {
	timeout "$((SECONDS_EACH + PATIENCE))" taskset -c "$3" wrk -t 1 -c "$2" -d "${SECONDS_EACH}s" \
		"http://$SERVER/$1" >"$LAB/wrk.log" 2>&1
	case $? in
	0) answered=$(awk '/^Requests\/sec/ { print $2 }' "$LAB/wrk.log") ;;
	124) answered=0 ;;
	*) fail "wrk fails" ;;
	esac
}

# measure FIGURE VARIANT CORES X PATH CONNECTIONS CPUS
measure() {
	before="$(server_ticks) $(cut -d ' ' -f 1 /proc/uptime)"
	load "$5" "$6" "$7"
	cpu=$(echo "$before $(server_ticks) $(cut -d ' ' -f 1 /proc/uptime)" |
		awk '{ printf "%.1f", ($3 - $1) / ($4 - $2) }')
	jq -cn --argjson figure "$1" --arg variant "$2" --argjson cores "$3" --argjson x "$4" \
		--argjson rate "${answered:-0}" --argjson cpu "$cpu" \
		--arg round "$ROUND" \
		'{figure: $figure, variant: $variant, cores: $cores, x: $x, requests_per_s: $rate,
			cpu_percent: $cpu} + (if $round == "" then {} else {round: $round} end)' \
		>>"$LINES"
	tell "$(elapsed) s, figure $1: $2, $3 cores, x = $4: $answered requests/s, $cpu % CPU"
}

elapsed() {
	echo $(($(date +%s) - BEGAN))
}

# P2's figure 2: cores.
figure_2() {
	for cores in 1 2; do
		for variant in nginx lwip-wait lwip-busy lwip-spin $DPDK; do
			start_server "$variant" "$cores"
			measure 2 "$variant" "$cores" "$cores" 64.txt "$CONNECTIONS" \
				"$([ "$cores" = 1 ] && echo 1 || echo 0-1)"
			stop_server
		done
	done
}

# P2's figure 3: CPU time against load, which is the number of connections that ask at a time.
figure_3() {
	for variant in nginx lwip-wait lwip-busy lwip-spin $DPDK; do
		start_server "$variant" 1
		for connections in 1 4 16 50; do
			measure 3 "$variant" 1 "$connections" 64.txt "$connections" 1
		done
		stop_server
	done
}

# P2's figure 4: requests that cost CPU time; the application and the stack share a core.
figure_4() {
	for variant in lwip-wait lwip-busy lwip-spin $DPDK; do
		start_server "$variant" 1
		for limit in 100 200 400 600 800; do
			measure 4 "$variant" 1 "$limit" "prime/$limit" "$CONNECTIONS" "$CLIENT_CORE"
		done
		stop_server
	done
}

# P2's figure 5: a flood of UDP to the server's port, at rising rates.  The rate at which the unprotected
# stack keeps 1/3.9 of its peace is where the others are judged, in rounds, each variant in each.
figure_5() {
	others="nginx lwip-bare-spin $DPDK lwip-bare-drop lwip-wait lwip-busy lwip-rule lwip-detect"
	threaded 1
	for rate in $RATES; do
		pair "$rate"
		! report --beaten <"$LINES" || break
	done
	halve
	for variant in $others; do
		for rate in 0 $RATES_OF_OTHERS; do
			flooded "$variant" "$rate"
		done
	done
	worst=$(report --worst <"$LINES")
	for ROUND in $(seq "$ROUNDS"); do
		tell "round $ROUND of $ROUNDS, at $worst packets/s"
		pair "$worst"
		for variant in $others; do
			flooded "$variant" "$worst"
		done
	done
	ROUND=
	threaded 0
}

# Nearer to that rate.
halve() {
	while rate=$(report --next <"$LINES") && [ -n "$rate" ]; do
		tell "between: $rate packets/s"
		for _ in $(seq "$PAIRS"); do
			pair "$rate"
		done
	done
}

# pair RATE: the unprotected stack in peace, and under a flood.
pair() {
	flooded lwip-bare 0
	flooded lwip-bare "$1"
}

# threaded 0|1: who does the receive work, whatever programs come and go.
threaded() {
	echo "$1" >/sys/class/net/a0/threaded || fail "this kernel has no NAPI threads (Linux 5.12)"
	on_server sh -c "echo $1 >/sys/class/net/eth0/threaded" || fail "eth0 takes no NAPI threads"
}

# An interface whose program changed has new threads.
steer() {
	: >"$STEER/ask"
	wait_for 10 test ! -e "$STEER/ask" || fail "no NAPI threads of a0 and eth0"
}

report() {
	python3 "$HERE/stack_report.py" "$@"
}

# flooded VARIANT RATE: one point; a new server, which knows none of the sources.
flooded() {
	start_server "$1" 1
	steer
	[ "$2" = 0 ] || flood_server "$1" "$2"
	measure 5 "$1" 1 "$2" 64.txt "$CONNECTIONS" 1
	[ "$2" = 0 ] || end_flood "$2"
	stop_server
}

# flood_server VARIANT RATE
flood_server() {
	start_flood "$SERVER" --rate "$2" --cpu 0 --fifo --slice 0.002 --sources 10k \
		--distribution cycle --length "$FLOOD_LENGTH" --duration $((SECONDS_EACH + PATIENCE + 50))
	wait_for 10 flood_arrives || fail "the flood does not arrive"
	[ "$1" != lwip-detect ] || await_blocks
}

end_flood() {
	kill -TERM "$FLOOD" 2>/dev/null || fail "the flood ended before the load did"
	wait "$FLOOD" || fail "sluice-gen failed"
	arrived=$(json '(.accepted / .seconds | round)' "$LAB/flood.json")
	tell "  of that flood $arrived packets/s arrived"
	printf '{"asked": %s, "arrived": %s}\n' "$1" "$arrived" >>"$LINES"
}

# Until the detector has found all sources of the flood.
await_blocks() {
	windows=$(status .window.count)
	wait_for 30 status_is .blocked.total 10000 ||
		tell "only $(status .blocked.total) of 10000 sources are blocked"
	windows=$(($(status .window.count) - windows))
	tell "  10000 sources blocked after $windows windows"
	printf '{"windows": %s}\n' "$windows" >>"$LINES"
}

frames_in() {
	on_server cat /sys/class/net/eth0/statistics/rx_packets
}

flood_arrives() {
	first=$(frames_in)
	sleep 0.2
	[ "$(frames_in)" -gt $((first + 1000)) ]
}

if [ -z "$STEER" ]; then
	STEER=$(mktemp -d) || fail "no folder for temporary files"
	export SLUICE_BENCH_STEER="$STEER"
	setpriv --pdeathsig KILL sh "$HERE/steer.sh" "$STEER" "eth0=0" "a0=$CLIENT_CORE" &
	STEERER=$!
	trap 'kill "$STEERER" 2>/dev/null; rm -rf "$STEER"' EXIT
	wait_for 10 test -e "$STEER/ready" || fail "steer.sh does not start"
fi
lab_enter "$0" "$@"
[ "$(nproc)" -ge 2 ] || skip "two cores are needed"
lab_network 2
BEGAN=$(date +%s)
# What a client sends has its checksum, as from a wire.
ethtool -K a0 tx off >/dev/null
FLOOD=
SLUICED=
LINES=${SLUICE_BENCH_RAW:-$LAB/lines}
: >"$LINES" || fail "cannot write $LINES"
make_files
make_configs
on_server mkdir "$BARE"
on_server bpftool prog loadall "$BUILD/tests/support/deliver_bare.bpf.o" "$BARE/prog" \
	pinmaps "$BARE/map" >&2 || fail "cannot load the bare programs"
for figure in $FIGURES; do
	"figure_$figure"
done
report "$@" <"$LINES"
