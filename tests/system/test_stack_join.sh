#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A program that is not Sluice's, on plain libxdp, joins the pinned map behind the filter and serves one
# port in Linux's place, as long as it runs; see docs/STACKS.md.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

lab_enter "$0" "$@"

PORT=7777
STRANGER=10.0.0.9

# Answers "linux" to whatever comes.
start_linux() {
	nsenter -t "$SERVER_PID" -n python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', $PORT))
while True:
    s.sendto(b'linux', s.recvfrom(65536)[1])" >"$LAB/linux.log" 2>&1 &
}

# ask N [SOURCE]: N questions, each of another length; what the answers were, each kind once.
ask() {
	python3 - "$SERVER" "$PORT" "$1" "${2:-10.0.0.1}" <<-'END'
		import socket, sys
		server, port, n, source = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind((source, 0))
		s.settimeout(0.5)
		kinds = set()
		for i in range(n):
		    question = bytes(str(i), 'ascii') * (i % 200 + 1)
		    s.sendto(question, (server, port))
		    try:
		        answer = s.recv(65536)
		        kinds.add('echo' if answer == question else answer.decode('ascii', 'replace'))
		    except TimeoutError:
		        kinds.add('nothing')
		print(' '.join(sorted(kinds)))
	END
}

answered_by() {
	[ "$(ask 1)" = "$1" ]
}

stack_network 1
add_clients "${STRANGER##*.}"
file=$(config sluice <<-EOT
	version: 1
	interfaces: [eth0]
	deliver: [{ protocol: udp, ports: [$PORT] }]
EOT
)
start_sluiced "$file"
start_linux
wait_for 10 answered_by linux || fail "Linux does not answer"
expect "without a program the port answers" "$(ask 20)" is linux

start echo "$BIN/sluice-xsk-echo" eth0 0 "$(pinned_sockets)" || fail "the program does not start"
ECHO=$STARTED
expect "once a program has joined, all of 1,000" "$(ask 1000)" is echo
expect "a stranger gets" "$(ask 1 "$STRANGER")" is echo
sluice block "$STRANGER" >/dev/null || fail "cannot block $STRANGER"
expect "the same stranger, blocked," "$(ask 1 "$STRANGER")" is nothing
expect "others meanwhile" "$(ask 20)" is echo

stop "$ECHO" || fail "the program ends badly"
expect "packets that it served" "$(awk '$1 == "served" { print $2 }' "$LAB/echo.log")" == 1021
expect "when it has left, the port answers" "$(ask 20)" is linux
stop "$SLUICED" || fail "sluiced does not end cleanly"
