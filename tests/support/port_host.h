/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of core/xsk without the daemon, behind a program that is not Sluice's: makes its socket itself
 * and puts it into the pinned XSKMAP that it is told.
 */
#ifndef SLUICE_TESTS_PORT_HOST_H
#define SLUICE_TESTS_PORT_HOST_H

#include <poll.h>
#include <stdint.h>

#include <sluice/stack.h>

#include "xsk/handover.h"

struct port_host;

struct port_host_settings {
	const char *interface;
	const char *map; /* The pinned XSKMAP. */
	uint32_t queue;
	uint8_t mac[6];
	enum handover_poll poll;
};

int port_host_open(const struct port_host_settings *settings, struct port_host **out,
		   struct sluice_err *err) __attribute__((warn_unused_result));
/* The queue's packets go to Linux again.  NULL is a no-op. */
void port_host_close(struct port_host *host);

struct sluice_io *port_host_io(const struct port_host *host);
/* For a frame, or one of two others, at most so long.  0, or a negative errno. */
int port_host_wait(struct port_host *host, struct pollfd others[2], int timeout_ms)
	__attribute__((warn_unused_result));
/* Frames that the stack has not given back, or not sent. */
unsigned int port_host_kept(const struct port_host *host);

#endif /* SLUICE_TESTS_PORT_HOST_H */
