#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Gives the NAPI threads of a benchmark's veth pair the CPUs that a card's interrupts would have, before
# all that runs there.  Kernel threads are seen from the first process namespace alone, so this runs
# outside of the lab: whenever the file DIR/ask is there, it moves the threads that came since it was
# started, and removes the file.
#
#   steer.sh DIR INTERFACE=CPU...

set -u
DIR=$1
shift

# threads INTERFACE: their pids.
threads() {
	for comm in /proc/[0-9]*/comm; do
		read -r name 2>/dev/null <"$comm" || continue
		case $name in
		napi/"$1"-*)
			pid=${comm#/proc/}
			echo "${pid%/comm}"
			;;
		esac
	done
}

# Those of others, whose interfaces may have the same names.
for one in "$@"; do
	threads "${one%=*}"
done >"$DIR/others"

# steer INTERFACE CPU: fails if it has no threads.
steer() {
	threads "$1" | grep -vxFf "$DIR/others" >"$DIR/threads" || return 1
	while read -r pid; do
		taskset -pc "$2" "$pid" && chrt -f -p 60 "$pid"
	done <"$DIR/threads"
}

: >"$DIR/ready"
while sleep 0.05; do
	[ -e "$DIR/ask" ] || continue
	for one in "$@"; do
		steer "${one%=*}" "${one#*=}" || continue 2
	done >/dev/null
	rm -f "$DIR/ask"
done
