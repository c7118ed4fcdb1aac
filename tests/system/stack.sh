# SPDX-License-Identifier: BSD-2-Clause
# What tests of user-space stacks share: lwip behind the filter, by sluice-stack or by
# sluice-stack-host, which joins the pinned map without asking the daemon; nginx behind it on Linux's
# own stack; and who of the two answers.  Included after lib.sh.
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

# Port 80 goes to the stack; by UDP for floods.
DELIVER='deliver: [{ protocol: tcp, ports: [80] }, { protocol: udp, ports: [80] }]'

# stack_network [QUEUES]: lab_network, with sums as from a wire: a veth hands over frames without.
stack_network() {
	lab_network "$@"
	ethtool -K a0 tx off >/dev/null
}

# A page in $LAB/www, for who has no rights, too.
make_www() {
	mkdir -p "$LAB/www"
	chmod 755 "$LAB" "$LAB/www"
	echo hello >"$LAB/www/index.html"
}

# stack_config NAME [LINE...]: a deployment file with lwip at port 80, and with what standard input has
# for other sections; the lines are more of the section `stack`.  Prints its path.
stack_config() {
	name=$1
	shift
	{
		cat
		printf '%s\n' 'version: 1' 'interfaces: [eth0]' "$DELIVER" 'stack:' '  plugin: lwip' \
			"  options: { address: $SERVER, address6: \"$SERVER6\", root: \"$LAB/www\" }" \
			'  frames: 1024' '  group: nogroup'
		[ $# -eq 0 ] || printf '  %s\n' "$@"
	} | config "$name"
}

# start_stack N [FILE]: sluice-stack, by $FILE if no other is named; returns once it serves N queues.
# Its pid is left in $STACK, its output behind what is in $LAB/stack.log.
start_stack() {
	nsenter -t "$SERVER_PID" -n -m "$BIN/sluice-stack" --config "${2:-$FILE}" \
		>>"$LAB/stack.log" 2>&1 &
	STACK=$!
	wait_for 30 served_is "$1" || fail "sluice-stack does not serve $1 queues"
}

# served_is N: a condition for wait_for: as many queues are served.
served_is() {
	status_is '[.stacks[]? | select(.ready)] | length' "$1"
}

# The supervisor and its processes, all at once; when this returns they are gone.
kill_stack() {
	queues=$(pgrep -P "$STACK")
	# shellcheck disable=SC2086 # a list
	kill -KILL "$STACK" $queues
	wait "$STACK" 2>/dev/null
	for process in $queues; do
		wait_for 10 gone "$process" || fail "process $process outlives SIGKILL"
	done
}

# start_stack_host: lwip at queue 0, by its own; its pid is left in $STACK_HOST.
start_stack_host() {
	map=$(pinned_sockets)
	config stack >/dev/null <<-END
		address: $SERVER
		address6: "$SERVER6"
		root: $LAB/www
	END
	start stack "$BIN/sluice-stack-host" "$BUILD/lib/sluice/plugins" lwip "$LAB/stack.yaml" xsk \
		eth0 0 "$map" "$SERVER_MAC" || fail "the stack does not start"
	STACK_HOST=$STARTED
}

# The map that any program can join.
pinned_sockets() {
	find /sys/fs/bpf -name sluice_xsks | grep . || fail "there is no pinned sluice_xsks"
}

# stack_report NAME: a figure that sluice-stack-host gave at its end.
stack_report() {
	awk -v name="$1" '$1 == name { print $2 }' "$LAB/stack.log"
}

# start_nginx [LISTEN...]: on the server, at port 80 if nothing else is said.
start_nginx() {
	make_www
	[ $# -gt 0 ] || set -- 80
	listen=$(printf '; listen %s' "$@")
	sed "s|@LAB@|$LAB|g; s|@LISTEN@|${listen#; listen }|" "$HERE/stack/nginx.conf.in" \
		>"$LAB/nginx.conf"
	nsenter -t "$SERVER_PID" -n -m nginx -c "$LAB/nginx.conf" -p "$LAB" -e "$LAB/nginx.log" \
		>"$LAB/nginx.out.log" 2>&1 &
	wait_for 10 answers nginx || fail "nginx does not answer"
}

# who ADDRESS[:PORT] [CURL-OPTION...]: the server that answers, in one try: sluice, nginx; nothing if
# none does.
who() {
	address=$1
	shift
	curl -sI -m 3 "$@" "http://$address/" | tr -d '\r' | awk -F '[ /]' '/^Server:/ { print $2 }'
}

# answers NAME [ADDRESS[:PORT]]: a condition for wait_for.
answers() {
	[ "$(who "${2:-$SERVER}")" = "$1" ]
}

# The id of the filter's program.
filter_id() {
	on_server bpftool net show dev eth0 | grep -o 'id [0-9]*' | head -1
}
