#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A card whose driver asks it for counters every 1.5 s, under a daemon with windows of 0.2 s: in most
# windows nothing new is known of a source, and no source of a flood may be called quiet for that.
# Sources that do fall silent are released all the same.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

SOURCES=20

lab_network 4
knob refresh_ms 1500
file=$(config counters <<-EOT
	version: 1
	interfaces: [eth0]
	placement: hybrid
	window: 200ms
	detectors: [{ plugin: threshold, options: { source_pps: 5 } }]
	rate_monitor: { quiet: 1, windows: 5 }
	offload: { backend: flower }
EOT
)
start_sluiced "$file"
start_flood "$SERVER" --sources "$SOURCES" --distribution cycle --rate 1k --slice 0.2 --duration 1200
wait_for 60 status_is .offload.entries "$SOURCES" || fail "not all sources get into the card"
before=$(status .blocked.released_total)
windows 60
expect "sources in the card" "$(status .offload.entries)" == "$SOURCES"
expect "sources released in 60 windows of a flood" $(($(status .blocked.released_total) - before)) == 0

kill -TERM "$FLOOD"
wait "$FLOOD" || fail "sluice-gen failed"
wait_for 60 status_is .blocked.total 0 || fail "sources that are silent stay blocked"
wait_for 60 status_is .offload.entries 0 || fail "they stay in the card"
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect_no_complaint
