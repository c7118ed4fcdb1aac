/* SPDX-License-Identifier: BSD-2-Clause */
/* See sample_ring.h. */
#include "sample_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/err.h"
#include "sample_record.h"

#define RING_SIZE_MIN (64u << 10)
#define RING_SIZE_MAX (16u << 20)
#define RING_HEADER_SIZE 8u /* The kernel's, before each record. */

_Static_assert(SAMPLE_SNAP_SIZE == SLUICE_SAMPLE_SIZE, "as plugins see it");

uint32_t sample_ring_size(uint32_t budget)
{
	uint64_t wanted = (uint64_t)budget * (sizeof(struct sample_record) + RING_HEADER_SIZE);
	uint32_t size = RING_SIZE_MIN;

	while (size < wanted && size < RING_SIZE_MAX)
		size *= 2;
	return size;
}

uint32_t sample_threshold(uint32_t budget, uint64_t expected)
{
	uint64_t chance;

	if (expected <= budget)
		return UINT32_MAX;
	chance = (uint64_t)((double)budget / (double)expected * 4294967296.0);
	return chance > 0 ? (uint32_t)(chance - 1) : 0;
}

int sample_decode(const void *bytes, size_t size, struct sluice_sample *sample)
{
	struct sample_record record;

	if (size != sizeof(record))
		return -EPROTO;
	memcpy(&record, bytes, sizeof(record));
	if (record.snap_size > SAMPLE_SNAP_SIZE || record.snap_size > record.frame_size)
		return -EPROTO;
	*sample = (struct sluice_sample){
		.time_ns = record.time_ns,
		.frame_size = record.frame_size,
		.size = record.snap_size,
		.ifindex = record.ifindex,
		.rx_queue = record.rx_queue,
	};
	memcpy(sample->data, record.data, record.snap_size);
	return 0;
}

static int take(void *ctx, void *bytes, size_t size)
{
	struct sample_ring *ring = ctx;

	/* Beyond the budget only if the state was tampered with; they are read and forgotten. */
	if (ring->n == ring->budget || sample_decode(bytes, size, &ring->samples[ring->n]))
		ring->damaged++;
	else
		ring->n++;
	return 0;
}

int sample_ring_open(struct sample_ring *ring, int ring_fd, int state_fd, uint32_t budget,
		     struct sluice_err *err)
{
	int code = -ENOMEM;

	*ring = (struct sample_ring){ .budget = budget };
	ring->samples = calloc(budget ? budget : 1, sizeof(*ring->samples));
	if (!ring->samples) {
		err_set(err, NULL, "no memory for %u samples", budget);
		return code;
	}
	code = mapped_open(&ring->mapped, state_fd, "sampling", err);
	if (code)
		goto fail;
	ring->state = ring->mapped.memory;
	ring->ring = ring_buffer__new(ring_fd, take, ring, NULL);
	if (ring->ring)
		return 0;
	code = -errno;
	err_set(err, NULL, "cannot map the ring of samples: %s", err_name(code));
fail:
	sample_ring_close(ring);
	return code;
}

void sample_ring_close(struct sample_ring *ring)
{
	ring_buffer__free(ring->ring);
	mapped_close(&ring->mapped);
	free(ring->samples);
	*ring = (struct sample_ring){ 0 };
}

void sample_ring_begin(struct sample_ring *ring, uint64_t expected)
{
	/* What is in the ring belongs to a window that nobody read. */
	(void)sample_ring_read(ring);
	ring->n = 0;
	ring->damaged = 0;
	ring->state->threshold = sample_threshold((uint32_t)ring->budget, expected);
	ring->state->budget = (uint32_t)ring->budget;
	ring->state->lost_full = 0;
	/* The flip that follows is what publishes these to the CPUs. */
	__atomic_store_n(&ring->state->taken, 0, __ATOMIC_RELEASE);
}

int sample_ring_read(struct sample_ring *ring)
{
	int code;

	ring->n = 0;
	ring->damaged = 0;
	code = ring_buffer__consume(ring->ring);
	return code < 0 ? code : 0;
}

uint64_t sample_ring_lost(const struct sample_ring *ring)
{
	return ring->state->lost_full + ring->damaged;
}
