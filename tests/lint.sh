#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Static checks: format, shell scripts, cppcheck, and that each header compiles alone.  Run by
# `./run lint` from the root of the clone, after cmake has configured build/.

set -u
failures=0

sources() {
	find core plugins bpf tests -name build -prune -o -name "$1" -print | sort
}

# check WHAT COMMAND...
check() {
	what=$1
	shift
	if "$@"; then
		printf '  ok      %s\n' "$what"
	else
		printf '  FAILED  %s\n' "$what"
		failures=$((failures + 1))
	fi
}

format() {
	sources '*.[ch]' | xargs clang-format --dry-run --Werror
}

shell_scripts() {
	{ sources '*.sh' && sources '*.bash'; } | xargs shellcheck -x run .ci/run
}

# Shape limits of the house style: 100 columns by clang-format, 800 lines a file here.
file_length() {
	sources '*.[ch]' | xargs wc -l | awk '$2 != "total" && $1 > 800 { print; long = 1 }
		END { exit long }'
}

license_lines() {
	missing=$(sources '*.[ch]' | xargs grep -L 'SPDX-License-Identifier')
	[ -z "$missing" ] || printf 'no SPDX line: %s\n' "$missing"
	[ -z "$missing" ]
}

# gcc looks for uninitialised variables itself, and sanitizers for leaks; cppcheck guesses at both.
static_checks() {
	sources '*.c' | grep -v '\.bpf\.c$' |
		xargs cppcheck --quiet --enable=warning,portability --inline-suppr --std=c11 \
			--error-exitcode=1 -DSLUICE_VERSION='"0"' -j "$(nproc)" -D_GNU_SOURCE -I core/include -I core \
			--suppress=missingInclude --suppress=missingIncludeSystem \
			--suppress=unknownMacro --suppress=uninitvar --suppress=memleak
}

# include_folders HEADER: those of the source of the same name, else of all sources in its folder, as
# the build has them.
include_folders() {
	jq -r --arg source "$PWD/${1%.h}.c" --arg folder "$PWD/$(dirname "$1")/" \
		'(map(select(.file == $source)) + map(select(.file | startswith($folder))))[].command' \
		build/compile_commands.json | grep -oE -- '-(I|isystem )[^ ]+' | awk '!seen[$0]++'
}

# A header must bring all that it needs.  BPF's own are compiled for BPF, public ones as C++ too, and
# a kernel module's only where it is built.
headers_alone() {
	multiarch=/usr/include/$(cc -print-multiarch)
	bad=0
	for header in $(sources '*.h'); do
		case $header in
		tests/vm/simnic/*) ;;
		bpf/*)
			clang -target bpf -std=gnu11 -Wall -Werror -Wno-unused-function -I bpf \
				-I "$multiarch" -I core/include -x c -fsyntax-only \
				-include linux/bpf.h "$header" || bad=1
			;;
		*)
			# shellcheck disable=SC2046 # a list of flags
			cc -std=gnu11 -D_GNU_SOURCE -DSLUICE_VERSION='"0"' -Wall -Wextra -Werror \
				-fsyntax-only -x c -I core/include -I bpf \
				$(include_folders "$header") "$header" || bad=1
			;;
		esac
		case $header in
		core/include/*)
			clang -x c++ -std=c++11 -Wall -Werror -Wno-unused-function -fsyntax-only \
				-I core/include "$header" || bad=1
			;;
		esac
	done
	return $bad
}

# Each key of the deployment file has its paragraph in sluice.yaml(5).
keys_in_man_page() {
	missing=$(sed -n '/^properties:/,/^[^ ]/s/^  \([a-z_0-9]*\):$/\1/p' schemas/config.schema.yaml |
		while read -r key; do
			grep -qx "\.B $key" docs/man/sluice.yaml.5 || printf ' %s' "$key"
		done)
	[ -z "$missing" ] || printf 'not in docs/man/sluice.yaml.5:%s\n' "$missing"
	[ -z "$missing" ]
}

check "format (clang-format)" format
check "shell scripts (shellcheck)" shell_scripts
check "file length" file_length
check "licence lines" license_lines
check "static checks (cppcheck)" static_checks
check "headers that stand alone" headers_alone
check "keys in the man page" keys_in_man_page
[ "$failures" -eq 0 ]
