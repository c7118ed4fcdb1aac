#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The command line: block, unblock, allow, explain, status, events, check, each with live packets
# where they matter.

. "$(dirname "$0")/lib.sh"

# passes SOURCE ADDRESS: how many of 1,000 packets of SOURCE arrive.
passes() {
	before=$(probe_count within)
	flood "$2" --source-base "$1" --count 1000
	[ "$(json .accepted "$LAB/flood.json")" = 1000 ] || fail "the link did not take 1,000 packets"
	echo $(($(probe_count within) - before))
}

# refused PATTERN ARG...: the command fails and says so in one line.
refused() {
	pattern=$1
	shift
	sluice "$@" >"$LAB/refused.log" 2>&1 && fail "sluice $*: accepted"
	[ "$(wc -l <"$LAB/refused.log")" = 1 ] || fail "sluice $*: not one line"
	grep -qE -- "$pattern" "$LAB/refused.log" || fail "sluice $*: not like '$pattern'"
	ok "$(cat "$LAB/refused.log")"
}

blocking_ipv4() {
	expect "packets passed at first" "$(passes 198.18.0.9 "$SERVER")" == 1000
	sluice block 198.18.0.9 >/dev/null || fail "cannot block"
	expect "packets passed of a blocked source" "$(passes 198.18.0.9 "$SERVER")" == 0
	expect "packets passed of its neighbour" "$(passes 198.18.0.10 "$SERVER")" == 1000
	sluice explain --json 198.18.0.9 >"$LAB/explain.json" || fail "cannot explain"
	expect "verdict" "$(json .verdict "$LAB/explain.json")" is dropped
	expect "detector" "$(json .detector "$LAB/explain.json")" is operator
	sluice unblock 198.18.0.9 >/dev/null || fail "cannot unblock"
	expect "packets passed when released" "$(passes 198.18.0.9 "$SERVER")" == 1000
	expect "verdict when released" "$(sluice explain --json 198.18.0.9 | json .verdict)" is passed
}

blocking_prefixes() {
	sluice block 198.18.4.0/22 >/dev/null || fail "cannot block a prefix"
	expect "packets passed of a blocked prefix" "$(passes 198.18.5.77 "$SERVER")" == 0
	expect "packets passed beside it" "$(passes 198.18.8.1 "$SERVER")" == 1000
	expect "the prefix explains its address" \
		"$(sluice explain --json 198.18.5.77 | json .verdict)" is dropped
	sluice unblock 198.18.4.0/22 >/dev/null || fail "cannot unblock a prefix"
	expect "packets passed when released" "$(passes 198.18.5.77 "$SERVER")" == 1000
}

blocking_ipv6() {
	sluice block 2001:db8:5::/64 >/dev/null || fail "cannot block"
	expect "IPv6 packets passed of a blocked /64" "$(passes 2001:db8:5::77 "$SERVER6")" == 0
	expect "IPv6 packets passed of its neighbour" "$(passes 2001:db8:6::77 "$SERVER6")" == 1000
	sluice unblock 2001:db8:5::/64 >/dev/null || fail "cannot unblock"
	expect "IPv6 packets passed when released" "$(passes 2001:db8:5::77 "$SERVER6")" == 1000
}

allowing() {
	sluice block 198.18.0.20 >/dev/null || fail "cannot block"
	sluice allow 198.18.0.16/28 >/dev/null || fail "cannot allow"
	expect "allow releases what it covers" "$(passes 198.18.0.20 "$SERVER")" == 1000
	refused 'allow' block 198.18.0.21
	expect "allowed" "$(sluice explain --json 198.18.0.21 | json .allowed)" is true
}

# One that is refused does not keep the others from being done.
several_at_once() {
	sluice block 198.18.0.30 198.18.0.31 >/dev/null || fail "cannot block two"
	refused '198\.18\.9\.9 is not blocked' unblock 198.18.9.9
	sluice unblock 198.18.0.30 198.18.9.9 198.18.0.31 >"$LAB/several" 2>&1 && fail "not refused"
	expect "released beside a refused one" "$(grep -c released "$LAB/several")" == 2
	expect "blocked after that" "$(status .blocked.total)" == 0
	sluice block 0.0.0.0 >/dev/null || fail "cannot block 0.0.0.0"
	expect "verdict on 0.0.0.0" "$(sluice explain --json 0.0.0.0 | json .verdict)" is dropped
	sluice unblock 0.0.0.0 >/dev/null || fail "cannot unblock 0.0.0.0"
}

# rule N PATH: of the N-th rule that is listed, counted from 0.
rule() {
	sluice rules --json | json ".rules[$1]$2"
}

# Two rules and their order, by place and by packets, with live packets.
listing_rules() {
	expect "rules listed" "$(sluice rules --json | json '.rules | length')" == 2
	expect "name of the first" "$(rule 0 .name)" is telnet
	expect "match of the first" "$(rule 0 .match)" is 'protocol: tcp, destination_port: 23'
	expect "origin of the first" "$(rule 0 .origin)" is config
	before=$(rule 1 .packets)
	left=$(rule 1 .limit.available)
	expect "packets that the limit would let pass" "$left" == 2000000
	expect "packets passed within the limit" "$(passes 198.18.0.50 "$SERVER")" == 1000
	expect "packets that the second decided on" "$(($(rule 1 .packets) - before))" == 1000
	expect "packets that it dropped" "$(rule 1 .dropped_packets)" == 0
	expect "place of the busiest" "$(sluice rules --json --by packets | json '.rules[0].place')" == 2
	sluice rules --by packets >"$LAB/rules.txt" || fail "cannot show rules"
	grep -q 'lets pass 1,000,000 packets/s' "$LAB/rules.txt" || fail "the page tells no limit"
	expect "columns of rules" "$(awk '{ print length }' "$LAB/rules.txt" | sort -n | tail -n 1)" \
		'<=' 80
	refused 'did you mean --by packets' rules --by packet
}

