/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The per-source feature tables (bpf/features_source.bpf.c): one side, merged over all CPUs, read
 * straight from the mapped memory into the window's list of sources.
 */
#ifndef SLUICE_DATAPLANE_SOURCE_TABLE_H
#define SLUICE_DATAPLANE_SOURCE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "feature_reader.h"

extern const struct feature_layout source_table_layout4, source_table_layout6;

struct source_table {
	struct feature_reader v4, v6;
	uint8_t v6_prefix_len;
};

void source_table_close(struct source_table *table);

/* See feature_reader_wipe(). */
void source_table_wipe(struct source_table *table, unsigned int side);

/*
 * Writes up to `max` sources of that side and epoch to `sources`, each once, and returns how many;
 * clears the dirty bits.  `untracked` gets what passed on behalf of all others.  The side must be
 * idle.
 */
size_t source_table_read(struct source_table *table, unsigned int side, uint32_t epoch,
			 struct sluice_source *sources, size_t max,
			 struct dataplane_count *untracked);

/* One source of a list as source_table_read() made it, in O(log n); NULL if it is not there. */
const struct sluice_source *source_table_find(const struct source_table *table,
					      const __u64 hash_key[2],
					      const struct sluice_source *sources, size_t n,
					      const struct sluice_key *key);

#endif /* SLUICE_DATAPLANE_SOURCE_TABLE_H */
