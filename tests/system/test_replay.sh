#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `sluice replay` as a user runs it, on captures that the test makes: every kind of file, its JSON, CSV
# and picture, the exit codes, and a suite whose controls must miss the bar.

. "$(dirname "$0")/lib.sh"

film() {
	"$BIN/sluice-film" "$@" || fail "sluice-film $*"
}

replay() {
	"$BIN/sluice" replay "$@" 2>"$LAB/replay.log"
}

# dry FILE [OPTION...]: a dry run's JSON in $LAB/dry.json.
dry() {
	capture=$1
	shift
	replay --config "$edge" --json "$@" "$capture" >"$LAB/dry.json" || fail "dry run of $capture"
}

# refused TEXT ARG...: exit code 2 with TEXT in the message, and nothing on standard output.
refused() {
	text=$1
	shift
	replay "$@" >"$LAB/refused.txt"
	expect "exit code without '$text'" $? == 2
	grep -qF -- "$text" "$LAB/replay.log" || fail "no '$text': $(cat "$LAB/replay.log")"
	[ ! -s "$LAB/refused.txt" ] || fail "output beside the refusal"
}

control() {
	cat >"$LAB/control-$1.yaml" <<-EOT
		version: 1
		interfaces: [lo]
		plugin_path: $LAB/plugins
		detectors: [{ plugin: control, options: { what: $1 } }]
		policy: { min_pass: 0 }
	EOT
}

formats() {
	film clients "$LAB/usual.pcap" --seconds 10 >"$LAB/count"
	n=$(cat "$LAB/count")
	dry "$LAB/usual.pcap"
	expect "packets of a dry run" "$(json '.runs[0] | .packets + .outbound' "$LAB/dry.json")" == "$n"
	expect "sources blocked" "$(json .total.sources_blocked "$LAB/dry.json")" == 0
	for link in raw sll sll2 null; do
		film clients "$LAB/$link.pcap" --seconds 10 --link $link >/dev/null
		dry "$LAB/$link.pcap"
		expect "packets of link type $link" "$(json .runs[0].packets "$LAB/dry.json")" == "$n"
	done
	film clients "$LAB/ng.pcapng" --seconds 10 --ng >/dev/null
	dry "$LAB/ng.pcapng"
	expect "packets of pcapng" "$(json .runs[0].packets "$LAB/dry.json")" == "$n"
	film clients "$LAB/snap.pcap" --seconds 10 --snap 40 >/dev/null
	dry "$LAB/snap.pcap"
	expect "packets cut to 40 bytes" "$(json .runs[0].packets "$LAB/dry.json")" == "$n"
	# Runts are counted; what has an Ethernet header alone is judged, and passes.
	for snap in 0 13 14 33 64; do
		film clients "$LAB/snap.pcap" --seconds 10 --snap $snap >/dev/null
		dry "$LAB/snap.pcap"
		expect "packets and runts cut to $snap bytes" \
			"$(json '.runs[0] | .packets + .runt' "$LAB/dry.json")" == "$n"
		expect "of them runts" "$(json .runs[0].runt "$LAB/dry.json")" == \
			$((snap < 14 ? n : 0))
	done
	film clients "$LAB/years.pcap" --seconds 10 --jump 300000000 >/dev/null
	dry "$LAB/years.pcap"
	expect "gaps cut, of years" "$(json .clock.gaps_cut "$LAB/dry.json")" == 1
	expect "virtual time, ms" "$(json .runs[0].length_ms "$LAB/dry.json")" '<' 12000
	film clients "$LAB/back.pcap" --seconds 10 --jump -100000000 >/dev/null
	dry "$LAB/back.pcap"
	expect "steps back" "$(json .clock.steps_back "$LAB/dry.json")" == 1
	film clients "$LAB/runt.pcap" --seconds 10 --runt >/dev/null
	dry "$LAB/runt.pcap"
	expect "runts" "$(json .runs[0].runt "$LAB/dry.json")" == 1
	expect "packets beside it" "$(json .runs[0].packets "$LAB/dry.json")" == "$n"
	head -c 20000 "$LAB/usual.pcap" >"$LAB/cut.pcap"
	dry "$LAB/cut.pcap"
	grep -qF "$LAB/cut.pcap" "$LAB/replay.log" || fail "no word of the file that breaks off"
	expect "packets of it" "$(json .runs[0].packets "$LAB/dry.json")" '>' 100
}

