#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A detector that is not in the tree: while an attack runs, plugins/template is copied, built against
# the installed headers, installed, named in the deployment file and reloaded into the running daemon.
# It blocks the attackers; no packet of anybody else is lost, before, during or after.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/foreign.sh"

write() {
	cat >"$file" <<-EOT
		version: 1
		interfaces: [eth0]
		window: 100ms
		plugin_path: $PLUGINS
		policy: { min_pass: 0 }
		detectors:
		  - { plugin: threshold, options: { source_pps: 1G } }
		$1
	EOT
}

lab_enter "$0" "$@"
lab_network 2
install_sluice
file=$LAB/foreign.yaml
write ''
start_installed "$file"
start_probe --sources 198.19.0.0-198.19.0.255 --drop

start_flood "$SERVER" --sources 8 --source-base 198.18.0.0 --rate 400k --duration 120
"$BIN/sluice-gen" --dev a0 --to "$SERVER" --to-mac "$SERVER_MAC" --sources 16 \
	--source-base 198.19.0.0 --rate 8k --duration 120 >"$LAB/benign.json" 2>"$LAB/benign.log" &
benign=$!
wait_for 10 status_is '.traffic.passed_pps > 100000' true || fail "the attack does not arrive"
expect "sources blocked without it" "$(status .blocked.total)" == 0

install_template
sluice plugins list --plugin-path "$PLUGINS" | grep -q ^mydetector || fail "it is not listed"
write '  - { plugin: mydetector, options: { limit: 20k } }'
expect "what a reload would do with it" \
	"$(sluice reload --dry-run --json | json '.detectors[] | select(.name == "mydetector") | .fate')" \
	is added
expect "sources blocked before the reload" "$(status .blocked.total)" == 0
before=$(status .window.count)
sluice reload >"$LAB/reload.log" 2>&1 || fail "the reload is refused"
wait_for 10 status_is .blocked.total 8 || fail "it does not block"
expect "windows until all attackers are blocked" "$(($(status .window.count) - before))" '<=' 10
sluice explain --json 198.18.0.3 >"$LAB/explain.json" || fail "cannot explain"
expect "who asked" "$(json .detector "$LAB/explain.json")" is mydetector
expect "why" "$(json .reason "$LAB/explain.json")" is my_limit
windows 3
expect "packets a second that survive the filter" "$(status .traffic.passed_pps)" '<' 20000

# Other options, taken into the running daemon the same way; the attackers stay blocked.
write '  - { plugin: mydetector, options: { limit: 15k } }'
expect "what becomes of it" \
	"$(sluice reload --dry-run --json | json '.detectors[] | select(.name == "mydetector") | .fate')" \
	is recreated
sluice reload >>"$LAB/reload.log" 2>&1 || fail "the second reload is refused"
windows 3
expect "sources blocked" "$(status .blocked.total)" == 8

kill -TERM "$FLOOD" "$benign"
wait "$FLOOD" "$benign"
accepted=$(json .accepted "$LAB/benign.json")
windows 2
say "attack: $(json -c . "$LAB/flood.json")"
say "benign: $(json -c . "$LAB/benign.json")"
expect "packets of others" "$accepted" '>' 5000
expect "of these not delivered" "$((accepted - $(probe_count within)))" == 0
expect "share of the attack that was dropped, in percent" \
	"$(($(total_drops) * 100 / $(json .accepted "$LAB/flood.json")))" '>' 0
stop "$SLUICED" || fail "sluiced does not end cleanly"
