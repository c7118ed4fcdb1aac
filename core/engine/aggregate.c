/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU tables into one: see aggregate.h. */
#include "aggregate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash_table.h"
#include "dataplane/dataplane.h"

#define FIRST_CAPACITY 4096

struct aggregate {
	struct hash_table *index;
	struct sluice_source *sources;
	size_t n, capacity, max;
	uint64_t untracked;
	uint64_t untracked_bytes;
};

int aggregate_new(size_t max_sources, const struct address_secret *secret, struct aggregate **out)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return -ENOMEM;
	aggregate->max = max_sources;
	aggregate->capacity = max_sources < FIRST_CAPACITY ? max_sources : FIRST_CAPACITY;
	aggregate->sources = calloc(aggregate->capacity, sizeof(*aggregate->sources));
	if (!aggregate->sources || hash_table_new(aggregate->capacity, secret, &aggregate->index)) {
		aggregate_free(aggregate);
		return -ENOMEM;
	}
	*out = aggregate;
	return 0;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	hash_table_free(aggregate->index);
	free(aggregate->sources);
	free(aggregate);
}

/* Makes room for one more.  A big block grows by mremap(), so doubling does not copy. */
static int make_room(struct aggregate *aggregate)
{
	size_t capacity = aggregate->capacity * 2;
	struct sluice_source *sources;

	if (aggregate->n < aggregate->capacity)
		return 0;
	if (capacity > aggregate->max)
		capacity = aggregate->max;
	if (aggregate->n >= capacity)
		return -ENOSPC;
	sources = realloc(aggregate->sources, capacity * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	aggregate->sources = sources;
	aggregate->capacity = capacity;
	return 0;
}

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

static void merge(void *ctx, const struct dataplane_source *read)
{
	struct aggregate *aggregate = ctx;
	struct sluice_source *source;
	uint32_t i = (uint32_t)aggregate->n;
	int added;

	if (make_room(aggregate)) {
		/* The list is full, but a source that is in it can still be added to. */
		added = hash_table_get(aggregate->index, &read->key, &i) ? 0 : -ENOSPC;
	} else {
		added = hash_table_add(aggregate->index, &read->key, i, &i);
	}
	if (added < 0) {
		aggregate->untracked += read->packets;
		aggregate->untracked_bytes += read->bytes;
		return;
	}
	source = &aggregate->sources[i];
	if (added) {
		*source = (struct sluice_source){ .key = read->key };
		aggregate->n++;
	}
	source->packets += read->packets;
	source->bytes += read->bytes;
	source->tcp_syn = add_saturated(source->tcp_syn, read->tcp_syn);
	source->udp = add_saturated(source->udp, read->udp);
	source->icmp = add_saturated(source->icmp, read->icmp);
}

void aggregate_read(struct aggregate *aggregate, struct dataplane *dp)
{
	struct dataplane_count untracked = { 0 };

	hash_table_clear(aggregate->index);
	aggregate->n = 0;
	aggregate->untracked = 0;
	aggregate->untracked_bytes = 0;
	dp->ops->sources_read(dp, merge, aggregate, &untracked);
	aggregate->untracked += untracked.packets;
	aggregate->untracked_bytes += untracked.bytes;
}

struct sluice_source *aggregate_sources(struct aggregate *aggregate, size_t *n)
{
	*n = aggregate->n;
	return aggregate->sources;
}

const struct sluice_source *aggregate_find(const struct aggregate *aggregate,
					   const struct sluice_key *key)
{
	uint32_t i;

	return hash_table_get(aggregate->index, key, &i) ? &aggregate->sources[i] : NULL;
}

uint64_t aggregate_untracked(const struct aggregate *aggregate)
{
	return aggregate->untracked;
}

uint64_t aggregate_untracked_bytes(const struct aggregate *aggregate)
{
	return aggregate->untracked_bytes;
}
