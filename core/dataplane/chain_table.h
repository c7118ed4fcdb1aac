/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the chain's programs with tables have in common: sizing one family's three maps before the
 * program is loaded, and mapping them after.  The tables are of one side, so they have a row a CPU.
 */
#ifndef SLUICE_DATAPLANE_CHAIN_TABLE_H
#define SLUICE_DATAPLANE_CHAIN_TABLE_H

#include <stdint.h>

#include "feature_reader.h"

struct bpf_map;

struct chain_table {
	struct bpf_map *buckets, *dirty, *other;
	const struct feature_layout *layout;
	struct feature_reader *reader;
	uint32_t n_cpus, n_buckets; /* In a row. */
	const char *name;
};

int chain_table_size(const struct chain_table *table);
int chain_table_open(const struct chain_table *table, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_DATAPLANE_CHAIN_TABLE_H */
