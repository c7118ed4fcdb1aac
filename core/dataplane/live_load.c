/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading: sizes the filter's and the feature programs' maps by the state, loads both, and maps
 * their memory.
 */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "features_source.skel.h"
#include "filter.skel.h"
#include "libbpf_messages.h"

/* The policy's IPv6 unit as two words in network byte order. */
static void v6_mask(unsigned int prefix_len, uint64_t mask[2])
{
	uint8_t bytes[16] = { 0 };

	for (unsigned int bit = 0; bit < prefix_len; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	memcpy(mask, bytes, sizeof(bytes));
}

static int set_map(struct bpf_map *map, const char *folder, uint32_t max_entries)
{
	char path[256];

	if (max_entries) {
		int code = bpf_map__set_max_entries(map, max_entries);

		if (code)
			return code;
	}
	if (!folder)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, bpf_map__name(map));
	return bpf_map__set_pin_path(map, path);
}

static int size_filter_maps(struct live *live)
{
	const struct sluice_header *sizes = &live->state.sizes;
	const char *folder = live->state.folder;
	struct filter *filter = live->filter;
	struct {
		struct bpf_map *map;
		uint32_t max_entries; /* 0 = as compiled. */
	} const maps[] = {
		{ filter->maps.sluice_header, 0 },
		{ filter->maps.sluice_counters, sizes->n_cpus },
		{ filter->maps.sluice_block4, sizes->block4_buckets + SLUICE_STASH_BUCKETS },
		{ filter->maps.sluice_block6, sizes->block6_buckets + SLUICE_STASH_BUCKETS },
		{ filter->maps.sluice_stash4, 0 },
		{ filter->maps.sluice_stash6, 0 },
		{ filter->maps.sluice_records, sizes->max_blocked },
		{ filter->maps.sluice_own, 0 },
		{ filter->maps.sluice_prefix4, 0 },
		{ filter->maps.sluice_prefix6, 0 },
		{ filter->maps.sluice_allow4, 0 },
		{ filter->maps.sluice_allow6, 0 },
		{ filter->maps.sluice_progs, 0 },
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(maps) / sizeof(maps[0]); i++)
		code = set_map(maps[i].map, folder, maps[i].max_entries);
	return code;
}

int live_load_filter(struct live *live, struct sluice_err *err)
{
	const struct sluice_header *sizes = &live->state.sizes;
	uint64_t mask[2];
	int code;

	live->filter = filter__open();
	if (!live->filter) {
		code = -errno;
		goto fail;
	}
	v6_mask(sizes->v6_prefix_len, mask);
	live->filter->rodata->block4_buckets = sizes->block4_buckets;
	live->filter->rodata->block6_buckets = sizes->block6_buckets;
	live->filter->rodata->v6_mask_high = mask[0];
	live->filter->rodata->v6_mask_low = mask[1];
	code = size_filter_maps(live);
	if (code)
		goto fail;
	live->pinned = true;
	code = filter__load(live->filter);
	if (!code)
		return 0;
fail:
	libbpf_messages_explain(err, "the filter", code);
	/* libbpf compares each pinned map with what the header says of it. */
	if (code == -EINVAL && live->state.adopted) {
		err_prefix(err, "the state pinned in '%s' is damaged ('sluice detach' removes it)",
			   live->state.folder);
		code = -EPROTO;
	}
	return code;
}

static int load_side(struct live *live, unsigned int side, struct sluice_err *err)
{
	const struct sluice_header *sizes = &live->state.sizes;
	struct features_source *skel = features_source__open();
	uint64_t mask[2];
	int code;

	live->side[side] = skel;
	if (!skel) {
		code = -errno;
		goto fail;
	}
	v6_mask(sizes->v6_prefix_len, mask);
	skel->rodata->side = side;
	skel->rodata->source4_buckets = sizes->source4_buckets;
	skel->rodata->source6_buckets = sizes->source6_buckets;
	skel->rodata->v6_mask_high = mask[0];
	skel->rodata->v6_mask_low = mask[1];
	/*
	 * The tables are not pinned: what a dead daemon's side counted for an unknown time is no
	 * window of the next one.  The old side goes with its program, at the first swap.
	 */
	code = set_map(skel->maps.sluice_source4, NULL, sizes->n_cpus * sizes->source4_buckets);
	if (!code)
		code = set_map(skel->maps.sluice_source6, NULL,
			       sizes->n_cpus * sizes->source6_buckets);
	if (!code)
		code = set_map(skel->maps.sluice_dirty4, NULL,
			       sizes->n_cpus * sizes->source4_buckets / 64);
	if (!code)
		code = set_map(skel->maps.sluice_dirty6, NULL,
			       sizes->n_cpus * sizes->source6_buckets / 64);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.sluice_header,
					 bpf_map__fd(live->filter->maps.sluice_header));
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.sluice_counters,
					 bpf_map__fd(live->filter->maps.sluice_counters));
	if (!code)
		code = features_source__load(skel);
	if (!code)
		return 0;
