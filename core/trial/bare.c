/* SPDX-License-Identifier: BSD-2-Clause */
/* See bare.h. */
#include "bare.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/replay.h"
#include "replay/mix.h"

/* Frames are copied aside so many at a time, so that only the calls are timed. */
#define BATCH_FRAMES 1024u
#define BATCH_BYTES (4u << 20)

struct batch {
	uint8_t *bytes;
	size_t used;
	uint32_t size[BATCH_FRAMES];
	bool out[BATCH_FRAMES];
	unsigned int n;
};

static int run_batch(struct batch *batch, struct dataplane *dp, uint64_t *elapsed_ns)
{
	uint64_t started_ns = clock_cpu_ns();
	const uint8_t *frame = batch->bytes;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < batch->n; i++) {
		ret = dataplane_replay_bare(dp, batch->out[i], frame, batch->size[i]);
		if (ret == -EINVAL || ret == -E2BIG)
			ret = 0;
		frame += batch->size[i];
	}
	*elapsed_ns += clock_cpu_ns() - started_ns;
	batch->n = 0;
	batch->used = 0;
	return ret;
}

static void put(struct batch *batch, const struct mix_packet *packet)
{
	uint32_t size = packet->wire_size < DATAPLANE_REPLAY_FRAME_MAX ? packet->wire_size
								       : DATAPLANE_REPLAY_FRAME_MAX;
	uint32_t captured = packet->size < size ? packet->size : size;

	memcpy(batch->bytes + batch->used, packet->data, captured);
	memset(batch->bytes + batch->used + captured, 0, size - captured);
	batch->used += size;
	batch->out[batch->n] = packet->direction == MIX_FROM;
	batch->size[batch->n++] = size;
}

int bare_run(struct mix *mix, struct dataplane *dp, uint64_t *packets, uint64_t *elapsed_ns)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct mix_packet packet;
	int ret = -ENOMEM;

	*packets = *elapsed_ns = 0;
	if (batch)
		batch->bytes = malloc(BATCH_BYTES);
	if (!batch || !batch->bytes)
		goto out;
	mix_rewind(mix);
	while ((ret = mix_next(mix, &packet)) > 0) {
		ret = 0;
		if (packet.direction == MIX_OTHER || packet.size < DATAPLANE_REPLAY_FRAME_MIN)
			continue;
		if (batch->n == BATCH_FRAMES ||
		    batch->used + DATAPLANE_REPLAY_FRAME_MAX > BATCH_BYTES)
			ret = run_batch(batch, dp, elapsed_ns);
		if (ret)
			goto out;
		put(batch, &packet);
		++*packets;
	}
	if (!ret)
		ret = run_batch(batch, dp, elapsed_ns);
out:
	if (batch)
		free(batch->bytes);
	free(batch);
	return ret;
}
