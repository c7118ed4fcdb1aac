/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_side.h. */
#include "live_side.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/err.h"
#include "deliver_maps.h"
#include "distinct.h"
#include "distinct_registers.h"
#include "feature_chain.h"
#include "libbpf_messages.h"
#include "live_tables.h"
#include "shared.h"
#include "state.h"
#include "xdp_frags.h"

/* Uses types of shared.h. */
#include "features_source.skel.h"

/* The tables hold both sides and are made before; see live_tables.h. */
static int borrow_maps(struct features_source *skel, const struct live_side_options *options)
{
	const struct live_tables *tables = options->tables;
	const struct {
		struct bpf_map *map;
		int fd;
	} maps[] = {
		{ skel->maps.sluice_source4, tables->v4.buckets },
		{ skel->maps.sluice_source4_dirty, tables->v4.dirty },
		{ skel->maps.sluice_source4_other, tables->v4.other },
		{ skel->maps.sluice_source6, tables->v6.buckets },
		{ skel->maps.sluice_source6_dirty, tables->v6.dirty },
		{ skel->maps.sluice_source6_other, tables->v6.other },
		{ skel->maps.sluice_distinct, tables->distinct_fd },
		{ skel->maps.data_header, options->header_fd },
		{ skel->maps.sluice_counters, options->counters_fd },
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(maps) / sizeof(maps[0]); i++)
		code = bpf_map__reuse_fd(maps[i].map, maps[i].fd);
	return code;
}

struct live_program {
	struct features_source *skel;
	unsigned int n_users;
};

static void program_release(struct live_program *program)
{
	if (!program || --program->n_users)
		return;
	features_source__destroy(program->skel);
	free(program);
}

static int program_load(struct live_program *program, const struct live_side_options *options,
			struct sluice_err *err)
{
	const struct sluice_header *sizes = options->sizes;
	struct features_source *skel = features_source__open();
	uint64_t mask[2];
	int code;

	program->skel = skel;
	if (!skel) {
		code = -errno;
		goto fail;
	}
	state_v6_mask(sizes->v6_prefix_len, mask);
	skel->rodata->side = options->swap == DATAPLANE_SWAP_DUAL_MAP ? FEATURE_SIDE_OF_HEADER
								      : options->side;
	skel->rodata->n_cpus = sizes->n_cpus;
	skel->rodata->source4_buckets = options->tables->source4_buckets;
	skel->rodata->source6_buckets = options->tables->source6_buckets;
	skel->rodata->v6_mask_high = mask[0];
	skel->rodata->v6_mask_low = mask[1];
	skel->rodata->chain_next = feature_chain_first(options->features.loaded);
	deliver_maps_constants(options->deliver, skel->rodata);
	code = borrow_maps(skel, options);
	if (!code)
		code = deliver_maps_lend(options->deliver, skel->obj);
	if (!code)
		code = xdp_frags_prepare(skel->obj, options->shared);
	if (!code)
		code = features_source__load(skel);
	if (!code)
		return 0;
fail:
	libbpf_messages_explain(err, "the feature program 'source'", code);
	return code;
}

/* Its own, or that of the side which it shares one with. */
static int take_program(struct live_side *side, const struct live_side_options *options,
			struct sluice_err *err)
{
	bool share = options->swap == DATAPLANE_SWAP_DUAL_MAP && options->twin;

	side->program = share ? options->twin->program : calloc(1, sizeof(*side->program));
	if (!side->program)
		return -ENOMEM;
	side->program->n_users++;
	return share ? 0 : program_load(side->program, options, err);
}

int live_side_open(const struct live_side_options *options, struct live_side **out,
		   struct sluice_err *err)
{
	struct live_side *side = calloc(1, sizeof(*side));
	struct feature_chain_options chain = {
		.features = options->features,
		.side = options->side,
		.shared = options->shared,
		.header = options->header,
		.deliver = options->deliver,
		.header_fd = options->header_fd,
		.replays = options->replays,
	};
	int code;

	if (!side)
		return -ENOMEM;
	side->distinct = (struct distinct_registers *)options->tables->distinct.memory +
			 options->side * options->tables->n_cpus;
	side->n_cpus = options->tables->n_cpus;
	code = take_program(side, options, err);
	if (!code) {
		const struct features_source *skel = side->program->skel;
		bool second = options->swap == DATAPLANE_SWAP_DUAL_MAP && options->side;

		chain.chain_fd =
			bpf_map__fd(second ? skel->maps.sluice_chain1 : skel->maps.sluice_chain);
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
	program_release(side->program);
	free(side);
}

int live_side_program_fd(const struct live_side *side)
{
	return bpf_program__fd(side->program->skel->progs.sluice_features_source);
}

void live_side_wipe(struct live_side *side)
{
	feature_chain_wipe(side->chain);
}

void live_side_begin(struct live_side *side, uint64_t expected)
{
	memset(side->distinct, 0, side->n_cpus * sizeof(struct distinct_registers));
	feature_chain_begin(side->chain, expected);
}

void live_side_read(struct live_side *side, struct dataplane_features_read *read)
{
	struct distinct_registers merged;

	memset(read, 0, sizeof(*read));
	distinct_merge(&merged, side->distinct, side->n_cpus);
	read->distinct_sources = distinct_estimate(&merged);
	read->distinct_error = DISTINCT_STANDARD_ERROR;
	feature_chain_read(side->chain, read);
}
