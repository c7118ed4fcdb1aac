/* SPDX-License-Identifier: BSD-2-Clause */
/* A data plane in plain memory: see fake_dataplane.h. */
#include "fake_dataplane.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "base/hash_table.h"

static struct fake_dataplane *fake_of(struct dataplane *dp)
{
	return (struct fake_dataplane *)dp;
}

static const struct fake_dataplane *const_fake_of(const struct dataplane *dp)
{
	return (const struct fake_dataplane *)dp;
}

static bool overlap(const struct sluice_key *a, const struct sluice_key *b)
{
	return address_covers(a, b) || address_covers(b, a);
}

static bool is_protected(const struct fake_dataplane *fake, const struct sluice_key *key)
{
	for (size_t i = 0; i < fake->n_allow; i++)
		if (overlap(&fake->allow[i].prefix, key))
			return true;
	for (size_t i = 0; i < fake->n_own; i++)
		if (overlap(&fake->own[i], key))
			return true;
	return false;
}

static void put(struct fake_dataplane *fake, const struct dataplane_block_record *record,
		dataplane_slot *slot)
{
	size_t at = 0;

	/* The lowest free slot, so that slots are used again; full tables are searched once. */
	if (hash_table_size(fake->index) < fake->n_slots)
		while (fake->slots[at].used)
			at++;
	else
		at = fake->n_slots;
	if (at == fake->slots_capacity) {
		fake->slots_capacity = fake->slots_capacity ? fake->slots_capacity * 2 : 64;
		fake->slots = realloc(fake->slots, fake->slots_capacity * sizeof(*fake->slots));
		cr_assert(fake->slots);
	}
	if (at == fake->n_slots)
		fake->n_slots++;
	fake->slots[at] = (struct fake_slot){ true, *record, fake->first_counter };
	cr_assert_geq(hash_table_add(fake->index, &record->key, (uint32_t)at, NULL), 0);
	*slot = (dataplane_slot)at;
}

static void fake_announce(const struct dataplane *dp, const struct sluice_key *key)
{
	/* Only advice; but of something that can be blocked. */
	cr_assert(address_is_valid(key));
	cr_assert_not_null(dp);
}

static int fake_block(struct dataplane *dp, const struct dataplane_block_record *record,
		      dataplane_slot *slot, struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	fake->n_blocks++;
	if (fake->block_code) {
		err_set(err, NULL, "the test says so");
		return fake->block_code;
	}
	if (hash_table_get(fake->index, &record->key, NULL))
		return -EEXIST;
	if (hash_table_size(fake->index) == fake->capacity)
		return -ENOSPC;
	fake->violations += is_protected(fake, &record->key);
	put(fake, record, slot);
	return 0;
}

static void fake_update(struct dataplane *dp, dataplane_slot slot,
			const struct dataplane_block_record *record)
{
	struct fake_dataplane *fake = fake_of(dp);

	cr_assert(slot < fake->n_slots && fake->slots[slot].used);
	cr_assert(address_equal(&fake->slots[slot].record.key, &record->key));
	fake->slots[slot].record = *record;
	fake->n_updates++;
}

static void fake_unblock(struct dataplane *dp, dataplane_slot slot)
{
	struct fake_dataplane *fake = fake_of(dp);
	uint32_t at;

	cr_assert(slot < fake->n_slots && fake->slots[slot].used);
	fake->slots[slot].used = false;
	fake->n_unblocks++;
	/* Of two damaged entries with one key, only one is in the index. */
	if (hash_table_get(fake->index, &fake->slots[slot].record.key, &at) && at == slot)
		hash_table_del(fake->index, &fake->slots[slot].record.key, NULL);
}

static uint32_t fake_packets(const struct dataplane *dp, dataplane_slot slot)
{
	const struct fake_dataplane *fake = const_fake_of(dp);

	cr_assert(slot < fake->n_slots && fake->slots[slot].used);
	return fake->slots[slot].packets;
}

static void fake_foreach(const struct dataplane *dp, dataplane_block_fn fn, void *ctx)
{
	const struct fake_dataplane *fake = const_fake_of(dp);

	for (size_t i = 0; i < fake->n_slots; i++)
		if (fake->slots[i].used)
			fn(ctx, (dataplane_slot)i, &fake->slots[i].record);
}

static int fake_prefix_set(struct dataplane *dp, const struct sluice_key *prefix,
			   uint64_t expires_ns, struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	if (fake->prefix_set_code) {
		err_set(err, NULL, "the test says so");
		return fake->prefix_set_code;
	}
	for (size_t i = 0; i < fake->n_prefixes; i++) {
		if (memcmp(&fake->prefixes[i], prefix, sizeof(*prefix)) == 0) {
			fake->prefix_expires_ns[i] = expires_ns;
			return 0;
		}
	}
	cr_assert_lt(fake->n_prefixes, FAKE_PREFIXES);
	fake->prefix_expires_ns[fake->n_prefixes] = expires_ns;
	fake->prefixes[fake->n_prefixes++] = *prefix;
	return 0;
}

