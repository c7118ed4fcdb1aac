#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Under a flood, a card with one fault after the other: slow, refusing, full early, lying, forgetting,
# gone, hanging.  The filter drops what the card was given all the same: not one packet of a blocked
# source gets through, the windows go on, the events say what is wrong, and the daemon ends in time.
# Then the emulated card has faults that come and go, is taken away and put back, and is left empty at
# the end, or as it was if the file says so.

. "$(dirname "$0")/lib.sh"

SOURCES=300
CARD=/sys/fs/bpf/card0

failed() {
	[ "$(events offload_failed)" -ge 1 ]
}

card_entries() {
	"$BIN/sluice-emu-card" show --pin "$CARD" --json | json .used
}

card_is_empty() {
	[ "$(card_entries)" -eq 0 ]
}

card_is_full() {
	[ "$(card_entries)" -eq 64 ]
}

# with_card BACKEND OPTIONS [MORE]: a daemon that has this card, in $file.
with_card() {
	file=$(config card <<-EOT
		version: 1
		interfaces: [eth0]
		window: 100ms
		plugin_path: $LAB/plugins
		detectors: [{ plugin: threshold, options: { source_pps: 50 } }]
		rate_monitor: { quiet: 1, windows: 100 }
		offload: { backend: $1, options: $2${3:-} }
	EOT
	)
	start_sluiced "$file"
}

# At once, so that no call finds half a word.
set_fault() {
	echo "$1" >"$LAB/fault.new"
	mv "$LAB/fault.new" "$LAB/fault"
}

# none_passes WHAT: since $delivered.
none_passes() {
	wait_for 20 windows_passed "$(status .window.count)" 5 || fail "$1: the windows do not go on"
	expect "$1: packets of blocked sources delivered" $(($(probe_count within) - delivered)) == 0
	expect "$1: sources blocked" "$(status .blocked.total)" == "$SOURCES"
}

lab_enter "$0" "$@"
plugin_folder "$BUILD"/lib/sluice/plugins/emu.* "$BUILD"/lib/sluice/plugins/threshold.* \
	"$BUILD/tests/system/faulty.so" "$HERE/backend/faulty.plugin.yaml"
lab_network 2

with_card faulty "{ fault: slow }"
start_probe --sources 198.18.0.0-198.19.255.255
start_flood "$SERVER" --sources "$SOURCES" --distribution cycle --rate 60k --duration 170
wait_for 30 status_is .blocked.total "$SOURCES" || fail "not all sources get blocked"
windows 2
delivered=$(probe_count within)
dropped=$(total_drops)
wait_for 20 status_is '.offload.entries > 20' true || fail "the slow card gets no rules"
none_passes slow

for fault in refuse full lie swallow gone hang; do
	stop "$SLUICED" || fail "$fault: sluiced does not end cleanly"
	with_card faulty "{ fault: $fault }"
	[ "$fault" = lie ] || wait_for 20 failed || fail "$fault: no event tells of it"
	none_passes "$fault"
done
expect "a card that hangs is called healthy" "$(status .offload.healthy)" is false
begin=$(date +%s)
stop "$SLUICED" || fail "sluiced does not end cleanly while its card hangs"
expect "seconds that the end takes while the card hangs" $(($(date +%s) - begin)) '<=' 15

"$BIN/sluice-emu-card" create --pin "$CARD" --capacity 64 >"$LAB/card.log" 2>&1 ||
	fail "cannot make the emulated NIC"
with_card emu "{ card: $CARD, fault_file: $LAB/fault }"
wait_for 20 card_is_full || fail "the emulated card is not filled"
none_passes "full at 64"
# Each fault begins with an empty table, so that there is something to do.
for fault in slow refuse lie gone; do
	set_fault "forget refuse"
	wait_for 20 card_is_empty || fail "$fault: the card does not forget"
	set_fault "$fault"
	none_passes "fault_file: $fault"
	[ "$fault" = slow ] || expect "fault_file: $fault: rules in the card" "$(card_entries)" == 0
	rm "$LAB/fault"
	wait_for 60 card_is_full || fail "$fault: the card is not filled again"
done
set_fault hang
wait_for 30 status_is .offload.healthy false || fail "nobody notices that the card hangs"
none_passes "fault_file: hang"
rm "$LAB/fault"
wait_for 20 status_is .offload.healthy true || fail "the card that came back is not called healthy"
"$BIN/sluice-emu-card" destroy --pin "$CARD" >"$LAB/card.log" 2>&1 || fail "cannot take the card away"
wait_for 20 status_is .offload.healthy false || fail "nobody notices that the card is gone"
none_passes "card taken away"
"$BIN/sluice-emu-card" create --pin "$CARD" --capacity 64 >"$LAB/card.log" 2>&1 ||
	fail "cannot put the card back"
wait_for 60 card_is_full || fail "the card that came back is not filled"
wait_for 20 status_is .offload.healthy true || fail "the card that came back is not called healthy"
none_passes "card put back"
kill_sluiced
expect "rules in the card after a kill" "$(card_entries)" == 64
start_sluiced "$file"
wait_for 20 status_is .offload.entries 64 || fail "the card's rules are not taken over"
none_passes "after a kill"
expect "packets dropped meanwhile" $(($(total_drops) - dropped)) '>' 100000
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules in the card at the end" "$(card_entries)" == 0
with_card emu "{ card: $CARD }" ", flush_on_exit: false"
wait_for 20 card_is_full || fail "the emulated card is not filled again"
kill -TERM "$FLOOD"
wait "$FLOOD"
stop "$PROBE"
stop "$SLUICED" || fail "sluiced does not end cleanly"
expect "rules in the card at the end, if they are to be kept" "$(card_entries)" == 64
