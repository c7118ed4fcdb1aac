#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A back end that is not in the tree: plugins/template is copied, built against the installed headers,
# installed, conforms, is named in the deployment file, and the daemon drives it under an attack.  Its
# card takes rules and drops nothing, as it says of itself: the daemon finds that out, and no packet of
# a blocked source gets through.  A kill leaves its rules to the next daemon, SIGTERM leaves none.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/foreign.sh"

SOURCES=20
CARD=$LAB/card
RECORD=24 # Bytes of a rule in the file: struct sluice_backend_rule.

# write OPTIONS
write() {
	cat >"$file" <<-EOT
		version: 1
		interfaces: [eth0]
		window: 200ms
		plugin_path: $PLUGINS
		detectors: [{ plugin: threshold, options: { source_pps: 20 } }]
		rate_monitor: { quiet: 1, windows: 1000 }
		offload: { backend: mybackend, options: $1 }
	EOT
}

card_rules() {
	od -An -v -tx1 -w$RECORD "$CARD" | grep -vcE '^( 00)+$'
}

has_rules() {
	[ "$(card_rules)" -gt 0 ]
}

attack() {
	start_flood "$SERVER" --sources "$SOURCES" --distribution cycle --rate 4k --duration 170
}

attack_ends() {
	kill -TERM "$FLOOD"
	wait "$FLOOD" || fail "sluice-gen failed"
	windows 3
}

lab_enter "$0" "$@"
lab_network 2
install_sluice
install_template
echo "table: $CARD" >"$LAB/options.yaml"
sluice plugins test "$PLUGINS/mybackend.so" --options "$LAB/options.yaml" >"$LAB/conform.log" 2>&1 ||
	fail "it does not conform"

file=$LAB/card.yaml
write "{ tabel: $CARD }"
sluice check "$file" >"$LAB/check.log" 2>&1 && fail "an option that it has not is taken"
grep -q "did you mean 'table'" "$LAB/check.log" || fail "of a misspelt option is said: $(cat "$LAB/check.log")"
write "{ table: $CARD }"
sluice check "$file" >"$LAB/check.log" 2>&1 || fail "the deployment file is refused"
start_installed "$file"
expect "the back end, whether it is emulated and counts" \
	"$(status '.offload | "\(.backend), \(.emulated), \(.counters)"')" is "mybackend, true, false"

start_probe --sources 198.18.0.0-198.18.255.255
attack
wait_for 30 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
wait_for 10 has_rules || fail "no rule gets into its table"
windows 2
delivered=$(probe_count within)
said() {
	sluice events --json | grep -q 'the card took the rule, but the packets still arrive'
}
wait_for 30 said || fail "nobody notices that it drops nothing"
windows 5
expect "packets of blocked sources delivered" $(($(probe_count within) - delivered)) == 0

# Rules that do nothing leave and come back, until nothing is sent any more.
attack_ends
for _ in 1 2 3 4 5; do
	! has_rules || break
	attack
	wait_for 60 has_rules || fail "no rule gets into its table again"
	attack_ends
done
stop "$PROBE"
rules=$(card_rules)
expect "rules that stay when the attack is over" "$rules" '>' 0
expect "rules in its table, as the daemon says" "$(status .offload.entries)" == "$rules"
kill_sluiced
expect "rules after a kill" "$(card_rules)" == "$rules"
start_installed "$file"
wait_for 20 status_is .offload.entries "$rules" || fail "the rules are not taken over"
expect "sources blocked after a kill" "$(status .blocked.total)" == "$SOURCES"
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules at the end" "$(card_rules)" == 0
