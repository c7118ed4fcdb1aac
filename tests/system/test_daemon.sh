#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The daemon as a citizen of its machine: capabilities, signals, metrics, memory of its state.

. "$(dirname "$0")/lib.sh"

# CAP_NET_ADMIN 12, CAP_PERFMON 38, CAP_BPF 39
KEPT=000000c000001000

capability_set() {
	awk -v set="$1:" '$1 == set { print $2 }' "/proc/$SLUICED/status"
}

capabilities() {
	for set in CapEff CapPrm; do
		expect "$set" "$(capability_set "$set")" is "$KEPT"
	done
	# Nothing that it ever executes gets more.
	for set in CapInh CapBnd CapAmb; do
		expect "$set" "$(capability_set "$set")" is 0000000000000000
	done
	# Each thread has sets of its own.
	for thread in /proc/"$SLUICED"/task/*; do
		held=$(awk '$1 == "CapPrm:" { print $2 }' "$thread/status")
		[ $((0x$held & ~0x$KEPT)) -eq 0 ] || fail "thread ${thread##*/} kept more: $held"
		bounds=$(awk '$1 == "CapBnd:" { print $2 }' "$thread/status")
		[ $((0x$bounds)) -eq 0 ] || fail "thread ${thread##*/} is not bound: $bounds"
	done
	ok "no thread has more"
}

metrics() {
	on_server curl -sf http://127.0.0.1:9815/metrics >"$LAB/metrics" || fail "no metrics"
	for reason in pass no_features exempt not_ip blocked blocked_prefix malformed spoofed_own \
		rule rate_limited; do
		grep -q "^sluice_packets_total{reason=\"$reason\"" "$LAB/metrics" ||
			fail "metrics: reason $reason is missing"
	done
	for stage in swap grace read rates detect policy offload; do
		grep -q "^sluice_window_stage_seconds{stage=\"$stage\"}" "$LAB/metrics" ||
			fail "metrics: stage $stage is missing"
	done
	for name in sluice_blocklist_entries sluice_blocklist_capacity sluice_windows_total; do
		grep -q "^$name" "$LAB/metrics" || fail "metrics: $name is missing"
	done
	[ -z "$(sed -n 's/^\([a-z_]*\)[{ ].*/\1/p' "$LAB/metrics" | sort -u | while read -r name; do
		grep -q "^# TYPE $name " "$LAB/metrics" || echo "$name"
	done)" ] || fail "metrics: a family has no TYPE"
	ok "metrics: $(grep -vc '^#' "$LAB/metrics") samples"
	expect "metrics on other paths" \
		"$(on_server curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9815/x)" == 404
}

reload() {
	sed -i 's/source_pps: 2k/source_pps: 3k/' "$file"
	kill -HUP "$SLUICED"
	wait_for 10 event_is reloaded || fail "SIGHUP does not reload"
	echo "nonsense: 1" >>"$file"
	kill -HUP "$SLUICED"
	wait_for 10 event_is config_refused || fail "SIGHUP with a bad file is not refused"
	sed -i '/nonsense/d' "$file"
	windows 2
	expect "blocks after reloads" "$(status .blocked.total)" == 2
}

event_is() {
	sluice events --json | jq -se --arg kind "$1" 'any(.[]; .kind == $kind)'
}

# A daemon that ends leaves the filter at work; the next one goes on where it stopped.
stop_and_adopt() {
	stop "$SLUICED" || fail "SIGTERM: exit code $?"
	[ ! -S /run/sluice/control.sock ] || fail "the control socket is left behind"
	on_server ip link show eth0 | grep -q xdp || fail "the filter is gone with the daemon"
	start_sluiced "$file"
	expect "adopted" "$(status .daemon.adopted)" is true
	expect "blocks adopted" "$(status .blocked.total)" == 2
	expect "why the adopted one is blocked" "$(sluice explain --json 198.51.100.7 | json .detector)" \
		is operator
}

# Automatic blocks that lapsed while no daemon was there do not come back with the next one.
lapse() {
	start_flood "$SERVER" --source-base 198.18.0.1 --rate 20k --duration 60
	wait_for 30 status_is .blocked.total 3 || fail "a loud source is not blocked beside those by hand"
	stop "$FLOOD"
	kill_sluiced
	sleep 1.5
	start_sluiced "$file"
	expect "blocks after on_death" "$(status .blocked.total)" == 2
	expect "the loud source" "$(sluice explain --json 198.18.0.1 | json .verdict)" is passed
	expect "the one by hand" "$(sluice explain --json 198.51.100.7 | json .verdict)" is dropped
}

detach() {
	stop "$SLUICED" || fail "SIGTERM: exit code $?"
	sluice detach >"$LAB/detach.log" 2>&1 || fail "cannot detach"
	on_server ip link show eth0 | grep -q xdp && fail "detach leaves the filter"
	[ -z "$(pinned)" ] || fail "detach leaves pins"
	ok "detach leaves nothing"
}

lab_enter "$0" "$@"
lab_network 2
file=$(config daemon <<-'EOT'
	version: 1
	interfaces: [eth0]
	window: 100ms
	detectors: [{ plugin: threshold, options: { source_pps: 2k } }]
	on_death: { expire: 1s }
EOT
)
start_sluiced "$file"
capabilities
sluice block 198.51.100.7 >/dev/null || fail "cannot block"
sluice block 2001:db8:7::/64 >/dev/null || fail "cannot block"
metrics
reload
stop_and_adopt
lapse
detach
