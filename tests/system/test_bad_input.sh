#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What an operator may get wrong: each case is refused with one clear line, a non-zero exit code, and
# nothing is left attached, pinned, listening or running.

. "$(dirname "$0")/lib.sh"

# Nothing of Sluice is attached, pinned or listening.
no_state() {
	[ "$(on_server ip -j link show eth0 2>/dev/null | json '.[0].xdp // empty')" = "" ] ||
		fail "$1: a program is attached"
	[ -z "$(pinned)" ] || fail "$1: something is pinned"
	[ ! -S /run/sluice/control.sock ] || fail "$1: a control socket is there"
}

# refused CASE PATTERN COMMAND...: it fails soon, with exactly one line that matches PATTERN.
refused() {
	name=$1
	pattern=$2
	shift 2
	timeout 20 nsenter -t "$SERVER_PID" -n -m "$@" >"$LAB/refused.log" 2>&1
	code=$?
	[ "$code" -ne 0 ] || fail "$name: accepted"
	[ "$code" -lt 124 ] || fail "$name: exit code $code"
	[ "$(grep -cE -- "$pattern" "$LAB/refused.log")" = 1 ] ||
		fail "$name: no line, or several, like '$pattern'"
	ok "$name: $(grep -E -- "$pattern" "$LAB/refused.log")"
}

# refused_config CASE PATTERN: the same for the deployment file on standard input.
refused_config() {
	file=$(config bad)
	refused "$1" "$2" "$BIN/sluiced" --config "$file"
	no_state "$1"
	refused "$1, by check" "$2" "$BIN/sluice" check "$file"
	no_state "$1, by check"
}

valid() {
	config valid <<-'EOT'
		version: 1
		interfaces: [eth0]
		window: 100ms
	EOT
}

