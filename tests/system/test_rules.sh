#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A flood whose senders are all forged is stopped by one rule that a detector asks for: no source is
# listed, no packet is unaccounted for, the rule outlives a killed daemon and leaves when it is quiet.

. "$(dirname "$0")/lib.sh"

# rule FIELD: of the first rule that is in force.
rule() {
	sluice rules --json | json ".rules[0].$1"
}

lab_enter "$0" "$@"
lab_network 2
plugin_folder "$BUILD/tests/system/aggregate.so" "$HERE/detector/aggregate.plugin.yaml"
file=$(config rules <<-EOT
	version: 1
	interfaces: [eth0]
	window: 250ms
	plugin_path: $LAB/plugins
	detectors: [{ plugin: aggregate, options: { limit: 2k } }]
	policy: { rule_quiet: 2s }
EOT
)
start_sluiced "$file"
start_probe --sources 198.18.0.0-198.33.255.255 --drop
wait_for 10 windows_passed 0 15 || fail "no windows"
counts_begin
start_flood "$SERVER" --sources 1M --rate 50k --duration 5
wait_for 5 status_is .rules.automatic 1 || fail "no rule is enforced"
expect "why" "$(rule name)" is udp_flood.1
expect "who asked" "$(rule origin)" is aggregate
wait_for 5 status_is .spoofed.active true || fail "the senders are not taken for forged"
windows 2
expect "packets a second that survive the filter" "$(status .traffic.passed_pps)" "<" 500
expect "sources listed" "$(status .blocked.total)" "==" 0
expect "the attack goes on" "$(status .attack.active)" is true
sluice explain --json "$(rule name)" >"$LAB/explain.json" || fail "cannot explain the rule"
expect "what it does" "$(json .verdict "$LAB/explain.json")" is drops
# A window between two bursts of the generator is a quiet one.
expect "it is in force" "$(json '.state == "enforced" or .state == "probation"' "$LAB/explain.json")" \
	is true
expect "who wanted it" "$(json '.detectors | join(",")' "$LAB/explain.json")" is aggregate
expect "packets that it dropped" "$(json .dropped_packets "$LAB/explain.json")" ">" 1000
sluice explain "$(rule name)" >"$LAB/explain.txt" || fail "cannot explain the rule"
grep -q '^  leaves  *once quiet for another' "$LAB/explain.txt" || fail "it does not say when it leaves"
expect "columns of it" "$(awk '{ print length }' "$LAB/explain.txt" | sort -n | tail -n 1)" '<=' 80
expect "a source of the flood" "$(sluice explain --json 198.18.0.7 | json .rules)" "==" 1
wait "$FLOOD" || fail "sluice-gen failed"
accepted=$(json .accepted "$LAB/flood.json")
counts_end
say "$(json -c . "$LAB/flood.json")"
expect_conserved "$accepted"
expect "share of the flood that was dropped" "$(((dropped * 100) / accepted))" ">=" 85
wait_for 30 status_is .rules.automatic 0 || fail "the quiet rule is not released"
expect "events rule_enforced" "$(events rule_enforced)" "==" 1
expect "events rule_released" "$(events rule_released)" "==" 1
expect "the rule is remembered" "$(sluice explain --json udp_flood.1 | json .state)" is released

# The next flood; the daemon is killed in it, and the next one goes on with the rule.
start_flood "$SERVER" --sources 1M --seed 2 --rate 50k --duration 60
wait_for 5 status_is .rules.automatic 1 || fail "the rule does not come back"
kept=$(rule name)
kill_sluiced
start_sluiced "$file"
expect "rules taken over" "$(events adopted)" ">=" 1
expect "the same rule" "$(rule name)" is "$kept"
windows 3
expect "packets a second that survive the filter" "$(status .traffic.passed_pps)" "<" 500
expect "sources listed" "$(status .blocked.total)" "==" 0

# The operator ends it; its detector goes on asking and does not get it back.
sluice unblock "$kept" >"$LAB/unblock" || fail "cannot end a rule by hand"
grep -q 'may not have it back for 10m' "$LAB/unblock" || fail "unblock does not say for how long"
windows 3
expect "rules after that" "$(status .rules.automatic)" "==" 0
expect "so the flood passes, packets a second" "$(status .traffic.passed_pps)" ">" 10000
sluice unblock "$kept" 2>"$LAB/unblock" && fail "it was ended twice"
grep -q "no rule '$kept' in force" "$LAB/unblock" || fail "no reason"
kill -TERM "$FLOOD"
wait "$FLOOD"
stop "$SLUICED" || fail "sluiced does not end cleanly"
