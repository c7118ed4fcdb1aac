#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# headers.sh ROOT CC [CXX]: each header compiles alone; the public ones as strict C11 and C++ too.
set -u

root=$1 cc=$2 cxx=${3-}
failed=0 n=0
# libnl's headers are in a folder of their own.
libnl=$(pkg-config --cflags libnl-3.0) || exit 1

# compile HEADER COMPILER FLAGS...
compile()
{
	header=$1
	shift
	n=$((n + 1))
	if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"$@" -Wall -Wextra -Werror -fsyntax-only -; then
		echo "FAILED: $header with $*" >&2
		failed=1
	fi
}

for header in "$root"/core/include/sluice/*.h; do
	compile "$header" "$cc" -xc -std=c11 -pedantic -I"$root/core/include"
	if [ -n "$cxx" ]; then
		compile "$header" "$cxx" -xc++ -std=c++17 -I"$root/core/include"
	fi
done
for header in "$root"/core/[!i]*/*.h "$root"/plugins/*/*/*.h; do
	case $header in
	*.skel.h) continue ;;
	esac
	# shellcheck disable=SC2086 # a list of flags
	compile "$header" "$cc" -xc -std=gnu11 -D_GNU_SOURCE -DSLUICE_VERSION='"0"' \
		-I"$root/core" -I"$root/core/include" -I"$root/bpf" $libnl
done
if [ -z "$cxx" ]; then
	echo "FAILED: there is no C++ compiler to try the public headers with; install g++" >&2
	failed=1
fi
echo "$n compilations"
exit $failed
