#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The simulated card itself: what its rules say happens to packets, its counters are exact, it is
# full when it says so, and its knobs do what they are for.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/simnic.sh"
simnic_enter "$0" "$@"

N=1000

# received PROTOCOL: packets that came to the server's stack, Ip or Ip6.
received() {
	if [ "$1" = Ip ]; then
		# shellcheck disable=SC2016 # awk's fields
		on_server awk '$1 == "Ip:" && $3 ~ /[0-9]/ { print $4 }' /proc/net/snmp
	else
		# shellcheck disable=SC2016 # awk's fields
		on_server awk '$1 == "Ip6InReceives" { print $2 }' /proc/net/snmp6
	fi
}

# send SOURCE: N packets; sets $arrived, those that came to the stack.
send() {
	case $1 in
	*:*) protocol=Ip6 server=$SERVER6 ;;
	*) protocol=Ip server=$SERVER ;;
	esac
	before=$(received $protocol)
	flood "$server" --source-base "$1" --count "$N" --from-port 1000
	wait_for 5 quiet || fail "frames stay in the card's rings"
	expect "packets that the wire took" "$(json .accepted "$LAB/flood.json")" == "$N"
	arrived=$(($(received $protocol) - before))
}

# All that came into the rings has been counted as received.
quiet() {
	[ "$(on_server cat /sys/class/net/eth0/statistics/rx_packets)" = \
		"$(on_server ethtool -S eth0 | awk '/rx_queue/ { n += $2 } END { print n }')" ]
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

lab_network 4
send 198.18.0.7
expect "IPv4 packets through an empty table" "$arrived" == "$N"
send 2001:db8::1
expect "IPv6 packets through an empty table" "$arrived" == "$N"

on_server tc qdisc add dev eth0 clsact || fail "no clsact"
flower 10 198.18.0.7 || fail "flower IPv4"
flower 11 2001:db8::/64 || fail "flower IPv6"
expect "IPv4 filters in hardware" "$(in_hardware 10)" == 1
send 198.18.0.7
expect "arrived of a source that flower drops" "$arrived" == 0
expect "counted by its rule" "$(counted 10)" == "$N"
send 198.18.0.8
expect "arrived of its neighbour" "$arrived" == "$N"
send 2001:db8::1
expect "arrived of an IPv6 source that flower drops" "$arrived" == 0
expect "counted by its rule" "$(counted 11)" == "$N"
send 2001:db8:1::1
expect "arrived of another IPv6 source" "$arrived" == "$N"
expect "counted as before" "$(counted 10)+$(counted 11)" is "$N+$N"

knob capacity 2
flower 12 198.18.0.9 && fail "a full table took a rule"
grep -q "the card's table is full" "$LAB/tc.log" || fail "no word of the full table: $(cat "$LAB/tc.log")"
ntuple flow-type ip4 src-ip 198.18.0.9 action -1 && fail "a full table took an ntuple rule"
grep -q "No space left on device" "$LAB/ethtool.log" || fail "not ENOSPC: $(cat "$LAB/ethtool.log")"
knob capacity 4096

ntuple flow-type ip4 src-ip 198.18.0.9 action -1 || fail "ntuple drop"
expect "location that the driver chose" "$(sed -n 's/^Added rule with ID //p' "$LAB/ethtool.log")" == 0
ntuple flow-type udp4 src-ip 198.18.0.10 action 3 loc 7 || fail "ntuple queue"
ntuple flow-type ip6 src-ip 2001:db8:2::1 action -1 loc 9 || fail "ntuple IPv6"
expect "rules in the table" "$(card_stat table_rules)" == 5
send 198.18.0.9
expect "arrived of a source that ntuple drops" "$arrived" == 0
send 2001:db8:2::1
expect "arrived of an IPv6 source that ntuple drops" "$arrived" == 0
steered=$(card_stat rx_queue_3_packets)
send 198.18.0.10
expect "arrived of a source that ntuple steers" "$arrived" == "$N"
expect "of these in the queue that its rule names" $(($(card_stat rx_queue_3_packets) - steered)) == "$N"
expect "dropped by the table in all" "$(card_stat table_dropped)" == $((4 * N))
ntuple delete 9 || fail "ntuple delete"
send 2001:db8:2::1
expect "arrived after its rule is gone" "$arrived" == "$N"

knob fail 2
flower 13 198.18.0.11 && fail "a failing card took a rule"
grep -q "the card did not answer" "$LAB/tc.log" || fail "no word of the failure: $(cat "$LAB/tc.log")"
ntuple delete 7 && fail "a failing card deleted a rule"
ntuple delete 7 || fail "the failures do not end"
knob delay_us 300000
begin=$(date +%s%3N)
flower 13 198.18.0.11 || fail "a slow card takes no rule"
expect "milliseconds that a rule takes a slow card" $(($(date +%s%3N) - begin)) ">=" 300
knob delay_us 0
knob lie Y
flower 14 198.18.0.12 || fail "a lying card says no"
knob lie N
expect "filters in hardware, says the card" "$(in_hardware 14)" == 1
send 198.18.0.12
expect "arrived all the same" "$arrived" == "$N"

knob reset 1
expect "rules after a reset" "$(card_stat table_rules)" == 0
expect "ntuple rules after a reset" "$(on_server ethtool -n eth0 | grep -c '^Filter:')" == 0
expect "what the kernel thinks is in hardware" "$(in_hardware 10)" == 1
send 198.18.0.7
expect "arrived after a reset" "$arrived" == "$N"
expect "counted until the reset" "$(counted 10)" == "$N"

on_server ip link del eth0 || fail "the card stays"
[ ! -e "$CARD" ] || fail "its knobs stay"
[ ! -e /sys/class/net/a0 ] || fail "the other end of its wire stays"
rmmod simnic || fail "the module stays"
expect_no_complaint
