#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The main job of Sluice on real packets: a web server with clients, an attack of 10,000 sources and
# 2 million packets a second, and what is left for the clients without Sluice, with the cheapest
# possible filter, and with Sluice.  Exit code 0 only if the recovery really happened.
#
# Two CPUs model a flooded server: the flood is generated and received on the server's CPU with
# real-time priority, as a network card's interrupts would be; clients have the other CPU.

. "$(dirname "$0")/../lib.sh"
. "$HERE/scene.sh"

OFFERED=2000000
SOURCES=10000
FIRST_SOURCE=198.18.0.0
LAST_SOURCE=198.18.39.15
CLIENTS=64 # Ordinary ones with one connection each; the 65th has HEAVY_CONNECTIONS.
HEAVY_CONNECTIONS=20
CARD=/sys/fs/bpf/card0 # configs/demo.yaml names it
CARD_CAPACITY=8192 # What an Intel Flow Director holds at most.
WORLD_CPU=0
SERVER_CPU=1
CONFIG=$ROOT/configs/demo.yaml

START=$(date +%s%3N)

elapsed() {
	awk -v ms=$(($(date +%s%3N) - START)) 'BEGIN { printf "%5.1f s", ms / 1000 }'
}

tell() {
	printf '[%s] %s\n' "$(elapsed)" "$*"
}

# 12345678 -> 12,345,678
group() {
	printf '%s\n' "$1" | awk '{
		for (n = sprintf("%.0f", $1); length(n) > 3; n = substr(n, 1, length(n) - 3))
			tail = "," substr(n, length(n) - 2) tail
		print n tail
	}'
}

# 1999983 -> 2.00 M
mega() {
	awk -v n="$1" 'BEGIN { printf "%.2f M", n / 1e6 }'
}


# phase NAME: keeps the figures of the measurement and the attack just made, and tells them.
phase() {
	printf '%s|%s|%s|%s|%s|%s|%s\n' "$1" "${ATTACK_OFFERED:-0}" "${ATTACK_DELIVERED:-0}" \
		"$GOODPUT" "$SERVED" "$MEDIAN" "$HEAVIEST" >>"$LAB/phases"
	if [ -n "${ATTACK_OFFERED:-}" ]; then
		tell "  attack: offered $(mega "$ATTACK_OFFERED")pps, sent $(mega "$ATTACK_SENT")pps," \
			"dropped by the card $(mega "$ATTACK_CARD")pps," \
			"delivered to the server $(mega "$ATTACK_DELIVERED")pps;" \
			"$ATTACK_CPU of the server's CPU time"
	fi
	tell "  $(group "$GOODPUT") requests/s from $SERVED clients (median $(group "$MEDIAN")," \
		"heaviest $(group "$HEAVIEST"))"
	ATTACK_OFFERED=
	ATTACK_DELIVERED=
}

# figure NAME COLUMN: from what phase() kept.
figure() {
	awk -F '|' -v name="$1" -v column="$2" '$1 == name { print $column }' "$LAB/phases"
}

in_peace() {
	tell "peace: nobody attacks"
	sleep 1
	measure 4
	phase peace
}

attack_without_sluice() {
	tell "attack without Sluice: UDP from $(group "$SOURCES") sources," \
		"$(mega "$OFFERED")pps offered"
	attack_start
	sleep 2
	measure 6
	attack_stop
	phase without
}

# The reference.  Measured before and after Sluice, so that a change in what else the machine does
# shows, and half of it cancels out.
attack_with_bare_drop() {
	tell "$2"
	start probe "$BIN/sluice-probe" --dev eth0 --sources "$FIRST_SOURCE-$LAST_SOURCE" --drop ||
		fail "sluice-probe does not start"
	probe=$STARTED
	attack_start
	sleep 2
	measure 6
	attack_stop
	stop "$probe"
	tell "  it dropped $(group "$(json .within "$LAB/probe.log")") packets"
	phase "$1"
}

