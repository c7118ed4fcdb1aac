# SPDX-License-Identifier: BSD-2-Clause
# The scene of the demo: a web server, its clients, and the attack; and what the clients get.
# shellcheck shell=sh disable=SC2034,SC2153 # variables are shared with demo.sh and lib.sh

# prefer PID: the session that it leads comes before whatever else this machine does, so that foreign
# load blurs the figures less.
prefer() {
	if [ -w "/proc/$1/autogroup" ]; then
		echo -10 >"/proc/$1/autogroup"
	else
		renice -n -10 -g "$1" >/dev/null
	fi
}

make_server() {
	mkdir -p "$LAB/www" "$LAB/tmp"
	chmod 755 "$LAB" "$LAB/www"
	awk 'BEGIN { for (i = 0; i < 60; i++) print "Sluice!!!" }' >"$LAB/www/index.html"
	sed "s|@LAB@|$LAB|g" "$HERE/nginx.conf.in" >"$LAB/nginx.conf"
	on_server ip route add local 10.0.1.0/24 dev lo
	setsid taskset -c "$SERVER_CPU" nsenter -t "$SERVER_PID" -n -m nginx -c "$LAB/nginx.conf" \
		-p "$LAB" -e "$LAB/nginx.log" >"$LAB/nginx.out.log" 2>&1 &
	prefer $!
	wait_for 10 curl -sf -o /dev/null "http://$SERVER/" || fail "nginx does not answer"
	RESPONSE=$(curl -si "http://$SERVER/" | wc -c)
}

# Each connection goes to a server address of its own, and the route to it says which client address
# to call from: one each for the ordinary clients, one for all connections of the heavy client.
make_clients() {
	connections=$((CLIENTS + HEAVY_CONNECTIONS))
	n=1
	while [ "$n" -le "$connections" ]; do
		client=$((n <= CLIENTS ? n : CLIENTS + 1))
		[ "$n" -gt "$client" ] || echo "address add 10.0.2.$client/32 dev a0"
		echo "route add 10.0.1.$n via $SERVER dev a0 src 10.0.2.$client"
		n=$((n + 1))
	done | ip -batch - || fail "cannot make the clients' addresses"
	# A session is a scheduling group: as one, its many threads do not crowd out everybody else.
	setsid wrk -t "$connections" -c "$connections" -d 300 --timeout 60 -s "$HERE/clients.lua" \
		"http://$SERVER/" >"$LAB/clients.json" 2>"$LAB/wrk.log" &
	CLIENTS_PID=$!
	prefer "$CLIENTS_PID"
	wait_for 10 clients_connected || fail "the clients do not connect"
}

clients_connected() {
	[ "$(sample | wc -l)" -eq $((CLIENTS + HEAVY_CONNECTIONS)) ]
}

# What every client's socket has received so far.
sample() {
	ss -tinHO state established dst 10.0.1.0/24 |
		awk -v now="$(date +%s.%N)" '{
			for (i = 5; i <= NF; i++)
				if (sub(/^bytes_received:/, "", $i))
					print now, $3, $i
		}'
}

# measure SECONDS: sets GOODPUT (answers per second), SERVED, MEDIAN and HEAVIEST.
measure() {
	sample >"$LAB/before"
	measure_from_before "$1"
}

# The same, from the sample before; this one becomes the next one's.
measure_from_before() {
	sleep "$1"
	sample >"$LAB/after"
	read -r GOODPUT SERVED MEDIAN HEAVIEST <<-EOT
		$(awk -v response="$RESPONSE" -f "$HERE/goodput.awk" "$LAB/before" "$LAB/after")
	EOT
	mv "$LAB/after" "$LAB/before"
}

# The attack begins, in the background, and goes on until attack_stop, which tells what became of it.
attack_start() {
	start_flood "$SERVER" --sources "$SOURCES" --source-base "$FIRST_SOURCE" \
		--rate "$OFFERED" --slice 0.25 --fifo --cpu "$SERVER_CPU" \
		--card "$CARD" --duration 60
}

attack_stop() {
	kill -TERM "$FLOOD"
	wait "$FLOOD" || fail "sluice-gen failed"
	ATTACK_OFFERED=$(json .offered_pps "$LAB/flood.json")
	ATTACK_SENT=$(json '.pps|round' "$LAB/flood.json")
	ATTACK_CARD=$(json '(.card_dropped / .seconds)|round' "$LAB/flood.json")
	ATTACK_CPU=$(json '"\(100 * .cpu_seconds / .seconds | round) %"' "$LAB/flood.json")
	ATTACK_DELIVERED=$(json '((.accepted - .card_dropped) / .seconds)|round' "$LAB/flood.json")
}
