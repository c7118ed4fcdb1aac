/* SPDX-License-Identifier: BSD-2-Clause */
/* See seen.h. */
#include "seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#define BITS (1u << 22)
#define BYTES (BITS / 8)

int seen_init(struct seen *seen, const struct address_secret *secret)
{
	memset(seen, 0, sizeof(*seen));
	seen->secret = secret;
	seen->bits[0] = calloc(1, BYTES);
	seen->bits[1] = calloc(1, BYTES);
	return seen->bits[0] && seen->bits[1] ? 0 : -ENOMEM;
}

void seen_fini(struct seen *seen)
{
	free(seen->bits[0]);
	free(seen->bits[1]);
	memset(seen->bits, 0, sizeof(seen->bits));
}

static void turn(struct seen *seen)
{
	uint64_t *older = seen->bits[1];

	memset(older, 0, BYTES);
	seen->bits[1] = seen->bits[0];
	seen->bits[0] = older;
	seen->n_set = 0;
}

void seen_begin(struct seen *seen, uint64_t now_ns)
{
	if (!seen->since_ns)
		seen->since_ns = now_ns;
	if (now_ns - seen->since_ns < SEEN_KEEP_NS)
		return;
	turn(seen);
	seen->since_ns = now_ns;
}

bool seen_note(struct seen *seen, const struct sluice_key *key)
{
	uint32_t at = (uint32_t)address_hash(key, seen->secret) & (BITS - 1);
	uint64_t bit = (uint64_t)1 << (at & 63);
	bool was_newer = seen->bits[0][at / 64] & bit;
	bool was_older = seen->bits[1][at / 64] & bit;

	if (was_newer)
		return true;
	seen->bits[0][at / 64] |= bit;
	if (++seen->n_set > BITS / 8)
		turn(seen);
	return was_older;
}
