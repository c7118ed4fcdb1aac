#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Where a deployment file may attach: a native and a generic interface under one daemon share the
# blocklist and are counted together to the packet; generic warns; what the driver cannot do is
# refused before anything is attached.

. "$(dirname "$0")/lib.sh"

SECOND_MAC=02:00:00:00:01:02

second_wire() {
	ip link add a1 numtxqueues 2 numrxqueues 2 type veth peer name eth1 address "$SECOND_MAC" \
		numtxqueues 2 numrxqueues 2 netns "$SERVER_PID" || fail "cannot make a second veth pair"
	ip link set a1 multicast off up
	on_server ip link set eth1 multicast off up
	on_server ethtool -K eth1 gro on
	wait_for 10 second_is_up || fail "the second veth pair does not come up"
}

second_is_up() {
	[ "$(cat /sys/class/net/a1/operstate)" = up ]
}

# xdp_mode DEVICE: 0 none, 1 native, 2 generic, 3 hardware, as the kernel numbers them.
xdp_mode() {
	on_server ip -j link show "$1" | json '.[0].xdp.mode // 0'
}

# warnings DEVICE: lines of the daemon's log that warn of its mode.
warnings() {
	grep -c "interface '$1': mode: generic runs after the packet became a socket buffer" \
		"$LAB/sluiced.log"
}

refuse_hardware() {
	file=$(config hardware <<-'EOT'
		version: 1
		interfaces: [eth0, { name: eth1, mode: hardware }]
	EOT
	)
	timeout 20 nsenter -t "$SERVER_PID" -n -m "$BIN/sluiced" --config "$file" \
		>"$LAB/hardware.log" 2>&1
	code=$?
	case $code in
	0 | 124) fail "mode: hardware on a veth: exit code $code" ;;
	esac
	# Linux 6.1 does not tell what a driver can do: there it is tried.
	grep -qE "'eth1': its driver (cannot run|runs no) XDP .*; use mode: native" \
		"$LAB/hardware.log" || fail "mode: hardware: no next step is said"
	expect "XDP on eth0 after the refusal" "$(xdp_mode eth0)" == 0
	expect "XDP on eth1 after the refusal" "$(xdp_mode eth1)" == 0
	[ -z "$(pinned)" ] || fail "mode: hardware: something is pinned"
}

# flood_both NAME SOURCE: 20,000 packets by each wire; $ACCEPTED is how many the links took.
flood_both() {
	ACCEPTED=0
	for dev in a0 a1; do
		mac=$SERVER_MAC
		[ "$dev" = a0 ] || mac=$SECOND_MAC
		"$BIN/sluice-gen" --dev "$dev" --to "$SERVER" --to-mac "$mac" --sources 16 \
			--source-base "$2" --count 20000 --rate 50k >"$LAB/$1.$dev.json" \
			2>"$LAB/$1.$dev.log" || fail "sluice-gen failed on $dev"
		accepted=$(json .accepted "$LAB/$1.$dev.json")
		[ "$accepted" -ge 10000 ] || fail "$dev took only $accepted packets"
		ACCEPTED=$((ACCEPTED + accepted))
	done
}

drops_are() {
	[ "$(total_drops)" = "$1" ]
}

passes_reach() {
	[ "$(status .passes.pass.packets)" -ge "$1" ]
}

# Each of the two is filtered, by the same lists.
filter_both() {
	sluice block 198.18.0.0/24 >/dev/null || fail "cannot block"
	flood_both blocked 198.18.0.0
	wait_for 10 drops_are "$ACCEPTED" ||
		fail "$(total_drops) packets dropped of $ACCEPTED that both links took"
	ok "dropped on both: $ACCEPTED"
	dropped=$ACCEPTED
	before=$(status .passes.pass.packets)
	flood_both passed 198.19.0.0
	wait_for 10 passes_reach $((before + ACCEPTED)) ||
		fail "$(status .passes.pass.packets) packets passed, $before before, $ACCEPTED sent"
	# The kernel's own frames, such as reports of multicast listeners, pass as well.
	expect "passed on both beside $ACCEPTED" \
		$(($(status .passes.pass.packets) - before - ACCEPTED)) '<' 50
	expect "dropped of those" $(($(total_drops) - dropped)) == 0
}

lab_enter "$0" "$@"
lab_network 2
second_wire
refuse_hardware
file=$(config modes <<-'EOT'
	version: 1
	interfaces: [eth0, { name: eth1, mode: generic }]
	window: 100ms
	policy: { min_pass: 0 }
	detectors: [{ plugin: threshold, options: { source_pps: 1G } }]
EOT
)
start_sluiced "$file"
expect "XDP on eth0" "$(xdp_mode eth0)" == 1
expect "XDP on eth1" "$(xdp_mode eth1)" == 2
expect "warnings of the native one" "$(warnings eth0)" == 0
expect "warnings of the generic one" "$(warnings eth1)" == 1
filter_both
