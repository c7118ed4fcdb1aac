#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# exports.sh PLUGIN.so...: each exports sluice_plugin, as data, and nothing else.
set -eu

failed=0
for plugin; do
	exports=$(nm -D --defined-only "$plugin" | awk '{ print $2, $3 }')
	case $exports in
	"R sluice_plugin" | "D sluice_plugin")
		echo "ok: $plugin" ;;
	*)
		echo "FAILED: $plugin exports: $exports" >&2
		failed=1 ;;
	esac
done
exit $failed
