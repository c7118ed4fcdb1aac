#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The clients of a stack in user space are known: who completed a handshake with it passes a rule that spares
# known clients, whoever only sends SYNs does not; the next daemon learns of those that stay; and a stack that
# lies has its share of the set and no more.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

SYN_RULE='rules: [ { name: syn, match: { protocol: tcp, tcp_flags: "syn,!ack" }, action: drop, exempt_known: true } ]'
MAX=2048

# write_config [RULES]
write_config() {
	stack_config stack <<-END
		window: 200ms
		known_clients: { max: $MAX }
		${1:-}
	END
}

# get ADDRESS: a request from there; its exit status.
get() {
	curl -s -o /dev/null --max-time 2 --interface "$1" "http://$SERVER/"
}

# liar: takes the queue's socket, and names 16,384 hosts that it never met, as fast as it can; told to go on, one
# that nobody can be, and prints what comes of that.
liar() {
	mkfifo "$LAB/go-on"
	on_server python3 - "$LAB/liar.done" "$LAB/go-on" >"$LAB/liar.log" 2>&1 <<-'END' &
		import socket, struct, sys
		def request(kind, hosts=()):
		    head = struct.pack("=IHHII16s", 0x534C5853, 5, kind, 0, 0, b"eth0")
		    return head + b"".join(hosts).ljust(96, b"\0")
		def host(a, b, c, d):
		    return bytes([a, b, c, d]).ljust(16, b"\0") + bytes([4, 1, 0, 0])
		def result(reply):
		    return struct.unpack("=Ii", reply[:8])[1]
		door = socket.socket(socket.AF_UNIX)
		door.connect("/run/sluice/stack.sock")
		door.send(request(1))
		reply, given, _, _ = socket.recv_fds(door, 196, 2)
		assert result(reply) == 0, reply
		door.send(request(2))
		assert result(door.recv(196)) == 0
		for i in range(0, 16384, 4):
		    door.sendall(request(6, [host(198, 51, n >> 8, n & 255) for n in range(i, i + 4)]))
		open(sys.argv[1], "w").close()
		open(sys.argv[2]).read()
		door.sendall(request(6, [host(198, 51, 100, 1), host(127, 0, 0, 1)]))
		reply = door.recv(196)
		assert result(reply) < 0, reply
		print(reply[68:].split(b"\0")[0].decode())
	END
	LIAR=$!
}

lab_enter "$0" "$@"
stack_network 1
add_clients 11 12 13
make_www
FILE=$(write_config)
start_sluiced "$FILE"
start_stack 1

# SYNs that nobody follows up, of 1,000 senders.
flood "$SERVER" --protocol tcp-syn --to-port 80 --sources 1k --source-base 198.18.0.0 --count 20k
wait_for 10 at_least .deliver.socket 1000 || fail "the stack sees no SYN"
get 10.0.0.11 || fail "no service before the rule"
wait_for 10 at_least .known.by_stacks.connected 1 || fail "a client of the stack is not known"
expect "clients that the stack told of" "$(status .stacks[0].met)" == 1
expect "known by its word" "$(status .known.by_stacks.connected)" == 1
expect "known at all" "$(status .known.total)" == 1

write_config "$SYN_RULE" >/dev/null
reload
dropped=$(status .drops.rule.packets)
flood "$SERVER" --protocol tcp-syn --to-port 80 --sources 1k --source-base 198.18.0.0 --count 20k
sent=$(json .accepted "$LAB/flood.json")
wait_for 10 at_least .drops.rule.packets "$((dropped + sent))" || fail "not all was dropped"
expect "forged SYNs dropped" "$(($(status .drops.rule.packets) - dropped))" == "$sent"
expect "of them spared" "$(status .passes.known.packets)" == 0
get 10.0.0.11 || fail "the stack's client is not spared"
ok "the stack's client is served"
wait_for 10 at_least .passes.known.packets 1 || fail "its SYN is not counted as spared"
get 10.0.0.12
expect "a stranger is told (28: dropped)" "$?" == 28
expect "known still by its word" "$(status .known.by_stacks.connected)" == 1

# A connection that stays is told of to the next daemon, which has never seen it begin.
mkfifo "$LAB/open"
curl -s --interface 10.0.0.11 --max-time 60 "telnet://$SERVER:80" >/dev/null 2>&1 <"$LAB/open" &
TALKER=$!
exec 9>"$LAB/open"
wait_for 5 at_least .passes.known.packets 2 || fail "the connection is not opened"
kill_sluiced
start_sluiced "$FILE"
wait_for 20 served_is 1 || fail "the next daemon does not know of the stack"
wait_for 30 at_least .known.by_stacks.connected 1 || fail "the next daemon does not know the client"
ok "the next daemon knows who is connected"
get 10.0.0.11 || fail "the next daemon does not spare the client"
get 10.0.0.13
expect "a stranger is told still (28: dropped)" "$?" == 28
exec 9>&-
kill "$TALKER"
stop "$STACK"
wait_for 5 served_is 0 || fail "the stack does not leave"

liar
wait_for 60 test -e "$LAB/liar.done" || fail "the liar is stuck"
windows 2
expect "hosts that it named" "$(status .stacks[0].met)" == 16384
expect "of them left out at once" "$(status .stacks[0].met_left_out)" ">" 0
expect "known by its word" "$(status .known.by_stacks.connected)" "<=" $((MAX / 2))
: >"$LAB/go-on"
wait "$LIAR" || fail "the liar is not told"
expect "what it is told of 127.0.0.1" "$(cat "$LAB/liar.log")" is \
	"nobody can be met at such an address"
stop "$SLUICED" || fail "sluiced does not end cleanly"
