#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Known clients: whom the server spoke to first and who completed a handshake pass a rule that drops a
# forged flood, to the packet; with tcx and with clsact; over a kill.

. "$(dirname "$0")/lib.sh"

# write_config EGRESS [RULES]
write_config() {
	config known <<-EOT
		version: 1
		interfaces: [eth0]
		window: 200ms
		known_clients: { egress: $1 }
		detectors: [ { plugin: threshold, options: { source_pps: 10M } } ]
		control: { metrics: "0.0.0.0:9815" }
		${2:-}
	EOT
}

SYN_RULE='rules: [ { name: syn, match: { protocol: tcp, tcp_flags: "syn,!ack" }, action: drop, exempt_known: true } ]'

reload() {
	sluice reload >"$LAB/reload.log" 2>&1 || fail "cannot reload: $(cat "$LAB/reload.log")"
	windows 2
}

# A connection from ADDRESS that asks for the metrics; its exit status.
client() {
	curl -s -o /dev/null --max-time 2 --interface "$1" "http://$SERVER:9815/metrics"
}

# Everything, with one way of attaching.
life() {
	file=$(write_config "$1")
	start_sluiced "$file"
	expect "attached at tc by" "$(status .known.egress)" is "$1"

	# Nobody listens there, and nobody has to: these are the server's first words.
	on_server curl -s --max-time 1 tftp://10.0.0.11/x >/dev/null 2>&1
	wait_for 15 at_least .known.spoken_first 1 || fail "a resolver is not known"
	expect "first words by UDP" "$(status .known.first_words.udp)" ">=" 1
	ok "whom the server asks by UDP is known"

	# A client whose handshake is complete, for as long as the daemon may take to see it.
	curl -s --interface 10.0.0.12 --max-time 30 "telnet://$SERVER:9815" >/dev/null 2>&1 <"$LAB/open" &
	talker=$!
	exec 9>"$LAB/open"
	wait_for 20 at_least .known.established 1 || fail "a client is not known"
	exec 9>&-
	wait "$talker" 2>/dev/null
	ok "who completed a handshake is known"
	# Its own packets made the stranger nobody's acquaintance.
	client 10.0.0.13 || fail "no service before the rule"

	write_config "$1" "$SYN_RULE" >/dev/null
	reload
	before=$(status .drops.rule.packets)
	spared=$(status .passes.known.packets)
	flood "$SERVER" --protocol tcp-syn --to-port 9815 --sources 100k --source-base 198.18.0.0 \
		--count 500k
	sent=$(json .accepted "$LAB/flood.json")
	wait_for 10 at_least .drops.rule.packets "$((before + sent))" || fail "not all was dropped"
	expect "forged SYNs dropped" "$(($(status .drops.rule.packets) - before))" == "$sent"
	expect "of them spared" "$(($(status .passes.known.packets) - spared))" == 0
	client 10.0.0.12 || fail "the known client gets no service"
	ok "the known client is served"
	client 10.0.0.11 || fail "the resolver's address gets no service"
	ok "and so is whom the server spoke to"
	wait_for 10 at_least .passes.known.packets "$((spared + 2))" || fail "their SYNs are not counted"
	dropped=$(status .drops.rule.packets)
	client 10.0.0.14 && fail "a stranger passes the rule"
	wait_for 10 at_least .drops.rule.packets "$((dropped + 1))" || fail "a stranger's SYN is not counted"

	known=$(status .known.spoken_first)
	kill_sluiced
	expect "pins at tc after a kill" "$(pinned | grep -c "/$2-")" == 2
	# Its page is gone with it; that the server refuses says that the SYN came through.
	client 10.0.0.12
	expect "the known client is told (7: refused; 28: dropped)" "$?" == 7
	client 10.0.0.14
	expect "a stranger is told" "$?" == 28
	ok "the filter goes on sparing without a daemon"
	start_sluiced "$LAB/known.yaml"
	expect "spoken to first, adopted" "$(status .known.spoken_first)" == "$known"
	client 10.0.0.11 || fail "after a restart the resolver's address gets no service"
	stop "$SLUICED"
	sluice detach >"$LAB/detach.log" 2>&1 || fail "cannot detach: $(cat "$LAB/detach.log")"
	expect "pins left" "$(pinned | wc -l)" == 0
	expect "filters of ours left" \
		"$(on_server tc filter show dev eth0 egress | grep -c sluice)" == 0
}

lab_enter "$0" "$@"
lab_network 2
add_clients 11 12 13 14
mkfifo "$LAB/open"
on_server tc qdisc add dev eth0 clsact || skip "this kernel has no clsact"

life clsact cls
if [ "$(uname -r | awk -F. '{ print ($1 * 100 + $2 >= 606) }')" = 1 ]; then
	life tcx tcx
fi
