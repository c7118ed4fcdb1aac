#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# fetch_kernel.sh VERSION CACHE: unpacks Debian's stock kernel of that version (as in 6.12) under
# CACHE, without installing it, and prints the folder: lib/modules as packaged, and `vmlinux`, the
# uncompressed kernel that QEMU starts much faster than a vmlinuz.  Uses apt's own trust and mirrors.

set -eu
VERSION=$1
CACHE=$2
. "$(dirname "$0")/debian.sh"

# Newer kernels than the release's own carry their version in the meta-package's name.
case $VERSION in
6.1) META=linux-image-amd64 ;;
*) META=linux-image-$VERSION-amd64 ;;
esac

# The package that the meta-package stands for today.
kernel_package() {
	depends "$META" 'linux-image-[0-9][^ ]*' | head -n 1
}

number_at() {
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# The payload of a bzImage (Documentation/arch/x86/boot.rst); its last 4 bytes are its size.
extract_vmlinux() {
	sectors=$(number_at "$1" 497 1)
	offset=$(($(number_at "$1" 584 4) + (sectors + 1) * 512))
	length=$(number_at "$1" 588 4)
	tail -c "+$((offset + 1))" "$1" | head -c "$((length - 4))" >"$2.packed"
	case $(od -An -t x1 -N 4 "$2.packed" | tr -d ' ') in
	28b52ffd) zstd -dcq "$2.packed" >"$2" ;;
	fd377a58) xz -dc "$2.packed" >"$2" ;;
	*) die "${1##*/}: packed in an unknown way" ;;
	esac
	rm "$2.packed"
	[ "$(od -An -t x1 -N 4 "$2" | tr -d ' ')" = 7f454c46 ] || die "${1##*/}: holds no ELF kernel"
}

[ "$(dpkg --print-architecture)" = amd64 ] || die "the kernels are built for amd64 only"
mkdir -p "$CACHE"
package=$(kernel_package)
file=$([ -z "$package" ] || package_file "$CACHE" "$package")
if [ -z "$file" ]; then
	# A fresh machine has no package lists.
	apt update >/dev/null || die "apt-get update failed; Linux $VERSION cannot be had"
	package=$(kernel_package)
	[ -n "$package" ] || die "apt knows no package $META; Linux $VERSION cannot be had" \
		"(it is in Debian 12 or its security archive: look at /etc/apt)"
	file=$(package_file "$CACHE" "$package")
	[ -n "$file" ] || die "apt knows no file of $package; Linux $VERSION cannot be had"
fi
release=${package#linux-image-}
case $release in
"$VERSION".*) ;;
*) die "apt's $META is Linux $release, not $VERSION" ;;
esac

folder=$CACHE/${file%.deb}
if [ ! -d "$folder" ]; then
	unpack "$CACHE" "$package"
	extract_vmlinux "$unpacked/boot/vmlinuz-$release" "$unpacked/vmlinux"
	rm -r "${unpacked:?}/boot"
	depmod -b "$unpacked" "$release"
	mv "$unpacked" "$folder"
fi
printf '%s\n' "$folder"
