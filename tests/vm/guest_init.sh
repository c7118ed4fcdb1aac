#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The guest's first program, run by busybox in the initramfs: makes a root of the host's files
# (read-only) under a tmpfs that takes all writes, and goes on there with guest_run.sh.

busybox mkdir -p /proc /sys /dev /lower /upper /root
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
while read -r module; do
	busybox insmod "/modules/$module" || echo "vm: insmod $module failed"
done </modules/list

# Nothing on the host changes while the guest looks, so that it may cache all it has seen.
busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /lower
busybox mount -t tmpfs tmpfs /upper
busybox mkdir /upper/files /upper/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root
for folder in proc sys dev; do
	busybox mount --move /$folder /root/$folder
done
busybox mount -t tmpfs tmpfs /root/run
busybox cp -r /vm /root/run/vm
exec busybox switch_root /root /bin/sh /run/vm/guest_run.sh
