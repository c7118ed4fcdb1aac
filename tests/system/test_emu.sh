#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The conformance run over the back end `emu`, with cards of several kinds; it leaves each card empty.

. "$(dirname "$0")/lib.sh"

# conforms NAME OPTION...: a card made with these options, and the run over it.
conforms() {
	name=$1
	shift
	"$BIN/sluice-emu-card" create --pin "/sys/fs/bpf/$name" "$@" || fail "no card '$name'"
	printf 'card: /sys/fs/bpf/%s\n' "$name" >"$LAB/$name.options"
	"$BIN/sluice" plugins test --json --options "$LAB/$name.options" --interface lo \
		"$BUILD/lib/sluice/plugins/emu.so" >"$LAB/$name.json" || {
		cat "$LAB/$name.json" >&2
		fail "emu does not conform with a card made by: $*"
	}
	expect "cases that failed: $*" "$(jq '[.cases[] | select(.result == "FAILED")] | length' \
		"$LAB/$name.json")" "==" 0
	expect "cases that passed: $*" "$(jq '[.cases[] | select(.result == "ok")] | length' \
		"$LAB/$name.json")" ">=" "$passing"
	expect "rules left in the card" "$("$BIN/sluice-emu-card" show --pin "/sys/fs/bpf/$name" \
		--json | jq '.rules | length')" "==" 0
	"$BIN/sluice-emu-card" destroy --pin "/sys/fs/bpf/$name" || fail "the card stays"
}

lab_enter "$0" "$@"
passing=9
conforms small --capacity 300
conforms whole --capacity 4096 --v6-prefix 128
passing=8
conforms silent --capacity 300 --no-counters
