/* SPDX-License-Identifier: BSD-2-Clause */
/* See met.h. */
#include "met.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"

#include "handover.h"

/* A host has one place; who takes it from another only has that one told of twice. */
#define PLACES 4096u

struct place {
	struct handover_host host;
	uint64_t again_ns; /* 0: nobody. */
};

struct met {
	const struct clock_source *clock;
	struct place places[PLACES];
	struct handover_host batch[MET_BATCH];
	size_t n;
};

struct met *met_new(const struct clock_source *clock)
{
	struct met *met = calloc(1, sizeof(*met));

	if (met)
		met->clock = clock;
	return met;
}

void met_free(struct met *met)
{
	free(met);
}

static struct place *place_of(struct met *met, const struct sluice_key *host)
{
	/* No secret: only who completes a handshake can aim, and wins nothing. */
	static const struct address_secret secret;

	return &met->places[address_hash(host, &secret) % PLACES];
}

int met_add(struct met *met, const struct sluice_key *key, enum sluice_io_met how)
{
	uint64_t now = clock_monotonic_ns(met->clock);
	struct handover_host host;
	struct place *place;
	int code = handover_host_make(key, how, &host);

	if (code)
		return code;
	place = place_of(met, key);
	if (now < place->again_ns && memcmp(&place->host, &host, sizeof(host)) == 0)
		return 0;
	if (met->n == MET_BATCH)
		return 0;
	met->batch[met->n++] = host;
	*place = (struct place){ host, now + MET_AGAIN_NS };
	return 0;
}

size_t met_batch(const struct met *met, const struct handover_host **hosts)
{
	*hosts = met->batch;
	return met->n;
}

void met_told(struct met *met, size_t n)
{
	met->n -= n;
	memmove(met->batch, met->batch + n, met->n * sizeof(met->batch[0]));
}

void met_forget(struct met *met)
{
	memset(met->places, 0, sizeof(met->places));
}
