#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The guest's PID 1 on the host's files: sets up what Sluice's tests expect of a machine, runs the
# job on the second serial port, which the host reads, and ends QEMU with a status of our own.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=dumb

release=$(uname -r)
mkdir -p /lib/modules /dev/pts /dev/shm
ln -sfn "$(cat /run/vm/kernel)/lib/modules/$release" "/lib/modules/$release"
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
hostname sluice-vm
ip link set lo up

# A serial port is a terminal: without this it would turn each line's end into two characters.
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1
printf 'guest up: Linux %s\n' "$release"
setsid sh /run/vm/job </dev/null 2>&1
status=$?
printf 'guest done: status %d\n' "$status"
# Set again, because that waits until all is out.
stty -F /dev/ttyS1 raw

# QEMU's debug port makes the exit status 2 n + 1: 33 passed, 35 failed, as boot.sh reads it.
[ "$status" = 0 ] && code='\020' || code='\021'
# shellcheck disable=SC2059 # the format is the byte
printf "$code" | dd of=/dev/port bs=1 seek=$((0x501)) conv=notrunc 2>/dev/null
echo o >/proc/sysrq-trigger
sleep 10
