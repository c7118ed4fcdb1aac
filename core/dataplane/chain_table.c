/* SPDX-License-Identifier: BSD-2-Clause */
/* See chain_table.h. */
#include "chain_table.h"

#include <bpf/libbpf.h>

int chain_table_size(const struct chain_table *table)
{
	/* The sizes are for two sides. */
	const struct feature_sizes sizes = feature_sizes(table->n_cpus, table->n_buckets);
	int code = bpf_map__set_max_entries(table->buckets, sizes.buckets / 2);

	if (!code)
		code = bpf_map__set_max_entries(table->dirty, sizes.dirty / 2);
	return code ? code : bpf_map__set_max_entries(table->other, sizes.other / 2);
}

int chain_table_open(const struct chain_table *table, struct sluice_err *err)
{
	const struct feature_fds fds = {
		.buckets = bpf_map__fd(table->buckets),
		.dirty = bpf_map__fd(table->dirty),
		.other = bpf_map__fd(table->other),
	};

	return feature_reader_open(table->reader, table->layout, &fds, table->n_cpus,
				   table->n_buckets, table->name, err);
}
