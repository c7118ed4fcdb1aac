/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a port tells of itself, in the process that serves it, on the wire to the daemon, and in the
 * daemon's status: the same memory everywhere.
 */
#ifndef SLUICE_XSK_COUNTS_H
#define SLUICE_XSK_COUNTS_H

#include <stdint.h>

struct port_counts {
	uint64_t received, received_bytes, sent, sent_bytes;
	uint64_t dropped;   /* Came to the socket and found no free frame: the kernel's count. */
	uint64_t wakeups;   /* System calls that told the kernel to send on. */
	uint64_t no_buffer; /* write_buffer() without a free frame. */
	uint64_t refused;   /* Calls of the stack, or entries of a ring, that made no sense. */
	/*
	 * Where frames are now; the six together are all there are.  The kernel's are those in the
	 * rings, either way, and those in flight, which it has taken out of one and not yet put into
	 * the other: none once nothing moves, or one is lost.
	 */
	uint32_t receive_kernel, receive_stack, receive_free;
	uint32_t send_kernel, send_written, send_free;
	uint32_t receive_flight, send_flight;
};

_Static_assert(sizeof(struct port_counts) == 96, "on the wire");

#endif /* SLUICE_XSK_COUNTS_H */