refusals() {
	echo "no capture at all, but a line of text" >"$LAB/text.pcap"
	: >"$LAB/empty.pcap"
	refused "$LAB/text.pcap" --config "$edge" "$LAB/text.pcap"
	refused "$LAB/empty.pcap" --config "$edge" "$LAB/empty.pcap"
	refused "$LAB/nosuch.pcap" --config "$edge" "$LAB/nosuch.pcap"
	refused "$LAB" --config "$edge" "$LAB"
	refused "not a regular file" --config "$edge" /dev/null
	head -c 24 "$LAB/usual.pcap" >"$LAB/header.pcap"
	refused "the captures hold no packet" --config "$edge" "$LAB/header.pcap"
	refused "no packet of the attack captures" --config "$edge" --attack "$LAB/header.pcap" \
		--benign "$LAB/usual.pcap"
	# The link type is the last word of the header: 802.11.
	{
		head -c 20 "$LAB/usual.pcap"
		printf '\151\000\000\000'
		tail -c +25 "$LAB/usual.pcap"
	} >"$LAB/wireless.pcap"
	refused "link type 105" --config "$edge" "$LAB/wireless.pcap"
	refused "--role: 'sever' is not" --config "$edge" --role sever "$LAB/usual.pcap"
	refused "--labels is of the captures of --attack" --config "$edge" --labels x "$LAB/usual.pcap"
	refused "no captures" --config "$edge"
	refused "--config FILE is missing" "$LAB/usual.pcap"
	refused "$LAB/nosuch.yaml" --config "$LAB/nosuch.yaml" "$LAB/usual.pcap"
	refused "did you mean --benign?" --config "$edge" --bening "$LAB/usual.pcap"
	refused "did you mean 'entropy'?" --config "$edge" --only entrop "$LAB/usual.pcap"
	refused "no detector 'nosuch'" --config "$edge" --set nosuch.a=1 "$LAB/usual.pcap"
	refused "source_pps" --config "$edge" --set threshold.source_ppss=1 "$LAB/usual.pcap"
	refused "no captures" --config "$edge" --suite "$LAB"
	echo 'windows_to_enfore: 2' >"$LAB/wrong-bar.yaml"
	refused "windows_to_enforce" --config "$edge" --bar "$LAB/wrong-bar.yaml" "$LAB/usual.pcap"
	refused "--attack-filter: libpcap refuses" --config "$edge" --attack "$LAB/suite/attack/syn.pcap" \
		--benign "$LAB/usual.pcap" --attack-filter 'no such thing'
}

# Beside each capture of an attack its labels.
make_suite() {
	mkdir -p "$LAB/suite/attack" "$LAB/suite/benign"
	film syn "$LAB/suite/attack/syn.pcap" --seconds 1 >/dev/null
	echo 'attack: "tcp"
spoofed: yes' >"$LAB/suite/attack/syn.pcap.labels.yaml"
	film reflect "$LAB/suite/attack/reflect.pcapng" --seconds 1 --ng >/dev/null
	echo 'attack: "udp src port 161"' >"$LAB/suite/attack/reflect.pcapng.labels.yaml"
	film clients "$LAB/suite/benign/a.pcap" --seconds 20 >/dev/null
	film clients "$LAB/suite/benign/b.pcap" --seconds 20 --base 10.7.0.0 >/dev/null
}

attack() {
	replay --config "$edge" --attack "$LAB/suite/attack/syn.pcap" --window 100ms \
		--warmup "$LAB/suite/benign/a.pcap" --benign "$LAB/suite/benign/b.pcap" \
		--phases 2 --json "$@"
}

