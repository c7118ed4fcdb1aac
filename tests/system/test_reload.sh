#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Reloads: what `sluice reload` and its dry run tell; a bad file changes nothing; a newer build of a
# detector takes the place of the old one, which is unloaded; and 24 reloads in a row under full-rate
# traffic, which swap detectors, their builds and their options, lose no packet, keep every block and
# the automatic rule.

. "$(dirname "$0")/lib.sh"

# plan FILTER: one value of what a reload would change.
plan() {
	sluice reload --dry-run --json >"$LAB/plan.json" 2>"$LAB/plan.err"
	json "$1" "$LAB/plan.json"
}

# change PATH: "added: -> 5m", of the one change there.
change() {
	plan ".changes[] | select(.path == \"$1\") |
		\"\(.change): \(.before // \"\") -> \(.after // \"\")\""
}

fate() {
	plan ".detectors[] | select(.name == \"$1\") | .fate"
}

# write WINDOW SOURCE_PPS [LINE...]: the deployment file.
write() {
	window=$1 pps=$2
	shift 2
	{
		cat <<-EOT
			version: 1
			interfaces: [eth0]
			window: $window
			plugin_path: $LAB/plugins
			detectors:
			  - { plugin: threshold, options: { source_pps: $pps } }
			  - { plugin: aggregate, options: { limit: 2k } }
			policy: { rule_quiet: 5m, min_pass: 0, spoofed: both, max_new_per_window: 1 }
		EOT
		printf '%s\n' "$@"
	} >"$file"
}

telling() {
	sluice reload --dry-run >"$LAB/plan.txt" || fail "a dry run of the same file is refused"
	grep -q 'would change nothing' "$LAB/plan.txt" || fail "a dry run tells a change"
	write 200ms 300k 'allow: [own, 10.0.0.1]' \
		'rules: [{ name: telnet, match: { protocol: tcp, destination_port: 23 }, action: drop }]'
	expect "changes" "$(plan '.changes | length')" == 6
	expect "window" "$(change window)" is 'changed: 100ms -> 200ms'
	expect "an option" "$(change 'detectors[threshold].options.source_pps')" is \
		'changed: 200k -> 300k'
	expect "a rule" "$(change 'rules[telnet]')" is \
		'added:  -> { name: telnet, match: { protocol: tcp, destination_port: 23 }, action: drop }'
	expect "of the allow-list" "$(plan '[.changes[] | select(.path == "allow")] | length')" == 3
	expect "fate of threshold" "$(fate threshold)" is reconfigured
	expect "fate of aggregate" "$(fate aggregate)" is kept
	expect "it would be done" "$(plan .ok)" is true
	expect "and was not" "$(status .window.length_ns)" == 100000000
	sluice reload >"$LAB/plan.txt" || fail "a reload is refused"
	grep -q 'window: 100ms -> 200ms' "$LAB/plan.txt" || fail "a reload tells no change"
	grep -q 'threshold takes its new options' "$LAB/plan.txt" || fail "... nor what of detectors"
	expect "now it is" "$(status .window.length_ns)" == 200000000
	expect "columns" "$(awk '{ print length }' "$LAB/plan.txt" | sort -n | tail -n 1)" '<=' 80
	expect "nothing is left to change" "$(plan '.changes | length')" == 0
	write 100ms 200k
	sed -i -e '/aggregate/d' -e 's/- { plugin: threshold.*/- entropy/' "$file"
	expect "fate of entropy" "$(fate entropy)" is added
	expect "fate of what is gone" "$(fate threshold)" is removed
	expect "measured from then on" "$(plan '.measured.begins | index("sample") != null')" is true
}

# needs_restart KEY LINE: a file with this line is refused, for this key.
needs_restart() {
	write 100ms 200k "$2"
	expect "restart for $1" "$(plan '.restart | join(" ")')" is "$1"
	sluice reload >"$LAB/refused.log" 2>&1 && fail "$1: accepted"
	grep -q "a change of $1 needs a restart" "$LAB/refused.log" || fail "$1: no reason"
}

