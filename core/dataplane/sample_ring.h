/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One side's sampled packets: sets chance and budget before the side counts, and copies the samples
 * out once no CPU writes any more.  bpf/sample_record.h describes how packets are chosen.
 */
#ifndef SLUICE_DATAPLANE_SAMPLE_RING_H
#define SLUICE_DATAPLANE_SAMPLE_RING_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "mapped.h"

struct ring_buffer;
struct sample_state;

struct sample_ring {
	struct ring_buffer *ring;
	struct mapped mapped;
	struct sample_state *state;
	struct sluice_sample *samples; /* Room for `budget`. */
	size_t n, budget;
	uint64_t damaged; /* Records of no possible form. */
};

/* The ring's size in bytes for so many samples: a power of two, whole pages. */
uint32_t sample_ring_size(uint32_t budget);

/* Both fds stay the caller's.  On failure nothing is left to close. */
int sample_ring_open(struct sample_ring *ring, int ring_fd, int state_fd, uint32_t budget,
		     struct sluice_err *err) __attribute__((warn_unused_result));
void sample_ring_close(struct sample_ring *ring);

/*
 * Before the side begins to count: `expected` packets are to be about `budget` samples.  Forgets
 * what was not read.
 */
void sample_ring_begin(struct sample_ring *ring, uint64_t expected);

/* The side must be idle.  Afterwards `samples` has `n`; 0 or what libbpf says. */
int sample_ring_read(struct sample_ring *ring);
/* Packets that were chosen within the budget and found the ring full, and damaged records. */
uint64_t sample_ring_lost(const struct sample_ring *ring);

/* The threshold of sample_state that chooses `budget` of `expected` packets on average. */
uint32_t sample_threshold(uint32_t budget, uint64_t expected);
/* 0, or -EPROTO for bytes that are no record.  They hold what strangers sent. */
int sample_decode(const void *bytes, size_t size, struct sluice_sample *sample);

#endif /* SLUICE_DATAPLANE_SAMPLE_RING_H */
