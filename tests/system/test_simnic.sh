#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The simulated card itself: what its rules say happens to packets, its counters are exact, it is
# full when it says so, and its knobs do what they are for.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

EACH=500

# received: packets of the flood that came to the server's stack, where nobody listens; those by which
# the kernel finds its neighbours and groups are no UDP.
received() {
	# shellcheck disable=SC2016 # awk's fields
	on_server awk '$1 == "Udp:" && $3 ~ /[0-9]/ { n += $3 } $1 == "Udp6NoPorts" { n += $2 } END { print n }' \
		/proc/net/snmp /proc/net/snmp6
}

# All that came into the rings has been counted as received.
quiet() {
	[ "$(on_server cat /sys/class/net/eth0/statistics/rx_packets)" = \
		"$(on_server ethtool -S eth0 | awk '/rx_queue/ { n += $2 } END { print n }')" ]
}

# send ADDRESS: EACH packets by each of five sources, 198.18.0.0 to .4 or 2001:db8:0:0::1 to
# 2001:db8:0:4::1; sets $arrived: those that came to the stack, in packets of one source.
send() {
	before=$(received)
	flood "$1" --sources 5 --distribution cycle --count $((5 * EACH)) --from-port 1000
	wait_for 5 quiet || fail "frames stay in the card's rings"
	expect "packets that the wire took" "$(json .accepted "$LAB/flood.json")" == $((5 * EACH))
	arrived=$(($(received) - before))
	expect "in whole sources" $((arrived % EACH)) == 0
	arrived=$((arrived / EACH))
}

# flower PRIORITY SOURCE: a drop in hardware only.
flower() {
	case $2 in
	*:*) family=ipv6 ;;
	*) family=ip ;;
	esac
	on_server tc filter add dev eth0 ingress prio "$1" protocol $family \
		flower skip_sw src_ip "$2" action drop 2>"$LAB/tc.log"
}

# counted PRIORITY: packets by the hardware counter of the filter at this priority.
counted() {
	on_server tc -s filter show dev eth0 ingress prio "$1" |
		sed -n 's/.*Sent hardware [0-9]* bytes \([0-9]*\) pkt.*/\1/p'
}

in_hardware() {
	on_server tc filter show dev eth0 ingress prio "$1" | grep -c '^ *in_hw'
}

# ethtool 6.1 calls it success when an insert fails.
ntuple() {
	on_server ethtool -N eth0 "$@" >"$LAB/ethtool.log" 2>&1 &&
		! grep -q '^rmgr: Cannot' "$LAB/ethtool.log"
}

refused_because() {
	grep -q "$2" "$1" || fail "no '$2', but: $(cat "$1")"
	ok "refused: $2"
}

lab_network 4
send "$SERVER"
expect "sources that pass an empty table" "$arrived" == 5

on_server tc qdisc add dev eth0 clsact || fail "no clsact"
flower 10 198.18.0.0 || fail "flower IPv4"
flower 11 2001:db8::/63 || fail "flower IPv6"
expect "filters in hardware" "$(in_hardware 10)+$(in_hardware 11)" is "1+1"

knob capacity 2
flower 12 198.18.0.1 && fail "a full table took a rule"
refused_because "$LAB/tc.log" "the card's table is full"
ntuple flow-type ip4 src-ip 198.18.0.1 action -1 && fail "a full table took an ntuple rule"
refused_because "$LAB/ethtool.log" "No space left on device"
knob capacity 4096

ntuple flow-type ip4 src-ip 198.18.0.1 action -1 || fail "ntuple drop"
expect "location that the driver chose" "$(sed -n 's/^Added rule with ID //p' "$LAB/ethtool.log")" == 0
ntuple flow-type udp4 src-ip 198.18.0.2 action 3 loc 7 || fail "ntuple queue"
ntuple flow-type ip6 src-ip 2001:db8:0:2::1 action -1 loc 9 || fail "ntuple IPv6"
knob lie Y
flower 13 198.18.0.3 || fail "a lying card says no"
knob lie N
expect "filters in hardware, says a lying card" "$(in_hardware 13)" == 1
expect "rules in the table" "$(card_stat table_rules)" == 5

steered=$(card_stat table_steered)
send "$SERVER"
expect "IPv4 sources that pass, with two rules that drop" "$arrived" == 3
expect "counted by flower's rule" "$(counted 10)" == "$EACH"
expect "counted by the rule that is not there" "$(counted 13)" == 0
expect "steered by ntuple" $(($(card_stat table_steered) - steered)) == "$EACH"
expect "of these in its queue, at least" "$(card_stat rx_queue_3_packets)" ">=" "$EACH"
send "$SERVER6"
expect "IPv6 sources that pass, with rules for two and for one" "$arrived" == 2
expect "counted by flower's rule" "$(counted 11)" == $((2 * EACH))
expect "dropped by the table in all" "$(card_stat table_dropped)" == $((5 * EACH))

knob fail 2
flower 14 198.18.0.4 && fail "a failing card took a rule"
refused_because "$LAB/tc.log" "the card did not answer"
ntuple delete 7 && fail "a failing card deleted a rule"
ntuple delete 7 || fail "the failures do not end"
knob delay_us 300000
begin=$(date +%s%3N)
flower 14 198.18.0.4 || fail "a slow card takes no rule"
expect "milliseconds that a rule takes a slow card" $(($(date +%s%3N) - begin)) ">=" 300
knob delay_us 0
expect "rules in the table" "$(card_stat table_rules)" == 5

knob reset 1
expect "rules after a reset" "$(card_stat table_rules)" == 0
expect "ntuple rules after a reset" "$(on_server ethtool -n eth0 | grep -c '^Filter:')" == 0
expect "what the kernel thinks is in hardware" "$(in_hardware 10)" == 1
send "$SERVER"
expect "sources that pass after a reset" "$arrived" == 5
expect "counted by flower's rule until then" "$(counted 10)" == "$EACH"

on_server ip link del eth0 || fail "the card stays"
[ ! -e "$CARD" ] || fail "its knobs stay"
[ ! -e /sys/class/net/a0 ] || fail "the other end of its wire stays"
rmmod simnic || fail "the module stays"
expect_no_complaint