fail:
	libbpf_messages_explain(err, "the feature program", code);
	return code;
}

static int map_sources(struct live *live, unsigned int side, struct sluice_err *err)
{
	const struct sluice_header *sizes = &live->state.sizes;
	struct features_source *skel = live->side[side];
	struct source_table *table = &live->sources[side];
	int code;

	table->source4_buckets = sizes->source4_buckets;
	table->source6_buckets = sizes->source6_buckets;
	table->n_cpus = sizes->n_cpus;
	table->v6_prefix_len = (uint8_t)sizes->v6_prefix_len;
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
	return code;
}

int live_map_memory(struct live *live, struct sluice_err *err)
{
	struct filter *filter = live->filter;
	int code;

	code = mapped_open(&live->header_page, bpf_map__fd(filter->maps.sluice_header), "header",
			   err);
	if (!code)
		code = mapped_open(&live->counters, bpf_map__fd(filter->maps.sluice_counters),
				   "counters", err);
	if (!code)
		code = mapped_open(&live->block4, bpf_map__fd(filter->maps.sluice_block4), "block4",
				   err);
	if (!code)
		code = mapped_open(&live->block6, bpf_map__fd(filter->maps.sluice_block6), "block6",
				   err);
	if (!code)
		code = mapped_open(&live->records, bpf_map__fd(filter->maps.sluice_records),
				   "records", err);
	if (!code)
		live->header = live->header_page.memory;
	return code;
}

int live_load_side(struct live *live, unsigned int side, struct sluice_err *err)
{
	int code = load_side(live, side, err);

	return code ? code : map_sources(live, side, err);
}

int live_open_lists(struct live *live, struct blocklist_adoption *adoption, struct sluice_err *err)
{
	struct filter *filter = live->filter;
	const struct blocklist_memory memory = {
		.header = live->header,
		.block4 = live->block4.memory,
		.block6 = live->block6.memory,
		.records = live->records.memory,
		.stash4_fd = bpf_map__fd(filter->maps.sluice_stash4),
		.stash6_fd = bpf_map__fd(filter->maps.sluice_stash6),
	};
	int code = blocklist_table_new(&memory, &live->blocklist, adoption, err);

	live->prefixes = (struct prefix_maps){
		.header = live->header,
		.prefix4_fd = bpf_map__fd(filter->maps.sluice_prefix4),
		.prefix6_fd = bpf_map__fd(filter->maps.sluice_prefix6),
		.allow4_fd = bpf_map__fd(filter->maps.sluice_allow4),
		.allow6_fd = bpf_map__fd(filter->maps.sluice_allow6),
		.own_fd = bpf_map__fd(filter->maps.sluice_own),
	};
	return code ? code : prefix_maps_init(&live->prefixes, err);
}

int live_filter_fd(const struct live *live)
{
	return bpf_program__fd(live->filter->progs.sluice_filter);
}

static void release_memory(struct live *live)
{
	mapped_close(&live->header_page);
	mapped_close(&live->counters);
	mapped_close(&live->block4);
	mapped_close(&live->block6);
	mapped_close(&live->records);
	for (int side = 0; side < 2; side++)
		source_table_close(&live->sources[side]);
}

void live_unload(struct live *live)
{
	release_memory(live);
	for (int side = 0; side < 2; side++)
		features_source__destroy(live->side[side]);
	filter__destroy(live->filter);
}