# mixed FILTER WANTED OPTION...: a figure of a mix in which an option says so.
mixed() {
	figure=$1 wanted=$2
	shift 2
	attack --phase 0s "$@" >"$LAB/mixed.json" || fail "a mix with $*"
	expect "$figure with $*" "$(json "$figure" "$LAB/mixed.json")" is "$wanted"
}

# The attack has 4,000 packets/s, to a port that no client uses.
options() {
	mixed ".runs[0].attack_at_ms, .total.attack_packets" "$(printf '10000\n12000')" \
		--attack-at 10s --attack-for 3s
	mixed .total.attack_packets 20000 --attack-rate 2k
	mixed .runs[0].attack_at_ms 30250 --phase 250ms
	mixed .runs[0].outbound 0 --direction in
	mixed '[.detectors[].name] | join(",")' signature --only signature
	mixed '.total.attack_packets' 40000 --role asis --protect 10.99.0.0/24
	mixed '.total.attack_packets' 40000 --rewrite-dst 198.51.100.7 --rewrite-dport 443 --trim
	echo 'ignore: "tcp"' >"$LAB/ignore.yaml"
	replay --config "$edge" --attack "$LAB/suite/attack/syn.pcap" --benign \
		"$LAB/suite/benign/b.pcap" --labels "$LAB/ignore.yaml" >/dev/null
	expect "exit code when labels leave no packet of the attack" $? == 2
	mixed '.total.attack_packets' 40000 --attack-filter 'tcp[13] = 2' --respoof off
	# Four rounds of the 20 s in the time of one.
	mixed '.total.benign_packets > 20000' true --overlay --speed 4
}

reports() {
	attack --csv "$LAB/w.csv" --svg "$LAB/w.svg" >"$LAB/attack.json" || fail "an attack"
	expect "members of total that the manual lists" "$(json '.total | [has("attack_packets",
		"attack_dropped", "attack_after_enforcement", "attack_dropped_after_enforcement",
		"benign_packets", "benign_dropped", "known_clients", "known_clients_harmed",
		"new_clients", "new_clients_harmed", "sources_blocked", "rules_enforced",
		"released_ms", "packets_per_s")] | all' "$LAB/attack.json")" is true
	expect "members beside it" "$(json '[.detectors[0] | has("name", "detected", "enforced_ms",
		"windows_to_enforce")] + [.rules[0] | has("reason", "detector", "match", "packets")] +
		[.clock | has("gaps_cut", "steps_back")] | all' "$LAB/attack.json")" is true
	expect "runs" "$(json '.runs | length' "$LAB/attack.json")" == 2
	expect "share of the attack dropped after enforcement" \
		"$(json '.total | .attack_dropped_after_enforcement / .attack_after_enforcement' \
			"$LAB/attack.json")" '>' 0.95
	expect "clients harmed" "$(json '.total | .known_clients_harmed + .new_clients_harmed' \
		"$LAB/attack.json")" == 0
	expect "columns of every line of the CSV" "$(awk -F, '{ print NF }' "$LAB/w.csv" | sort -u |
		wc -l)" == 1
	windows=$(($(wc -l <"$LAB/w.csv") - 1))
	expect "its $windows windows are those of one run" \
		"$(json "[.runs[].windows == $windows] | any" "$LAB/attack.json")" is true
	grep -q '</svg>' "$LAB/w.svg" || fail "no picture"
	cp "$LAB/w.svg" "$LAB/w1.svg"
	attack --csv "$LAB/w2.csv" --svg "$LAB/w.svg" >"$LAB/again.json" || fail "the attack again"
	cmp "$LAB/attack.json" "$LAB/again.json" || fail "not the same bytes of JSON"
	cmp "$LAB/w.csv" "$LAB/w2.csv" || fail "not the same bytes of CSV"
	cmp "$LAB/w.svg" "$LAB/w1.svg" || fail "not the same picture"
	ok "the same input and seed, the same bytes"
	attack --seed 2 >"$LAB/other.json" || fail "the attack with another seed"
	! cmp -s "$LAB/attack.json" "$LAB/other.json" || fail "another seed makes no difference"
	replay --diff "$edge" "$LAB/control-never.yaml" --attack "$LAB/suite/attack/syn.pcap" \
		--benign "$LAB/suite/benign/a.pcap" --phases 1 --json >"$LAB/diff.json" ||
		fail "--diff"
	expect "what A drops and B does not" "$(json '(.a.total.attack_dropped > 0) and
		.b.total.attack_dropped == 0' "$LAB/diff.json")" is true
	attack --bar "$bar" >/dev/null
	expect "exit code of one mix with a bar" $? == 0
	# The senders are forged, so that none of them sends much.
	attack --bar "$bar" --only threshold >/dev/null
	expect "exit code of a detector that sees no source over its limit" $? == 1
}

