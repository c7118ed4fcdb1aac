/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one side of the per-source feature tables (bpf/features_source.bpf.c) after the grace
 * wait, straight from the mapped memory.
 */
#ifndef SLUICE_DATAPLANE_SOURCE_TABLE_H
#define SLUICE_DATAPLANE_SOURCE_TABLE_H

#include <stdint.h>

#include "dataplane.h"
#include "mapped.h"
#include "shared.h"

struct source_table {
	struct mapped source4, source6, dirty4, dirty6;
	uint32_t source4_buckets, source6_buckets; /* Per CPU; multiples of 64. */
	uint32_t n_cpus;
	uint8_t v6_prefix_len;
};

void source_table_close(struct source_table *table);

/* Calls `fn` per CPU and source of `epoch`, and clears the dirty bits.  The side must be idle. */
void source_table_read(struct source_table *table, uint32_t epoch, dataplane_source_fn fn,
		       void *ctx, struct dataplane_count *untracked);

#endif /* SLUICE_DATAPLANE_SOURCE_TABLE_H */
