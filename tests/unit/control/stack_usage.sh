#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# stack_usage.sh SLUICE-STACK MAN-PAGE: how sluice-stack ends when it does not begin, and that the page has each option
# and each exit code.

set -u
stack=$1
page=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# ends CODE PATTERN ARG...: with this code, and says something like that.
ends() {
	wanted=$1
	pattern=$2
	shift 2
	"$stack" "$@" >"$folder/out" 2>&1
	code=$?
	[ "$code" = "$wanted" ] || { echo "sluice-stack $*: exit code $code, not $wanted"; exit 1; }
	grep -q -- "$pattern" "$folder/out" || { echo "sluice-stack $*: $(cat "$folder/out")"; exit 1; }
	sed -n '/^.SH EXIT STATUS/,/^.SH FILES/p' "$page" | grep -qx "\.B $code" ||
		{ echo "$page: no exit code $code"; exit 1; }
}

printf 'version: 1\ninterfaces: [lo]\n' >"$folder/none.yaml"
printf 'version: 1\ninterfaces: [lo]\nstak: {}\n' >"$folder/bad.yaml"
printf 'version: 1\ninterfaces: [lo]\ndeliver: [{ protocol: tcp, ports: [80] }]\nstack: { plugin: x }\n' >"$folder/good.yaml"
ends 0 '^Usage: ' --help
ends 0 '^Usage: ' -h
ends 0 '^sluice-stack [0-9]' --version
ends 1 'missing.yaml' --config "$folder/missing.yaml"
ends 1 'bad.yaml:3:1: ' --config "$folder/bad.yaml"
ends 1 "names no stack; add the key 'stack'" --config "$folder/none.yaml"
ends 2 "unknown option '--wrong'; see sluice-stack --help" --wrong
ends 2 "unknown option '--confg'; did you mean --config?" --confg x
ends 2 "option '--user' wants a value" --user
ends 2 "log-level 'loud': one of error, warning" --log-level loud
ends 2 "unexpected argument 'word'" word
# Who is not root becomes nobody else.
[ "$(id -u)" != 0 ] || ends 3 "no user 'nobody-of-that-name'" --config "$folder/good.yaml" --user nobody-of-that-name
"$stack" --help | grep -oE -- '--[a-z-]+' | sort -u | sed 's/-/\\-/g' | while read -r option; do
	grep -qF -- "$option" "$page" || { echo "$page: no $option"; exit 1; }
done
