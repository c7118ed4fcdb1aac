#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# placement: smartnic.  The card's own Linux lies between the wire and a host: sluiced runs there,
# with the emulated table in front of it and the filter on its port to the wire.  Of a flood the host
# sees nothing, others are forwarded to it, and the host runs nothing of Sluice.

. "$(dirname "$0")/lib.sh"

HOST=10.1.0.2
CARD=/sys/fs/bpf/card0
SOURCES=300

# Runs a command in the host's network namespace.
on_host() {
	nsenter -t "$HOST_PID" -n "$@"
}

# IP packets: neighbours ask for each other meanwhile.
received() {
	# shellcheck disable=SC2016 # awk's fields
	on_host awk '$1 == "Ip:" && $3 ~ /[0-9]/ { print $4 }' /proc/net/snmp
}

# Nobody listens there: a refusal (7) came from the host, silence (28) from nowhere.
host_answers() {
	curl -s --max-time 2 "http://$HOST:9/"
	[ $? = 7 ]
}

# The host lies behind the "server", which is the card's Linux here.
host_network() {
	unshare --net sh -c "touch $LAB/host && exec sleep infinity" &
	HOST_PID=$!
	wait_for 10 test -e "$LAB/host" || fail "cannot make the host's namespace"
	on_host sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	on_server sysctl -qw net.ipv4.ip_forward=1
	on_server ip link add pf0 type veth peer name host0 netns "$HOST_PID" ||
		fail "cannot make the link to the host"
	on_server sysctl -qw net.ipv6.conf.pf0.disable_ipv6=1
	on_server ip addr add 10.1.0.1/24 dev pf0
	on_server ip link set pf0 multicast off up
	on_host ip addr add "$HOST/24" dev host0
	on_host ip link set host0 multicast off up
	on_host ip route add default via 10.1.0.1
	ip route add 10.1.0.0/24 via "$SERVER"
	wait_for 10 host_answers || fail "the card's Linux does not forward to the host"
}

lab_enter "$0" "$@"
lab_network 2
host_network
"$BIN/sluice-emu-card" create --pin "$CARD" --capacity 64 >"$LAB/card.log" 2>&1 ||
	fail "cannot make the emulated NIC"
file=$(config smartnic <<-EOT
	version: 1
	interfaces: [eth0]
	placement: smartnic
	window: 100ms
	plugin_path: $BUILD/lib/sluice/plugins
	detectors: [{ plugin: threshold, options: { source_pps: 50 } }]
	rate_monitor: { quiet: 1, windows: 100 }
	offload: { backend: emu, options: { card: $CARD } }
EOT
)
start_sluiced "$file"
expect "the placement in the status" "$(status .placement)" is smartnic

start_flood "$HOST" --card "$CARD" --sources "$SOURCES" --distribution cycle --rate 60k --duration 40
wait_for 30 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
wait_for 20 status_is .offload.entries 64 || fail "the table on the card is not filled"
windows 3
before=$(received)
expect "packets that reached the host before it was blocked" "$before" ">" 10
dropped=$(total_drops)
hits=$("$BIN/sluice-emu-card" show --pin "$CARD" --json | json .dropped_packets)
windows 10
expect "packets of the flood that reach the host" $(($(received) - before)) == 0
expect "packets that the filter on the card dropped" $(($(total_drops) - dropped)) '>' 1000
expect "packets that the table dropped before it" \
	$(($("$BIN/sluice-emu-card" show --pin "$CARD" --json | json .dropped_packets) - hits)) '>' 100
wait_for 10 host_answers || fail "the host cannot be reached during the flood"
ok "others are forwarded"
kill -TERM "$FLOOD"
wait "$FLOOD"
stop "$SLUICED" || fail "sluiced does not end cleanly"