static int fake_prefix_del(struct dataplane *dp, const struct sluice_key *prefix,
			   struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	if (fake->prefix_del_code) {
		err_set(err, NULL, "the test says so");
		return fake->prefix_del_code;
	}
	for (size_t i = 0; i < fake->n_prefixes; i++) {
		if (memcmp(&fake->prefixes[i], prefix, sizeof(*prefix)) == 0) {
			fake->prefixes[i] = fake->prefixes[--fake->n_prefixes];
			fake->prefix_expires_ns[i] = fake->prefix_expires_ns[fake->n_prefixes];
			return 0;
		}
	}
	return -ENOENT;
}

static int fake_prefix_foreach(const struct dataplane *dp, dataplane_prefix_fn fn, void *ctx,
			       struct sluice_err *err)
{
	const struct fake_dataplane *fake = const_fake_of(dp);

	(void)err;
	for (size_t i = 0; i < fake->n_prefixes; i++)
		fn(ctx, &fake->prefixes[i], fake->prefix_expires_ns[i]);
	return 0;
}

static int fake_allow_set(struct dataplane *dp, const struct dataplane_allow *allow, size_t n,
			  struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	if (fake->allow_code) {
		err_set(err, NULL, "the test says so");
		return fake->allow_code;
	}
	cr_assert_leq(n, FAKE_ALLOWED);
	memcpy(fake->allow, allow, n * sizeof(*allow));
	fake->n_allow = n;
	fake->violations += (unsigned int)fake_dataplane_overlaps(fake);
	return 0;
}

static int fake_own_set(struct dataplane *dp, const struct sluice_key *own, size_t n,
			struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	if (fake->own_code) {
		err_set(err, NULL, "the test says so");
		return fake->own_code;
	}
	cr_assert_leq(n, FAKE_OWN);
	memcpy(fake->own, own, n * sizeof(*own));
	fake->n_own = n;
	return 0;
}

static int fake_rules_set(struct dataplane *dp, const struct dataplane_rule *rules, size_t n,
			  struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);
	struct fake_filter_rule next[DATAPLANE_MAX_RULES] = { 0 };

	if (fake->rules_code) {
		err_set(err, NULL, "the test says so");
		return fake->rules_code;
	}
	cr_assert_leq(n, (size_t)DATAPLANE_MAX_RULES);
	fake->n_rules_sets++;
	for (size_t i = 0; i < n; i++) {
		next[i].rule = rules[i];
		for (size_t k = 0; k < fake->n_rules; k++)
			if (strcmp(fake->rules[k].rule.name, rules[i].name) == 0)
				next[i].counters = fake->rules[k].counters;
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(rules[k].name, rules[i].name);
	}
	memcpy(fake->rules, next, sizeof(next));
	fake->n_rules = n;
	return 0;
}

static void fake_rules_read(const struct dataplane *dp, dataplane_rule_fn fn, void *ctx)
{
	const struct fake_dataplane *fake = const_fake_of(dp);

	for (size_t i = 0; i < fake->n_rules; i++) {
		struct dataplane_rule_counters counters = fake->rules[i].counters;

		memcpy(counters.name, fake->rules[i].rule.name, sizeof(counters.name));
		counters.action = fake->rules[i].rule.action;
		counters.rule = &fake->rules[i].rule;
		fn(ctx, &counters);
	}
}

static int fake_known_set(struct dataplane *dp, const struct sluice_key *keys, size_t n,
			  struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);

	(void)err;
	cr_assert_leq(n, FAKE_OWN);
	if (n)
		memcpy(fake->known, keys, n * sizeof(*keys));
	fake->n_known = n;
	fake->n_known_sets++;
	return 0;
}

static void fake_rules_inherit(const struct dataplane *dp, dataplane_rule_inherit_fn fn, void *ctx)
{
	const struct fake_dataplane *fake = const_fake_of(dp);

	for (size_t i = 0; i < fake->n_rules; i++)
		if (fake->rules[i].rule.is_automatic)
			fn(ctx, &fake->rules[i].rule);
}

static void fake_enforce_set(struct dataplane *dp, bool enforce)
{
	fake_of(dp)->enforce = enforce;
}

