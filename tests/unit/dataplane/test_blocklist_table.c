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

#define N_SOURCES 4000u /* Half of each family. */
/* A share of the table so small that these keys fill it and the stash. */
#define WIDTH 32u

struct model {
	struct pinned_memory memory;
	struct sluice_key sources[N_SOURCES];
	struct blocklist_table *table;
	bool blocked[N_SOURCES];
	dataplane_slot slot[N_SOURCES];
	uint32_t n[2]; /* IPv4, IPv6 */
};

static void choose_sources(struct model *model, uint32_t width)
{
	const struct sluice_key *v4 =
		crowd(&model->memory, SLUICE_FAMILY_IPV4, width, N_SOURCES / 2);
	const struct sluice_key *v6 =
		crowd(&model->memory, SLUICE_FAMILY_IPV6, width, N_SOURCES / 2);

	for (uint32_t n = 0; n < N_SOURCES; n++)
		model->sources[n] = n % 2 ? v6[n / 2] : v4[n / 2];
}

static void check_source(const struct model *model, uint32_t n)
{
	cr_assert_eq(packet_is_blocked(&model->memory, &model->sources[n]), model->blocked[n],
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
	struct dataplane_block_record record = block_of(model->sources[n]);
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
		if (i % 10000 == 0)
			bias = i / 10000 % 2 ? 95 : 10 + (uint32_t)random_below(&random, 70);
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
	uint32_t width, max_blocked, steps;
};

static const struct shape shapes[] = {
	{ "roomy: no overflow to speak of", PINNED_BUCKETS, 4000, 60000 },
	{ "the load that state.c sizes for", 256, 4000, 60000 },
	{ "full buckets, second choices", 128, 4000, 60000 },
	{ "few records", 256, 50, 40000 },
	{ "nearly all in the stash, and that full", WIDTH, 4000, 60000 },
};

static void check_clean(const struct model *model)
{
	check_all(model);
	cr_assert_eq(fake_stash_count(FAKE_STASH4) + fake_stash_count(FAKE_STASH6), 0);
	for (uint32_t b = 0; b < PINNED_ALL_BUCKETS; b++) {
		cr_assert_not(model->memory.block4[b].word[0] & SLUICE_BLOCK_OVERFLOW);
		cr_assert_not(model->memory.block6[b].word[0] >> 32 & SLUICE_BLOCK_OVERFLOW);
	}
}

Test(blocklist_table, agrees_with_a_set)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		static struct model model;
		struct blocklist_adoption adoption;
		uint64_t seed = 1000 + i;
		uint32_t refused = 0;

		memset(&model, 0, sizeof(model));
		model.memory = pinned_memory_new(shapes[i].max_blocked, seed);
		model.table = pinned_memory_adopt(&model.memory, &adoption);
		choose_sources(&model, shapes[i].width);
		random_steps(&model, seed, shapes[i].steps, &refused);
		cr_log_info("%s (seed %lu): %u refused", shapes[i].what, seed, refused);
		if (i == 0)
			cr_assert_eq(refused, 0);
		if (i >= 3)
			cr_assert_gt(refused, 0, "%s: never full", shapes[i].what);
		for (uint32_t n = 0; n < N_SOURCES; n++)
			del(&model, n);
		check_clean(&model);
		blocklist_table_free(model.table);
		pinned_memory_free(&model.memory);
	}
}

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

/* Adds sources until one is refused; which that was. */
static uint32_t fill(struct blocklist_table *table, const struct sluice_key *keys, uint32_t n)
{
	struct sluice_err err = { 0 };
	uint32_t i = 0;
	int code = 0;

	while (i < n && (code = try_add(table, keys[i], &err)) == 0)
		i++;
	cr_assert_lt(i, n, "never full");
	cr_assert_eq(code, -ENOSPC);
	cr_assert_not_null(strstr(err.text, "full"), "%s", err.text);
	return i;
}

static void fill_and_free(uint8_t family)
{
	struct pinned_memory memory = pinned_memory_new(4000, 7);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key *keys = crowd(&memory, family, WIDTH, 1700);
	uint32_t n = fill(table, keys, 1700), stashed = 0;
	struct sluice_err err = { 0 };

	/* All of the stash and nearly all of the buckets. */
	cr_assert_gt(n, PINNED_STASH_WAYS + WIDTH * SLUICE_BLOCK_WAYS * 9 / 10);
	cr_assert_eq(fake_stash_count(family == 4 ? FAKE_STASH4 : FAKE_STASH6), PINNED_STASH_WAYS);
	for (uint32_t i = 0; i < n; i++)
		cr_assert(packet_is_blocked(&memory, &keys[i]), "key %u", i);
	cr_assert_not(packet_is_blocked(&memory, &keys[n]));
	/* Records were given out in order, so slots are numbered as keys are. */
	while (memory.records[stashed].position < PINNED_FIRST_STASH_POSITION)
		stashed++;
	cr_assert_lt(stashed, n);

	/* The freed way is nobody's until the grace wait. */
	blocklist_table_del(table, stashed);
	cr_assert_not(packet_is_blocked(&memory, &keys[stashed]));
	cr_assert_eq(try_add(table, keys[n], &err), -ENOSPC);
	blocklist_table_release(table);
	cr_assert_eq(try_add(table, keys[n], &err), 0);
	cr_assert(packet_is_blocked(&memory, &keys[n]));
	cr_assert_eq(try_add(table, keys[stashed], &err), -ENOSPC);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, fills_buckets_and_stash_v4)
{
	fill_and_free(SLUICE_FAMILY_IPV4);
}

