// SPDX-License-Identifier: BSD-2-Clause
/*
 * The blocklist against a naive set, and its rules one by one: what is refused, what overflows
 * where, when a way may be used again.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_stash.h"
#include "pinned_memory.h"
#include "support/random.h"

#define N_SOURCES 3000u /* Half of each family. */

struct model {
	struct pinned_memory memory;
	struct blocklist_table *table;
	bool blocked[N_SOURCES];
	dataplane_slot slot[N_SOURCES];
	uint32_t n[2]; /* IPv4, IPv6 */
};

static struct sluice_key source(uint32_t n)
{
	return n % 2 ? source_v6(n / 2) : source_v4(n / 2);
}

static void check_source(const struct model *model, uint32_t n)
{
	struct sluice_key key = source(n);

	cr_assert_eq(packet_is_blocked(&model->memory, &key), model->blocked[n],
		     "source %u: the filter and the set disagree", n);
}

static void check_all(const struct model *model)
{
	for (uint32_t n = 0; n < N_SOURCES; n++)
		check_source(model, n);
	cr_assert_eq(blocklist_table_count(model->table, SLUICE_FAMILY_IPV4), model->n[0]);
	cr_assert_eq(blocklist_table_count(model->table, SLUICE_FAMILY_IPV6), model->n[1]);
	cr_assert_eq(keys_in_table(&model->memory, SLUICE_FAMILY_IPV4), model->n[0]);
	cr_assert_eq(keys_in_table(&model->memory, SLUICE_FAMILY_IPV6), model->n[1]);
}

/* Returns 1 if the blocklist was full. */
static int add(struct model *model, uint32_t n)
{
	struct dataplane_block_record record = block_of(source(n));
	struct sluice_err err = { 0 };
	int code = blocklist_table_add(model->table, &record, &model->slot[n], &err);

	if (model->blocked[n]) {
		cr_assert_eq(code, -EEXIST, "source %u: %d", n, code);
		return 0;
	}
	if (code == -ENOSPC)
		return 1;
	cr_assert_eq(code, 0, "source %u: %d: %s", n, code, err.text);
	model->blocked[n] = true;
	model->n[n % 2]++;
	return 0;
}

static void del(struct model *model, uint32_t n)
{
	if (!model->blocked[n])
		return;
	blocklist_table_del(model->table, model->slot[n]);
	model->blocked[n] = false;
	model->n[n % 2]--;
}

static void random_steps(struct model *model, uint64_t seed, uint32_t steps, uint32_t *refused)
{
	struct random random = { seed };
	uint32_t bias = 50;

	for (uint32_t i = 0; i < steps; i++) {
		uint32_t n = (uint32_t)random_below(&random, N_SOURCES);

		/* Waves, so that both a nearly empty and a full table are met. */
		if (i % 5000 == 0)
			bias = 20 + (uint32_t)random_below(&random, 70);
		if (random_below(&random, 100) < bias)
			*refused += (uint32_t)add(model, n);
		else
			del(model, n);
		check_source(model, n);
		if (random_below(&random, 64) == 0)
			blocklist_table_release(model->table);
		if (i % 10000 == 0)
			check_all(model);
	}
	check_all(model);
}

struct shape {
	const char *what;
	uint32_t block4_buckets, block6_buckets, max_blocked, steps;
};

static const struct shape shapes[] = {
	{ "roomy: no overflow to speak of", 1000, 1000, 4000, 60000 },
	{ "the load that state.c sizes for", 536, 750, 3000, 60000 },
	{ "full buckets, second choices", 180, 260, 3000, 60000 },
	{ "tiny: nearly all in the stash", 3, 5, 3000, 60000 },
	{ "one bucket: both choices are the same", 1, 1, 1500, 40000 },
	{ "few records", 100, 100, 50, 40000 },
};

