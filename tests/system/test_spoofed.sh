#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# From one end to the other: configs/edge-server.yaml, a client whose handshake is complete, a flood of
# forged SYNs.  A detector finds it and asks for a rule, the rule drops the flood and lists nobody, and
# the client is served all the time.  Then the same with a signature that fits the client's own SYNs,
# which pass because it is known, while a stranger's do not.

. "$(dirname "$0")/lib.sh"

# The automatic rule that is in force.
rule() {
	sluice rules --json | json "[.rules[] | select(.origin == \"signature\")][0].$1"
}

# A connection of its own from ADDRESS; its exit status.
client() {
	curl -s -o /dev/null --max-time 2 --interface "$1" "http://$SERVER:9815/metrics"
}

# flooded FIRST_SOURCE: a flood; the client asks again and again until it is over.
flooded() {
	expect "clients known" "$(status .known.established)" '>=' 1
	before=$(total_drops)
	start_flood "$SERVER" --protocol tcp-syn --to-port 9815 --sources 500k --source-base "$1" \
		--rate 40k --duration 10
	while ! gone "$FLOOD"; do
		client 10.0.0.12 || fail "request $((requests + 1)) of the known client fails"
		requests=$((requests + 1))
		[ -n "$stranger" ] || status_is .rules.automatic 0 || {
			client 10.0.0.14
			stranger=$?
		}
	done
	wait "$FLOOD" || fail "sluice-gen failed"
	expect "automatic rules" "$(status .rules.automatic)" == 1
	expect "sources listed" "$(status .blocked.total)" == 0
	say "rule: $(rule name): $(rule match)"
	expect "share of the flood that was dropped, in percent" \
		"$((($(total_drops) - before) * 100 / $(json .accepted "$LAB/flood.json")))" '>=' 80
}

lab_enter "$0" "$@"
lab_network 2
add_clients 12 14
sed 's/metrics: .*/metrics: "0.0.0.0:9815"/' "$ROOT/configs/edge-server.yaml" >"$LAB/edge.yaml"
start_sluiced "$LAB/edge.yaml"
mkfifo "$LAB/open"
curl -s --interface 10.0.0.12 --max-time 150 "telnet://$SERVER:9815" >/dev/null 2>&1 <"$LAB/open" &
exec 9>"$LAB/open"
wait_for 20 at_least .known.established 1 || fail "the client is not known"
wait_for 20 windows_passed 0 5 || fail "no windows"

requests=0 stranger=none
flooded 198.18.0.0
expect "requests served during the flood" "$requests" '>' 20
expect "the rule" "$(rule name | sed 's/\..*//')" is syn_no_options

# The metrics' listener closes idle connections: a new one is open before the next flood.
cat >"$LAB/own.yaml" <<-'EOT'
	signatures:
	  - name: any_syn
	    help: Every SYN to the service, whatever its options.
	    pps: 2k
	    match: { protocol: tcp, destination_port: 9815, tcp_flags: "syn,!ack" }
	    action: drop
EOT
sed -i "s|plugin: signature|{ plugin: signature, options: { builtin: false, signatures: $LAB/own.yaml } }|" \
	"$LAB/edge.yaml"
sluice reload >"$LAB/reload.log" 2>&1 || fail "cannot reload"
wait_for 120 status_is .rules.automatic 0 || fail "the first rule is not released"
curl -s --interface 10.0.0.12 --max-time 60 "telnet://$SERVER:9815" >/dev/null 2>&1 <"$LAB/open" &
wait_for 20 at_least .known.established 1 || fail "the client is not known"
requests=0 stranger=
flooded 198.32.0.0
expect "requests served during the flood" "$requests" '>' 20
expect "the rule" "$(rule name | sed 's/\..*//')" is any_syn
expect "what a stranger's connection comes to (28: no answer)" "$stranger" == 28
expect "packets of the known client that the rule spared" "$(status .passes.known.packets)" '>' 0
exec 9>&-
stop "$SLUICED" || fail "sluiced does not end cleanly"
