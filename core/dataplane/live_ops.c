/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of dataplane.h on a data plane that is open. */
#include "live.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/err.h"
#include "egress.h"
#include "filter.skel.h"

void live_heartbeat(struct live *live)
{
	uint64_t now = clock_monotonic_ns(&clock_system);

	live->header->heartbeat_ns = now;
	__atomic_store_n(&live->header->expires_ns,
			 live->on_death_expire_ns ? now + live->on_death_expire_ns : 0,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&live->header->expired, 0, __ATOMIC_RELEASE);
}

static uint64_t packets_passed(const struct live *live)
{
	const struct sluice_cpu_counters *cpus = live->counters.memory;
	uint64_t packets = 0;

	for (uint32_t cpu = 0; cpu < live->state.sizes.n_cpus; cpu++)
		packets += __atomic_load_n(&cpus[cpu].reason[SLUICE_REASON_PASS].packets,
					   __ATOMIC_RELAXED);
	return packets;
}

/* Readies a side that no CPU counts into to be the one that counts. */
static void begin_side(struct live *live, unsigned int side)
{
	uint64_t passed = packets_passed(live);

	if (live->next[side]) {
		live_side_free(live->side[side]);
		live->side[side] = live->next[side];
		live->next[side] = NULL;
	}
	/* The next window is expected to be as the last one was. */
	live_side_begin(live->side[side], passed - live->passed);
	live->passed = passed;
}

/* What the filter goes on to from now on. */
static int put_in_slot(struct live *live, unsigned int side, struct sluice_err *err)
{
	int fd = live_side_program_fd(live->side[side]);
	__u32 slot = 0;

	/* Dual map: the program stays, unless the features have changed. */
	if (live->swap == DATAPLANE_SWAP_DUAL_MAP && fd == live->slot_fd)
		return 0;
	if (bpf_map_update_elem(bpf_map__fd(live->filter->maps.sluice_progs), &slot, &fd,
				BPF_ANY)) {
		int code = -errno;

		err_set(err, "swap", "cannot switch the feature program: %s", err_name(code));
		return code;
	}
	live->slot_fd = fd;
	return 0;
}

int live_flip_to(struct live *live, unsigned int side, struct sluice_err *err)
{
	unsigned int before = live->header->side & 1;
	int code;

	begin_side(live, side);
	/* Nobody counts into that side now, so its epoch may move; 0 marks fresh memory. */
	if (++live->header->epoch[side] == 0) {
		source_table_wipe(&live->tables.sources, side);
		live_side_wipe(live->side[side]);
		live->header->epoch[side] = 1;
	}
	/* Dual map: this store is the flip.  Who sees the side sees its epoch. */
	__atomic_store_n(&live->header->side, side, __ATOMIC_RELEASE);
	code = put_in_slot(live, side, err);
	if (code)
		__atomic_store_n(&live->header->side, before, __ATOMIC_RELEASE);
	return code;
}

void live_update_occupancy(struct live *live)
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

void live_modes_set(struct live *live, bool enforce, bool pass_malformed)
{
	live_enforce_set(&live->dp, enforce);
	set_flag(live, SLUICE_HEADER_PASS_MALFORMED, pass_malformed);
}

static void live_block_announce(const struct dataplane *dp, const struct sluice_key *key)
{
	blocklist_table_prefetch(live_of_const(dp)->blocklist, key);
}

