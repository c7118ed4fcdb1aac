#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# No frame of a stack's socket is ever lost, and no packet goes without being counted: a generator sends as
# fast as it can to a stack that answers some and holds on to others, twice, with the daemon killed under
# it in between; then what was sent is what was received and what was counted as dropped.
# SLUICE_SOAK_PACKETS (2M) is how many; SLUICE_SOAK_RAW names a file for every report that was seen.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

PACKETS=${SLUICE_SOAK_PACKETS:-2M}
RAW=${SLUICE_SOAK_RAW:-/dev/null}
FRAMES=1024

counted_is() {
	[ "$(sluice status --json | json '[.stacks[]? | select(.ready and .counts)] | length')" = "$1" ]
}

# of_stacks FILTER: its sum over the stacks, of the status that was taken last.
of_stacks() {
	json "[.stacks[].counts | $1] | add" "$LAB/status.json"
}

# The first report in which something of all this does not hold ends the test.
check_report() {
	sluice status --json >"$LAB/status.json" || fail "sluice status fails"
	jq -c '{time, deliver, stacks}' "$LAB/status.json" >>"$RAW"
	# shellcheck disable=SC2016 # $n and $f are jq's
	json '.stacks[] | select(.counts) | .n_frames as $n | .counts | .frames as $f |
		select(($f.receive | .kernel + .stack + .free) != $n / 2 or
			($f.send | .kernel + .written + .free) != $n / 2 or
			$f.receive.stack > 64 or $f.send.written != 0 or .refused != 0)' \
		"$LAB/status.json" >"$LAB/wrong.log"
	[ ! -s "$LAB/wrong.log" ] || fail "a report does not add up"
	n_reports=$((n_reports + 1))
}

# Everything that came to the sockets is counted, and everything that went out has come to the world.
at_rest() {
	check_report
	tx_dropped=$(on_server cat /sys/class/net/eth0/statistics/tx_dropped)
	world=$(cat /sys/class/net/a0/statistics/rx_packets)
	[ "$(status .deliver.socket)" = "$(of_stacks '.received + .dropped')" ] &&
		[ "$(of_stacks .sent)" = $((world + tx_dropped - before)) ]
}

# soak COUNT: sends, watches, and compares.
soak() {
	start_flood "$SERVER" --to-port 7 --sources 1k --count "$1"
	while ! gone "$FLOOD"; do
		check_report
		sleep 0.5
	done
	wait "$FLOOD" || fail "sluice-gen failed"
	accepted=$((accepted + $(json .accepted "$LAB/flood.json")))
	wait_for 20 at_rest || fail "of $accepted packets accepted, $(status .deliver.socket) came to
sockets, which say $(of_stacks .received) received, $(of_stacks .dropped) dropped; sent
$(of_stacks .sent), the world got $((world - before)), $tx_dropped were dropped on the way"
	expect "packets that came to sockets" "$(status .deliver.socket)" == "$accepted"
	expect "of them received" "$(of_stacks .received)" ">" 0
	say "dropped for want of a frame, and counted: $(of_stacks .dropped)"
	expect "sent, and come to the world" "$(of_stacks .sent)" ">" 0
	expect "frames in flight while nothing moves" \
		"$(of_stacks '.frames | .receive.in_flight + .send.in_flight')" == 0
}

lab_enter "$0" "$@"
plugin_folder "$BUILD/tests/system/mirror.so" "$HERE/stack/mirror.plugin.yaml"
lab_network 2
file=$(config soak <<-END
	version: 1
	interfaces: [eth0]
	window: 500ms
	plugin_path: $LAB/plugins
	detectors: []
	deliver: [{ protocol: udp, ports: [7] }]
	stack: { plugin: mirror, frames: $FRAMES, group: nogroup }
END
)
start_sluiced "$file"
start_stack 2 "$file"
wait_for 20 counted_is 2 || fail "sluice-stack does not count on both queues"
before=$(cat /sys/class/net/a0/statistics/rx_packets)
accepted=0 n_reports=0
soak "$PACKETS"

# The counts are the stack's: the next daemon has them, too.
kill_sluiced
start_sluiced "$file"
wait_for 20 counted_is 2 || fail "the next daemon does not know of the stack"
soak 100k
expect "reports that add up" "$n_reports" ">=" 6

# What the stack held, it has given back.
stop "$STACK" || fail "sluice-stack ends badly"
expect "queues without a frame missing" "$(grep -c \
	' 0 calls refused; .* 0 stack, .*; to send: 0 kernel, 0 written, ' "$LAB/stack.log")" == 2
stop "$SLUICED" || fail "sluiced does not end cleanly"
cat "$LAB/stack.log"
