#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What detectors' manifests need is measured, and nothing else; a reload changes it under traffic;
# and a forged flood of more sources than are tracked is told by its estimate.

. "$(dirname "$0")/lib.sh"

# plugin_needing NAME FEATURES: in a plugin folder of our own.
plugin_needing() {
	sed "s/^  features: .*/  features: [$2]/" \
		"$BUILD/lib/sluice/plugins/$1.plugin.yaml" >"$LAB/plugins/$1.plugin.yaml"
	grep -q "features: \[$2\]" "$LAB/plugins/$1.plugin.yaml" || fail "$1 names no features"
}

write_config() {
	config features <<-EOT
		version: 1
		interfaces: [eth0]
		window: 200ms
		max_sources: 1024
		plugin_path: $LAB/plugins
		features: { samples_per_second: 100 }
		detectors: [$1]
	EOT
}

# expect_loaded FEATURES: as of the next window, which a reload takes to show.
expect_loaded() {
	wait_for 10 status_is '.features.loaded | join(" ")' "$1" ||
		fail "loaded: $(status '.features.loaded | join(" ")'), wanted $1"
	ok "loaded: $1"
}

lab_enter "$0" "$@"
lab_network 2
plugin_folder "$BUILD"/lib/sluice/plugins/*
plugin_needing entropy "source, flow, destination, sample"
threshold='{ plugin: threshold, options: { source_pps: 10M } }'
file=$(write_config "$threshold")
start_sluiced "$file"
expect_loaded "source"

start_flood "$SERVER" --sources 100 --distribution cycle --rate 20k --duration 60
windows 2
# The world itself may say something, too.
expect "sources, all tracked" "$(status .features.sources.distinct)" ">=" 100
expect "sources, all tracked" "$(status .features.sources.distinct)" "<=" 103
expect "error of that" "$(status .features.sources.error)" == 0
expect "samples nobody asked for" "$(status .features.samples_total)" == 0

write_config "$threshold, { plugin: entropy, enforce: false }" >/dev/null
reload
expect_loaded "source flow destination sample"
windows 10
# 20 a window, and no more; the windows in which the change came may have had none.
samples=$(status .features.samples_total)
expect "samples after ten windows" "$samples" ">=" 100
expect "windows they came from" "$(status .window.count)" ">=" "$((samples / 20))"
on_server curl -sf http://127.0.0.1:9815/metrics >"$LAB/metrics" || fail "no metrics"
grep -q '^sluice_feature_loaded{feature="sample"} 1' "$LAB/metrics" || fail "metrics: not loaded"
expect "flows" "$(sed -n 's/^sluice_window_flows //p' "$LAB/metrics")" ">=" 100
expect "destinations" "$(sed -n 's/^sluice_window_destinations //p' "$LAB/metrics")" ">=" 1

write_config "$threshold" >/dev/null
reload
expect_loaded "source"
windows 2
samples=$(status .features.samples_total)
windows 2
expect "samples that no one asks for any more" "$(status .features.samples_total)" == "$samples"
expect "packets that went on uncounted" "$(status .passes.no_features.packets)" == 0
kill -TERM "$FLOOD"
wait "$FLOOD"

# Ten thousand forged sources, ten times the table, each in every window.
start_flood "$SERVER" --sources 10000 --distribution cycle --rate 150k --duration 60
wait_for 20 status_is ".features.sources | .distinct > 9500 and .distinct < 10500 and .error > 0.01" \
	true || fail "the estimate: $(status '.features.sources | tostring')"
ok "about 10000 sources, and the error is told"
expect "packets of those without a place" "$(status .features.untracked_total)" ">" 0
kill -TERM "$FLOOD"
wait "$FLOOD"
stop "$SLUICED" || fail "sluiced does not end cleanly"