static int live_block(struct dataplane *dp, const struct dataplane_block_record *record,
		      dataplane_slot *slot, struct sluice_err *err)
{
	struct live *live = live_of(dp);
	int code = blocklist_table_add(live->blocklist, record, slot, err);

	live_update_occupancy(live);
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
	live_update_occupancy(live);
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

static int live_rules_set(struct dataplane *dp, const struct dataplane_rule *rules, size_t n,
			  struct sluice_err *err)
{
	struct live *live = live_of(dp);

	return rule_maps_set(&live->rules, live->grace, rules, n, err);
}

static int live_known_set(struct dataplane *dp, const struct sluice_key *keys, size_t n,
			  struct sluice_err *err)
{
	struct live *live = live_of(dp);
	int code = known_maps_set(&live->known, live->grace, keys, n, err);

	dp->occupancy.known = live->known.n;
	return code;
}

static void live_rules_inherit(const struct dataplane *dp, dataplane_rule_inherit_fn fn, void *ctx)
{
	rule_maps_inherit(&live_of_const(dp)->rules, fn, ctx);
}

static int live_spoken_read(struct dataplane *dp, const struct dataplane_spoken_terms *terms,
			    dataplane_spoken_fn fn, void *ctx, struct sluice_err *err)
{
	struct live *live = live_of(dp);

	return live->egress ? egress_read(live->egress, terms, fn, ctx, err) : 0;
}

static void live_egress_read(const struct dataplane *dp, struct dataplane_egress_counts *counts)
{
	const struct live *live = live_of_const(dp);

	*counts = (struct dataplane_egress_counts){ 0 };
	if (live->egress)
		egress_counts(live->egress, counts);
}

static void live_rules_read(const struct dataplane *dp, dataplane_rule_fn fn, void *ctx)
{
	rule_maps_read(&live_of_const(dp)->rules, fn, ctx);
}

static int live_swap(struct dataplane *dp, struct dataplane_swap *swap, struct sluice_err *err)
{
	struct live *live = live_of(dp);
	uint64_t start = clock_monotonic_ns(&clock_system), flipped;
	int code = 0;

	/*
	 * If the last wait failed, some CPU may still count into the idle side: that one is neither
	 * read nor used again before a wait has succeeded.
	 */
	if (!live->flipped)
		code = live_flip_to(live, (live->header->side ^ 1) & 1, err);
	if (code)
		return code;
	live->flipped = true;
	flipped = clock_monotonic_ns(&clock_system);
	code = grace_wait(live->grace, err);
	if (code)
		return code;
	live->flipped = false;
	/* Whoever might still have counted into a freed way has ended, too. */
	blocklist_table_release(live->blocklist);
	known_maps_settled(&live->known);
	live_heartbeat(live);
	swap->flip_ns = flipped - start;
	swap->grace_ns = clock_monotonic_ns(&clock_system) - flipped;
	return 0;
}

static size_t live_sources_read(struct dataplane *dp, struct sluice_source *sources, size_t max,
				struct dataplane_count *untracked)
{
	struct live *live = live_of(dp);
	unsigned int idle = (live->header->side ^ 1) & 1;

	return source_table_read(&live->tables.sources, idle, live->header->epoch[idle], sources,
				 max, untracked);
}

static const struct sluice_source *live_source_find(const struct dataplane *dp,
						    const struct sluice_source *sources, size_t n,
						    const struct sluice_key *key)
{
	const struct live *live = live_of_const(dp);

	return source_table_find(&live->tables.sources, live->header->hash_key, sources, n, key);
}

static int live_features_set(struct dataplane *dp, const struct dataplane_features *features,
			     struct sluice_err *err)
{
	struct live *live = live_of(dp);
	struct live_side *next[2] = { NULL, NULL };
	int code;

	if (memcmp(features, &dp->features, sizeof(*features)) == 0)
		return 0;
	code = live_open_sides(live, features, next, err);
	if (code)
		return code;
	for (unsigned int side = 0; side < 2; side++) {
		live_side_free(live->next[side]);
		live->next[side] = next[side];
	}
	dp->features = *features;
	return 0;
}

static void live_features_read(struct dataplane *dp, struct dataplane_features_read *read)
{
	struct live *live = live_of(dp);

	live_side_read(live->side[(live->header->side ^ 1) & 1], read);
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

static void live_deliver_read(const struct dataplane *dp, struct dataplane_deliver_counts *counts)
{
	deliver_maps_read(&live_of_const(dp)->deliver, counts);
}

static int live_deliver_sockets(const struct dataplane *dp)
{
	return deliver_maps_sockets(&live_of_const(dp)->deliver);
}

static int live_deliver_slot(const struct dataplane *dp, const char *ifname)
{
	const struct live *live = live_of_const(dp);

	for (size_t i = 0; i < live->n_attachments; i++)
		if (strcmp(live->attachments[i].name, ifname) == 0)
			return deliver_maps_slot(&live->deliver, i);
	return -1;
}

static bool live_event_next(struct dataplane *dp, enum dataplane_event_kind *kind, char *ifname)
{
	struct live *live = live_of(dp);
	const struct attachment_options options = {
		.folder = live->state.folder,
		.prog_fd = live_filter_fd(live),
		.old_prog_fd = -1,
		.shared = live->shared,
		.priority = live->priority,
	};

	for (size_t i = 0; i < live->n_attachments; i++) {
		struct attachment *attachment = &live->attachments[i];

		bool back = attachment_return(attachment, &options, kind, &dp->event_err);

		/* Without them the filter still filters, so that a failure here is none of that. */
		if (back && live->egress && *kind == DATAPLANE_EVENT_INTERFACE_BACK)
			(void)!egress_attach(live->egress, attachment->name, NULL);
		if (back || attachment_check(attachment, kind)) {
			deliver_maps_follow(&live->deliver, i,
					    attachment->gone ? 0 : attachment->ifindex);
			memcpy(ifname, attachment->name, IFNAMSIZ);
			return true;
		}
	}
	return false;
}

static void live_close(struct dataplane *dp)
{
	live_free(live_of(dp), false);
}

const struct dataplane_ops live_ops = {
	.close = live_close,
	.block_announce = live_block_announce,
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
	.rules_set = live_rules_set,
	.rules_inherit = live_rules_inherit,
	.rules_read = live_rules_read,
	.known_set = live_known_set,
	.spoken_read = live_spoken_read,
	.egress_read = live_egress_read,
	.enforce_set = live_enforce_set,
	.swap = live_swap,
	.sources_read = live_sources_read,
	.features_set = live_features_set,
	.features_read = live_features_read,
	.source_find = live_source_find,
	.counters_read = live_counters_read,
	.deliver_read = live_deliver_read,
	.deliver_sockets = live_deliver_sockets,
	.deliver_slot = live_deliver_slot,
	.event_next = live_event_next,
};