bad_files() {
	refused_config "metrics address of others" "metrics address '10.9.9.9' port 9815: cannot listen" <<-'EOT'
		version: 1
		interfaces: [eth0]
		control: { metrics: "10.9.9.9:9815" }
	EOT
	refused_config "unknown key" 'bad.yaml:3:1: .*windw.*window' <<-'EOT'
		version: 1
		interfaces: [eth0]
		windw: 1s
	EOT
	refused_config "wrong type" 'bad.yaml:3:10: .*enforce' <<-'EOT'
		version: 1
		interfaces: [eth0]
		enforce: 7
	EOT
	refused_config "out of range" 'bad.yaml:3:9: .*window.*100 ?ms' <<-'EOT'
		version: 1
		interfaces: [eth0]
		window: 1ms
	EOT
	refused_config "not YAML" 'bad.yaml:[23]:[0-9]+: not YAML' <<-'EOT'
		version: 1
		interfaces: [eth0
	EOT
	refused_config "unknown option of a plugin" 'bad.yaml:4:[0-9]+: .*source_ppps.*source_pps' \
		<<-'EOT'
			version: 1
			interfaces: [eth0]
			detectors:
			  - { plugin: threshold, options: { source_ppps: 20k } }
		EOT
	refused_config "nonexistent interface" 'bad.yaml.*nosuch0.*no such interface' <<-'EOT'
		version: 1
		interfaces: [nosuch0]
	EOT
	refused_config "misspelt interface" "bad.yaml:2:14: .*'eht0'.*did you mean 'eth0'\?" <<-'EOT'
		version: 1
		interfaces: [eht0]
	EOT
	refused_config "missing plugin" 'bad.yaml:3:[0-9]+: .*nosuchdetector' <<-'EOT'
		version: 1
		interfaces: [eth0]
		detectors: [nosuchdetector]
	EOT
	refused_config "missing interface among others" 'bad.yaml:4:5: .*nosuch1.*no such interface' \
		<<-'EOT'
			version: 1
			interfaces:
			  - eth0
			  - nosuch1
		EOT
	refused_config "missing group" 'bad.yaml:3:19: control.group: .*nosuchgroup.*groupadd' <<-'EOT'
		version: 1
		interfaces: [eth0]
		control: { group: nosuchgroup }
	EOT
	refused_config "missing folder of plugins" 'bad.yaml:3:14: .*threshold.*/nosuchfolder' <<-'EOT'
		version: 1
		interfaces: [eth0]
		plugin_path: /nosuchfolder
	EOT
	refused_config "pins outside a bpffs" 'bad.yaml: pin_path .*/run/pins.*mount -t bpf' <<-'EOT'
		version: 1
		interfaces: [eth0]
		pin_path: /run/pins
	EOT
	refused "missing file" 'nosuch.yaml.*No such file' "$BIN/sluiced" --config /run/nosuch.yaml
}

# A copy of a real plugin that says it was made for another ABI.
foreign_plugin() {
	cp -r "$BUILD/lib/sluice/plugins" "$LAB/plugins"
	sed -i 's/^abi:.*/abi: "99.0"/' "$LAB/plugins/threshold.plugin.yaml"
	refused_config "plugin of another ABI" 'threshold.*(ABI|abi).*99' <<-EOT
		version: 1
		interfaces: [eth0]
		plugin_path: $LAB/plugins
		detectors: [threshold]
	EOT
}

no_privileges() {
	file=$(valid)
	chmod 644 "$file"
	chmod 755 "$LAB"
	refused "no privileges" 'not privileged: missing CAP_BPF CAP_NET_ADMIN CAP_PERFMON' \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/sluiced" --config "$file"
	no_state "no privileges"
	refused "no privileges, as root without capabilities" 'not privileged: missing' \
		setpriv --bounding-set=-all --inh-caps=-all "$BIN/sluiced" --config "$file"
	no_state "no privileges, as root without capabilities"
}

# The first daemon goes on as if nothing had happened.
second_daemon() {
	file=$(valid)
	start_sluiced "$file"
	sluice check "$file" >"$LAB/check.log" 2>&1 || fail "check takes our own filter for another's"
	refused "second sluiced" "another sluiced \\(pid $SLUICED\\).*control.metrics" "$BIN/sluiced" --config "$file"
	other=$(config other <<-'EOT'
		version: 1
		interfaces: [eth0]
		pin_path: /sys/fs/bpf/other
		control: { socket: /run/sluice/other.sock, metrics: false }
	EOT
	)
	refused "second sluiced, by another pin_path" "eth0.*(EBUSY|-16|busy)" \
		"$BIN/sluiced" --config "$other"
	[ ! -e /sys/fs/bpf/other ] || fail "the refused sluiced left its pins"
	windows 2
	ok "the first sluiced goes on"
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	sluice detach >/dev/null || fail "cannot detach"
	no_state "after detach"
}

foreign_program() {
	start xdp "$BIN/sluice-probe" --dev eth0 --sources 198.18.0.0-198.18.0.1 ||
		fail "sluice-probe does not start"
	other=$STARTED
	file=$(valid)
	refused "another XDP program is there" "eth0.*(EBUSY|-16|busy)" "$BIN/sluiced" --config "$file"
	refused "another XDP program is there, by check" "$file:2:14: .*eth0.*another XDP program .*EBUSY" \
		"$BIN/sluice" check "$file"
	stop "$other" || fail "the other program did not go on"
	no_state "another XDP program is there"
}

interface_deleted() {
	file=$(config deleted <<-'EOT'
		version: 1
		interfaces: [eth0, eth1]
		window: 100ms
	EOT
	)
	ip link add a1 type veth peer name eth1 netns "$SERVER_PID"
	on_server ip link set eth1 up
	start_sluiced "$file"
	on_server ip link del eth1
	wait_for 10 status_is '.interfaces[] | select(.name == "eth1").state' gone ||
		fail "the deleted interface is not noticed"
	events_are interface_gone 1 ||
		fail "there is not one event interface_gone"
	ok "interface deleted while running: $(sluice events | grep interface_gone)"
	windows 2
	[ "$(status '.interfaces[] | select(.name == "eth0").state')" = attached ] ||
		fail "the other interface is not protected any more"
	ip link add a1 type veth peer name eth1 netns "$SERVER_PID"
	on_server ip link set eth1 up
	wait_for 10 status_is '.interfaces[] | select(.name == "eth1").state' attached ||
		fail "the interface that came back is not attached"
	on_server ip link show eth1 | grep -q xdp || fail "there is no filter on it"
	events_are interface_back 1 ||
		fail "there is not one event interface_back"
	ok "interface back while running: $(sluice events | grep interface_back)"
	stop "$SLUICED" || fail "sluiced does not end cleanly"
	sluice detach >/dev/null || fail "cannot detach"
	no_state "interface deleted"
}

lab_enter "$0" "$@"
lab_network 2
bad_files
foreign_plugin
no_privileges
second_daemon
foreign_program
interface_deleted
