#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# sdk.sh SOURCE BUILD: installs Sluice into a folder of its own, copies plugins/template out of the
# tree, builds it there against what was installed, by CMake and by make, installs it, and runs the
# conformance test of the installed program over it.
set -eu
umask 022

source=$1 build=$2
work=$(mktemp -d /tmp/sluice-sdk-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
prefix=$work/prefix

# shellcheck source=tests/support/sdk.sh
. "$source/tests/support/sdk.sh"
sdk_install "$build" "$prefix"
plugins=$PLUGINS
for plugin in threshold entropy; do
	[ -f "$plugins/$plugin.so" ] && [ -f "$plugins/$plugin.plugin.yaml" ]
done

cp -r "$source/plugins/template" "$work/mine"
lines=$(wc -l "$work"/mine/*/*.c | awk '$2 != "total" && $1 > 80')
[ -z "$lines" ] || { echo "a template is over 80 lines: $lines" >&2; exit 1; }

cmake -S "$work/mine" -B "$work/out" >"$work/cmake.log"
cmake --build "$work/out" >>"$work/cmake.log" || { cat "$work/cmake.log" >&2; exit 1; }
cmake --install "$work/out" >>"$work/cmake.log"
make -C "$work/mine" CFLAGS="-O1 -Werror" >"$work/make.log" || { cat "$work/make.log" >&2; exit 1; }

sluice=$prefix/bin/sluice
printf 'table: %s/card\n' "$work" >"$work/options.yaml"
for folder in "$plugins" "$work/mine"; do
	"$sluice" plugins test "$folder/mydetector.so"
	"$sluice" plugins test --options "$work/options.yaml" "$folder/mybackend.plugin.yaml"
done
"$sluice" plugins list --plugin-path "$plugins" | grep -q '^mydetector .*A detector to start from'
"$sluice" plugins show mydetector --plugin-path "$plugins" |
	grep -q 'limit (rate, packets per second) default 20k, at least 1, at most 1G'
"$sluice" plugins show mydetector --plugin-path "$plugins" --json |
	jq -e '.kind == "detector" and .options[0].default == "20k"' >/dev/null
"$sluice" plugins show mydetectro --plugin-path "$plugins" 2>"$work/err" && exit 1
grep -q "did you mean 'mydetector'?" "$work/err"
echo "ok: the templates, out of the tree"
