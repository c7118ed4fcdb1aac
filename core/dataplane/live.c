/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane on real interfaces: loads the filter and both feature sides, adopts what is
 * pinned, attaches last, and answers the calls of dataplane.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attachment.h"
#include "base/err.h"
#include "blocklist_table.h"
#include "dataplane.h"
#include "features_source.skel.h"
#include "filter.skel.h"
#include "grace.h"
#include "libbpf_messages.h"
#include "mapped.h"
#include "prefix_maps.h"
#include "source_table.h"
#include "state.h"

struct live {
	struct dataplane dp; /* First member. */
	struct state state;
	struct filter *filter;
	struct features_source *side[2];
	struct source_table sources[2];
	struct mapped header_page, counters, block4, block6, records;
	struct sluice_header *header;
	struct blocklist_table *blocklist;
	struct prefix_maps prefixes;
	struct grace *grace;
	struct attachment *attachments;
	size_t n_attachments;
	uint64_t on_death_expire_ns;
	bool pinned; /* Maps may be pinned by this call. */
};

static struct live *live_of(struct dataplane *dp)
{
	return (struct live *)dp;
}

static const struct live *live_of_const(const struct dataplane *dp)
{
	return (const struct live *)dp;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The policy's IPv6 unit as two words in network byte order. */
static void v6_mask(unsigned int prefix_len, uint64_t mask[2])
{
	uint8_t bytes[16] = { 0 };

	for (unsigned int bit = 0; bit < prefix_len; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	memcpy(mask, bytes, sizeof(bytes));
}

/* The daemon is alive: automatic blocks last until that much later. */
static void heartbeat(struct live *live)
{
	uint64_t now = monotonic_ns();

	live->header->heartbeat_ns = now;
	__atomic_store_n(&live->header->expires_ns,
			 live->on_death_expire_ns ? now + live->on_death_expire_ns : 0,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&live->header->expired, 0, __ATOMIC_RELEASE);
}

/* As the filter decides it, but also if nobody has sent anything since. */
static bool has_lapsed(const struct sluice_header *header)
{
	return header->expired || (header->expires_ns && monotonic_ns() > header->expires_ns);
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

static void filter_pin_path(const struct live *live, char path[256])
{
	snprintf(path, 256, "%s/sluice_filter", live->state.folder);
}

/*
 * Once the new filter is behind every link: the next daemon names it in its own exchange, and
 * `bpftool prog run pinned` tests what runs.
 */
static int pin_filter(struct live *live, struct sluice_err *err)
{
	char path[256];

	filter_pin_path(live, path);
	unlink(path);
	if (bpf_obj_pin(bpf_program__fd(live->filter->progs.sluice_filter), path) == 0)
		return 0;
	int code = -errno;

	err_set(err, "pin_path", "cannot pin '%s': %s", path, err_name(code));
	return code;
}

static int load_filter(struct live *live, struct sluice_err *err)
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

static int map_memory(struct live *live, struct sluice_err *err)
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

static int open_lists(struct live *live, struct blocklist_adoption *adoption,
		      struct sluice_err *err)
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

/* Makes `side` the one that counts. */
static int flip_to(struct live *live, unsigned int side, struct sluice_err *err)
{
	int fd = bpf_program__fd(live->side[side]->progs.sluice_features_source);
	__u32 slot = 0;

	/* Nobody counts into that side now, so its epoch may move; 0 marks fresh memory. */
	if (++live->header->epoch[side] == 0)
		live->header->epoch[side] = 1;
	if (bpf_map_update_elem(bpf_map__fd(live->filter->maps.sluice_progs), &slot, &fd,
				BPF_ANY)) {
		int code = -errno;

		err_set(err, "swap", "cannot switch the feature program: %s", err_name(code));
		return code;
	}
	live->header->side = side;
	return 0;
}

static int attach_all(struct live *live, const struct dataplane_live_options *options,
		      struct sluice_err *err)
{
	int prog_fd = bpf_program__fd(live->filter->progs.sluice_filter), old_fd, code = 0;
	char path[256];

	live->attachments = calloc(options->n_interfaces + 1, sizeof(*live->attachments));
	if (!live->attachments)
		return -ENOMEM;
	filter_pin_path(live, path);
	old_fd = bpf_obj_get(path);
	for (size_t i = 0; i < options->n_interfaces && !code; i++) {
		code = attachment_open(&live->attachments[i], &options->interfaces[i],
				       live->state.folder, prog_fd, old_fd, err);
		live->n_attachments += !code;
	}
	if (old_fd >= 0)
		close(old_fd);
	if (code)
		return code;
	attachment_prune(live->state.folder, live->attachments, live->n_attachments);
	return pin_filter(live, err);
}

static void update_occupancy(struct live *live)
{
	struct dataplane_occupancy *occupancy = &live->dp.occupancy;

	occupancy->blocked_v4 = blocklist_table_count(live->blocklist, SLUICE_FAMILY_IPV4);
	occupancy->blocked_v6 = blocklist_table_count(live->blocklist, SLUICE_FAMILY_IPV6);
}

static void set_flag(struct live *live, uint32_t flag, bool on)
{
	if (on)
		__atomic_fetch_or(&live->header->flags, flag, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&live->header->flags, ~flag, __ATOMIC_RELEASE);
}

static void live_enforce_set(struct dataplane *dp, bool enforce)
{
	set_flag(live_of(dp), SLUICE_HEADER_OBSERVE, !enforce);
}

static void set_modes(struct live *live, const struct dataplane_live_options *options)
{
	live_enforce_set(&live->dp, options->enforce);
	set_flag(live, SLUICE_HEADER_PASS_MALFORMED, options->pass_malformed);
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

/* `undo`: take back what this daemon attached and, if nothing was adopted, pinned. */
static void live_free(struct live *live, bool undo)
{
	for (size_t i = 0; i < live->n_attachments; i++) {
		if (undo)
			attachment_undo(&live->attachments[i]);
		else
			attachment_close(&live->attachments[i]);
	}
	free(live->attachments);
	blocklist_table_free(live->blocklist);
	grace_free(live->grace);
	release_memory(live);
	for (int side = 0; side < 2; side++)
		features_source__destroy(live->side[side]);
	filter__destroy(live->filter);
	if (undo && live->pinned && !live->state.adopted)
		(void)!state_remove(live->state.folder, NULL);
	state_close(&live->state);
	free(live);
}

static void live_close(struct dataplane *dp)
{
	live_free(live_of(dp), false);
}

static int live_block(struct dataplane *dp, const struct dataplane_block_record *record,
		      dataplane_slot *slot, struct sluice_err *err)
{
	struct live *live = live_of(dp);
	int code = blocklist_table_add(live->blocklist, record, slot, err);

	update_occupancy(live);
	return code;
}

static void live_block_update(struct dataplane *dp, dataplane_slot slot,
			      const struct dataplane_block_record *record)
{
	blocklist_table_update(live_of(dp)->blocklist, slot, record);
}

static void live_unblock(struct dataplane *dp, dataplane_slot slot)
{
	struct live *live = live_of(dp);

	blocklist_table_del(live->blocklist, slot);
	update_occupancy(live);
}

static uint32_t live_block_packets(const struct dataplane *dp, dataplane_slot slot)
{
	return blocklist_table_packets(live_of_const(dp)->blocklist, slot);
}

static void live_block_foreach(const struct dataplane *dp, dataplane_block_fn fn, void *ctx)
{
	blocklist_table_foreach(live_of_const(dp)->blocklist, fn, ctx);
}

static int live_prefix_set(struct dataplane *dp, const struct sluice_key *prefix,
			   uint64_t expires_ns, struct sluice_err *err)
{
	return prefix_maps_set(&live_of(dp)->prefixes, prefix, expires_ns, err);
}

static int live_prefix_del(struct dataplane *dp, const struct sluice_key *prefix,
			   struct sluice_err *err)
{
	return prefix_maps_del(&live_of(dp)->prefixes, prefix, err);
}

static int live_prefix_foreach(const struct dataplane *dp, dataplane_prefix_fn fn, void *ctx,
			       struct sluice_err *err)
{
	return prefix_maps_foreach(&live_of_const(dp)->prefixes, fn, ctx, err);
}

static int live_allow_set(struct dataplane *dp, const struct dataplane_allow *allow, size_t n,
			  struct sluice_err *err)
{
	return prefix_maps_allow_set(&live_of(dp)->prefixes, allow, n, err);
}

static int live_own_set(struct dataplane *dp, const struct sluice_key *own, size_t n,
			struct sluice_err *err)
{
	return prefix_maps_own_set(&live_of(dp)->prefixes, own, n, err);
}

static int live_swap(struct dataplane *dp, struct dataplane_swap *swap, struct sluice_err *err)
{
	struct live *live = live_of(dp);
	uint64_t start = monotonic_ns();
	int code = flip_to(live, live->header->side ^ 1, err);

	if (code)
		return code;
	uint64_t flipped = monotonic_ns();

	code = grace_wait(live->grace, err);
	if (code)
		return code;
	/* Whoever might still have counted into a freed way has ended, too. */
	blocklist_table_release(live->blocklist);
	heartbeat(live);
	swap->flip_ns = flipped - start;
	swap->grace_ns = monotonic_ns() - flipped;
	return 0;
}

static void live_sources_read(struct dataplane *dp, dataplane_source_fn fn, void *ctx,
			      struct dataplane_count *untracked)
{
	struct live *live = live_of(dp);
	unsigned int idle = (live->header->side ^ 1) & 1;

	source_table_read(&live->sources[idle], live->header->epoch[idle], fn, ctx, untracked);
}

static void live_counters_read(const struct dataplane *dp, struct dataplane_counters *counters)
{
	const struct live *live = live_of_const(dp);
	const struct sluice_cpu_counters *cpus = live->counters.memory;

	memset(counters, 0, sizeof(*counters));
	for (uint32_t cpu = 0; cpu < live->state.sizes.n_cpus; cpu++) {
		for (int reason = 0; reason < DATAPLANE_N_REASONS; reason++) {
			const struct sluice_count *count = &cpus[cpu].reason[reason];

			counters->reason[reason].packets +=
				__atomic_load_n(&count->packets, __ATOMIC_RELAXED);
			counters->reason[reason].bytes +=
				__atomic_load_n(&count->bytes, __ATOMIC_RELAXED);
		}
	}
}

static bool live_event_next(struct dataplane *dp, enum dataplane_event_kind *kind, char *ifname)
{
	struct live *live = live_of(dp);

	for (size_t i = 0; i < live->n_attachments; i++) {
		if (attachment_check(&live->attachments[i], kind)) {
			memcpy(ifname, live->attachments[i].name, IFNAMSIZ);
			return true;
		}
	}
	return false;
}

static const struct dataplane_ops live_ops = {
	.close = live_close,
	.block = live_block,
	.block_update = live_block_update,
	.unblock = live_unblock,
	.block_packets = live_block_packets,
	.block_foreach = live_block_foreach,
	.prefix_set = live_prefix_set,
	.prefix_del = live_prefix_del,
	.prefix_foreach = live_prefix_foreach,
	.allow_set = live_allow_set,
	.own_set = live_own_set,
	.enforce_set = live_enforce_set,
	.swap = live_swap,
	.sources_read = live_sources_read,
	.counters_read = live_counters_read,
	.event_next = live_event_next,
};

/* All but attaching: programs loaded, memory mapped, lists taken over. */
static int prepare(struct live *live, const struct dataplane_live_options *options,
		   struct sluice_err *err)
{
	struct blocklist_adoption adoption;
	int code = load_filter(live, err);

	if (!code)
		code = map_memory(live, err);
	if (!code && !live->state.adopted)
		code = state_header_write(&live->state, live->header, err);
	for (unsigned int side = 0; !code && side < 2; side++) {
		code = load_side(live, side, err);
		if (!code)
			code = map_sources(live, side, err);
	}
	if (!code)
		code = open_lists(live, &adoption, err);
	if (!code)
		code = grace_new(&live->grace, err);
	if (code)
		return code;
	live->header->generation++;
	if (!live->state.adopted)
		set_modes(live, options);
	live->dp.lapsed = live->state.adopted && has_lapsed(live->header);
	heartbeat(live);
	update_occupancy(live);
	live->dp.occupancy.blocked_capacity = live->header->max_blocked;
	live->dp.occupancy.sources_capacity = options->max_sources;
	return flip_to(live, live->header->side & 1, err);
}

int dataplane_live_open(const struct dataplane_live_options *options, struct dataplane **out,
			struct sluice_err *err)
{
	struct live *live = calloc(1, sizeof(*live));
	int code;

	if (!live)
		return -ENOMEM;
	live->dp.ops = &live_ops;
	live->on_death_expire_ns = options->on_death_expire_ns;
	libbpf_messages_init();
	for (size_t i = 0; i < options->n_interfaces; i++) {
		if (!if_nametoindex(options->interfaces[i].name)) {
			err_set(err, "interfaces",
				"interface '%s': no such interface; 'ip link' lists them",
				options->interfaces[i].name);
			free(live);
			return -ENODEV;
		}
	}
	code = state_open(&live->state, options, err);
	if (code) {
		free(live);
		return code;
	}
	live->dp.adopted = live->state.adopted;
	live->pinned = !live->state.adopted;
	code = prepare(live, options, err);
	if (!code)
		code = attach_all(live, options, err);
	if (code) {
		live_free(live, true);
		return code;
	}
	/* A filter that runs already keeps its modes until nothing can fail any more. */
	set_modes(live, options);
	*out = &live->dp;
	return 0;
}
