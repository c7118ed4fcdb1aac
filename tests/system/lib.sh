# SPDX-License-Identifier: BSD-2-Clause
# The lab that system tests and the demo share: a private corner of this machine with two network
# namespaces, "world" (clients and attacker: where the script runs) and "server", joined by a veth
# pair a0 - eth0.  Everything lives in namespaces of processes that die with the script, so that
# nothing is left behind, however it ends.
#
# Use:  . "$(dirname "$0")/lib.sh"; lab_enter "$0" "$@"; lab_network; ...
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

set -u

HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=${HERE%/tests/system*}
BUILD=${SLUICE_BUILD:-$ROOT/build}
BIN=$BUILD/bin
LAB=/run/lab # On a private tmpfs.
SKIPPED=77   # ctest's SKIP_RETURN_CODE
WAIT_STEP=0.05

WORLD_MAC=02:00:00:00:00:01
SERVER_MAC=02:00:00:00:00:02
SERVER=10.0.0.2
SERVER6=fd00::2

say() {
	printf '%s\n' "$*"
}

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	for log in "$LAB"/*.log; do
		[ -s "$log" ] || continue
		printf -- '--- the end of %s\n' "${log##*/}" >&2
		tail -n 15 "$log" >&2
	done
	exit 1
}

# Leaves with a reason where a capability is missing; on a machine that has it, never called.
skip() {
	printf 'SKIPPED: %s\n' "$*"
	exit "$SKIPPED"
}

# lab_enter SCRIPT [ARG...]: goes on in namespaces of its own, with a private bpffs, /sys and /run.
# When this process is told to end, or is killed, all of it ends at once.
lab_enter() {
	if [ -z "${SLUICE_LAB:-}" ]; then
		[ -x "$BIN/sluice-gen" ] || fail "$BIN/sluice-gen is not there: ./run build makes it"
		[ "$(id -u)" = 0 ] || skip "root is needed for network namespaces and XDP"
		SLUICE_LAB=1 setpriv --pdeathsig KILL unshare --mount --net --pid --fork \
			--kill-child --mount-proc sh "$@" &
		lab=$!
		trap 'lab_leave 130' INT
		trap 'lab_leave 143' TERM
		trap 'lab_leave 129' HUP
		wait "$lab"
		exit
	fi
	mount -t tmpfs -o mode=755 tmpfs /run || fail "cannot mount a private /run"
	mkdir -p "$LAB" /run/bpf /run/sluice
	mount -t sysfs sysfs /sys || fail "cannot mount a private /sys"
	mount -t bpf -o mode=700 bpf /run/bpf || skip "this kernel has no bpffs"
	mount --bind /run/bpf /sys/fs/bpf || skip "this kernel has no /sys/fs/bpf"
}

