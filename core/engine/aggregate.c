/* SPDX-License-Identifier: BSD-2-Clause */
/* See aggregate.h. */
#include "aggregate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "dataplane/dataplane.h"

struct aggregate {
	struct sluice_source
		*sources; /* Room for `max`; pages that were never used cost nothing. */
	size_t n, max;
	uint64_t untracked;
	uint64_t untracked_bytes;
};

int aggregate_new(size_t max_sources, struct aggregate **out)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));
	size_t size = max_sources * sizeof(*aggregate->sources);
	void *memory;

	if (!aggregate)
		return -ENOMEM;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		free(aggregate);
		return -ENOMEM;
	}
	/* A million sources are 14,000 small pages to fault in and to walk.  Only advice. */
	(void)!madvise(memory, size, MADV_HUGEPAGE);
	aggregate->sources = memory;
	aggregate->max = max_sources;
	*out = aggregate;
	return 0;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	munmap(aggregate->sources, aggregate->max * sizeof(*aggregate->sources));
	free(aggregate);
}

void aggregate_read(struct aggregate *aggregate, struct dataplane *dp)
{
	struct dataplane_count untracked = { 0 };

	aggregate->n = dp->ops->sources_read(dp, aggregate->sources, aggregate->max, &untracked);
	aggregate->untracked = untracked.packets;
	aggregate->untracked_bytes = untracked.bytes;
}

struct sluice_source *aggregate_sources(struct aggregate *aggregate, size_t *n)
{
	*n = aggregate->n;
	return aggregate->sources;
}

const struct sluice_source *aggregate_find(const struct aggregate *aggregate,
					   const struct dataplane *dp, const struct sluice_key *key)
{
	return dp->ops->source_find(dp, aggregate->sources, aggregate->n, key);
}

uint64_t aggregate_untracked(const struct aggregate *aggregate)
{
	return aggregate->untracked;
}

uint64_t aggregate_untracked_bytes(const struct aggregate *aggregate)
{
	return aggregate->untracked_bytes;
}
