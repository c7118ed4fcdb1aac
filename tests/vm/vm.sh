#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs the tests that depend on the kernel (labels verifier, kernel and vm) under stock Debian kernels in
# QEMU, and fails unless all pass on each.  Called by `./run vm`, after a build, as root.
#
#   VM_KERNELS      which kernels, by version               (default: "6.1 6.12")
#   VM_LABELS       which tests, a regex of ctest labels    (default: "verifier|kernel|vm")
#   VM_EXCEPT       without these, a regex of their names   (default: see below)
#   VM_SECONDS      how long one guest may take             (default: 2700)
#   VM_ACCELERATOR  kvm or tcg                              (default: what works)
#   VM_PREPARE      if set, only fetches the kernels and builds simnic for them; needs no build
#
# Logs: build/vm/KERNEL/tests.log (what the tests said) and console.log (what the kernel said).  Two
# runs may be at work at a time, with a kernel each.

set -u
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=${HERE%/tests/vm}
BUILD=${SLUICE_BUILD:-$ROOT/build}
VM=$ROOT/build/vm
KERNELS=${VM_KERNELS:-6.1 6.12}
LABELS=${VM_LABELS:-verifier|kernel|vm}
# They measure floods against the clock, and an emulated CPU is no match for that.
EXCEPT_EMULATED='^system/(conservation|kill|one_event)$'
LIMIT=${VM_SECONDS:-2700}
ACCELERATOR=${VM_ACCELERATOR:-}
GUEST=
WORK= # The folder of the kernel at hand.

# What boot.sh ends with.
PASSED=33
FAILED=35
OUT_OF_TIME=124

now_ms() {
	date +%s%3N
}
START=$(now_ms)

tell() {
	printf '[%4d s] %s\n' $((($(now_ms) - START) / 1000)) "$*"
}

die() {
	tell "$*" >&2
	exit 1
}

# tenths MS: as seconds with one decimal.
tenths() {
	printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100))
}