status() {
	on_server "$BIN/sluice" status --json >"$LAB/status.json" 2>"$LAB/status.log"
}

attack_is_detected() {
	status && [ "$(json .attack.active "$LAB/status.json")" = true ]
}

blocklist_is_empty() {
	status && [ "$(json .blocked.total "$LAB/status.json")" = 0 ]
}

card_is_empty() {
	status && [ "$(json .offload.entries "$LAB/status.json")" = 0 ]
}

# watch LINES: what Sluice does, every two seconds; seldom, and with few processes, for they cost CPU
# time that the clients need.
watch() {
	line=0
	while [ "$line" -lt "$1" ]; do
		measure_from_before 2
		status || fail "sluiced does not answer"
		jq -r --arg goodput "$GOODPUT" '[.blocked.total, .drops.blocked.pps, .traffic.hw_pps,
			.offload.entries, .offload.capacity, $goodput] | join(" ")' "$LAB/status.json" |
			awk -v ms=$(($(date +%s%3N) - START)) '
				function group(n) {
					while (n ~ /[0-9][0-9][0-9][0-9]/)
						sub(/[0-9][0-9][0-9]($|,)/, ",&", n)
					return n
				}
				{
					printf "[%5.1f s] %9s %14s %14s %13s %12s\n", ms / 1000, group($1),
						group($2), group($3), $4 "/" $5, group($6)
				}'
		line=$((line + 1))
	done
}

# Asks sluiced about every client; adds to BLOCKED_CLIENTS those that it would not let through.
ask_about_clients() {
	client=1
	while [ "$client" -le $((CLIENTS + 1)) ]; do
		on_server "$BIN/sluice" explain --json "10.0.2.$client" || fail "sluice explain fails"
		client=$((client + 1))
	done >"$LAB/explained"
	BLOCKED_CLIENTS=$((BLOCKED_CLIENTS + $(jq -s 'map(select(.verdict != "passed")) | length' \
		"$LAB/explained")))
}

attack_with_sluice() {
	tell "the same attack, and Sluice is started while it goes on"
	BLOCKED_CLIENTS=0
	attack_start
	sleep 1
	begun=$(date +%s%3N)
	start sluiced setsid "$BIN/sluiced" --config "$CONFIG" || fail "sluiced does not start"
	SLUICED=$STARTED
	prefer "$SLUICED"
	tell "  sluiced is ready on eth0, $(($(date +%s%3N) - begun)) ms after its start"
	wait_for 10 attack_is_detected || fail "sluiced does not see the attack"
	tell "  DETECTED $(($(date +%s%3N) - begun)) ms after its start, by" \
		"$(json '[.detectors[] | select(.attack) | "\(.name): \(.evidence)"] | join("; ")' \
			"$LAB/status.json")"
	printf '%9s %9s %14s %14s %13s %12s\n' "" blocked "XDP drops/s" "card drops/s" "card table" \
		requests/s
	sample >"$LAB/before"
	watch 1
	cp "$LAB/before" "$LAB/first"
	watch 4
	mv "$LAB/first" "$LAB/before"
	measure_from_before 0
	cp "$LAB/status.json" "$LAB/during.json"
	ask_about_clients
	attack_stop
	phase with
}

after_attack() {
	tell "the attack is over"
	ended=$(date +%s%3N)
	sleep 1
	measure 4
	phase after
	wait_for 20 blocklist_is_empty || fail "the rate monitor does not empty the blocklist"
	wait_for 10 card_is_empty || fail "the card's table is not emptied"
	tell "  the rate monitor has released all sources, $(($(date +%s%3N) - ended)) ms after the end"
	ask_about_clients
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	on_server "$BIN/sluice" detach >"$LAB/detach.log" 2>&1 || fail "sluice detach fails"
}

row() {
	printf '  %-36s %9s %9s %10s\n' "$2" "$(mega "$(figure "$1" 2)")" "$(mega "$(figure "$1" 3)")" \
		"$(group "$(figure "$1" 4)")"
}

