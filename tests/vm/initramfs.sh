#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# initramfs.sh KERNEL_FOLDER JOB OUT: packs what a guest needs until it sees this machine's own
# files: busybox, the modules of the file systems it mounts, the guest's two scripts and its JOB.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
KERNEL=$1
JOB=$2
OUT=$3
MODULES="virtio_pci 9pnet_virtio 9p overlay"

set -- "$KERNEL"/lib/modules/*
release=${1##*/}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p "$tree/bin" "$tree/modules" "$tree/vm"
cp /usr/bin/busybox "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
cp "$HERE/guest_init.sh" "$tree/init"
chmod 755 "$tree/init"
cp "$HERE/guest_run.sh" "$JOB" "$tree/vm/"
printf '%s\n' "$KERNEL" >"$tree/vm/kernel"

# What a module depends on is listed before it, and may be listed again by the next.
for module in $MODULES; do
	modprobe -d "$KERNEL" -S "$release" --show-depends "$module"
done | while read -r what file _; do
	[ "$what" = insmod ] || continue
	name=${file##*/}
	name=${name%.xz}
	[ ! -e "$tree/modules/$name" ] || continue
	case $file in
	*.xz) xz -dc "$file" >"$tree/modules/$name" ;;
	*) cp "$file" "$tree/modules/$name" ;;
	esac
	printf '%s\n' "$name" >>"$tree/modules/list"
done

(cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) >"$OUT"
