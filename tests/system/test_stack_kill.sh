#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The stack is killed under a flood, of which the filter drops one part and lets another through to it: its port
# is Linux's at once, events say so, another stack serves it again, and the filter notices none of this.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

SOURCES=500
ALLOWED=203.0.113.1

lab_enter "$0" "$@"

# One part from blocked sources, one from a source that is allowed: the former dies in the filter, the
# latter goes to the stack, or to Linux.
start_floods() {
	start_flood "$SERVER" --sources "$SOURCES" --distribution cycle --rate 100k --duration 170
	dropped_flood=$FLOOD
	wait_for 30 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
	start_flood "$SERVER" --source-base "$ALLOWED" --rate 20k --duration 170
	wait_for 10 at_least .deliver.socket 10000 || fail "no flood reaches the stack"
	# What was still on its way when the last source was blocked has arrived after two more windows.
	windows 2
}

stack_network 2
start_nginx
FILE=$(stack_config stack <<-END
	window: 200ms
	allow: [10.0.0.1, $ALLOWED]
	detectors: [{ plugin: threshold, options: { source_pps: 50 } }]
	rate_monitor: { quiet: 1, windows: 100 }
END
)
start_sluiced "$FILE"
start_stack 2
start_probe --sources 198.18.0.0-198.19.255.255
start_floods
wait_for 10 answers sluice || fail "the stack does not answer under the flood"
filter=$(filter_id)
within=$(probe_count within)
dropped=$(total_drops)
misses=$(status .passes.no_features.packets)
left=$(events stack_left)
for round in 1 2 3; do
	no_socket=$(status .deliver.no_socket)
	kill_stack
	expect "round $round: its port is at once the one of" "$(who "$SERVER")" is nginx
	wait_for 10 events_are stack_left $((left + 2 * round)) || fail "$(events stack_left) events stack_left"
	wait_for 10 served_is 0 || fail "the daemon shows a stack that is gone"
	wait_for 10 at_least .deliver.no_socket $((no_socket + 1)) || fail "nothing is counted as without a socket"
	start_stack 2
	wait_for 10 answers sluice || fail "the next stack does not answer"
	ok "round $round: the next stack serves under the same flood"
done

# One process alone: sluice-stack starts it again.
joined=$(events stack_joined)
kill -KILL "$(pgrep -P "$STACK" | head -1)"
wait_for 20 events_are stack_joined $((joined + 1)) || fail "a killed process is not started again"
wait_for 20 served_is 2 || fail "a queue stays without its process"
wait_for 10 answers sluice || fail "the stack does not answer with a new process"
ok "a single process is started again"

gone "$dropped_flood" && fail "the flood ended before the test"
windows 2
expect "the filter is the same" "$(filter_id)" is "$filter"
expect "sources blocked" "$(status .blocked.total)" == "$SOURCES"
expect "packets of blocked sources that came to Linux" $(($(probe_count within) - within)) == 0
expect "packets dropped meanwhile" $(($(total_drops) - dropped)) '>' 10000
expect "packets that missed the feature program" $(($(status .passes.no_features.packets) - misses)) == 0
kill -TERM "$dropped_flood" "$FLOOD"
stop "$STACK" || fail "sluice-stack ends badly"
stop "$SLUICED" || fail "sluiced does not end cleanly"
