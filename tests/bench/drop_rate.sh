#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How many packets a second one core makes, carries over a veth and drops: by a bare XDP_DROP, which
# looks nothing up, and by Sluice with so many blocked sources.  The generator shares the core, so
# its own cost is in every figure: compare rows of one run.

. "$(dirname "$0")/../system/lib.sh"

SECONDS_EACH=3
CPU=1

# rate ADDRESS SOURCES: packets per second delivered and dropped.
rate() {
	flood "$1" --sources "$2" --cpu "$CPU" --fifo --duration "$SECONDS_EACH"
	json '(.accepted / .seconds / 1e4 | round) / 100' "$LAB/flood.json"
}

row() {
	printf '  %-44s %10s\n' "$1" "$2"
}

bare() {
	start probe "$BIN/sluice-probe" --dev eth0 --sources 198.18.0.0-198.255.255.255 --drop ||
		fail "sluice-probe does not start"
	row "bare XDP_DROP, IPv4" "$(rate "$SERVER" 10000)"
	stop "$STARTED" >/dev/null
	start probe "$BIN/sluice-probe" --dev eth0 --sources 2001:db8::-2001:dff:: --drop ||
		fail "sluice-probe does not start"
	row "bare XDP_DROP, IPv6" "$(rate "$SERVER6" 10000)"
	stop "$STARTED" >/dev/null
}

# by_sluice ADDRESS SOURCES WHAT
by_sluice() {
	file=$(config bench <<-'EOT'
		version: 1
		interfaces: [eth0]
		window: 500ms
		detectors: [{ plugin: threshold, options: { source_pps: 1 } }]
		policy: { max_new_per_window: 200k, max_blocked: 200k }
		rate_monitor: { quiet: 1, windows: 1000 }
	EOT
	)
	start_sluiced "$file"
	# Each source once or more within a window, so that the detector sees all of them.
	start_flood "$1" --sources "$2" --distribution cycle --rate 2M --duration 60
	wait_for 60 status_is .blocked.total "$2" ||
		fail "$3: only $(status .blocked.total) sources are blocked"
	kill -TERM "$FLOOD"
	wait "$FLOOD"
	row "Sluice, $2 blocked sources, $3" "$(rate "$1" "$2")"
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	sluice detach >/dev/null || fail "cannot detach"
}

lab_enter "$0" "$@"
lab_network 2
row "" "M packets/s"
bare
for sources in 1000 10000 100000; do
	by_sluice "$SERVER" "$sources" IPv4
done
by_sluice "$SERVER6" 10000 IPv6
