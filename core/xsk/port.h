/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O on an AF_XDP socket that somebody else made: `struct sluice_io` of <sluice/stack.h>.
 * One port is one queue's and one thread's.
 *
 * Half of the frames are for receiving, the other half for sending, and none ever changes sides, so
 * that a stack which holds on to what it received can still send.  Each frame has one owner at any
 * time; port_counts() says how many each has, and together they are all frames.
 */
#ifndef SLUICE_XSK_PORT_H
#define SLUICE_XSK_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>
#include <sluice/stack.h>

#include "counts.h"
#include "handover.h"

/* The rings of a socket, as memory; a test makes its own. */
struct port_ring {
	uint32_t *producer, *consumer, *flags;
	void *entries; /* uint64_t, or struct xdp_desc. */
	uint32_t size; /* A power of two. */
};

struct port_rings {
	struct port_ring fill, completion, receive, send;
};

struct clock_source;
struct met;

struct port_options {
	const struct handover_reply *link; /* Checked; copied. */
	const struct port_rings *rings;	   /* Copied; what they point to must outlive the port. */
	void *memory;			   /* Of all frames; the same. */
	int socket;			   /* -1 in a test: nobody is woken up. */
	const struct clock_source *clock;  /* Must outlive the port. */
};

int port_new(const struct port_options *options, struct sluice_io **out)
	__attribute__((warn_unused_result));
/* Leaves socket and memory alone.  NULL is a no-op. */
void port_free(struct sluice_io *io);

/* What a stack is lent. */
extern const struct sluice_io_ops port_ops;

/* Host only: before waiting, so that the kernel has all free frames and sends what it has. */
void port_flush(struct sluice_io *io);
/* True if something has come in. */
bool port_has_packets(const struct sluice_io *io);
/* Walks over all frames: nothing once a second, too much once a turn. */
void port_counts(const struct sluice_io *io, struct port_counts *counts);

/* Host only: whom the stack met (met.h); the port's. */
struct met *port_met(struct sluice_io *io);

/* Maps what a handover brought.  `port_unmap()` in either case. */
struct port_mapping {
	struct port_rings rings;
	void *memory;
	size_t memory_size;
	struct {
		void *at;
		size_t size;
	} areas[4];
};

int port_map(struct port_mapping *mapping, int socket, int memory, uint32_t n_frames,
	     struct sluice_err *err) __attribute__((warn_unused_result));
void port_unmap(struct port_mapping *mapping);

#endif /* SLUICE_XSK_PORT_H */