restarts() {
	write 200ms 300k
	sluice reload >/dev/null || fail "cannot reload"
	needs_restart attach 'attach: dispatcher'
	needs_restart pin_path 'pin_path: /sys/fs/bpf/other'
	needs_restart max_sources 'max_sources: 100k'
	needs_restart swap 'swap: dual_map'
	needs_restart malformed 'malformed: pass'
	needs_restart on_death 'on_death: keep'
	needs_restart known_clients 'known_clients: { max: 1k }'
	needs_restart control 'control: { metrics: false }'
	write 100ms 200k
	sed -i 's/^interfaces:.*/interfaces: [nosuch]/' "$file"
	expect "restart for interfaces" "$(plan '.restart | join(" ")')" is interfaces
	expect "what it would stumble over" "$(plan '.errors[0]' | grep -c "$file:2:.*nosuch")" == 1
}

bad_file() {
	write 100ms 200k 'nonsense: 1' 'rate_monitor: { quiet: lerned }'
	sluice reload --dry-run >/dev/null 2>"$LAB/errors" && fail "a dry run of a bad file succeeds"
	expect "errors listed" "$(grep -c "^$file:[0-9]*:[0-9]*: " "$LAB/errors")" == 2
	grep -q "^$file:9:1: nonsense: unknown key" "$LAB/errors" || fail "no place of the first"
	grep -q "^$file:10:24: rate_monitor.quiet: .*did you mean 'learned'" "$LAB/errors" ||
		fail "no place of the second"
	sluice reload >/dev/null 2>"$LAB/errors"
	expect "exit code for a bad file" $? == 1
	grep -q "^sluice: $file:9:1: nonsense: .*; and 1 more" "$LAB/errors" ||
		fail "a reload does not say where"
	expect "settings in force" "$(status .window.length_ns)" == 200000000
	sed -i -e '/nonsense/d' -e '/lerned/d' -e 's/source_pps: 200k/source_pps: 5m/' "$file"
	sluice reload 2>&1 | grep -q "$file:6:.*detectors\[0\].options.source_pps" ||
		fail "no place of a bad option"
	ok "a bad option is told with its place"
}

# install_build OBJECT VERSION: as a package manager would, under new inodes.
install_build() {
	install -m 755 "$1" "$LAB/plugins/aggregate.so" || fail "cannot install $1"
	sed "s/^version: .*/version: \"$2\"/" "$HERE/detector/aggregate.plugin.yaml" \
		>"$LAB/plugins/.new"
	mv "$LAB/plugins/.new" "$LAB/plugins/aggregate.plugin.yaml" || fail "cannot install $2"
}

older_build() {
	install_build "$BUILD/tests/system/aggregate.so" 1.0.0
}

newer_build() {
	install_build "$BUILD/tests/system/newer/aggregate.so" 1.0.1
}

# The version of the code that answers.
build_is() {
	status_is '.detectors[] | select(.name == "aggregate") | .evidence | split(", ")[1]' "$1"
}

# How many files of that name, deleted or not, the daemon has mapped.
builds_mapped() {
	awk '$6 ~ /aggregate\.so$/ { print $5 }' "/proc/$SLUICED/maps" | sort -u | wc -l
}

new_builds() {
	write 200ms 300k
	sluice reload >/dev/null || fail "cannot reload"
	wait_for 10 build_is 1.0.0 || fail "the first build does not answer"
	newer_build
	expect "fate of a detector with a newer build" "$(fate aggregate)" is replaced
	build_is 1.0.0 || fail "a dry run put the newer build in force"
	sluice reload >"$LAB/plan.txt" || fail "a newer build is refused"
	grep -q 'aggregate is replaced by a newer build' "$LAB/plan.txt" || fail "a newer build is not told"
	wait_for 10 build_is 1.0.1 || fail "the newer build does not answer"
	expect "fate without another" "$(fate aggregate)" is kept
	expect "builds that are loaded" "$(builds_mapped)" == 1
	printf 'no object' >"$LAB/plugins/.new" && chmod 755 "$LAB/plugins/.new"
	mv "$LAB/plugins/.new" "$LAB/plugins/aggregate.so"
	sluice reload 2>&1 | grep -q "$file:7:.*aggregate" || fail "no place of a broken build"
	wait_for 10 build_is 1.0.1 || fail "the last good build does not go on"
	newer_build
	sluice reload >/dev/null || fail "cannot reload"
	touch -d '1 hour ago' "$LAB/plugins/aggregate.so"
	sluice reload >"$LAB/refused.log" 2>&1 && fail "an object that was written over is accepted"
	grep -q 'written over while it is loaded' "$LAB/refused.log" || fail "no reason for that"
	older_build
	sluice reload >/dev/null || fail "cannot go back to the older build"
	wait_for 10 build_is 1.0.0 || fail "the older build does not answer"
}