Test(blocklist_table, agrees_with_a_set)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		static struct model model;
		struct blocklist_adoption adoption;
		uint64_t seed = 1000 + i;
		uint32_t refused = 0;

		memset(&model, 0, sizeof(model));
		model.memory = pinned_memory_new(shapes[i].block4_buckets, shapes[i].block6_buckets,
						 shapes[i].max_blocked, seed);
		model.table = pinned_memory_adopt(&model.memory, &adoption);
		random_steps(&model, seed, shapes[i].steps, &refused);
		cr_log_info("%s (seed %lu): %u refused", shapes[i].what, seed, refused);
		if (i == 0)
			cr_assert_eq(refused, 0);
		if (i >= 4)
			cr_assert_gt(refused, 0, "%s: never full", shapes[i].what);
		for (uint32_t n = 0; n < N_SOURCES; n++)
			del(&model, n);
		check_all(&model);
		cr_assert_eq(fake_stash_count(FAKE_STASH4) + fake_stash_count(FAKE_STASH6), 0);
		for (uint32_t b = 0; b < shapes[i].block4_buckets; b++)
			cr_assert_not(model.memory.block4[b].flags & SLUICE_BLOCK_OVERFLOW);
		for (uint32_t b = 0; b < shapes[i].block6_buckets; b++)
			cr_assert_not(model.memory.block6[b].flags & SLUICE_BLOCK_OVERFLOW);
		blocklist_table_free(model.table);
		pinned_memory_free(&model.memory);
	}
}

/* One bucket and the stash hold this many keys of a family. */
#define SMALLEST4 ((1 + SLUICE_STASH_BUCKETS) * SLUICE_BLOCK4_WAYS)
#define SMALLEST6 ((1 + SLUICE_STASH_BUCKETS) * SLUICE_BLOCK6_WAYS)

