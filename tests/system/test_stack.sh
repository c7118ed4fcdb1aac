#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The stack in its own process behind the filter: it serves what `deliver` names and Linux all else; killed,
# its ports are Linux's at once, an event says so, and another process takes over; the daemon may be
# killed and started again under it, and the filter never notices any of this.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

lab_enter "$0" "$@"
stack_network 2
make_www
FILE=$(stack_config stack </dev/null)
start_sluiced "$FILE"
start_stack 2
STACKED=$(on_server pgrep -P "$STACK" | head -1)
expect "user of the stack" "$(awk '/^Uid/ { print $2 }' "/proc/$STACKED/status")" '!=' 0
expect "its capabilities" "$(awk '/^CapEff/ { print $2 }' "/proc/$STACKED/status")" is 0000000000000000
wait_for 5 answers sluice || fail "the stack does not answer"
ok "the stack serves port 80"
wait_for 5 at_least .deliver.socket 1 || fail "no packet was handed to a socket"

# All else is Linux's.
on_server python3 -m http.server 8080 --directory "$LAB/www" >"$LAB/linux.log" 2>&1 &
wait_for 10 answers SimpleHTTP "$SERVER:8080" || fail "Linux does not serve port 8080"
ok "Linux serves port 8080"

# SIGKILL: Linux answers port 80 at once, by a reset, and the event is there.
filter=$(filter_id)
kill_stack
wait_for 5 served_is 0 || fail "the daemon does not notice"
expect "what curl says of Linux, 7 is refused" "$(curl -s --max-time 2 -o /dev/null "http://$SERVER/"; echo $?)" is 7
wait_for 5 events_are stack_left 2 || fail "no event stack_left"
wait_for 5 at_least .deliver.no_socket 1 || fail "no packet went to Linux for want of a socket"

# Again, with the filter as it was.
start_stack 2
wait_for 5 answers sluice || fail "the stack does not answer again"
expect "the filter is the same" "$(filter_id)" is "$filter"
ok "restarted"

# The daemon, too: the stack serves on without one, and tells the next of itself.
kill_sluiced
answers sluice || fail "the stack does not answer without the daemon"
ok "the stack serves without the daemon"
start_sluiced "$FILE"
wait_for 20 served_is 2 || fail "the next daemon does not know of the stack"
answers sluice || fail "the stack does not answer beside the next daemon"
ok "the next daemon knows of it"
# Who says that it goes on with a queue has to show its socket: none, one of another kind, and one of AF_XDP (44)
# that is bound to nothing, are refused.
kill_sluiced
stop "$STACK"
start_sluiced "$FILE"
on_server python3 - >"$LAB/liar.log" 2>&1 <<-'END' || fail "a liar gets a queue"
	import socket, struct
	request = struct.pack("=IHHII16s96x", 0x534C5853, 5, 3, 0, 1024, b"eth0")
	others = [socket.socket(family, kind) for family, kind in
	          ((socket.AF_INET, socket.SOCK_DGRAM), (44, socket.SOCK_RAW))]
	for shown in [], [others[0].fileno()], [others[1].fileno()]:
	    door = socket.socket(socket.AF_UNIX)
	    door.connect("/run/sluice/stack.sock")
	    socket.send_fds(door, [request], shown)
	    result = struct.unpack("=Ii", door.recv(196)[:8])[1]
	    assert result < 0, result
	    print(shown, result)
END
expect "liars refused" "$(grep -c . "$LAB/liar.log")" == 3
served_is 0 || fail "a liar is shown as a stack"
start_stack 2
stop "$STACK"
expect "calls that the ports refused" "$(grep -c 'calls refused' "$LAB/stack.log")" '>=' 2
grep -q ' 0 calls refused' "$LAB/stack.log" || fail "a port refused calls"
