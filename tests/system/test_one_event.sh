#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A flood of constant rate for sixty windows is one attack, although after the first windows none of
# its packets survives the filter.

. "$(dirname "$0")/lib.sh"

lab_enter "$0" "$@"
lab_network 2
file=$(config one_event <<-'EOT'
	version: 1
	interfaces: [eth0]
	window: 100ms
	detectors: [{ plugin: threshold, options: { source_pps: 50 } }]
	rate_monitor: { quiet: 20, windows: 5 }
EOT
)
start_sluiced "$file"
start_flood "$SERVER" --sources 100 --distribution cycle --rate 50k --duration 60
wait_for 10 status_is .attack.active true || fail "the attack is not seen"
first=$(status .window.count)
wait_for 10 status_is .blocked.total 100 || fail "not all sources get blocked"
wait_for 20 windows_passed "$first" 60 || fail "no sixty windows"
expect "packets a second that survive the filter" "$(status .traffic.passed_pps)" "<" 1000
expect "the attack goes on" "$(status .attack.active)" is true
expect "attacks counted" "$(status .attack.count)" "==" 1
expect "events attack_started" "$(events attack_started)" "==" 1
expect "events attack_ended" "$(events attack_ended)" "==" 0
kill -TERM "$FLOOD"
wait "$FLOOD"
wait_for 20 status_is .attack.active false || fail "the end of the attack is not seen"
expect "events attack_ended after the flood" "$(events attack_ended)" "==" 1
expect "attacks counted in the end" "$(status .attack.count)" "==" 1
wait_for 20 status_is .blocked.total 0 || fail "the quiet sources are not released"
ok "all sources are released"
stop "$SLUICED" || fail "sluiced does not end cleanly"
