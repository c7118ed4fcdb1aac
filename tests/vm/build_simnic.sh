#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build_simnic.sh KERNEL_FOLDER CACHE: builds the module simnic for a kernel that fetch_kernel.sh
# unpacked, against Debian's headers for it, and prints the module's path.  What is built already,
# from the same source, is not built again.

set -eu
KERNEL=$1
CACHE=$2
SOURCE=$(cd "$(dirname "$0")" && pwd)/simnic
. "$(dirname "$0")/debian.sh"

set -- "$KERNEL"/lib/modules/*
release=${1##*/}
headers=linux-headers-$release
common=linux-headers-${release%-amd64}-common
folder=$CACHE/$headers

# The headers' own Makefiles and links expect to lie in /usr.
if [ ! -d "$folder" ]; then
	kbuild=$(depends "$headers" 'linux-kbuild-[^ ]*')
	[ -n "$kbuild" ] || die "apt knows no package $headers, or not what it needs"
	unpack "$CACHE" "$headers" "$common" "$kbuild"
	sed -i "s,/usr/src/,$folder/usr/src/," "$unpacked/usr/src/$headers/Makefile"
	mv "$unpacked" "$folder"
fi

build=$CACHE/simnic-$release
stamp=$(cat "$SOURCE"/* | sha256sum)
if [ "$(cat "$build/stamp" 2>/dev/null)" != "$stamp" ]; then
	rm -rf "$build"
	mkdir "$build"
	cp "$SOURCE"/* "$build/"
	# Without pahole there is no BTF of a module.
	make -C "$folder/usr/src/$headers" M="$build" CONFIG_DEBUG_INFO_BTF_MODULES= modules \
		>"$build/build.log" 2>&1 || {
		cat "$build/build.log" >&2
		die "simnic does not build for Linux $release"
	}
	printf '%s\n' "$stamp" >"$build/stamp"
fi
printf '%s\n' "$build/simnic.ko"
