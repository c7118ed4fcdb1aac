#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A stack in user space behind the filter: sluiced delivers port 80 to AF_XDP, and the stack lwip joins
# the pinned map without asking the daemon, as any program can.  Behind it, on Linux's own stack, is nginx.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

lab_enter "$0" "$@"

STRANGER=10.0.0.9
N_SOURCES=10000

# One queue: one stack.
stack_network 1
add_clients "${STRANGER##*.}"
start_nginx 80 8080
file=$(config sluice <<-EOT
	version: 1
	interfaces: [eth0]
	window: 500ms
	enforce: true
	allow: [10.0.0.1]
	detectors: [{ plugin: threshold, options: { source_pps: 20 } }]
	policy: { max_new_per_window: 20k, max_blocked: 20k }
	$DELIVER
EOT
)
start_sluiced "$file"

expect "without a stack port 80 answers from" "$(who "$SERVER")" is nginx
start_stack_host
expect "with a stack port 80 answers from" "$(who "$SERVER")" is sluice
expect "over IPv6 it answers from" "$(who "[$SERVER6]" -g)" is sluice
expect "and port 8080 from" "$(who "$SERVER:8080")" is nginx

expect "a stranger is answered by" "$(who "$SERVER" --interface "$STRANGER")" is sluice
sluice block "$STRANGER" >/dev/null || fail "cannot block $STRANGER"
expect "the same stranger, blocked, by" "$(who "$SERVER" --interface "$STRANGER")" is ""
sluice unblock "$STRANGER" >/dev/null || fail "cannot unblock $STRANGER"

ab -q -n 5000 -c 50 "http://$SERVER/" >"$LAB/ab.log" 2>&1 || fail "ab fails"
expect "failed of 5000 requests" "$(awk '/^Failed requests:/ { print $3 }' "$LAB/ab.log")" == 0

# A flood that no rule names: the detector has to find each source.
start_flood "$SERVER" --sources "$N_SOURCES" --distribution cycle --rate 500k --duration 60
wait_for 20 status_is .blocked.total "$N_SOURCES" ||
	fail "of $N_SOURCES sources $(status .blocked.total) are blocked"
ok "$N_SOURCES sources of a flood are blocked"
expect "under that flood port 80 answers from" "$(who "$SERVER")" is sluice
kill -TERM "$FLOOD"
wait "$FLOOD"

kill -KILL "$STACK_HOST"
wait "$STACK_HOST" 2>/dev/null
wait_for 5 answers nginx || fail "a dead stack keeps its port"
ok "when the stack dies, Linux has its port at once"
stop "$SLUICED" || fail "sluiced does not end cleanly"
sluice detach >/dev/null || fail "cannot detach"

# P2's experiment: a whole protocol to this port is one rule.
file=$(config rule <<-EOT
	version: 1
	interfaces: [eth0]
	$DELIVER
	rules: [{ name: no-udp, match: { protocol: udp, destination_port: 80 }, action: drop }]
EOT
)
start_sluiced "$file"
start_stack_host
flood "$SERVER" --count 200k --sources 1k --rate 200k
expect "after a flood of UDP port 80 answers from" "$(who "$SERVER")" is sluice
stop "$STACK_HOST" || fail "the stack ends badly"
expect "packets of the flood that the stack saw" "$(stack_report not_served)" == 0
expect "frames missing" "$(stack_report kept)" == 0
stop "$SLUICED" || fail "sluiced does not end cleanly"
