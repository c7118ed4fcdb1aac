# SPDX-License-Identifier: BSD-2-Clause
# A lab whose server has the simulated card `simnic` (tests/vm/simnic) for its eth0: see lib.sh, which
# is included first.  Only the virtual machine has the module; $SIMNIC is its path.
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

DEBUG=$LAB/debug
# To look costs an emulated CPU half a second that what is waited for could use.
WAIT_STEP=0.3

# make_wire QUEUES: the card has four queues, whatever is asked for.
make_wire() {
	ip link add eth0 address "$SERVER_MAC" type simnic || fail "cannot make a simulated card"
	ip link set wire0 name a0 address "$WORLD_MAC"
	ip link set eth0 netns "$SERVER_PID" || fail "the simulated card does not move"
	CARD=$DEBUG/simnic/$(on_server ethtool -i eth0 | sed -n 's/^bus-info: //p')
	[ -d "$CARD" ] || fail "the simulated card has no knobs in $CARD"
}

# simnic_enter SCRIPT [ARG...]: lab_enter, with the module loaded.
simnic_enter() {
	[ -n "${SIMNIC:-}" ] || skip "the simulated card is built for the virtual machine: ./run vm"
	lab_enter "$@"
	mkdir -p "$DEBUG"
	mount -t debugfs debugfs "$DEBUG" || fail "no debugfs"
	[ -d /sys/module/simnic ] || insmod "$SIMNIC" || fail "insmod $SIMNIC"
	say "on simnic, a simulation of a card, Linux $(uname -r)"
}

# knob NAME VALUE
knob() {
	echo "$2" >"$CARD/$1" || fail "knob $1"
}

# knob_is NAME VALUE: a condition for wait_for; some knobs only tell.
knob_is() {
	[ "$(cat "$CARD/$1")" = "$2" ]
}

# card_stat NAME: one of the card's own statistics.
card_stat() {
	on_server ethtool -S eth0 | awk -v name="$1:" '$1 == name { print $2 }'
}

# flap COMMAND...: the link goes down and up, and the command runs between.
flap() {
	on_server ip link set eth0 down || fail "eth0 does not go down"
	"$@"
	on_server ip link set eth0 up || fail "eth0 does not come up"
}

# What the card's rings held whenever its link went down.
lost() {
	on_server cat /sys/class/net/eth0/statistics/rx_dropped
}

# What the kernel would say of a mistake in the module.
expect_no_complaint() {
	dmesg >"$LAB/kernel.log"
	expect "complaints of the kernel" \
		"$(grep -c -E 'WARNING:|BUG:|Oops|refcount_t|unregister_netdevice: waiting' "$LAB/kernel.log")" == 0
}