# One after the other: detectors go and come, take options, are asked for other features, ...
reload_in_turn() {
	if [ $(($1 % 2)) = 0 ]; then older_build; else newer_build; fi
	case $(($1 % 6)) in
	0) write 100ms "$((200 + $1))k" ;;
	1) write 200ms 200k 'features: { flows: 2Ki }' ;;
	2) write 100ms 200k && sed -i 's/  - { plugin: threshold.*/  - signature/' "$file" ;;
	3) write 100ms 200k && sed -i "/plugin: threshold/a\\  - { plugin: entropy, enforce: false }" "$file" ;;
	4) write 100ms 200k && sed -i '/plugin: aggregate/d' "$file" ;;
	5) write 100ms 200k 'allow: [own, 192.0.2.0/24]' \
		'rules: [{ name: telnet, match: { protocol: tcp, destination_port: 23 }, action: drop }]' ;;
	esac
	timeout 30 nsenter -t "$SERVER_PID" -n -m "$BIN/sluice" reload >"$LAB/reload.txt" 2>&1 ||
		fail "reload $1: $(cat "$LAB/reload.txt")"
}

# Some of the sources are blocked by hand, one more in each window by a detector, one rule is
# automatic; all keep sending, what no signature knows, as fast as the machine can.
under_traffic() {
	write 100ms 200k
	sluice reload >/dev/null || fail "cannot reload"
	start_flood "$SERVER" --sources 64k --source-base 198.20.0.0 --rate 30k --duration 4
	wait_for 10 status_is .rules.automatic 1 || fail "no automatic rule"
	rule=$(sluice rules --json | json '.rules[0].name')
	wait "$FLOOD" || fail "sluice-gen failed"
	sluice block 198.18.0.0/25 >/dev/null || fail "cannot block a prefix"
	# shellcheck disable=SC2046 # a list of addresses
	sluice block $(seq -f '198.18.0.%.0f' 128 159) >/dev/null || fail "cannot block"
	blocked=$(status .blocked.total)
	reloaded=$(events reloaded)
	counts_begin
	start_flood "$SERVER" --sources 4096 --source-base 198.18.0.0 --duration 90 \
		--protocol tcp-syn --length 80
	for i in $(seq 24); do
		reload_in_turn "$i"
		wait_for 10 windows_passed "$(status .window.count)" 1 || fail "no window after reload $i"
		[ "$(status .blocked.total)" -ge "$blocked" ] || fail "reload $i lost a block"
		[ "$(sluice rules --json | jq -r --arg n "$rule" 'any(.rules[]; .name == $n)')" = true ] ||
			fail "reload $i lost the automatic rule"
	done
	kill -TERM "$FLOOD"
	wait "$FLOOD"
	accepted=$(json .accepted "$LAB/flood.json")
	counts_end
	expect "reloads" "$(($(events reloaded) - reloaded))" == 24
	expect "packets" "$accepted" '>' 1000000
	expect_conserved "$accepted"
	expect "share of them dropped, in percent" "$((dropped * 100 / accepted))" '>' 2
	expect "share of them passed, in percent" "$((passed * 100 / accepted))" '>' 2
}

lab_enter "$0" "$@"
lab_network 2
mkdir -p "$LAB/plugins"
cp "$BUILD"/lib/sluice/plugins/* "$LAB/plugins/"
older_build
chmod 755 "$LAB/plugins" "$LAB"/plugins/*.so
file=$LAB/reload.yaml
write 100ms 200k
start_sluiced "$file"
telling
restarts
bad_file
new_builds
start_probe --sources 198.18.0.0-198.18.255.255 --drop
under_traffic
stop "$SLUICED" || fail "sluiced does not end cleanly"