# A reload shows at once, though the window that runs is a long one.
reloading_shows_at_once() {
	sed -i 's/^window: .*/window: 30s/' "$file"
	sluice reload >/dev/null || fail "cannot reload"
	expect "length of the window after a reload" "$(status .window.length_ns)" == 30000000000
	expect "enforcing before" "$(status .enforce)" is true
	sed -i -e 's/^enforce: true$/enforce: false/' -e '/name: telnet/d' "$file"
	sluice reload >/dev/null || fail "cannot reload"
	expect "enforcing after" "$(status .enforce)" is false
	expect "rules after" "$(sluice rules --json | json '.rules | length')" == 1
}

wrong_use() {
	sluice allow ::/0 >"$LAB/allow.txt" || fail "cannot allow all of IPv6"
	grep -q 'nobody of that family is blocked any more' "$LAB/allow.txt" || fail "it is not said what that means"
	refused "option '--socket' wants a value" --socket
	refused '198\.18\.0\.300' block 198.18.0.300
	refused '198\.18\.0\.1/8' block 198.18.0.1/8
	refused '198\.18\.9\.9' unblock 198.18.9.9
	refused 'blokc.*block' blokc 198.18.0.1
}

seeing() {
	sluice status >"$LAB/status.txt" || fail "cannot show the status"
	grep -q eth0 "$LAB/status.txt" || fail "status does not name the interface"
	expect "columns of status" "$(awk '{ print length }' "$LAB/status.txt" | sort -n | tail -n 1)" \
		'<=' 80
	expect "schema of status --json" "$(status .schema)" == 1
	sluice events >"$LAB/events.txt" || fail "cannot show events"
	[ -s "$LAB/events.txt" ] || fail "there are no events"
	ok "events: $(wc -l <"$LAB/events.txt") lines"
	nsenter -t "$SERVER_PID" -n -m "$BIN/sluice" events --follow --json >"$LAB/follow" 2>&1 &
	follow=$!
	wait_for 5 test -s "$LAB/follow" || fail "events --follow does not begin with what was"
	lines=$(wc -l <"$LAB/follow")
	sluice block 198.18.0.99 >/dev/null || fail "cannot block"
	wait_for 5 more_lines "$LAB/follow" "$lines" || fail "events --follow does not follow"
	kill "$follow"
	wait "$follow" 2>/dev/null
	ok "events --follow follows"
	sluice check "$file" >"$LAB/check.log" 2>&1 || fail "check refuses a good file"
	ok "check: $(tail -n 1 "$LAB/check.log")"
}

# The fastest first, blocked or not.
listing_top() {
	sluice block 198.18.0.60 >/dev/null || fail "cannot block"
	start_flood "$SERVER" --sources 3 --source-base 198.18.0.59 --rate 100k --duration 3
	wait_for 5 top_is 3 || fail "top does not list three sources"
	sluice top >"$LAB/top.txt" || fail "cannot show top"
	expect "columns of top" "$(awk '{ print length }' "$LAB/top.txt" | sort -n | tail -n 1)" '<=' 80
	expect "verdict on the blocked one" "$(json '.sources[] | select(.source == "198.18.0.60") |
		.verdict + " " + .detector' "$LAB/top.json")" is "dropped operator"
	expect "verdict on its neighbour" "$(json '.sources[] | select(.source == "198.18.0.59") |
		.verdict' "$LAB/top.json")" is passed
	expect "lines of the first two" "$(sluice top 2 | wc -l)" == 4
	refused "0 .*1 to 1000|out of range|1 to" top 0
	wait "$FLOOD" || fail "sluice-gen failed"
	sluice unblock 198.18.0.60 >/dev/null || fail "cannot unblock"
}

top_is() {
	sluice top --json >"$LAB/top.json" &&
		[ "$(json '[.sources[] | select(.pps > 10000)] | length' "$LAB/top.json")" = "$1" ]
}

more_lines() {
	[ "$(wc -l <"$1")" -gt "$2" ]
}

without_daemon() {
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	refused '/run/sluice/control.sock' status
	sluice detach >/dev/null || fail "cannot detach"
	refused '' detach
}

lab_enter "$0" "$@"
lab_network 2
file=$(config cli <<-'EOT'
	version: 1
	interfaces: [eth0]
	window: 100ms
	enforce: true
	detectors: [{ plugin: threshold, enforce: false }]
	rules:
	  - { name: telnet, match: { protocol: tcp, destination_port: 23 }, action: drop }
	  - { name: udp, match: { protocol: udp }, action: limit, limit: { rate: 1M, burst: 2M } }
EOT
)
start_sluiced "$file"
start_probe --sources 198.18.0.0-198.19.255.255
blocking_ipv4
blocking_prefixes
several_at_once
allowing
listing_rules
listing_top
stop "$PROBE"
start_probe --sources 2001:db8::-2001:db8:ffff::
blocking_ipv6
stop "$PROBE"
wrong_use
seeing
reloading_shows_at_once
without_daemon
