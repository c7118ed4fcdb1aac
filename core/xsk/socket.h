/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making AF_XDP sockets: the daemon's half, which needs CAP_NET_RAW.  The memory of frames is a file
 * in memory, so that another process can map it; whoever holds the socket holds its pages.
 */
#ifndef SLUICE_XSK_SOCKET_H
#define SLUICE_XSK_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/plugin.h>
#include <sluice/stack.h>

#define XSK_FRAME_SIZE 2048u

struct xsk_options {
	uint32_t ifindex, queue;
	uint32_t n_frames; /* A power of two. */
	bool copy;	   /* Do not try zero copy. */
	bool generic;	   /* The filter runs in generic mode. */
	bool busy;	   /* SO_BUSY_POLL */
	/* The sums of sent frames may be left to the card in zero copy, or to the kernel that copies. */
	bool sums_zero_copy, sums_copy;
};

struct xsk_made {
	int socket, memory; /* The caller's to close. */
	enum sluice_io_mode mode;
	bool sums; /* They are: the kernel took memory with metadata (tx_metadata.h). */
};

/* Bound to its queue, in no map.  -EBUSY: the queue has a socket. */
int xsk_make(const struct xsk_options *options, struct xsk_made *made, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Whether a descriptor from somebody else is an AF_XDP socket bound to this queue: 0, and how its frames
 * come, or a negative errno.
 */
int xsk_check(int socket, const struct xsk_options *options, enum sluice_io_mode *mode)
	__attribute__((warn_unused_result));

/* Puts a socket into the pinned map, at its interface's and queue's place, and takes out whatever is there. */
int xsk_offer(int map_fd, uint32_t index, int socket) __attribute__((warn_unused_result));
void xsk_withdraw(int map_fd, uint32_t index);

/* "zero-copy", "copy", "generic"; else "unknown". */
const char *xsk_mode_name(enum sluice_io_mode mode);

/* How many receive queues the interface has; at least 1. */
uint32_t xsk_n_queues(const char *ifname);

#endif /* SLUICE_XSK_SOCKET_H */
