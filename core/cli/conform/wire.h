/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O in memory for a stack under test: `struct sluice_io` of <sluice/stack.h>, which it
 * defines for itself.  Each frame lies at the end of memory of its own that is closed while the frame
 * is not the stack's, so that whoever reads or writes beyond a frame, after release() or after send()
 * crashes on the spot; and it keeps account of each frame.
 */
#ifndef SLUICE_CLI_CONFORM_WIRE_H
#define SLUICE_CLI_CONFORM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sluice/stack.h>

#include "conform.h"

#define WIRE_FRAME_MAX 2048u
#define WIRE_RECEIVE 64u  /* Receive frames there are. */
#define WIRE_SEND 64u	  /* Send frames. */
#define WIRE_BACKLOG 512u /* Frames on their way to the stack, or from it. */
#define WIRE_MTU 1500u
#define WIRE_MET 64u /* Hosts that are remembered. */

struct wire_frame {
	uint32_t length;
	uint8_t bytes[WIRE_FRAME_MAX];
};

struct wire_queue {
	struct wire_frame *frames; /* WIRE_BACKLOG */
	size_t first, n;
};

struct wire_slot {
	uint8_t *memory; /* A page, with a closed one behind. */
	bool taken;	 /* By the stack. */
	uint64_t handle; /* Of a receive frame; another one each time. */
	uint32_t length;
};

struct sluice_io {
	struct conform *conform;
	const char *call; /* The operation that the stack is in; NULL: none. */
	pid_t thread;	  /* That it was called on. */
	bool gone;	  /* The interface; -ENODEV from here on. */
	bool starved;	  /* No frame to send is free. */
	bool fills_sums;  /* What link() says of it; the sums are the session's to fill in. */
	struct wire_slot receive[WIRE_RECEIVE], send[WIRE_SEND];
	struct wire_queue to_stack, from_stack;
	unsigned int batch[WIRE_RECEIVE], n_batch, n_written;
	unsigned int written[WIRE_SEND];
	uint64_t n_handles, calls;	 /* `calls`: in this operation. */
	struct sluice_key met[WIRE_MET]; /* The first that the stack told of. */
	unsigned int n_met;
	size_t lost; /* Sent frames that the run did not look at in time. */
};

extern const struct sluice_io_ops wire_ops;

/* What link() tells, and the peer knows. */
extern const uint8_t wire_stack_mac[6];

/* NULL without memory.  Free with wire_free(), which accepts NULL. */
struct sluice_io *wire_new(struct conform *conform);
void wire_free(struct sluice_io *io);

/* Around each call into the stack; the second tells of frames that were written and not sent. */
void wire_enter(struct sluice_io *io, const char *call);
void wire_leave(struct sluice_io *io);

/* A frame to the stack, cut at WIRE_FRAME_MAX; false: the backlog is full. */
bool wire_put(struct sluice_io *io, const void *bytes, size_t length);
/* The oldest frame that the stack sent; false: there is none. */
bool wire_take(struct sluice_io *io, struct wire_frame *frame);
/* Whether it told of this host. */
bool wire_has_met(const struct sluice_io *io, const struct sluice_key *host);
/* Receive frames that the stack has. */
unsigned int wire_kept(const struct sluice_io *io);

#endif /* SLUICE_CLI_CONFORM_WIRE_H */
