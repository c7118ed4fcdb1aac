/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O on an AF_XDP socket by libxdp alone: what any program can do that joins a pinned XSKMAP,
 * Sluice's or another's.  Copy mode, one socket, one queue.
 */
#ifndef SLUICE_TESTS_XSK_IO_H
#define SLUICE_TESTS_XSK_IO_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/stack.h>

struct xsk_settings {
	const char *interface;
	const char *map; /* The pinned XSKMAP. */
	uint32_t queue, n_queues;
	uint8_t mac[6];
	bool busy; /* Spins instead of sleeping in poll(). */
	int wake_fd;
};

int xsk_io_open(const struct xsk_settings *settings, struct sluice_io **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Takes the socket out of the map: the queue's packets go to Linux again. */
void xsk_io_close(struct sluice_io *io);

/* Until a frame comes, at most so long.  0, or -ENODEV. */
int xsk_io_wait(struct sluice_io *io, int timeout_ms) __attribute__((warn_unused_result));
/* Frames that are neither the kernel's nor free: the stack's, or leaked. */
unsigned int xsk_io_kept(struct sluice_io *io);

extern const struct sluice_io_ops xsk_io_ops;

#endif /* SLUICE_TESTS_XSK_IO_H */
