#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The daemon is killed twenty times at random moments during a flood.  The filter goes on dropping,
# each new daemon adopts the pinned state, and not one packet of a blocked source gets through.

. "$(dirname "$0")/lib.sh"

SOURCES=500
KILLS=20

lab_enter "$0" "$@"
lab_network 2
file=$(config kill <<-'EOT'
	version: 1
	interfaces: [eth0]
	window: 100ms
	detectors: [{ plugin: threshold, options: { source_pps: 50 } }]
	rate_monitor: { quiet: 1, windows: 100 }
EOT
)
start_sluiced "$file"
start_probe --sources 198.18.0.0-198.19.255.255
start_flood "$SERVER" --sources "$SOURCES" --distribution cycle --rate 200k --duration 170
wait_for 20 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
expect "sources blocked" "$(status .blocked.total)" "==" "$SOURCES"
# What was still on its way when the last source was blocked has arrived after two more windows.
windows 2

delivered=$(probe_count within)
misses=$(status .passes.no_features.packets)
dropped=$(total_drops)
SEED=$(awk 'BEGIN { srand(); print srand() }')
say "seed of the moments: $SEED"
kills=0
while [ "$kills" -lt "$KILLS" ]; do
	kills=$((kills + 1))
	# From the middle of the start-up to several windows later.
	sleep "$(awk -v seed=$((SEED + kills)) 'BEGIN { srand(seed); rand(); print rand() * 0.6 }')"
	kill_sluiced
	start_sluiced "$file"
	[ "$(status .daemon.adopted)" = true ] || fail "restart $kills did not adopt the pinned state"
	[ "$(status .blocked.total)" = "$SOURCES" ] ||
		fail "after kill $kills $(status .blocked.total) sources are blocked"
done
windows 2
expect "packets of blocked sources delivered over $KILLS kills" \
	$(($(probe_count within) - delivered)) "==" 0
expect "packets that missed the feature program" \
	$(($(status .passes.no_features.packets) - misses)) "==" 0
expect "packets dropped meanwhile" $(($(total_drops) - dropped)) ">" 100000
kill -TERM "$FLOOD"
wait "$FLOOD"
stop "$PROBE"
stop "$SLUICED" || fail "sluiced does not end cleanly"
