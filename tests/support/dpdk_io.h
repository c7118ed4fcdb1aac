/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O on DPDK's net_af_packet, which copies from and to AF_PACKET's rings and never sleeps: what
 * AF_XDP is compared with.  Linux gets each packet, too, and has to be kept from answering.
 *
 * A stack's state may be global, so each queue is a process's: dpdk_io_start() makes all queues, the
 * process forks, and each opens its own.  A queue's memory is touched by its process alone.
 */
#ifndef SLUICE_TESTS_DPDK_IO_H
#define SLUICE_TESTS_DPDK_IO_H

#include <poll.h>
#include <stdint.h>

#include <sluice/stack.h>

/* Pins this process to CPU 0, queue 0's, and starts the EAL.  Once a process. */
int dpdk_io_start(const char *interface, uint16_t n_queues, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Of the process that started it, when the others have ended. */
void dpdk_io_stop(void);

int dpdk_io_open(const char *interface, uint16_t queue, struct sluice_io **out,
		 struct sluice_err *err) __attribute__((warn_unused_result));
/* NULL is a no-op. */
void dpdk_io_close(struct sluice_io *io);

/* Does not wait, and looks at two others every few milliseconds.  0, or a negative errno. */
int dpdk_io_wait(struct sluice_io *io, struct pollfd others[2]) __attribute__((warn_unused_result));
/* Frames that the stack has not given back, or not sent. */
unsigned int dpdk_io_kept(const struct sluice_io *io);

extern const struct sluice_io_ops dpdk_io_ops;

#endif /* SLUICE_TESTS_DPDK_IO_H */
