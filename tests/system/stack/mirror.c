/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack for tests: sends one packet in so many back to where it came from, and holds on to a number of
 * received frames, of which it gives back one at random for each new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/stack.h>

#define BATCH 64
#define ETHERNET_SIZE 14
#define IPV4_UDP_SIZE 28
#define WAIT_MS 1000

struct mirror {
	const struct sluice_io_ops *ops;
	struct sluice_io *io;
	uint64_t answer_every, n_seen;
	uint64_t random;
	uint64_t n_held, hold;
	uint64_t held[]; /* Handles. */
};

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* Both ends trade places, which no checksum minds. */
static void answer(struct mirror *mirror, const struct sluice_io_frame *frame)
{
	uint8_t *copy;

	if (frame->length < ETHERNET_SIZE + IPV4_UDP_SIZE)
		return;
	copy = mirror->ops->write_buffer(mirror->io, frame->length);
	if (!copy)
		return;
	memcpy(copy, frame->data, frame->length);
	swap(copy, copy + 6, 6);
	swap(copy + ETHERNET_SIZE + 12, copy + ETHERNET_SIZE + 16, 4);
	swap(copy + ETHERNET_SIZE + 20, copy + ETHERNET_SIZE + 22, 2);
}

/* xorshift64 */
static uint64_t next_random(struct mirror *mirror)
{
	mirror->random ^= mirror->random << 13;
	mirror->random ^= mirror->random >> 7;
	mirror->random ^= mirror->random << 17;
	return mirror->random;
}

static void hold(struct mirror *mirror, uint64_t handle)
{
	uint64_t i;

	if (mirror->n_held < mirror->hold) {
		mirror->held[mirror->n_held++] = handle;
		return;
	}
	i = next_random(mirror) % mirror->hold;
	mirror->ops->release(mirror->io, mirror->held[i]);
	mirror->held[i] = handle;
}

static int mirror_turn(void *self)
{
	struct mirror *mirror = self;
	int n = mirror->ops->receive(mirror->io, BATCH), code;

	for (int i = 0; i < n; i++) {
		struct sluice_io_frame frame;

		if (mirror->ops->packet(mirror->io, (unsigned int)i, &frame) != 0)
			continue;
		if (mirror->n_seen++ % mirror->answer_every == 0)
			answer(mirror, &frame);
		hold(mirror, frame.handle);
	}
	if (n < 0)
		return n;
	code = mirror->ops->send(mirror->io);
	if (code < 0)
		return code;
	return n > 0 ? 0 : WAIT_MS;
}

static void mirror_close(void *self)
{
	struct mirror *mirror = self;

	if (!mirror)
		return;
	while (mirror->n_held)
		mirror->ops->release(mirror->io, mirror->held[--mirror->n_held]);
	free(mirror);
}

static int mirror_open(struct sluice_instance *instance, const struct sluice_host *host,
		       const struct sluice_config *config, const struct sluice_io_ops *ops,
		       struct sluice_io *io, void **self, struct sluice_err *err)
{
	uint64_t answer_every = 0, held = 0;
	struct mirror *mirror;

	(void)instance;
	(void)err;
	if (host->option_u64(config, "answer_every", &answer_every) != 0 ||
	    host->option_u64(config, "hold", &held) != 0)
		return -EINVAL;
	mirror = calloc(1, sizeof(*mirror) + held * sizeof(mirror->held[0]));
	if (!mirror)
		return -ENOMEM;
	mirror->ops = ops;
	mirror->io = io;
	mirror->answer_every = answer_every;
	mirror->hold = held;
	mirror->random = 20261126;
	*self = mirror;
	return 0;
}

static const struct sluice_stack_ops ops = {
	.size = sizeof(ops),
	.open = mirror_open,
	.close = mirror_close,
	.turn = mirror_turn,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
SLUICE_EXPORT const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = 1,
	.abi_minor = 4,
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_STACK,
	.name = "mirror",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &ops,
};