Test(blocklist_table, fills_buckets_and_stash_v6)
{
	fill_and_free(SLUICE_FAMILY_IPV6);
}

Test(blocklist_table, refuses_beyond_max_blocked)
{
	struct pinned_memory memory = pinned_memory_new(3, 8);
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

/* An empty way holds 0: nobody may be taken for it, whatever address is hashed to what. */
Test(blocklist_table, nobody_is_a_source)
{
	struct pinned_memory memory = pinned_memory_new(30, 9);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key nobody = { 4, 32, { 0 }, { 0 } };
	const struct sluice_key everybody = { 4, 32, { 0 }, { 255, 255, 255, 255 } };
	struct sluice_err err = { 0 };
	dataplane_slot slot = must_add(table, nobody);

	cr_assert(packet_is_blocked(&memory, &nobody));
	cr_assert_not(packet_is_blocked(&memory, &everybody));
	cr_assert_eq(try_add(table, everybody, &err), 0);
	cr_assert(packet_is_blocked(&memory, &everybody));
	blocklist_table_del(table, slot);
	cr_assert_not(packet_is_blocked(&memory, &nobody));
	cr_assert(packet_is_blocked(&memory, &everybody));
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
	{ "stray bytes before an address",
	  { 4, 32, { 0, 0, 0, 0, 0, 1 }, { 10, 0, 0, 9 } },
	  -EINVAL },
	{ "no family", { 0, 0, { 0 }, { 0 } }, -EINVAL },
	{ "another family", { 5, 32, { 0 }, { 10 } }, -EINVAL },
};

Test(blocklist_table, refuses_what_is_no_source)
{
	struct pinned_memory memory = pinned_memory_new(30, 9);
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

/* Of units at, and beside, the borders of bytes and words. */
Test(blocklist_table, refuses_a_bit_behind_any_unit)
{
	static const uint8_t units[] = { 1, 7, 8, 9, 56, 63, 64, 65, 127, 128 };

	for (size_t i = 0; i < sizeof(units); i++) {
		struct pinned_memory memory = pinned_memory_new(30, 9);
		struct sluice_key key = { SLUICE_FAMILY_IPV6, units[i], { 0 }, { 0 } };
		struct sluice_err err = { 0 };
		struct blocklist_adoption adoption;
		struct blocklist_table *table;

		memory.header->v6_prefix_len = units[i];
		table = pinned_memory_adopt(&memory, &adoption);
		for (unsigned int bit = units[i]; bit < 128; bit++) {
			key.addr[bit / 8] = (uint8_t)(0x80u >> bit % 8);
			cr_assert_eq(try_add(table, key, &err), -EINVAL, "unit %u, bit %u",
				     units[i], bit);
			key.addr[bit / 8] = 0;
		}
		key.addr[(units[i] - 1) / 8] = (uint8_t)(0x80u >> (units[i] - 1) % 8);
		cr_assert_eq(try_add(table, key, &err), 0, "unit %u: %s", units[i], err.text);
		key.prefix_len--;
		cr_assert_eq(try_add(table, key, &err), -EINVAL, "unit %u", units[i]);
		blocklist_table_free(table);
		pinned_memory_free(&memory);
	}
}

Test(blocklist_table, keeps_nothing_when_the_stash_map_refuses)
{
	struct pinned_memory memory = pinned_memory_new(1000, 10);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key *keys = crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 400);
	struct sluice_err err = { 0 };

	fake_stash_refuse(ENOMEM);
	uint32_t n = fill(table, keys, 400);

	cr_assert_gt(n, WIDTH * SLUICE_BLOCK_WAYS / 2);
	cr_assert_eq(blocklist_table_count(table, SLUICE_FAMILY_IPV4), n);
	cr_assert_eq(keys_in_table(&memory, SLUICE_FAMILY_IPV4), n);
	cr_assert_eq(fake_stash_count(FAKE_STASH4), 0);
	cr_assert_not(packet_is_blocked(&memory, &keys[n]));
	fake_stash_refuse(0);
	cr_assert_eq(try_add(table, keys[n], &err), 0);
	cr_assert_eq(fake_stash_count(FAKE_STASH4), 1);
	cr_assert(packet_is_blocked(&memory, &keys[n]));
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/*
 * A reader may have looked a place up in the stash map whose source is gone and whose element is
 * another's by now: the word there must be its own, or it is no hit.
 */
static void check_stale_stash(uint8_t family, int fd)
{
	struct pinned_memory memory = pinned_memory_new(1000, 16);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key *keys = crowd(&memory, family, WIDTH, 400);
	dataplane_slot slots[400];
	uint32_t n = 0;

	while (fake_stash_count(fd) < 2) {
		cr_assert_lt(n, 400u);
		slots[n] = must_add(table, keys[n]);
		n++;
	}
	fake_stash_put(fd, stash_key_of(&memory, &keys[n]), memory.records[slots[n - 1]].position);
	cr_assert_not(packet_is_blocked(&memory, &keys[n]));
	cr_assert_eq(blocklist_table_packets(table, slots[n - 1]), 0);
	cr_assert(packet_is_blocked(&memory, &keys[n - 1]));
	cr_assert_eq(blocklist_table_packets(table, slots[n - 1]), 1);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, stale_stash_entry_is_no_hit)
{
	check_stale_stash(SLUICE_FAMILY_IPV4, FAKE_STASH4);
	check_stale_stash(SLUICE_FAMILY_IPV6, FAKE_STASH6);
}

/* Another source of the same home bucket, the first there is. */
static struct sluice_key neighbour_of(const struct pinned_memory *memory,
				      const struct sluice_key *key)
{
	const struct sluice_key *keys = crowd(memory, key->family, WIDTH, 400);
	uint32_t i = 0;

	while (memcmp(&keys[i], key, sizeof(*key)) == 0 ||
	       home_bucket(memory, &keys[i]) != home_bucket(memory, key))
		cr_assert_lt(++i, 400u, "no neighbour");
	return keys[i];
}

static void check_reuse(uint8_t family)
{
	struct pinned_memory memory = pinned_memory_new(20, 11);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key old = crowd(&memory, family, WIDTH, 400)[0];
	struct sluice_key next = neighbour_of(&memory, &old);
	dataplane_slot slot = must_add(table, old);
	uint32_t position = memory.records[slot].position;

	cr_assert_eq(blocklist_table_packets(table, slot), 0);
	for (uint32_t i = 1; i <= 3 * SLUICE_BLOCK_HITS_PER_CARRY + 5; i++) {
		cr_assert(packet_is_blocked(&memory, &old));
		cr_assert_eq(blocklist_table_packets(table, slot), i);
	}
	blocklist_table_del(table, slot);
	cr_assert_eq(blocklist_table_packets(table, slot), 0, "an unused slot has no packets");
	blocklist_table_release(table);
	/* The only free way that place() looks at first is the one just freed. */
	slot = must_add(table, next);
	cr_assert_eq(memory.records[slot].position, position);
	cr_assert_eq(blocklist_table_packets(table, slot), 0, "hits of the one before");
	cr_assert(packet_is_blocked(&memory, &next));
	cr_assert_eq(blocklist_table_packets(table, slot), 1);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_table, reused_way_starts_at_no_hits)
{
	check_reuse(SLUICE_FAMILY_IPV4);
	check_reuse(SLUICE_FAMILY_IPV6);
}

/* What an entry says of itself changes while it is hit: neither may undo the other. */
Test(blocklist_table, hits_stay_through_a_change_of_flags)
{
	struct pinned_memory memory = pinned_memory_new(20, 17);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record record = block_of(source_v6(1));
	dataplane_slot slot = must_add(table, record.key);

	for (uint32_t i = 1; i <= 600; i++) {
		cr_assert(packet_is_blocked(&memory, &record.key));
		record.flags ^= DATAPLANE_BLOCK_MANUAL;
		blocklist_table_update(table, slot, &record);
		cr_assert_eq(blocklist_table_packets(table, slot), i);
	}
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

static uint32_t manual_bits(const struct pinned_memory *memory)
{
	uint32_t bits = 0;

	for (uint32_t b = 0; b < PINNED_ALL_BUCKETS; b++)
		for (int way = 0; way < SLUICE_BLOCK_WAYS; way++)
			bits |= memory->block4[b].word[way] & SLUICE_BLOCK_MANUAL;
	return bits;
}

Test(blocklist_table, update_rewrites_the_record_and_the_manual_flag)
{
	struct pinned_memory memory = pinned_memory_new(20, 12);
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
	struct pinned_memory memory = pinned_memory_new(20, 13);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record record =
		block_of(crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 400)[0]);
	struct sluice_key next = neighbour_of(&memory, &record.key);
	dataplane_slot slot;

	record.flags = DATAPLANE_BLOCK_MANUAL;
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_neq(manual_bits(&memory), 0);
	blocklist_table_del(table, slot);
	blocklist_table_release(table);
	(void)must_add(table, next);
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
	struct pinned_memory memory = pinned_memory_new(200, 14);
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
	struct pinned_memory memory = pinned_memory_new(20, 15);
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
