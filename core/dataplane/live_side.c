/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_side.h. */
#include "live_side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/err.h"
#include "distinct.h"
#include "distinct_registers.h"
#include "feature_chain.h"
#include "features_source.skel.h"
#include "libbpf_messages.h"
#include "live.h"

/*
 * The tables are not pinned: what a dead daemon's side counted for an unknown time is no window of
 * the next one.  The old side goes with its program, at the first swap.
 */
static int size_maps(struct features_source *skel, const struct live_side_options *options)
{
	const struct sluice_header *sizes = options->sizes;
	const struct {
		struct bpf_map *map;
		uint32_t max_entries;
	} maps[] = {
		{ skel->maps.sluice_source4, sizes->n_cpus * sizes->source4_buckets },
		{ skel->maps.sluice_source6, sizes->n_cpus * sizes->source6_buckets },
		{ skel->maps.sluice_dirty4, sizes->n_cpus * sizes->source4_buckets / 64 },
		{ skel->maps.sluice_dirty6, sizes->n_cpus * sizes->source6_buckets / 64 },
		{ skel->maps.sluice_distinct, sizes->n_cpus },
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(maps) / sizeof(maps[0]); i++)
		code = bpf_map__set_max_entries(maps[i].map, maps[i].max_entries);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.data_header, options->header_fd);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.sluice_counters, options->counters_fd);
	return code;
}

static int load(struct live_side *side, const struct live_side_options *options,
		struct sluice_err *err)
{
	const struct sluice_header *sizes = options->sizes;
	struct features_source *skel = features_source__open();
	uint64_t mask[2];
	int code;

	side->skel = skel;
	if (!skel) {
		code = -errno;
		goto fail;
	}
	live_v6_mask(sizes->v6_prefix_len, mask);
	skel->rodata->side = options->side;
	skel->rodata->source4_buckets = sizes->source4_buckets;
	skel->rodata->source6_buckets = sizes->source6_buckets;
	skel->rodata->v6_mask_high = mask[0];
	skel->rodata->v6_mask_low = mask[1];
	skel->rodata->chain_next = feature_chain_first(options->features.loaded);
	code = size_maps(skel, options);
	if (!code)
		code = features_source__load(skel);
	if (!code)
		return 0;
fail:
	libbpf_messages_explain(err, "the feature program 'source'", code);
	return code;
}

static int map_tables(struct live_side *side, const struct sluice_header *sizes,
		      struct sluice_err *err)
{
	struct features_source *skel = side->skel;
	struct source_table *table = &side->sources;
	int code;

	table->source4_buckets = sizes->source4_buckets;
	table->source6_buckets = sizes->source6_buckets;
	table->n_cpus = sizes->n_cpus;
	table->v6_prefix_len = (uint8_t)sizes->v6_prefix_len;
	side->n_cpus = sizes->n_cpus;
	code = mapped_open(&table->source4, bpf_map__fd(skel->maps.sluice_source4), "source4", err);
	if (!code)
		code = mapped_open(&table->source6, bpf_map__fd(skel->maps.sluice_source6),
				   "source6", err);
	if (!code)
		code = mapped_open(&table->dirty4, bpf_map__fd(skel->maps.sluice_dirty4), "dirty4",
				   err);
	if (!code)
		code = mapped_open(&table->dirty6, bpf_map__fd(skel->maps.sluice_dirty6), "dirty6",
				   err);
	if (!code)
		code = mapped_open(&side->distinct, bpf_map__fd(skel->maps.sluice_distinct),
				   "distinct", err);
	return code;
}

int live_side_open(const struct live_side_options *options, struct live_side **out,
		   struct sluice_err *err)
{
	struct live_side *side = calloc(1, sizeof(*side));
	struct feature_chain_options chain = { .features = options->features };
	int code;

	if (!side)
		return -ENOMEM;
	code = load(side, options, err);
	if (!code)
		code = map_tables(side, options->sizes, err);
	if (!code) {
		chain.chain_fd = bpf_map__fd(side->skel->maps.sluice_chain);
		code = feature_chain_open(&chain, &side->chain, err);
	}
	if (code) {
		live_side_free(side);
		return code;
	}
	*out = side;
	return 0;
}

void live_side_free(struct live_side *side)
{
	if (!side)
		return;
	feature_chain_free(side->chain);
	source_table_close(&side->sources);
	mapped_close(&side->distinct);
	features_source__destroy(side->skel);
	free(side);
}

int live_side_program_fd(const struct live_side *side)
{
	return bpf_program__fd(side->skel->progs.sluice_features_source);
}

void live_side_begin(struct live_side *side, uint64_t expected)
{
	memset(side->distinct.memory, 0, side->n_cpus * sizeof(struct distinct_registers));
	feature_chain_begin(side->chain, expected);
}

void live_side_read(struct live_side *side, struct dataplane_features_read *read)
{
	struct distinct_registers merged;

	memset(read, 0, sizeof(*read));
	distinct_merge(&merged, side->distinct.memory, side->n_cpus);
	read->distinct_sources = distinct_estimate(&merged);
	read->distinct_error = DISTINCT_STANDARD_ERROR;
	feature_chain_read(side->chain, read);
}
