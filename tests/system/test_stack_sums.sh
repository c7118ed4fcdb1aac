#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who makes the checksums of what a stack sends: with `checksums: auto` the frames that leave a veth have the sum of
# the pseudo header, as Linux's own have, and the peer takes them; a card that cannot has the kernel make
# them; with `checksums: software`, and on a kernel without TX metadata, the stack does.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

lab_enter "$0" "$@"
stack_network 1
make_www
head -c 1048576 /dev/urandom >"$LAB/www/1048576.bin"

# configure CHECKSUMS: its path is left in $FILE; the log begins anew.
configure() {
	FILE=$(stack_config "$1" "checksums: $1" </dev/null)
	: >"$LAB/stack.log"
}

# looks WHAT FULL LEFT: how many segments, none of them wrong; and what is sent is whole.
looks() {
	python3 "$HERE/stack/sums.py" a0 "http://$SERVER/" "http://[$SERVER6]/" >"$LAB/sums" ||
		fail "$1: no answer"
	read -r full left wrong <"$LAB/sums"
	expect "$1: segments with their sum" "$full" "$2" 0
	expect "$1: segments whose sum is left to be made" "$left" "$3" 0
	expect "$1: wrong ones" "$wrong" == 0
	for host in "$SERVER" "[$SERVER6]"; do
		expect "$1: 1 MiB from $host" "$(curl -sg -m 30 "http://$host/1048576.bin" | md5sum)" is \
			"$(md5sum <"$LAB/www/1048576.bin")"
	done
}

# says WORD: what the log and the status say of it.
says() {
	expect "status" "$(status '.stacks[0].checksums')" is "$1"
	words="checksums $1"
	[ "$1" = offloaded ] || words="checksums in $1"
	grep -q "$words" "$LAB/stack.log" || fail "the log of sluice-stack does not say '$words'"
	sluice status | grep -q "$words" || fail "sluice status does not say '$words'"
}

configure auto
start_sluiced "$FILE"
start_stack 1
if [ "$(status '.stacks[0].checksums')" != offloaded ]; then
	awk -F. '{ exit !($1 * 100 + $2 < 611) }' /proc/sys/kernel/osrelease ||
		fail "this kernel has TX metadata, and they are not used"
	skip "this kernel has no TX metadata"
fi
says offloaded
looks "auto" == '>'

# The next daemon does not know the socket, and learns of it.
kill_sluiced
start_sluiced "$FILE"
wait_for 20 served_is 1 || fail "the next daemon does not know of the stack"
says offloaded

# A card that cannot.
on_server ethtool -K eth0 tx off >/dev/null
looks "without the card" '>' ==
on_server ethtool -K eth0 tx on >/dev/null
stop "$STACK"
grep -q ' 0 calls refused' "$LAB/stack.log" || fail "the port refused calls"

# A stack of the version before names no interface, and gets no socket.
on_server python3 - >"$LAB/older.log" 2>&1 <<-'END' || fail "the version before is not refused in words"
	import socket, struct
	door = socket.socket(socket.AF_UNIX)
	door.connect("/run/sluice/stack.sock")
	door.sendall(struct.pack("=IHHII96x", 0x534C5853, 4, 1, 0, 0))
	reply, descriptors, _, _ = socket.recv_fds(door, 196, 2)
	assert struct.unpack("=Ii", reply[:8])[1] < 0 and not descriptors, reply
	assert b"version 4 of the protocol, not 5: install" in reply, reply
END
ok "the version before is refused in words"

configure software
cp "$FILE" "$LAB/auto.yaml"
sluice reload >"$LAB/refused.log" 2>&1 && fail "a reload takes other checksums, which nothing obeys"
grep -q 'a change of stack needs a restart' "$LAB/refused.log" || fail "no reason"
stop "$SLUICED"

start_sluiced "$FILE"
start_stack 1
says software
looks "software" '>' ==
stop "$STACK"
stop "$SLUICED"

configure auto
start sluiced env LD_PRELOAD="$BUILD/tests/system/old_kernel.so" "$BIN/sluiced" --config "$FILE" ||
	fail "sluiced does not start"
SLUICED=$STARTED
start_stack 1
says software
looks "a kernel that refuses" '>' ==
stop "$STACK"
stop "$SLUICED"
