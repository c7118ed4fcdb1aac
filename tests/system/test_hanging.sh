#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A detector hangs in its call: the window loop, the other detectors, a reload and the end of the
# daemon do not wait for it, and what it says when it comes back at last counts for nothing.  Reloads
# do not pile up threads that hang.

. "$(dirname "$0")/lib.sh"

# detector NAME FILTER: one value of what the status says of a detector.
detector() {
	status ".detectors[] | select(.name == \"$1\") | .$2"
}

threads() {
	find "/proc/$SLUICED/task" -mindepth 1 -maxdepth 1 | wc -l
}

detector_is() {
	[ "$(detector "$1" "$2")" = "$3" ]
}

threads_are() {
	[ "$(threads)" = "$1" ]
}

lab_enter "$0" "$@"
plugin_folder "$BUILD/tests/system/hang.so" "$HERE/detector/hang.plugin.yaml" \
	"$BUILD"/lib/sluice/plugins/threshold.*
mkfifo "$LAB/gate" "$LAB/other-gate"
lab_network 2
file=$(config hanging <<-EOT
	version: 1
	interfaces: [eth0]
	window: 100ms
	plugin_path: $LAB/plugins
	detectors:
	  - { plugin: hang, budget: 10ms, options: { gate: $LAB/gate } }
	  - { plugin: threshold, options: { source_pps: 50 } }
EOT
)
start_sluiced "$file"
wait_for 10 detector_is hang disabled true || fail "the detector that hangs is not disabled"
expect "events detector_disabled" "$(events detector_disabled)" "==" 1
expect "the other one is disabled" "$(detector threshold disabled)" is false

start_flood "$SERVER" --sources 100 --distribution cycle --rate 50k --duration 60
wait_for 10 status_is .blocked.total 100 || fail "the other detector does not block"
ok "the rest runs on"
first=$(status .window.count)
wait_for 20 windows_passed "$first" 30 || fail "the window loop stands still"

sluice reload || fail "the reload fails"
ok "a reload does not wait for it"
expect "sources that are blocked after it" "$(status .blocked.total)" "==" 100
wait_for 10 detector_is hang disabled true || fail "the new one is not disabled"
expect "events detector_disabled" "$(events detector_disabled)" "==" 2
kill -TERM "$FLOOD"
wait "$FLOOD"

# Each reload loses another instance, up to four; then one is refused, and nothing grows.
for i in 3 4 5; do
	sluice reload >/dev/null || fail "reload $i fails"
	wait_for 10 detector_is hang disabled true || fail "the one of reload $i is not disabled"
done
threads=$(threads)
for i in $(seq 50); do
	sluice reload >"$LAB/refused.log" 2>&1 && fail "one too many is accepted"
done
grep -q "$file:6:.*4 earlier instances of it hang" "$LAB/refused.log" || fail "no reason for that"
expect "threads after 50 more reloads" "$(threads)" "==" "$threads"

# One of them gets the line: either way it comes back too late.
echo go >"$LAB/gate"
first=$(status .window.count)
wait_for 20 windows_passed "$first" 5 || fail "the window loop stands still after it came back"
expect "its proposals" "$(detector hang proposals)" "==" 0

sed -i '/plugin: hang/d' "$file"
sluice reload >/dev/null || fail "it cannot be taken out"

# Another build counts for itself.  In its end, in a reload and at the daemon's end.
install -m 755 "$BUILD/tests/system/hang.so" "$LAB/plugins/hang.so" || fail "cannot install it"
for i in 1 2; do
	sed -i "/^detectors:/a\\  - { plugin: hang, options: { gate: $LAB/gate, at: destroy } }" "$file"
	sluice reload >/dev/null || fail "one that will hang at its end is refused"
	windows 3
	[ "$i" = 1 ] || break
	sed -i '/plugin: hang/d' "$file"
	timeout 10 nsenter -t "$SERVER_PID" -n -m "$BIN/sluice" reload >/dev/null ||
		fail "a reload waits for one that hangs at its end"
	grep -q "its end does not come back" "$LAB/sluiced.log" || fail "nobody says so"
done
ok "a reload does not wait for one that hangs at its end"

# hang_at CALL: the file has the detector hang there, and nowhere else.
hang_at() {
	sed -i '/plugin: hang/d' "$file"
	sed -i "/^detectors:/a\\  - { plugin: hang, options: { gate: $LAB/other-gate, at: $1 } }" "$file"
}

hung_in_reconfigure() {
	grep -c "reconfigure does not come back after 1 s; .*left behind, a new one" "$LAB/sluiced.log"
}

# In its beginning: the reload is refused, what runs goes on, and what comes too late is put away.
install -m 755 "$BUILD/tests/system/hang.so" "$LAB/plugins/hang.so" || fail "cannot install it"
sed -i '/plugin: hang/d' "$file"
sluice reload >/dev/null || fail "it cannot be taken out again"
threads=$(threads)
hang_at create
sluice reload >"$LAB/refused.log" 2>&1 && fail "one that hangs in create is accepted"
grep -q "$file:6:.*cannot start it: create does not come back after 5 s; take it out" "$LAB/refused.log" ||
	fail "no reason for that"
expect "detectors that run" "$(status '.detectors | length')" "==" 1
windows 3
expect "threads with the one in create" "$(threads)" "==" $((threads + 1))
echo go >"$LAB/other-gate"
wait_for 10 threads_are "$threads" || fail "the one that came back too late is still there"
on_server "$BIN/sluice" check "$file" >"$LAB/check.log" 2>&1 && fail "check accepts it"
grep -q "create does not come back" "$LAB/check.log" || fail "check gives no reason"

# With new options: a new one takes its place.
hang_at nowhere
sluice reload >/dev/null || fail "one that hangs nowhere is refused"
windows 3
threads=$(threads)
hang_at reconfigure
sluice reload --dry-run >"$LAB/foreseen.log" || fail "no forecast"
grep -q "made anew" "$LAB/foreseen.log" || fail "the forecast does not say that it is made anew"
echo go >"$LAB/other-gate"
wait_for 10 threads_are "$threads" || fail "the forecast's own is still there"
sluice reload >/dev/null || fail "a reload does not bear one that hangs in reconfigure"
windows 10
# Once: the one that was asked what would become of it, and not the running one, too.
expect "times that it was tried" "$(hung_in_reconfigure)" == 1
expect "threads with the one left behind" "$(threads)" == $((threads + 1))
echo go >"$LAB/other-gate"
wait_for 10 threads_are "$threads" || fail "one that was left behind is still there"
# By signal nobody wants to know, and the running one is asked.
hang_at nowhere
sluice reload >/dev/null || fail "one that hangs nowhere is refused again"
hang_at reconfigure
reloaded=$(events reloaded)
kill -HUP "$SLUICED"
wait_for 10 events_are reloaded $((reloaded + 1)) || fail "no reload by signal"
expect "times that it was tried" "$(hung_in_reconfigure)" == 2
echo go >"$LAB/other-gate"
wait_for 10 threads_are "$threads" || fail "the running one that was left behind is still there"
ok "a reload does not wait for one that hangs in reconfigure"

stop "$SLUICED" || fail "sluiced does not end cleanly"
ok "the end does not wait for it"

hang_at create
on_server timeout 60 "$BIN/sluiced" --config "$file" >"$LAB/start.log" 2>&1
expect "exit code of a start with one that hangs in create" $? "==" 1
grep -q "$file:6:.*create does not come back" "$LAB/start.log" || fail "no reason for that"
