#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# conform.sh SLUICE FOLDER KIND:NAME:CASE...: `sluice plugins test` fails each plugin in FOLDER in the
# named case, with exit code 1, and finds nothing wrong where the case is "-".
set -u

sluice=$1 folder=$2
shift 2
failed=0
umask 022

for row; do
	kind=${row%%:*} rest=${row#*:}
	name=${rest%%:*} case=${rest#*:}
	abi=1.0
	[ "$kind" = stack ] && abi=1.6
	cat >"$folder/$name.plugin.yaml" <<-EOT
		kind: $kind
		abi: "$abi"
		name: $name
		version: "1.2.3"
		license: BSD-2-Clause
		description: A fixture.
		options:
		  limit: { type: rate, default: 2k, minimum: 0, maximum: 1M, help: A limit. }
		  address: { type: address, help: Of a stack. }
	EOT
	out=$("$sluice" plugins test --json "$folder/$name.so")
	code=$?
	if [ "$case" = - ]; then
		wanted=0
		told=$(printf '%s' "$out" | jq -r '.conforms')
	else
		wanted=1
		told=$(printf '%s' "$out" | jq -r --arg c "$case" \
			'any(.cases[]; .case == $c and .result == "FAILED" and .text != "")')
	fi
	if [ "$code" = "$wanted" ] && [ "$told" = true ]; then
		echo "ok: $name: $(printf '%s' "$out" |
			jq -r '[.cases[] | select(.result == "FAILED") | .case + ": " + .text] | join("; ")')"
	else
		echo "FAILED: $name: exit code $code, case '$case' not told of: $out" >&2
		failed=1
	fi
done
exit $failed
