#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# completion.sh SLUICE: bash reads what `sluice completion bash` prints, and completes every command
# of the program and every option that a command's own help names.

set -u
sluice=$1
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
[ "$n" -gt 40 ] || { echo "only $n options found" >&2; exit 1; }
[ "$failures" = 0 ] || exit 1
echo "ok: ${#commands[@]} commands, $n options"
