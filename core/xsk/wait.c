/* SPDX-License-Identifier: BSD-2-Clause */
/* See wait.h. */
#include "wait.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "port.h"

#define OTHERS_MAX 3
#define LOOK_NS 2000000ull

/* Of the last tick of the kernel: some milliseconds late, and nearly free. */
static uint64_t coarse_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A signal ends it as the time-out does. */
static int look(struct pollfd *all, nfds_t n, int timeout_ms)
{
	return poll(all, n, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

static int spin(struct port_waiter *waiter, struct pollfd *others, nfds_t n)
{
	uint64_t now = coarse_ns();

	/* It never waits; that nothing was there (EAGAIN) is the common case. */
	if (waiter->poll == HANDOVER_POLL_BUSY &&
	    recvfrom(waiter->socket, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 &&
	    (errno == ENETDOWN || errno == ENXIO))
		return -ENODEV;
	if (now - waiter->looked_ns >= LOOK_NS) {
		waiter->looked_ns = now;
		return look(others, n, 0);
	}
	for (nfds_t i = 0; i < n; i++)
		others[i].revents = 0;
	return 0;
}

int port_wait(struct port_waiter *waiter, struct pollfd *others, nfds_t n, int timeout_ms)
{
	struct pollfd all[1 + OTHERS_MAX] = { { .fd = waiter->socket, .events = POLLIN } };
	int code;

	if (n > OTHERS_MAX)
		return -EINVAL;
	port_flush(waiter->io);
	if (waiter->poll != HANDOVER_POLL_WAIT)
		return spin(waiter, others, n);
	memcpy(all + 1, others, n * sizeof(*others));
	code = look(all, 1 + n, port_has_packets(waiter->io) ? 0 : timeout_ms);
	memcpy(others, all + 1, n * sizeof(*others));
	if (!code && all[0].revents & (POLLERR | POLLHUP))
		code = -ENODEV;
	return code;
}
