# SPDX-License-Identifier: BSD-2-Clause
# A hybrid mitigation, for the tests of several back ends: the daemon, a flood of $SOURCES sources, a
# card that holds rules for $K of them, and what must hold whatever is done to the card meanwhile.
# Included after lib.sh.  The script says what its card tells of itself:
#   card_rules     how many rules of ours it holds
#   card_dropped   how many packets it has dropped
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

SOURCES=60
K=24
HEAVIEST=198.18.0.$((SOURCES / 2))

# hybrid_daemon BACKEND [MORE]: with more of its section in the deployment file, ", key: value".
hybrid_daemon() {
	file=$(config hybrid <<-EOT
		version: 1
		interfaces: [{ name: eth0, mode: native }]
		placement: hybrid
		window: 400ms
		detectors: [{ plugin: threshold, options: { source_pps: 5 } }]
		rate_monitor: { quiet: 1, windows: 100 }
		offload: { backend: $1${2:-} }
	EOT
	)
	start_sluiced "$file"
}

# What the daemon says of the card, which is a simulation.
expect_simulation() {
	expect "the card's driver, and whether it is a simulation" \
		"$(status '.offload | "\(.driver), \(.emulated)"')" is "simnic, true"
}

card_is_full() {
	[ "$(card_rules)" -eq "$K" ]
}

# none_passes WHAT: in three windows; sets $by_card and $by_filter, packets that each dropped in them.
none_passes() {
	before=$(probe_count within)
	by_card=$(card_dropped)
	by_filter=$(total_drops)
	wait_for 60 windows_passed "$(status .window.count)" 3 || fail "$1: the windows do not go on"
	by_card=$(($(card_dropped) - by_card))
	by_filter=$(($(total_drops) - by_filter))
	expect "$1: packets of the attack delivered" $(($(probe_count within) - before)) == 0
	expect "$1: sources blocked" "$(status .blocked.total)" == "$SOURCES"
}

# full_again WHAT: after something was done to the card.
full_again() {
	wait_for 60 card_is_full || fail "$1: the card holds $(card_rules) rules and not $K"
	none_passes "$1"
	expect "$1: of these dropped by the card" "$by_card" '>' 0
}

# attack WHAT: until the card is full.  At a rate that an emulated CPU can send beside all else.
attack() {
	start_probe --sources 198.18.0.0-198.19.255.255
	counts_begin
	hits=$(card_dropped)
	flood_on "$1"
	# The heaviest 24 of 60 send 0.55 of all; any 24 send 0.40.
	expect "$1: share dropped by the card" \
		"$(echo "$by_card $by_filter" | awk '{ print $1 / ($1 + $2) }')" '>=' 0.47
}

# flood_on WHAT: the same without accounts.
flood_on() {
	start_flood "$SERVER" --sources "$SOURCES" --distribution gaussian:0.3 --rate 1k --slice 0.2 \
		--duration 1200
	wait_for 60 status_is .blocked.total "$SOURCES" || fail "$1: not all sources get blocked"
	full_again "$1"
}

# attack_ends WHAT [LOST]: all that the link took was dropped by the card or the filter, or delivered,
# but for LOST packets.
attack_ends() {
	kill -TERM "$FLOOD"
	wait "$FLOOD" || fail "sluice-gen failed"
	counts_end
	hits=$(($(card_dropped) - hits))
	say "$1: dropped by the card $hits, lost ${2:-0}"
	expect_conserved $(($(json .accepted "$LAB/flood.json") - hits - ${2:-0}))
	stop "$PROBE"
}

# expect_counted: the card's counters are the engine's.
expect_counted() {
	wait_for 20 status_is '.traffic.hw_pps > 0' true || fail "the card's counters are not merged"
	sluice explain "$HEAVIEST" --json >"$LAB/explain.json" || fail "explain"
	expect "state of the heaviest source" "$(json .state "$LAB/explain.json")" is offloaded
	expect "its packets/s by the card's counter" "$(json .hw_pps "$LAB/explain.json")" '>' 0
}

# killed COMMAND...: the daemon, as by a crash; then the command; the next daemon takes the rules over.
killed() {
	kill_sluiced
	expect "rules in the card after a kill" "$(card_rules)" == "$K"
	"$@"
	start_sluiced "$file"
	wait_for 20 status_is .offload.entries "$K" || fail "the card's rules are not taken over"
}
