/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading the filter, and freeing all: sizes its maps by the state, loads it, and maps its memory.
 * live_side.c does the same for the feature programs.
 */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "egress.h"
#include "filter.skel.h"
#include "known_shared.h"
#include "libbpf_messages.h"
#include "xdp_frags.h"

/* The header page is a section of data, which libbpf names by its own rules. */
static const char *pin_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return strcmp(name, ".data.header") == 0 ? "sluice_header" : name;
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
	snprintf(path, sizeof(path), "%s/%s", folder, pin_name(map));
	return bpf_map__set_pin_path(map, path);
}

static int size_filter_maps(struct live *live)
{
	const struct sluice_header *sizes = &live->state.sizes;
	const char *folder = live->replays ? NULL : live->state.folder;
	struct filter *filter = live->filter;
	uint32_t stash4 = SLUICE_STASH_BUCKETS(sizes->block4_buckets);
	uint32_t stash6 = SLUICE_STASH_BUCKETS(sizes->block6_buckets);
	struct {
		struct bpf_map *map;
		uint32_t max_entries; /* 0 = as compiled. */
	} const maps[] = {
		{ filter->maps.data_header, 0 },
		{ filter->maps.sluice_counters, sizes->n_cpus },
		{ filter->maps.sluice_block4, sizes->block4_buckets + stash4 },
		{ filter->maps.sluice_block6, sizes->block6_buckets + stash6 },
		{ filter->maps.sluice_carry4, sizes->block4_buckets + stash4 },
		{ filter->maps.sluice_carry6, sizes->block6_buckets + stash6 },
		{ filter->maps.sluice_stash4, stash4 * SLUICE_BLOCK_WAYS },
		{ filter->maps.sluice_stash6, stash6 * SLUICE_BLOCK_WAYS },
		{ filter->maps.sluice_records, sizes->max_blocked },
		{ filter->maps.sluice_own, 0 },
		{ filter->maps.sluice_prefix4, 0 },
		{ filter->maps.sluice_prefix6, 0 },
		{ filter->maps.sluice_allow4, 0 },
		{ filter->maps.sluice_allow6, 0 },
		{ filter->maps.sluice_progs, 0 },
		{ filter->maps.sluice_known4, KNOWN_GENERATIONS << sizes->known_bits },
		{ filter->maps.sluice_known6,
		  KNOWN_GENERATIONS * KNOWN6_BUCKETS(sizes->known_bits) },
		{ filter->maps.sluice_spoken, live->max_spoken },
		{ filter->maps.sluice_rules, 0 },
		{ filter->maps.sluice_rule_counts, sizes->n_cpus },
		{ filter->maps.sluice_rule_limits, 0 },
		{ filter->maps.sluice_rule_cells, 0 },
		{ filter->maps.sluice_rule_names, 0 },
		{ filter->maps.sluice_xsks, 0 },
		{ filter->maps.sluice_deliver_slots, 0 },
		{ filter->maps.sluice_delivered, sizes->n_cpus },
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(maps) / sizeof(maps[0]); i++)
		code = set_map(maps[i].map, folder, maps[i].max_entries);
	return code;
}

int live_load_filter(struct live *live, const struct dataplane_live_options *options,
		     struct sluice_err *err)
{
	const struct sluice_header *sizes = &live->state.sizes;
	const char *folder = live->replays ? NULL : live->state.folder;
	uint64_t mask[2];
	int code;

	live->filter = filter__open();
	if (!live->filter) {
		code = -errno;
		goto fail;
	}
	state_v6_mask(sizes->v6_prefix_len, mask);
	live->filter->rodata->block4_bits = (uint32_t)__builtin_ctz(sizes->block4_buckets);
	live->filter->rodata->block6_bits = (uint32_t)__builtin_ctz(sizes->block6_buckets);
	live->filter->rodata->known_bits = sizes->known_bits;
	live->filter->rodata->v6_mask_high = mask[0];
	live->filter->rodata->v6_mask_low = mask[1];
	code = size_filter_maps(live);
	if (!code)
		code = deliver_maps_prepare(&live->deliver, live->filter->obj, folder, options,
					    sizes->n_cpus, err);
	if (code == -EPROTO)
		return code;
	deliver_maps_constants(&live->deliver, live->filter->rodata);
	if (!code)
		code = xdp_frags_prepare(live->filter->obj, live->shared);
	if (code)
		goto fail;
	live->pinned = !live->replays;
	code = filter__load(live->filter);
	if (!code)
		return deliver_maps_open(&live->deliver, live->filter->obj, &options->deliver, err);
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

int live_map_memory(struct live *live, struct sluice_err *err)
{
	const struct filter *filter = live->filter;
	struct {
		struct mapped *mapped;
		const struct bpf_map *map;
		const char *name;
	} const all[] = {
		{ &live->header_page, filter->maps.data_header, "header" },
		{ &live->counters, filter->maps.sluice_counters, "counters" },
		{ &live->block4, filter->maps.sluice_block4, "block4" },
		{ &live->block6, filter->maps.sluice_block6, "block6" },
		{ &live->carry4, filter->maps.sluice_carry4, "carry4" },
		{ &live->carry6, filter->maps.sluice_carry6, "carry6" },
		{ &live->records, filter->maps.sluice_records, "records" },
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(all) / sizeof(all[0]); i++)
		code = mapped_open(all[i].mapped, bpf_map__fd(all[i].map), all[i].name, err);
	if (!code)
		live->header = live->header_page.memory;
	return code;
}

int live_open_sides(struct live *live, const struct dataplane_features *features,
		    struct live_side *out[2], struct sluice_err *err)
{
	struct live_side *sides[2] = { NULL, NULL };
	struct live_side_options options = {
		.sizes = &live->state.sizes,
		.header = live->header,
		.deliver = &live->deliver,
		.tables = &live->tables,
		.header_fd = bpf_map__fd(live->filter->maps.data_header),
		.counters_fd = bpf_map__fd(live->filter->maps.sluice_counters),
		.swap = live->swap,
		.shared = live->shared,
		.features = *features,
		.replays = live->replays,
	};
	int code = live_side_open(&options, &sides[0], err);

