/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the host of a port waits between two turns of its stack: what `poll` of the configuration says.
 * One thread's, the port's.
 */
#ifndef SLUICE_XSK_WAIT_H
#define SLUICE_XSK_WAIT_H

#include <poll.h>
#include <stdint.h>

#include "handover.h"

struct sluice_io;

struct port_waiter {
	struct sluice_io *io;
	int socket; /* The port's AF_XDP socket. */
	/*
	 * WAIT sleeps in the kernel.  SPIN returns at once, without a system call.  BUSY does, too,
	 * but has the kernel serve the card's queue in this thread's time first: NAPI by SO_BUSY_POLL,
	 * which the socket must have.
	 */
	enum handover_poll poll;
	uint64_t looked_ns; /* 0 to begin with: when the others were last looked at. */
};

/*
 * Until a packet is there, one of the `n` others (three at most) is ready, or a signal comes, for
 * `timeout_ms` at the longest (below 0: without end).  Who spins looks at the others every few
 * milliseconds.  0 with `revents` of the others; -ENODEV: the interface is gone; or what poll() fails
 * with.
 */
int port_wait(struct port_waiter *waiter, struct pollfd *others, nfds_t n, int timeout_ms)
	__attribute__((warn_unused_result));

#endif /* SLUICE_XSK_WAIT_H */
