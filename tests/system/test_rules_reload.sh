#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Rules of the deployment file change 24 times under full-rate traffic, by `sluice reload` and by
# SIGHUP: two rules that both match all of it change places, and a third comes and goes.  A packet
# that saw half a set, or none, would be delivered or be counted by no rule; one whose counter did
# not survive the change would be missing at the end.

. "$(dirname "$0")/lib.sh"

N_RELOADS=24

# write FIRST SECOND [LINE]: the deployment file, with rules in this order.
write() {
	cat >"$file" <<-EOT
		version: 1
		interfaces: [eth0]
		window: 100ms
		detectors: []
		rules:
		  - { name: $1, match: { protocol: udp }, action: drop }
		  - { name: $2, match: { protocol: udp }, action: drop }
		${3:-}
	EOT
}

# counted NAME: packets that a rule matched since it has its name.
counted() {
	sluice rules --json | json "[.rules[] | select(.name == \"$1\") | .packets] | add"
}

reloads_are() {
	[ "$(events reloaded)" = "$1" ]
}

first_rule_is() {
	[ "$(sluice rules --json | json '.rules[0].name')" = "$1" ]
}

# reload_in_turn I: by request and by signal, turn about.
reload_in_turn() {
	case $(($1 % 4)) in
	0) write left right ;;
	1) write right left ;;
	2) write left right '  - { name: third, match: { protocol: tcp, ttl: 1-3 }, action: drop }' ;;
	3) write right left '  - { name: third, match: { protocol: tcp, ttl: 1-9 }, action: drop }' ;;
	esac
	before=$(events reloaded)
	if [ $(($1 % 3)) = 0 ]; then
		kill -HUP "$SLUICED"
	else
		timeout 30 nsenter -t "$SERVER_PID" -n -m "$BIN/sluice" reload >"$LAB/reload.log" 2>&1 ||
			fail "reload $1 is refused"
	fi
	wait_for 10 reloads_are $((before + 1)) || fail "reload $1 did not take place in 10 s"
	[ $(($1 % 2)) = 0 ] && first=left || first=right
	wait_for 10 first_rule_is "$first" || fail "reload $1: '$first' is not first after 10 s"
}

lab_enter "$0" "$@"
lab_network 2
file=$LAB/rules_reload.yaml
write left right
start_sluiced "$file"
start_probe --sources 198.18.0.0-198.18.255.255 --drop
# shellcheck disable=SC2046 # a list of addresses
sluice block $(seq -f '198.18.0.%.0f' 1 32) >/dev/null || fail "cannot block"
start_flood "$SERVER" --sources 4096 --source-base 198.18.0.0 --duration 90 --protocol udp
for i in $(seq "$N_RELOADS"); do
	reload_in_turn "$i"
done
kill -TERM "$FLOOD"
wait "$FLOOD"
accepted=$(json .accepted "$LAB/flood.json")
windows 2
left=$(counted left) right=$(counted right) blocked=$(status .drops.blocked.packets)
say "accepted $accepted: left $left, right $right, blocked $blocked"
expect "reloads" "$(events reloaded)" == "$N_RELOADS"
expect "sources blocked" "$(status .blocked.total)" == 32
expect "packets" "$accepted" '>' 1000000
expect "packets that the first of them dropped" "$left" '>' $((accepted / 100))
expect "packets that the other dropped" "$right" '>' $((accepted / 100))
expect "packets of blocked sources" "$blocked" '>' 0
expect "packets without a rule" "$((accepted - left - right - blocked))" == 0
expect "packets delivered" "$(probe_count within)" == 0
expect "packets dropped by rules, as the filter counts" "$(status .drops.rule.packets)" == \
	"$((left + right))"
stop "$SLUICED" || fail "sluiced does not end cleanly"