	if (code)
		return code;
	options.side = 1;
	options.twin = sides[0];
	code = live_side_open(&options, &sides[1], err);
	if (code) {
		live_side_free(sides[0]);
		return code;
	}
	memcpy(out, sides, sizeof(sides));
	return 0;
}

static int open_rules(struct live *live, struct sluice_err *err)
{
	const struct filter *filter = live->filter;
	const struct rule_maps_fds fds = {
		.generations = bpf_map__fd(filter->maps.sluice_rules),
		.counters = bpf_map__fd(filter->maps.sluice_rule_counts),
		.limits = bpf_map__fd(filter->maps.sluice_rule_limits),
		.names = bpf_map__fd(filter->maps.sluice_rule_names),
	};

	return rule_maps_open(&live->rules, &fds, live->header, live->state.sizes.n_cpus, err);
}

int live_open_lists(struct live *live, struct blocklist_adoption *adoption, struct sluice_err *err)
{
	struct filter *filter = live->filter;
	const struct blocklist_memory memory = {
		.header = live->header,
		.v4 = { 4, live->header->block4_buckets, live->block4.memory, live->carry4.memory,
			bpf_map__fd(filter->maps.sluice_stash4) },
		.v6 = { 8, live->header->block6_buckets, live->block6.memory, live->carry6.memory,
			bpf_map__fd(filter->maps.sluice_stash6) },
		.records = live->records.memory,
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
	if (!code)
		code = prefix_maps_init(&live->prefixes, err);
	if (!code)
		code = known_maps_open(&live->known, bpf_map__fd(filter->maps.sluice_known4),
				       bpf_map__fd(filter->maps.sluice_known6), live->header, err);
	return code ? code : open_rules(live, err);
}

int live_open_egress(struct live *live, const struct dataplane_live_options *options,
		     struct sluice_err *err)
{
	const struct egress_options egress = {
		.folder = live->replays ? NULL : live->state.folder,
		.header_fd = bpf_map__fd(live->filter->maps.data_header),
		.spoken_fd = bpf_map__fd(live->filter->maps.sluice_spoken),
		.header = live->header,
		.n_cpus = live->state.sizes.n_cpus,
		.max_hosts = live->max_spoken,
		.mode = options->egress,
		.interfaces = options->interfaces,
		.n_interfaces = options->n_interfaces,
	};
	int code = 0;

	if (options->egress != DATAPLANE_EGRESS_OFF)
		code = egress_open(&egress, &live->egress, err);
	if (code && options->egress == DATAPLANE_EGRESS_AUTO) {
		if (err)
			live->dp.egress_err = *err;
		code = 0;
	}
	live->dp.egress = egress_mode(live->egress);
	return code;
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
	mapped_close(&live->carry4);
	mapped_close(&live->carry6);
	mapped_close(&live->records);
	rule_maps_close(&live->rules);
	known_maps_close(&live->known);
	deliver_maps_close(&live->deliver);
	live_tables_close(&live->tables);
}

static void unload(struct live *live)
{
	release_memory(live);
	egress_close(live->egress);
	for (int side = 0; side < 2; side++) {
		live_side_free(live->side[side]);
		live_side_free(live->next[side]);
	}
	filter__destroy(live->filter);
}

void live_free(struct live *live, bool undo)
{
	if (undo)
		egress_undo(live->egress);
	for (size_t i = 0; i < live->n_attachments; i++) {
		if (undo)
			attachment_undo(&live->attachments[i]);
		else
			attachment_close(&live->attachments[i]);
	}
	free(live->attachments);
	blocklist_table_free(live->blocklist);
	grace_free(live->grace);
	unload(live);
	if (undo && live->pinned && !live->state.adopted)
		(void)!state_remove(live->state.folder, NULL);
	state_close(&live->state);
	free(live);
}