static int fake_swap(struct dataplane *dp, struct dataplane_swap *swap, struct sluice_err *err)
{
	struct fake_dataplane *fake = fake_of(dp);
	struct fake_side live = fake->live;

	if (fake->swap_code) {
		err_set(err, NULL, "the test says so");
		return fake->swap_code;
	}
	fake->n_swaps++;
	fake->live = fake->idle;
	fake->live.n = 0;
	hash_table_clear(fake->live.index);
	fake->idle = live;
	*swap = (struct dataplane_swap){ .flip_ns = 11, .grace_ns = 22 };
	return 0;
}

static size_t fake_sources_read(struct dataplane *dp, struct sluice_source *sources, size_t max,
				struct dataplane_count *untracked)
{
	struct fake_dataplane *fake = fake_of(dp);
	size_t n = fake->idle.n < max ? fake->idle.n : max;

	if (n)
		memcpy(sources, fake->idle.rows, n * sizeof(*sources));
	*untracked = (struct dataplane_count){ .packets = fake->untracked,
					       .bytes = 60 * fake->untracked };
	for (size_t i = n; i < fake->idle.n; i++) {
		untracked->packets += fake->idle.rows[i].packets;
		untracked->bytes += fake->idle.rows[i].bytes;
	}
	fake->untracked = 0;
	return n;
}

static const struct sluice_source *fake_source_find(const struct dataplane *dp,
						    const struct sluice_source *sources, size_t n,
						    const struct sluice_key *key)
{
	uint32_t at;

	return hash_table_get(const_fake_of(dp)->idle.index, key, &at) && at < n ? &sources[at]
										 : NULL;
}

static int fake_features_set(struct dataplane *dp, const struct dataplane_features *features,
			     struct sluice_err *err)
{
	(void)err;
	dp->features = *features;
	return 0;
}

static void fake_features_read(struct dataplane *dp, struct dataplane_features_read *read)
{
	*read = fake_of(dp)->features;
}

static void fake_counters_read(const struct dataplane *dp, struct dataplane_counters *counters)
{
	*counters = const_fake_of(dp)->counters;
}

static bool fake_event_next(struct dataplane *dp, enum dataplane_event_kind *kind, char *ifname)
{
	struct fake_dataplane *fake = fake_of(dp);

	if (!fake->gone)
		return false;
	*kind = DATAPLANE_EVENT_INTERFACE_GONE;
	snprintf(ifname, 16, "%s", fake->gone);
	fake->gone = NULL;
	return true;
}

static void fake_close(struct dataplane *dp)
{
	fake_of(dp)->n_closes++;
}

static const struct dataplane_ops fake_ops = {
	.close = fake_close,
	.block_announce = fake_announce,
	.block = fake_block,
	.block_update = fake_update,
	.unblock = fake_unblock,
	.block_packets = fake_packets,
	.block_foreach = fake_foreach,
	.prefix_set = fake_prefix_set,
	.prefix_del = fake_prefix_del,
	.prefix_foreach = fake_prefix_foreach,
	.allow_set = fake_allow_set,
	.own_set = fake_own_set,
	.rules_set = fake_rules_set,
	.rules_inherit = fake_rules_inherit,
	.rules_read = fake_rules_read,
	.known_set = fake_known_set,
	.enforce_set = fake_enforce_set,
	.swap = fake_swap,
	.sources_read = fake_sources_read,
	.features_set = fake_features_set,
	.features_read = fake_features_read,
	.source_find = fake_source_find,
	.counters_read = fake_counters_read,
	.event_next = fake_event_next,
};

void fake_dataplane_init(struct fake_dataplane *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->dp.ops = &fake_ops;
	fake->v6_prefix_len = 64;
	fake->capacity = 1u << 20;
	cr_assert_eq(hash_table_new(0, NULL, &fake->index), 0);
	cr_assert_eq(hash_table_new(0, NULL, &fake->live.index), 0);
	cr_assert_eq(hash_table_new(0, NULL, &fake->idle.index), 0);
}

void fake_dataplane_fini(struct fake_dataplane *fake)
{
	hash_table_free(fake->index);
	free(fake->slots);
	hash_table_free(fake->live.index);
	hash_table_free(fake->idle.index);
	free(fake->live.rows);
	free(fake->idle.rows);
}

static void count(struct fake_dataplane *fake, enum dataplane_reason reason, uint64_t packets)
{
	fake->counters.reason[reason].packets += packets;
	fake->counters.reason[reason].bytes += 60 * packets;
}