table() {
	say
	printf '  %-36s %9s %9s %10s\n' "" offered delivered requests/s
	row peace "peace"
	row without "attack, without Sluice"
	row bare "attack, bare XDP_DROP of its sources"
	row with "attack, with Sluice"
	row again "attack, bare XDP_DROP again"
	row after "after the attack"
	say
}

# check WHAT A OPERATOR B: one line of the verdict, by awk.
check() {
	outcome=ok
	if ! awk -v a="$2" -v b="$4" "BEGIN { exit !(a $3 b) }"; then
		outcome=NOT
		BROKEN=1
	fi
	printf '  %-5s %s: %s (%s %s)\n' "$outcome" "$1" "$2" "$3" "$4"
}

# Cut, not rounded: what is shown as reaching a bar has reached it.
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b ? int(1000 * a / b) / 1000 : 0 }'
}

verdict() {
	BROKEN=
	bare=$(awk -v a="$(figure bare 4)" -v b="$(figure again 4)" 'BEGIN { print (a + b) / 2 }')
	check "requests/s with Sluice / without" \
		"$(ratio "$(figure with 4)" "$(figure without 4)")" ">=" 2.5
	check "requests/s with Sluice / with a bare XDP_DROP" \
		"$(ratio "$(figure with 4)" "$bare")" ">=" 0.85
	for name in without bare with again; do
		check "packets/s offered, phase '$name'" "$(figure $name 2)" ">=" "$OFFERED"
	done
	check "client addresses served in peace" "$(figure peace 5)" ">=" 64
	check "heaviest client / median, in peace" \
		"$(ratio "$(figure peace 7)" "$(figure peace 6)")" ">=" 15
	check "legitimate clients blocked" "$BLOCKED_CLIENTS" "==" 0
	check "sources blocked at the end of the attack" "$(json .blocked.total "$LAB/during.json")" \
		"<=" "$SOURCES"
	check "entries in the emulated NIC" "$(json .offload.entries "$LAB/during.json")" ">" 0
}

# Says so if other programs use the machine, for which none of the figures is made.
look_at_machine() {
	busy=$(awk '/^cpu / && !total { total = $2 + $3 + $4 + $7 + $8; all = total + $5 + $6; next }
		/^cpu / { printf "%.0f", ($2 + $3 + $4 + $7 + $8 - total) * 100 / ($2 + $3 + $4 + $5 + $6 + $7 + $8 - all) }
		' "$LAB/stat1" "$LAB/stat2")
	[ "$busy" -lt 15 ] || tell "note: other programs use $busy % of this machine; figures will be disturbed"
}

lab_enter "$0" "$@"
cat /proc/stat >"$LAB/stat1"
sleep 0.5
cat /proc/stat >"$LAB/stat2"
[ "$(nproc)" -ge 2 ] || fail "the demo needs two CPUs: one for the server, one for its clients"
taskset -pc "$WORLD_CPU" $$ >/dev/null
look_at_machine
tell "making the scene: two network namespaces, a web server, $((CLIENTS + 1)) clients"
lab_network 2
"$BIN/sluice-emu-card" create --pin "$CARD" --capacity "$CARD_CAPACITY" --interface a0 \
	>"$LAB/card.log" 2>&1 || fail "cannot make the emulated NIC"
make_server
make_clients
in_peace
attack_without_sluice
attack_with_bare_drop bare \
	"the same attack, and the cheapest filter there is: a bare XDP_DROP of its sources"
attack_with_sluice
after_attack
attack_with_bare_drop again "the reference once more: a bare XDP_DROP of the same attack"
table
verdict
if [ -n "$BROKEN" ]; then
	say "Demo failed after $(elapsed): what is marked NOT did not happen."
	exit 1
fi
say "Demo passed in $(elapsed | tr -s ' '): the clients got their server back while the attack went on."