# One source with 200 destinations in each window of 100 ms, and no limit that it is over but this.
scan() {
	film scan "$LAB/scan.pcap" --seconds 5 --pps 4000 >/dev/null
	for flows in 0 2k 1999; do
		dry "$LAB/scan.pcap" --role asis --protect 10.99.0.0/24 --window 100ms \
			--set threshold.source_flows=$flows
		[ $flows = 1999 ] && blocked=1 || blocked=0
		expect "sources blocked with source_flows of $flows" \
			"$(json .total.sources_blocked "$LAB/dry.json")" == "$blocked"
	done
	expect "the reason" "$(json '.rules[0].reason' "$LAB/dry.json")" is source_flow_rate
}

# Packets of no connection look like anybody's: nothing but that their senders never come back tells.
outside() {
	for flood in ack fin udp; do
		film $flood "$LAB/$flood.pcap" --seconds 2 --pps 5000 >/dev/null
		replay --config "$edge" --attack "$LAB/$flood.pcap" --attack-filter ip --respoof on \
			--window 100ms --warmup "$LAB/suite/benign/a.pcap" \
			--benign "$LAB/suite/benign/b.pcap" --phases 1 --json >"$LAB/outside.json" ||
			fail "a flood of $flood"
		expect "share of the flood of $flood dropped after enforcement" \
			"$(json '.total | .attack_dropped_after_enforcement / .attack_after_enforcement' \
				"$LAB/outside.json")" '>' 0.9
		expect "known clients harmed by that" \
			"$(json .total.known_clients_harmed "$LAB/outside.json")" == 0
		# Of a handshake the last packet is one as the flood of ACKs has: data does without it.
		[ $flood = ack ] && most=40 || most=0
		expect "packets of clients dropped by that" \
			"$(json .total.benign_dropped "$LAB/outside.json")" '<=' "$most"
	done
}

suites() {
	replay --config "$edge" --suite "$LAB/suite" --bar "$bar" --phases 1 \
		--part native,20k,crowd >"$LAB/suite.txt"
	code=$?
	sed 's/^/  /' "$LAB/suite.txt"
	expect "exit code of the suite" $code == 0
	for what in never sources syn port; do
		controls=$controls,$LAB/control-$what.yaml
	done
	replay --config "$edge" --suite "$LAB/suite" --bar "$bar" --part control \
		--control "$controls" >"$LAB/controls.txt"
	code=$?
	sed 's/^/  /' "$LAB/controls.txt"
	expect "exit code when all controls miss the bar" $code == 0
	expect "controls that miss it" "$(grep -c 'as it must' "$LAB/controls.txt")" == 4
	replay --config "$edge" --suite "$LAB/suite" --bar "$bar" --part control --json \
		--control "$edge" >"$LAB/controls.json"
	expect "exit code when a control reaches the bar" $? == 1
	expect "what it says" "$(json '.missed[0]' "$LAB/controls.json")" is \
		"$edge: a control reaches the bar, which says nothing then"
}

lab_enter "$0" "$@"
edge=$ROOT/configs/edge-server.yaml bar=$ROOT/configs/bars/replay.yaml controls=
plugin_folder "$BUILD/tests/system/control.so" "$HERE/detector/control.plugin.yaml"
for what in never sources syn port; do
	control $what
done
make_suite
formats
refusals
options
reports
scan
outside
suites
