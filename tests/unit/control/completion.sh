#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# completion.sh SLUICE SLUICED SLUICE-STACK: bash reads what `sluice completion bash` prints, and completes
# every command of sluice and every option that a command's own help, or a daemon's, names.

set -u
sluice=$1 sluiced=$2 stack=$3
failures=0

# offered WANTED WORD...: is it offered for the last of these words?
offered() {
	local wanted=$1
	shift
	COMP_WORDS=(sluice "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_sluice
	[[ " ${COMPREPLY[*]} " == *" $wanted "* ]]
}

wants() {
	offered "$@" && return
	printf 'not offered after "sluice %s": %s\n' "${*:2}" "$1" >&2
	failures=$((failures + 1))
}

# shellcheck source=/dev/null # the program's own output
source <("$sluice" completion bash) || exit 1
declare -F _sluice >/dev/null || { echo "no completion is defined" >&2; exit 1; }

mapfile -t commands < <("$sluice" --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p')
[ "${#commands[@]}" -gt 10 ] || { echo "only ${#commands[@]} commands found" >&2; exit 1; }
n=0
for command in "${commands[@]}"; do
	wants "$command" "${command:0:2}"
	for option in $("$sluice" "$command" --help | grep -oE '^  (-h, )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		wants "$option" "$command" "$option"
		n=$((n + 1))
	done
done
# has_all FUNCTION PROGRAM: it offers what that program's help has, and values for --log-level.
has_all() {
	local option found=0
	for option in $("$2" --help | grep -oE '^  +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		COMP_WORDS=(program "$option") COMP_CWORD=1 COMPREPLY=()
		"$1"
		[[ " ${COMPREPLY[*]} " == *" $option "* ]] && found=$((found + 1)) && continue
		printf 'not offered by %s: %s\n' "$1" "$option" >&2
		failures=$((failures + 1))
	done
	COMP_WORDS=(program --log-level wa) COMP_CWORD=2 COMPREPLY=()
	"$1"
	[ "${COMPREPLY[*]}" = warning ] || failures=$((failures + 1))
	[ "$found" -ge 4 ] || { echo "$2: only $found options found" >&2; exit 1; }
	n=$((n + found))
}

has_all _sluiced "$sluiced"
has_all _sluice_stack "$stack"
complete -p sluiced sluice-stack >/dev/null || exit 1
[ "$n" -gt 50 ] || { echo "only $n options found" >&2; exit 1; }
[ "$failures" = 0 ] || exit 1
echo "ok: ${#commands[@]} commands, $n options"
