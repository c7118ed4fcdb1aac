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

/* Frames are copied aside, so that only the calls are timed; so many bytes at a time. */
#define ROOM_BYTES (4u << 20)

struct bare {
	struct dataplane *dp;
	struct bare_sum sum;
	uint8_t *bytes;
	size_t used;
	uint32_t size[BARE_TURN_PACKETS];
	bool out[BARE_TURN_PACKETS];
	unsigned int n;
};

int bare_new(struct dataplane *dp, struct bare **out)
{
	struct bare *bare = calloc(1, sizeof(*bare));

	if (bare)
		bare->bytes = malloc(ROOM_BYTES);
	if (!bare || !bare->bytes) {
		bare_free(bare);
		return -ENOMEM;
	}
	bare->dp = dp;
	*out = bare;
	return 0;
}

void bare_free(struct bare *bare)
{
	if (bare)
		free(bare->bytes);
	free(bare);
}

static int run(struct bare *bare)
{
	uint64_t started_ns = clock_cpu_ns();
	const uint8_t *frame = bare->bytes;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < bare->n; i++) {
		ret = dataplane_replay_bare(bare->dp, bare->out[i], frame, bare->size[i]);
		if (ret == -EINVAL || ret == -E2BIG)
			ret = 0;
		frame += bare->size[i];
	}
	bare->sum.elapsed_ns += clock_cpu_ns() - started_ns;
	bare->sum.packets += bare->n;
	bare->n = 0;
	bare->used = 0;
	return ret;
}

static void put(struct bare *bare, const struct mix_packet *packet)
{
	uint32_t size = packet->wire_size < DATAPLANE_REPLAY_FRAME_MAX ? packet->wire_size
								       : DATAPLANE_REPLAY_FRAME_MAX;
	uint32_t captured = packet->size < size ? packet->size : size;

	memcpy(bare->bytes + bare->used, packet->data, captured);
	memset(bare->bytes + bare->used + captured, 0, size - captured);
	bare->used += size;
	bare->out[bare->n] = packet->direction == MIX_FROM;
	bare->size[bare->n++] = size;
}

int bare_turn(struct bare *bare, struct mix *mix, size_t n)
{
	struct mix_packet packet;
	int ret = 0;

	while (!ret && n-- && (ret = mix_next(mix, &packet)) > 0) {
		ret = 0;
		if (packet.direction == MIX_OTHER || packet.size < DATAPLANE_REPLAY_FRAME_MIN)
			continue;
		if (bare->n == BARE_TURN_PACKETS ||
		    bare->used + DATAPLANE_REPLAY_FRAME_MAX > ROOM_BYTES)
			ret = run(bare);
		put(bare, &packet);
	}
	return ret ? ret : run(bare);
}

struct bare_sum bare_sum(const struct bare *bare)
{
	return bare->sum;
}
