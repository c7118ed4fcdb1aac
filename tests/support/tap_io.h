/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O on a TAP device, for a stack without a card, without XDP and without the daemon: frames
 * are read and written one by one.  Faults can be injected, and frames are accounted for.
 */
#ifndef SLUICE_TESTS_TAP_IO_H
#define SLUICE_TESTS_TAP_IO_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <sluice/stack.h>

/* What to open; the device is made if there is none.  The MAC address is the stack's, not the TAP's. */
struct tap_settings {
	const char *name;
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t lose_in;  /* One received frame in so many is lost; 0: none. */
	uint32_t lose_out; /* One frame sent. */
};

int tap_io_open(const struct tap_settings *settings, struct sluice_io **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
void tap_io_close(struct sluice_io *io);

/* Until a frame comes, or one of two others is ready, at most so long.  0, or -ENODEV. */
int tap_io_wait(struct sluice_io *io, struct pollfd others[2], int timeout_ms)
	__attribute__((warn_unused_result));
/* Frames that the stack has not given back. */
unsigned int tap_io_kept(const struct sluice_io *io);

extern const struct sluice_io_ops tap_io_ops;

#endif /* SLUICE_TESTS_TAP_IO_H */
