# SPDX-License-Identifier: BSD-2-Clause
# Answers per second that clients received between two samples of their sockets; run as
# `awk -v response=BYTES -f goodput.awk BEFORE AFTER`.  A sample's lines are: time, client's address
# and port, bytes received.  Prints the total, the number of clients that got an answer, their
# median rate and the highest.
FNR == NR {
	before_time = $1
	before[$2] = $3
	next
}
{
	after_time = $1
	address = $2
	sub(/:[0-9]+$/, "", address)
	# A connection that is not in the first sample began at zero.
	received[address] += $3 - before[$2]
}
END {
	seconds = after_time - before_time
	for (address in received) {
		if (received[address] <= 0)
			continue
		rate = received[address] / response / seconds
		total += rate
		# Insertion sort: there are some tens of clients.
		for (i = ++n; i > 1 && rates[i - 1] > rate; i--)
			rates[i] = rates[i - 1]
		rates[i] = rate
	}
	printf "%.0f %d %.1f %.1f\n", total, n, n ? rates[int((n + 1) / 2)] : 0, n ? rates[n] : 0
}