quoted() {
	printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

stop() {
	trap - EXIT INT TERM HUP
	if [ -n "$GUEST" ]; then
		kill "$GUEST" 2>/dev/null
		wait "$GUEST" 2>/dev/null
	fi
	[ -z "$WORK" ] || rm -f "$WORK/job" "$WORK/initramfs" "$WORK/pipe"
	exit "$1"
}

# show LOG: reads what a guest prints, keeps it in LOG and shows how far it is.
show() {
	while IFS= read -r line; do
		printf '%s\n' "$line" >&3
		case $line in
		"guest up: "*)
			tell "${line#guest up: }: booted in $(tenths $(($(now_ms) - BOOT))) s"
			;;
		*[0-9]/*[0-9]" Test "*)
			tell "$line"
			;;
		esac
	done 3>"$1"
}

# guest ACCELERATOR SECONDS KERNEL_FOLDER LOGS: runs $WORK/job in a guest; boot.sh's exit status.
guest() {
	mkdir -p "$4"
	sh "$HERE/initramfs.sh" "$3" "$WORK/job" "$WORK/initramfs" || return 1
	rm -f "$WORK/pipe"
	mkfifo "$WORK/pipe" || return 1
	BOOT=$(now_ms)
	sh "$HERE/boot.sh" "$1" "$2" "$3" "$WORK/initramfs" "$4/console.log" >"$WORK/pipe" \
		2>"$4/qemu.log" &
	GUEST=$!
	show "$4/tests.log" <"$WORK/pipe"
	wait "$GUEST"
	status=$?
	GUEST=
	return "$status"
}

# choose_accelerator KERNEL_FOLDER: KVM is there on many machines where it cannot run a guest, so it
# is tried, once a boot of this machine.
choose_accelerator() {
	ACCELERATOR=tcg
	[ -w /dev/kvm ] || return 0
	boot=$(cat /proc/sys/kernel/random/boot_id)
	read -r tried_boot tried 2>/dev/null <"$VM/accelerator" || tried_boot=
	if [ "$tried_boot" = "$boot" ]; then
		ACCELERATOR=$tried
		return 0
	fi
	tell "trying KVM"
	echo 'exit 0' >"$WORK/job"
	guest kvm 10 "$1" "$VM/kvm"
	[ $? != "$PASSED" ] || ACCELERATOR=kvm
	printf '%s %s\n' "$boot" "$ACCELERATOR" >"$VM/accelerator"
}

write_job() {
	except=
	[ "$ACCELERATOR" = kvm ] || except=$EXCEPT_EMULATED
	except=${VM_EXCEPT-$except}
	output=--output-on-failure
	[ "$LABELS" != bench ] || output=--verbose # What it measured is all that it is for.
	cat >"$WORK/job" <<-EOF
		cd $(quoted "$ROOT") || exit 1
		export SIMNIC=$(quoted "$SIMNIC")
		CI=1 exec $(quoted "$CTEST") --test-dir $(quoted "$BUILD") $output \
			--no-tests=error -L $(quoted "$LABELS") -E $(quoted "${except:-^$}")
	EOF
}

# judge KERNEL STATUS LOGS: says what happened; fails unless all tests ran and passed.
judge() {
	skipped=$(grep -c '(Skipped)$' "$3/tests.log")
	summary=$(sed -n 's/^\([0-9]*% tests passed.*\)/\1/p' "$3/tests.log")
	logs=${3#"$ROOT"/}
	case $2 in
	"$PASSED")
		[ "$skipped" -gt 0 ] || {
			tell "Linux $1: $summary"
			return 0
		}
		grep '^SKIPPED' "$3/tests.log"
		tell "Linux $1: $skipped tests were skipped, though root runs them; $logs/tests.log says why"
		;;
	"$FAILED")
		tail -n 60 "$3/tests.log"
		tell "Linux $1: ${summary:-no test ran}; all output is in $logs/tests.log"
		;;
	"$OUT_OF_TIME")
		tail -n 20 "$3/tests.log"
		tell "Linux $1: not done after $LIMIT s (VM_SECONDS); $logs has the logs"
		;;
	*)
		tail -n 20 "$3/qemu.log" "$3/console.log"
		tell "Linux $1: the guest ended without a result (QEMU's exit status $2); $logs has the logs"
		;;
	esac
	return 1
}

if [ -z "${VM_PREPARE:-}" ]; then
	CTEST=$(command -v ctest) || die "ctest is not there: ./run build installs it"
	[ -e "$BUILD/CTestTestfile.cmake" ] || die "no tests in $BUILD: ./run build makes them"
fi
mkdir -p "$VM" || exit 1
trap 'stop $?' EXIT
trap 'stop 130' INT
trap 'stop 129' HUP
trap 'stop 143' TERM

failed=
for kernel in $KERNELS; do
	WORK=$VM/$kernel
	mkdir -p "$WORK" || exit 1
	# QEMU inherits this lock, so it also tells of a guest that some accident left.
	exec 9>"$WORK/lock"
	flock -n 9 || die "vm: another run is at work in ${WORK#"$ROOT"/}"
	# What is fetched and built is everybody's.
	exec 8>"$VM/lock"
	flock 8
	rm -rf "$VM"/kernels/.new.*
	[ "$(find "$VM/kernels" -maxdepth 1 -name "linux-image-$kernel.*" 2>/dev/null)" ] ||
		tell "Linux $kernel: fetching Debian's package"
	folder=$(sh "$HERE/fetch_kernel.sh" "$kernel" "$VM/kernels") || die "vm: no kernel, no test"
	SIMNIC=$(sh "$HERE/build_simnic.sh" "$folder" "$VM/kernels") || die "vm: no simnic, no test"
	[ -z "${VM_PREPARE:-}" ] || continue
	[ -n "$ACCELERATOR" ] || choose_accelerator "$folder"
	exec 8>&-
	write_job
	tell "Linux $kernel: booting ($ACCELERATOR${except:+; without $except})"
	guest "$ACCELERATOR" "$LIMIT" "$folder" "$VM/$kernel"
	judge "$kernel" $? "$VM/$kernel" || failed="$failed $kernel"
done
[ -z "${VM_PREPARE:-}" ] || exit 0
[ -z "$failed" ] || die "Tests FAILED on Linux$failed."
tell "All tests passed on Linux $KERNELS."