lab_leave() {
	kill -KILL "$lab"
	wait "$lab" 2>/dev/null
	exit "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds; fails after SECONDS.
wait_for() {
	read -r now _ </proc/uptime # Without a process: they are slow on an emulated CPU.
	deadline=$((${now%.*} + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		read -r now _ </proc/uptime
		[ "${now%.*}" -le "$deadline" ] || return 1
		sleep "$WAIT_STEP"
	done
}

# Runs a command in the server's namespaces.
on_server() {
	nsenter -t "$SERVER_PID" -n -m "$@"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# make_wire QUEUES: a0 here and eth0 on the server; simnic.sh has another.
make_wire() {
	ip link add a0 address "$WORLD_MAC" numtxqueues "$1" numrxqueues "$1" type veth \
		peer name eth0 address "$SERVER_MAC" numtxqueues "$1" numrxqueues "$1" \
		netns "$SERVER_PID" || fail "cannot make a veth pair"
}

# wire_up: addresses and neighbours at both ends of the wire, which may be a new one.
wire_up() {
	ip link set a0 multicast off up
	on_server ip link set eth0 multicast off up
	# Frames that XDP redirects reach a veth only if its peer runs NAPI.
	ethtool -K a0 gro on
	on_server ethtool -K eth0 gro on
	ip addr add 10.0.0.1/24 dev a0
	ip -6 addr add fd00::1/64 dev a0 nodad
	on_server ip addr add "$SERVER/24" dev eth0
	on_server ip -6 addr add "$SERVER6/64" dev eth0 nodad
	on_server ip route add default via 10.0.0.1
	on_server ip -6 route add default via fd00::1
	# The neighbours are known, so that no ARP disturbs a count or waits in a flood.
	ip neigh replace "$SERVER" lladdr "$SERVER_MAC" dev a0 nud permanent
	ip -6 neigh replace "$SERVER6" lladdr "$SERVER_MAC" dev a0 nud permanent
	on_server ip neigh replace 10.0.0.1 lladdr "$WORLD_MAC" dev eth0 nud permanent
	on_server ip -6 neigh replace fd00::1 lladdr "$WORLD_MAC" dev eth0 nud permanent
	wait_for 10 link_is_up || fail "the wire does not come up"
}

# lab_network [QUEUES]: makes the server and the wire.  No IPv6 autoconfiguration: the kernel's own
# frames would disturb exact counts.
lab_network() {
	rm -f "$LAB/server"
	unshare --net --mount sh -c "mount -t sysfs sysfs /sys && mount --bind /run/bpf /sys/fs/bpf &&
		touch $LAB/server && exec sleep infinity" &
	SERVER_PID=$!
	wait_for 10 test -e "$LAB/server" || fail "cannot make the server's namespaces"
	for where in env on_server; do
		for name in all default; do
			$where sysctl -qw "net.ipv6.conf.$name.accept_dad=0" \
				"net.ipv6.conf.$name.autoconf=0" "net.ipv6.conf.$name.accept_ra=0" \
				"net.ipv6.conf.$name.addr_gen_mode=1" \
				"net.ipv6.conf.$name.router_solicitations=0"
		done
		$where ip link set lo up
	done
	make_wire "${1:-2}"
	wire_up
}

# add_clients LAST...: more addresses of the world's, 10.0.0.LAST.
add_clients() {
	for last in "$@"; do
		ip addr add "10.0.0.$last/24" dev a0
		on_server ip neigh replace "10.0.0.$last" lladdr "$WORLD_MAC" dev eth0 nud permanent
	done
}

# A folder of plugins in $LAB/plugins, with copies of the files.
plugin_folder() {
	mkdir -p "$LAB/plugins"
	cp "$@" "$LAB/plugins/" || fail "a plugin is not built"
	chmod 755 "$LAB" "$LAB/plugins" "$LAB/plugins"/*.so
	chmod 644 "$LAB/plugins"/*.yaml
}

link_is_up() {
	[ "$(cat /sys/class/net/a0/operstate)" = up ]
}

# start NAME COMMAND...: in the background, on the server; returns once it says that it is ready.
# Its pid is left in $STARTED, its output in $LAB/NAME.log.
start() {
	name=$1
	shift
	rm -f "$LAB/$name.ready"
	nsenter -t "$SERVER_PID" -n -m "$BIN/ready-exec" "$LAB/$name.ready" "$@" >"$LAB/$name.log" 2>&1 &
	STARTED=$!
	wait_for 60 ready_or_gone "$LAB/$name.ready" "$STARTED" || fail "$name does not get ready"
	[ -e "$LAB/$name.ready" ]
}

ready_or_gone() {
	[ -e "$1" ] || gone "$2"
}

# stop PID: asks it to end and waits until it has; its exit status.
stop() {
	kill -TERM "$1" 2>/dev/null
	wait "$1"
}

# flood ADDRESS [OPTION...]: sluice-gen towards the server's ADDRESS; its JSON in $LAB/flood.json.
flood() {
	start_flood "$@"
	wait "$FLOOD" || fail "sluice-gen failed"
}

# The same in the background; its pid is left in $FLOOD.
start_flood() {
	to=$1
	shift
	"$BIN/sluice-gen" --dev a0 --to "$to" --to-mac "$SERVER_MAC" "$@" >"$LAB/flood.json" \
		2>"$LAB/flood.log" &
	FLOOD=$!
}

# json FILTER [FILE]: one value of a JSON text.
json() {
	jq -r "$@"
}

ok() {
	printf 'ok: %s\n' "$*"
}

# expect WHAT ACTUAL OPERATOR WANTED: compares numbers (== != < <= > >=), or texts by `is`.
expect() {
	if [ "$3" = is ]; then
		[ "$2" = "$4" ] || fail "$1: '$2', wanted '$4'"
	else
		awk -v a="$2" -v b="$4" "BEGIN { exit !(a + 0 $3 b + 0) }" ||
			fail "$1: $2, wanted $3 $4"
	fi
	ok "$1: $2"
}

# config NAME: writes a deployment file from standard input; prints its path.
config() {
	cat >"$LAB/$1.yaml"
	printf '%s\n' "$LAB/$1.yaml"
}

sluice() {
	on_server "$BIN/sluice" "$@"
}

# start_sluiced FILE: its pid is left in $SLUICED.
start_sluiced() {
	start sluiced "$BIN/sluiced" --config "$1" || fail "sluiced does not start"
	SLUICED=$STARTED
}

# As by a crash.
kill_sluiced() {
	kill -KILL "$SLUICED"
	wait "$SLUICED" 2>/dev/null
}

# With its file as it is now; returns once that shows.
reload() {
	sluice reload >"$LAB/reload.log" 2>&1 || fail "cannot reload: $(cat "$LAB/reload.log")"
	windows 2
}

# What the daemon says of itself now; its socket is in a file system, so that no namespace matters.
status_json() {
	"$BIN/sluice" status --json
}

# status FILTER: one value of it.
status() {
	status_json >"$LAB/status.json" || fail "sluice status fails"
	json "$1" "$LAB/status.json"
}

# status_is FILTER VALUE: a condition for wait_for.
status_is() {
	[ "$(status_json | json "$1")" = "$2" ]
}

# at_least FILTER N: the same.
at_least() {
	[ "$(status_json | json "$1")" -ge "$2" ]
}

# A condition for wait_for: the daemon has closed N windows since its count was BEFORE.
windows_passed() {
	[ "$(status_json | json .window.count)" -ge $(($1 + $2)) ]
}

# windows N: waits until the daemon has closed as many more.
windows() {
	wait_for 60 windows_passed "$(status .window.count)" "$1" || fail "the windows do not go on"
}

# events KIND: how many were logged.
events() {
	sluice events --json | jq -s --arg kind "$1" '[.[] | select(.kind == $kind)] | length'
}

# events_are KIND N: a condition for wait_for.
events_are() {
	[ "$(events "$1")" -eq "$2" ]
}

# What is pinned; a new bpffs holds two files of the kernel's own.
pinned() {
	find /sys/fs/bpf/ -mindepth 1 ! -name maps.debug ! -name progs.debug
}

# The sum of what the filter says it dropped, or let through.
total_drops() {
	status '[.drops[].packets] | add'
}

# Without what is counted a second time beside its verdict.
total_passes() {
	status '[.passes | to_entries[] | select(.key != "known" and .key != "would_drop") |
		.value.packets] | add'
}

# start_probe [OPTION...]: counts what comes behind the filter; probe_count reads it.
start_probe() {
	start probe "$BIN/sluice-probe" --dev eth0 --tc "$@" || fail "sluice-probe does not start"
	PROBE=$STARTED
}

# probe_count WHICH: within, outside or other, as of now.
probe_count() {
	lines=$(wc -l <"$LAB/probe.log")
	kill -USR1 "$PROBE"
	wait_for 5 probe_has_said_more "$lines" || fail "sluice-probe does not answer"
	tail -n 1 "$LAB/probe.log" | json ".$1"
}

probe_has_said_more() {
	[ "$(wc -l <"$LAB/probe.log")" -gt "$1" ]
}

# What the probe saw of the kernel's own frames, such as neighbour solicitations: the filter counts
# them too.
strays() {
	echo $(($(probe_count outside) + $(probe_count other)))
}

# Sets DROPS, PASSES, WITHIN and STRAYS as of one moment: of quiet, in which no frame came by.  The
# daemon tells its counters once a window.
take_counts() {
	for _ in $(seq 20); do
		STRAYS=$(strays)
		WITHIN=$(probe_count within)
		windows 2
		DROPS=$(total_drops)
		PASSES=$(total_passes)
		[ "$(strays)" != "$STRAYS" ] || return 0
	done
	fail "frames of the kernel's own keep coming"
}

# Between these two packets are sent; the second sets dropped, passed, delivered and strays: how many.
counts_begin() {
	take_counts
	drops=$DROPS passes=$PASSES within=$WITHIN strays=$STRAYS
}

counts_end() {
	take_counts
	dropped=$((DROPS - drops)) passed=$((PASSES - passes)) delivered=$((WITHIN - within))
	strays=$((STRAYS - strays))
}

# expect_conserved ACCEPTED: of as many packets that the link took, not one is unaccounted for.
expect_conserved() {
	say "accepted $1, dropped $dropped, passed $passed, delivered $delivered, strays $strays"
	expect "packets unaccounted for" $(($1 - dropped - (passed - strays))) "==" 0
	expect "packets passed but not delivered" $((passed - strays - delivered)) "==" 0
}
