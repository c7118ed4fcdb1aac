#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# boot.sh ACCELERATOR SECONDS KERNEL_FOLDER INITRAMFS CONSOLE_LOG: one guest from boot to power-off, for
# SECONDS at most.  What its job prints comes on standard output, the kernel's console goes to
# CONSOLE_LOG.  Exit status: 33 the job passed, 35 it failed (guest_run.sh), 124 out of time, anything
# else: the guest ended without a result.
#
# Each process becomes the next or asks to die with its parent, so that no QEMU outlives the caller.

ACCELERATOR=$1
SECONDS_AT_MOST=$2
KERNEL=$3
INITRAMFS=$4
CONSOLE=$5

# The oldest CPU model is the fastest to emulate.  One host thread runs both CPUs in turn: with a
# thread each, 6.12 once panicked (`Oops: int3` in code that the kernel had just patched, as it does
# when it attaches an XDP program), and stale translations are the likely cause.
case $ACCELERATOR in
kvm) set -- -accel kvm -cpu host ;;
tcg) set -- -accel tcg,thread=single -cpu qemu64 ;;
*) exit 2 ;;
esac

# The whole of / is shared read-only: programs and libraries of the guest are those of this machine.
exec setpriv --pdeathsig TERM timeout --foreground -k 5 "$SECONDS_AT_MOST" \
	setpriv --pdeathsig KILL qemu-system-x86_64 "$@" \
	-machine q35 -m 1536 -smp 2 -nodefaults -no-user-config -display none -no-reboot \
	-kernel "$KERNEL/vmlinux" -initrd "$INITRAMFS" \
	-append "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr tsc=reliable" \
	-serial "file:$CONSOLE" -serial stdio \
	-fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=host,mount_tag=host \
	-device isa-debug-exit,iobase=0x501,iosize=1 </dev/null