static void track(struct fake_dataplane *fake, const struct sluice_key *unit, uint64_t packets)
{
	struct fake_side *side = &fake->live;
	uint32_t at;

	if (hash_table_get(side->index, unit, &at)) {
		side->rows[at].packets += packets;
		side->rows[at].bytes += 60 * packets;
		side->rows[at].udp += (uint32_t)packets;
		return;
	}
	if (side->n == side->capacity) {
		side->capacity = side->capacity ? side->capacity * 2 : 256;
		side->rows = realloc(side->rows, side->capacity * sizeof(*side->rows));
		cr_assert(side->rows);
	}
	cr_assert_eq(hash_table_add(side->index, unit, (uint32_t)side->n, NULL), 1);
	side->rows[side->n++] = (struct sluice_source){
		.key = *unit,
		.packets = packets,
		.bytes = 60 * packets,
		.udp = (uint32_t)packets,
	};
}

static bool in_prefix(const struct fake_dataplane *fake, const struct sluice_key *source)
{
	bool blocked = false;

	for (size_t i = 0; i < fake->n_prefixes; i++)
		blocked |= address_covers(&fake->prefixes[i], source);
	for (size_t i = 0; blocked && i < fake->n_allow; i++)
		blocked = !address_covers(&fake->allow[i].prefix, source);
	return blocked;
}

void fake_dataplane_send(struct fake_dataplane *fake, const struct sluice_key *source,
			 uint64_t packets)
{
	struct sluice_key unit = address_mask(
		source, source->family == SLUICE_FAMILY_IPV6 ? fake->v6_prefix_len : 32);
	enum dataplane_reason reason = DATAPLANE_REASON_PASS;
	uint32_t at;

	if (hash_table_get(fake->index, &unit, &at)) {
		fake->slots[at].packets += (uint32_t)packets;
		reason = DATAPLANE_REASON_BLOCKED;
	} else if (in_prefix(fake, source)) {
		reason = DATAPLANE_REASON_BLOCKED_PREFIX;
	}
	if (reason != DATAPLANE_REASON_PASS && fake->enforce) {
		count(fake, reason, packets);
		return;
	}
	if (reason != DATAPLANE_REASON_PASS)
		count(fake, DATAPLANE_REASON_WOULD_DROP, packets);
	count(fake, DATAPLANE_REASON_PASS, packets);
	track(fake, &unit, packets);
}

/* The first rule that a UDP packet of 60 bytes from this port matches, or NULL. */
static struct fake_filter_rule *find_rule(struct fake_dataplane *fake, uint16_t source_port)
{
	for (size_t i = 0; i < fake->n_rules; i++) {
		const struct dataplane_rule *rule = &fake->rules[i].rule;

		if (rule->match.fields & SLUICE_RULE_PROTOCOL && rule->match.protocol != 17)
			continue;
		if (rule->match.fields & SLUICE_RULE_SOURCE_PORT &&
		    (source_port < rule->match.source_port.from ||
		     source_port > rule->match.source_port.to))
			continue;
		if (rule->match.fields & SLUICE_RULE_LENGTH &&
		    (rule->match.length.from > 46 || rule->match.length.to < 46))
			continue;
		return &fake->rules[i];
	}
	return NULL;
}

void fake_dataplane_send_from_port(struct fake_dataplane *fake, const struct sluice_key *source,
				   uint16_t source_port, uint64_t packets)
{
	struct fake_filter_rule *rule = find_rule(fake, source_port);
	bool drops = rule && rule->rule.action == DATAPLANE_RULE_DROP;

	if (fake_dataplane_blocked(fake, source) || !rule) {
		fake_dataplane_send(fake, source, packets);
		return;
	}
	rule->counters.packets += packets;
	rule->counters.bytes += 60 * packets;
	if (!drops || !fake->enforce) {
		fake_dataplane_send(fake, source, packets);
		return;
	}
	rule->counters.dropped_packets += packets;
	rule->counters.dropped_bytes += 60 * packets;
	count(fake, DATAPLANE_REASON_RULE, packets);
}

void fake_dataplane_pin(struct fake_dataplane *fake, const struct dataplane_block_record *record)
{
	dataplane_slot slot;

	put(fake, record, &slot);
	fake->dp.adopted = true;
}

const struct fake_slot *fake_dataplane_blocked(const struct fake_dataplane *fake,
					       const struct sluice_key *key)
{
	uint32_t at;

	return hash_table_get(fake->index, key, &at) ? &fake->slots[at] : NULL;
}

bool fake_dataplane_has_prefix(const struct fake_dataplane *fake, const struct sluice_key *key)
{
	for (size_t i = 0; i < fake->n_prefixes; i++)
		if (memcmp(&fake->prefixes[i], key, sizeof(*key)) == 0)
			return true;
	return false;
}

size_t fake_dataplane_size(const struct fake_dataplane *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->n_slots; i++)
		n += fake->slots[i].used;
	return n;
}

size_t fake_dataplane_overlaps(const struct fake_dataplane *fake)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->n_slots; i++)
		n += fake->slots[i].used && is_protected(fake, &fake->slots[i].record.key);
	return n;
}