static dataplane_slot must_add(struct blocklist_table *table, struct sluice_key key)
{
	struct dataplane_block_record record = block_of(key);
	struct sluice_err err = { 0 };
	dataplane_slot slot;
	int code = blocklist_table_add(table, &record, &slot, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	return slot;
}

static int try_add(struct blocklist_table *table, struct sluice_key key, struct sluice_err *err)
{
	struct dataplane_block_record record = block_of(key);
	dataplane_slot slot;

	return blocklist_table_add(table, &record, &slot, err);
}

static void fill_and_free(struct sluice_key (*key)(uint32_t), uint32_t capacity)
{
	struct pinned_memory memory = pinned_memory_new(1, 1, capacity + 10, 7);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key first = key(0), extra = key(capacity);
	struct sluice_err err = { 0 };
	dataplane_slot slot = 0;

	for (uint32_t n = 0; n < capacity; n++) {
		dataplane_slot got = must_add(table, key(n));

		slot = n ? slot : got;
	}
	for (uint32_t n = 0; n < capacity; n++) {
		struct sluice_key present = key(n);

		cr_assert(packet_is_blocked(&memory, &present), "key %u", n);
	}
	cr_assert_eq(try_add(table, extra, &err), -ENOSPC);
	cr_assert_not_null(strstr(err.text, "full"), "%s", err.text);
	cr_assert_not(packet_is_blocked(&memory, &extra));

	/* The freed way is nobody's until the grace wait. */
	blocklist_table_del(table, slot);
	cr_assert_not(packet_is_blocked(&memory, &first));
	cr_assert_eq(try_add(table, extra, &err), -ENOSPC);
	blocklist_table_release(table);
	cr_assert_eq(try_add(table, extra, &err), 0);
	cr_assert(packet_is_blocked(&memory, &extra));
	cr_assert_eq(try_add(table, first, &err), -ENOSPC);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, fills_bucket_and_stash_v4)
{
	fill_and_free(source_v4, SMALLEST4);
}

Test(blocklist_table, fills_bucket_and_stash_v6)
{
	fill_and_free(source_v6, SMALLEST6);
}

Test(blocklist_table, refuses_beyond_max_blocked)
{
	struct pinned_memory memory = pinned_memory_new(64, 64, 3, 8);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_err err = { 0 };
	dataplane_slot slot = must_add(table, source_v4(1));

	(void)must_add(table, source_v6(1));
	(void)must_add(table, source_v4(2));
	cr_assert_eq(try_add(table, source_v4(3), &err), -ENOSPC);
	cr_assert_not_null(strstr(err.text, "10.0.0.3"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "policy.max_blocked"), "%s", err.text);
	/* A record is free at once; only ways wait. */
	blocklist_table_del(table, slot);
	cr_assert_eq(try_add(table, source_v4(3), &err), 0);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* An empty way holds 0: nobody may be taken for it, and it must be possible to block. */
Test(blocklist_table, nobody_is_a_source)
{
	struct pinned_memory memory = pinned_memory_new(64, 64, 30, 9);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key nobody = { 4, 32, { 0 }, { 0 } };
	const struct sluice_key everybody = { 4, 32, { 0 }, { 255, 255, 255, 255 } };
	struct sluice_err err = { 0 };
	dataplane_slot slot = must_add(table, nobody);

	cr_assert_eq(try_add(table, everybody, &err), -EEXIST, "they share a place");
	blocklist_table_del(table, slot);
	cr_assert_eq(try_add(table, everybody, &err), 0);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

struct refusal {
	const char *what;
	struct sluice_key key;
	int code;
};

static const struct refusal refusals[] = {
	{ "blocked already", { 4, 32, { 0 }, { 10, 0, 0, 1 } }, -EEXIST },
	{ "an IPv4 prefix", { 4, 24, { 0 }, { 10, 0, 1 } }, -EINVAL },
	{ "stray bytes behind an IPv4 address", { 4, 32, { 0 }, { 10, 0, 0, 9, 1 } }, -EINVAL },
	{ "an IPv6 address, finer than the unit", { 6, 128, { 0 }, { 0x20, 1 } }, -EINVAL },
	{ "an IPv6 prefix, coarser than the unit", { 6, 48, { 0 }, { 0x20, 1 } }, -EINVAL },
	{ "stray bits beyond the unit",
	  { 6, 64, { 0 }, { 0x20, 1, 0, 0, 0, 0, 0, 0, 1 } },
	  -EINVAL },
	{ "no family", { 0, 0, { 0 }, { 0 } }, -EINVAL },
	{ "another family", { 5, 32, { 0 }, { 10 } }, -EINVAL },
};

Test(blocklist_table, refuses_what_is_no_source)
{
	struct pinned_memory memory = pinned_memory_new(64, 64, 30, 9);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

	(void)must_add(table, source_v4(1));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct sluice_err err = { 0 };

		cr_assert_eq(try_add(table, refusals[i].key, &err), refusals[i].code, "%s",
			     refusals[i].what);
		cr_assert_neq(err.text[0], 0, "%s: no reason given", refusals[i].what);
		cr_assert_eq(blocklist_table_count(table, SLUICE_FAMILY_IPV4), 1);
		cr_assert_eq(blocklist_table_count(table, SLUICE_FAMILY_IPV6), 0);
	}
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, keeps_nothing_when_the_stash_map_refuses)
{
	struct pinned_memory memory = pinned_memory_new(1, 1, 100, 10);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key eighth = source_v4(SLUICE_BLOCK4_WAYS);
	struct sluice_err err = { 0 };

	for (uint32_t n = 0; n < SLUICE_BLOCK4_WAYS; n++)
		(void)must_add(table, source_v4(n));
	fake_stash_refuse(ENOMEM);
	cr_assert_eq(try_add(table, eighth, &err), -ENOSPC);
	cr_assert_eq(blocklist_table_count(table, SLUICE_FAMILY_IPV4), SLUICE_BLOCK4_WAYS);
	cr_assert_eq(keys_in_table(&memory, SLUICE_FAMILY_IPV4), SLUICE_BLOCK4_WAYS);
	cr_assert_not(packet_is_blocked(&memory, &eighth));
	fake_stash_refuse(0);
	cr_assert_eq(try_add(table, eighth, &err), 0);
	cr_assert(packet_is_blocked(&memory, &eighth));
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, hit_counter_runs_on_through_reuse)
{
	struct pinned_memory memory = pinned_memory_new(1, 1, 20, 11);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key old = source_v4(1), next = source_v4(2);
	dataplane_slot slot = must_add(table, old);

	cr_assert_eq(blocklist_table_packets(table, slot), 0);
	for (int i = 0; i < 5; i++)
		cr_assert(packet_is_blocked(&memory, &old));
	cr_assert_eq(blocklist_table_packets(table, slot), 5);
	blocklist_table_del(table, slot);
	cr_assert_eq(blocklist_table_packets(table, slot), 0, "an unused slot has no packets");
	blocklist_table_release(table);
	/* The only free way that place() looks at first is the one just freed. */
	slot = must_add(table, next);
	cr_assert_eq(blocklist_table_packets(table, slot), 5, "readers take deltas");
	cr_assert(packet_is_blocked(&memory, &next));
	cr_assert_eq(blocklist_table_packets(table, slot), 6);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

static uint32_t manual_bits(const struct pinned_memory *memory)
{
	uint32_t bits = 0;

	for (uint32_t b = 0; b < memory->header->block4_buckets; b++)
		bits |= memory->block4[b].flags & ~SLUICE_BLOCK_OVERFLOW;
	return bits;
}

Test(blocklist_table, update_rewrites_the_record_and_the_manual_flag)
{
	struct pinned_memory memory = pinned_memory_new(16, 16, 20, 12);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record record = block_of(source_v4(1));
	struct dataplane_block_record other = block_of(source_v4(2));
	dataplane_slot slot = must_add(table, record.key);

	cr_assert_eq(manual_bits(&memory), 0);
	record.flags = DATAPLANE_BLOCK_MANUAL;
	record.expires_ns = 99;
	blocklist_table_update(table, slot, &record);
	cr_assert_eq(memory.records[slot].expires_ns, 99);
	cr_assert_neq(manual_bits(&memory), 0);
	/* Another key, or a slot that is not used, changes nothing. */
	other.expires_ns = 1;
	blocklist_table_update(table, slot, &other);
	blocklist_table_update(table, slot + 1, &record);
	blocklist_table_update(table, 5000, &record);
	blocklist_table_del(table, 5000);
	cr_assert_eq(memory.records[slot].expires_ns, 99);
	cr_assert_eq(blocklist_table_count(table, SLUICE_FAMILY_IPV4), 1);
	record.flags = 0;
	blocklist_table_update(table, slot, &record);
	cr_assert_eq(manual_bits(&memory), 0);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* The way of a manual block is reused by an automatic one. */
Test(blocklist_table, manual_flag_does_not_outlive_its_block)
{
	struct pinned_memory memory = pinned_memory_new(1, 1, 20, 13);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record record = block_of(source_v4(1));
	dataplane_slot slot;

	record.flags = DATAPLANE_BLOCK_MANUAL;
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_neq(manual_bits(&memory), 0);
	blocklist_table_del(table, slot);
	blocklist_table_release(table);
	(void)must_add(table, source_v4(2));
	cr_assert_eq(manual_bits(&memory), 0);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

static void copy_record(void *ctx, dataplane_slot slot, const struct dataplane_block_record *record)
{
	(void)slot;
	memcpy(ctx, record, sizeof(*record));
}

Test(blocklist_table, names_come_back_and_run_out_as_unknown)
{
	struct pinned_memory memory = pinned_memory_new(64, 64, 200, 14);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

	/* 31 detectors and 63 reasons fit; index 0 is "unknown". */
	for (uint32_t n = 0; n < 100; n++) {
		struct dataplane_block_record record = block_of(source_v4(n + 1)), back = { 0 };
		dataplane_slot slot;

		snprintf(record.detector, sizeof(record.detector), "detector%u", n);
		snprintf(record.reason, sizeof(record.reason), "reason_of_22_character%u", n % 10);
		cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
		blocklist_table_foreach(table, copy_record, &back);
		cr_assert_str_eq(back.detector, n < 31 ? record.detector : "unknown");
		cr_assert_str_eq(back.reason, record.reason);
		cr_assert_eq(memcmp(&back.key, &record.key, sizeof(back.key)), 0);
		blocklist_table_del(table, slot);
	}
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, empty_name_is_unknown)
{
	struct pinned_memory memory = pinned_memory_new(64, 64, 20, 15);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record nameless = block_of(source_v4(1)), back = { 0 };
	dataplane_slot slot;

	nameless.detector[0] = nameless.reason[0] = '\0';
	cr_assert_eq(blocklist_table_add(table, &nameless, &slot, NULL), 0);
	(void)must_add(table, source_v4(2));
	blocklist_table_del(table, 1);
	blocklist_table_foreach(table, copy_record, &back);
	cr_assert_str_eq(back.detector, "unknown", "the name of a later block: %s", back.detector);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}
