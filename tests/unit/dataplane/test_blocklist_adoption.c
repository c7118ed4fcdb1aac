// SPDX-License-Identifier: BSD-2-Clause
/*
 * A new daemon on the memory of a dead one: whole, stopped half-way, or spoilt in any way.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "fake_stash.h"
#include "hash.h"
#include "pinned_memory.h"
#include "support/random.h"

/* Both buckets of each source are among so many, so that they fill, and the stash with them. */
#define WIDTH 32u

struct seen {
	struct dataplane_block_record *records;
	dataplane_slot *slots;
	size_t n, capacity;
};

static void note(void *ctx, dataplane_slot slot, const struct dataplane_block_record *record)
{
	struct seen *seen = ctx;

	cr_assert_lt(seen->n, seen->capacity);
	seen->records[seen->n] = *record;
	seen->slots[seen->n++] = slot;
}

static struct seen list(const struct blocklist_table *table, size_t capacity)
{
	struct seen seen = {
		.records = calloc(capacity, sizeof(*seen.records)),
		.slots = calloc(capacity, sizeof(*seen.slots)),
		.capacity = capacity,
	};

	cr_assert(seen.records && seen.slots);
	blocklist_table_foreach(table, note, &seen);
	return seen;
}

static void seen_free(struct seen *seen)
{
	free(seen->records);
	free(seen->slots);
}

static void fill(const struct pinned_memory *memory, struct blocklist_table *table, uint32_t n_v4,
		 uint32_t n_v6)
{
	const struct sluice_key *v4 = crowd(memory, SLUICE_FAMILY_IPV4, WIDTH, n_v4);
	const struct sluice_key *v6 = crowd(memory, SLUICE_FAMILY_IPV6, WIDTH, n_v6);

	for (uint32_t n = 0; n < n_v4 + n_v6; n++) {
		struct dataplane_block_record record = block_of(n < n_v4 ? v4[n] : v6[n - n_v4]);
		dataplane_slot slot;

		record.pps = n;
		record.flags = n % 3 ? 0 : DATAPLANE_BLOCK_MANUAL;
		cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	}
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sluice_key));
}

/*
 * What must hold after any adoption: records and keys are one to one, the filter blocks every
 * listed source, no source is listed twice, and all of it can be unblocked again.
 */
static void check_whole(const struct pinned_memory *memory, struct blocklist_table *table)
{
	struct seen seen = list(table, memory->header->max_blocked);
	uint32_t n_v4 = blocklist_table_count(table, SLUICE_FAMILY_IPV4);
	uint32_t n_v6 = blocklist_table_count(table, SLUICE_FAMILY_IPV6);

	cr_assert_eq(seen.n, n_v4 + n_v6);
	cr_assert_eq(keys_in_table(memory, SLUICE_FAMILY_IPV4), n_v4);
	cr_assert_eq(keys_in_table(memory, SLUICE_FAMILY_IPV6), n_v6);
	for (size_t i = 0; i < seen.n; i++) {
		cr_assert(packet_is_blocked(memory, &seen.records[i].key), "record %zu", i);
		cr_assert_lt(strlen(seen.records[i].detector), sizeof(seen.records[i].detector));
		cr_assert_lt(strlen(seen.records[i].reason), sizeof(seen.records[i].reason));
	}
	for (size_t i = 0; i < seen.n; i++)
		blocklist_table_del(table, seen.slots[i]);
	for (size_t i = 0; i < seen.n; i++)
		cr_assert_not(packet_is_blocked(memory, &seen.records[i].key), "record %zu", i);
	qsort(seen.records, seen.n, sizeof(*seen.records), compare_keys);
	for (size_t i = 1; i < seen.n; i++)
		cr_assert_neq(compare_keys(&seen.records[i - 1], &seen.records[i]), 0, "twice");
	cr_assert_eq(keys_in_table(memory, SLUICE_FAMILY_IPV4), 0);
	cr_assert_eq(keys_in_table(memory, SLUICE_FAMILY_IPV6), 0);
	cr_assert_eq(fake_stash_count(FAKE_STASH4) + fake_stash_count(FAKE_STASH6), 0);
	seen_free(&seen);
}

Test(blocklist_adoption, takes_over_everything)
{
	struct pinned_memory memory = pinned_memory_new(2000, 21);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

	cr_assert_eq(adoption.adopted + adoption.damaged + adoption.orphans, 0);
	fill(&memory, table, 900, 600);
	cr_assert_gt(fake_stash_count(FAKE_STASH4), 0, "sizes too large to reach the stash");
	cr_assert_gt(fake_stash_count(FAKE_STASH6), 0);

	struct seen before = list(table, 2000);

	blocklist_table_free(table);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted, 1500);
	cr_assert_eq(adoption.damaged + adoption.orphans, 0);

	struct seen after = list(table, 2000);

	cr_assert_eq(before.n, after.n);
	cr_assert_eq(memcmp(before.records, after.records, before.n * sizeof(*before.records)), 0);
	cr_assert_eq(memcmp(before.slots, after.slots, before.n * sizeof(*before.slots)), 0);
	seen_free(&before);
	seen_free(&after);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* Where a daemon can die while it blocks or unblocks the source at `position`. */
enum crash {
	CRASH_BEFORE_USED,     /* Record written, state still FREE. */
	CRASH_BEFORE_KEY,      /* USED; overflow flags, stash and key not yet. */
	CRASH_BEFORE_KEY_ONLY, /* USED, flags and stash set; key not yet. */
	CRASH_LEAVING,	       /* LEAVING, all else still there. */
	CRASH_KEY_GONE,	       /* LEAVING, key gone; flags and stash still there. */
	CRASH_STATE_LEFT,      /* All gone, but the record is LEAVING. */
	N_CRASHES,
};

static void key_clear(const struct pinned_memory *memory, const struct sluice_block_record *record)
{
	uint32_t bucket = record->position / SLUICE_POSITION_WAYS;
	uint32_t way = record->position % SLUICE_POSITION_WAYS;
	const uint64_t overflow6 = (uint64_t)SLUICE_BLOCK_OVERFLOW << 32;

	if (record->family == SLUICE_FAMILY_IPV4)
		memory->block4[bucket].word[way] &= way ? 0 : SLUICE_BLOCK_OVERFLOW;
	else
		memory->block6[bucket].word[way] &= way ? 0 : overflow6;
}

static void stash_clear(const struct pinned_memory *memory, const struct sluice_key *key)
{
	int fd = key->family == SLUICE_FAMILY_IPV4 ? FAKE_STASH4 : FAKE_STASH6;
	uint64_t hash = stash_key_of(memory, key);
	uint32_t position;

	/* An entry that points nowhere is as good as none, and harder. */
	if (fake_stash_get(fd, hash, &position))
		fake_stash_put(fd, hash, 0xffffffff);
}

static void crash(const struct pinned_memory *memory, enum crash at, dataplane_slot slot,
		  const struct sluice_key *key)
{
	struct sluice_block_record *record = &memory->records[slot];

	if (at == CRASH_BEFORE_USED)
		record->state = SLUICE_RECORD_FREE;
	else if (at >= CRASH_LEAVING)
		record->state = SLUICE_RECORD_LEAVING;
	if (at != CRASH_LEAVING)
		key_clear(memory, record);
	if (at == CRASH_BEFORE_USED || at == CRASH_BEFORE_KEY || at == CRASH_STATE_LEFT)
		stash_clear(memory, key);
}

static void crash_and_adopt(enum crash at, uint32_t victim)
{
	struct pinned_memory memory = pinned_memory_new(1000, 22);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	bool stays = at == CRASH_BEFORE_KEY || at == CRASH_BEFORE_KEY_ONLY;

	fill(&memory, table, 400, 300);
	cr_assert_gt(fake_stash_count(FAKE_STASH4), 50);
	cr_assert_gt(fake_stash_count(FAKE_STASH6), 20);
	struct seen seen = list(table, 1000);
	struct sluice_key key = seen.records[victim].key;

	crash(&memory, at, seen.slots[victim], &key);
	blocklist_table_free(table);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted, stays ? 700 : 699, "crash %d, source %u: %zu", at, victim,
		     adoption.adopted);
	cr_assert_eq(adoption.damaged, 0);
	cr_assert_eq(adoption.orphans, at == CRASH_LEAVING ? 1 : 0);
	cr_assert_eq(packet_is_blocked(&memory, &key), stays, "crash %d, source %u", at, victim);
	/* All others are as they were. */
	for (size_t i = 0; i < seen.n; i++)
		cr_assert(i == victim || packet_is_blocked(&memory, &seen.records[i].key));
	seen_free(&seen);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_adoption, finishes_what_was_half_done)
{
	/* Early ones lie in their first bucket, the last ones of each family in the stash. */
	static const uint32_t victims[] = {
		0, 5, 150, 200, 398, 399, 400, 410, 500, 550, 698, 699
	};

	for (int at = 0; at < N_CRASHES; at++)
		for (size_t i = 0; i < sizeof(victims) / sizeof(victims[0]); i++)
			crash_and_adopt(at, victims[i]);
}

static void flip_bits(struct random *random, void *memory, size_t size, uint64_t n)
{
	uint8_t *bytes = memory;

	for (; n > 0; n--) {
		uint64_t bit = random_below(random, size * 8);

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void copy_some(struct random *random, uint8_t *memory, size_t size, size_t element)
{
	size_t n = size / element;

	memmove(memory + random_below(random, n) * element,
		memory + random_below(random, n) * element, element);
}

enum {
	SPOIL_RECORDS = 700,
};

/* Bits of a family's buckets: mostly where its keys are, else anywhere. */
static void flip_buckets(struct random *random, void *memory, size_t bucket_size, uint64_t n)
{
	uint8_t *stash = (uint8_t *)memory + PINNED_BUCKETS * bucket_size;
	size_t stash_size = SLUICE_STASH_BUCKETS(PINNED_BUCKETS) * bucket_size;

	switch (random_below(random, 4)) {
	case 0:
		flip_bits(random, memory, PINNED_ALL_BUCKETS * bucket_size, n);
		break;
	case 1:
		flip_bits(random, stash, stash_size / 8, n);
		break;
	default:
		flip_bits(random, memory, WIDTH * bucket_size, n);
	}
}

static void spoil(struct random *random, const struct pinned_memory *memory)
{
	size_t size4 = WIDTH * sizeof(*memory->block4), size6 = WIDTH * sizeof(*memory->block6);
	size_t records = SPOIL_RECORDS * sizeof(*memory->records);
	uint64_t what = random_below(random, 256);
	uint64_t n = 1 + random_below(random, 1u << random_below(random, 12));

	if (what & 1)
		flip_bits(random, memory->records, records, n);
	if (what & 2)
		flip_buckets(random, memory->block4, sizeof(*memory->block4), n);
	if (what & 4)
		flip_buckets(random, memory->block6, sizeof(*memory->block6), n);
	if (what & 8)
		for (uint64_t i = 0; i < n % 64; i++)
			copy_some(random, (void *)memory->records, records,
				  sizeof(*memory->records));
	if (what & 16)
		for (uint64_t i = 0; i < n % 64; i++) {
			copy_some(random, (void *)memory->block4, size4, 4);
			copy_some(random, (void *)memory->block6, size6, 8);
		}
	if (what & 32)
		for (uint64_t i = 0; i < n % 200; i++)
			fake_stash_spoil(i % 2 ? FAKE_STASH4 : FAKE_STASH6,
					 random_below(random, 800), (uint32_t)random_next(random));
	if (what & 64)
		for (uint64_t i = 0; i < n; i++)
			fake_stash_put(i % 2 ? FAKE_STASH4 : FAKE_STASH6,
				       random_next(random) & (i % 2 ? 0xffffffff : UINT64_MAX),
				       PINNED_FIRST_STASH_POSITION - 200 +
					       (uint32_t)random_below(random, 1600));
	if ((what & 128) && random_below(random, 8) == 0)
		flip_bits(random, memory->header->hash_key, sizeof(memory->header->hash_key), 1);
	flip_bits(random, memory->header->detector,
		  sizeof(memory->header->detector) + sizeof(memory->header->reason), n);
}

Test(blocklist_adoption, survives_any_damage)
{
	const uint64_t seed = 23;
	struct random random = { seed };
	size_t adopted = 0, damaged = 0, orphans = 0;

	cr_log_info("seed %lu", seed);
	for (int round = 0; round < 3000; round++) {
		struct pinned_memory memory = pinned_memory_new(SPOIL_RECORDS, seed);
		struct blocklist_adoption adoption;
		struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

		fill(&memory, table, 400, 250);
		blocklist_table_free(table);
		spoil(&random, &memory);
		table = pinned_memory_adopt(&memory, &adoption);
		adopted += adoption.adopted;
		damaged += adoption.damaged;
		orphans += adoption.orphans;
		check_whole(&memory, table);
		blocklist_table_free(table);
		pinned_memory_free(&memory);
	}
	/* Most of it is still good, and the rest was really damaged. */
	cr_assert_gt(adopted, 3000u * 200);
	cr_assert_gt(damaged, 3000u);
	cr_assert_gt(orphans, 3000u);
}

/* Noise instead of memory: nothing in it is ours. */
Test(blocklist_adoption, survives_noise)
{
	const uint64_t seed = 24;
	struct random random = { seed };

	for (int round = 0; round < 300; round++) {
		struct pinned_memory memory = pinned_memory_new(300, seed);
		struct blocklist_adoption adoption;
		struct {
			void *at;
			size_t size;
		} areas[] = {
			{ memory.records, 300 * sizeof(*memory.records) },
			{ memory.block4, PINNED_ALL_BUCKETS * sizeof(*memory.block4) },
			{ memory.block6, PINNED_ALL_BUCKETS * sizeof(*memory.block6) },
			{ memory.carry4, PINNED_ALL_BUCKETS * sizeof(*memory.carry4) },
			{ memory.carry6, PINNED_ALL_BUCKETS * sizeof(*memory.carry6) },
		};

		for (size_t area = 0; area < sizeof(areas) / sizeof(areas[0]); area++)
			for (size_t i = 0; i < areas[area].size / 8; i++)
				((uint64_t *)areas[area].at)[i] = random_next(&random);
		/* Records that look used, of families that exist, so that the checks go deep. */
		for (uint32_t i = 0; i < 300; i++) {
			memory.records[i].state = (uint8_t)random_below(&random, 4);
			memory.records[i].family = random_next(&random) & 1 ? 4 : 6;
			memory.records[i].position =
				PINNED_FIRST_STASH_POSITION + (uint32_t)random_below(&random, 1500);
		}
		struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

		check_whole(&memory, table);
		blocklist_table_free(table);
		pinned_memory_free(&memory);
	}
}

Test(blocklist_adoption, a_source_recorded_twice_is_blocked_once)
{
	struct pinned_memory memory = pinned_memory_new(100, 25);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key key = crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 10)[3];

	fill(&memory, table, 10, 0);
	/* A second record for it, in a stash way that is empty. */
	memory.records[50] = memory.records[3];
	memory.records[50].position = PINNED_FIRST_STASH_POSITION + 8;
	blocklist_table_free(table);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted, 10);
	cr_assert_eq(adoption.damaged, 1);
	cr_assert(packet_is_blocked(&memory, &key));
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* A stash map full of garbage leaves no room for a block that was half done. */
Test(blocklist_adoption, clears_a_stash_full_of_garbage)
{
	struct pinned_memory memory = pinned_memory_new(1000, 26);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key last = crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 400)[399];

	fill(&memory, table, 400, 0);
	size_t stashed = fake_stash_count(FAKE_STASH4);

	cr_assert_geq(memory.records[399].position, PINNED_FIRST_STASH_POSITION);
	crash(&memory, CRASH_BEFORE_KEY_ONLY, 399, &last);
	blocklist_table_free(table);
	fake_stash_reset();
	for (uint32_t i = 1; fake_stash_count(FAKE_STASH4) < PINNED_STASH_WAYS; i++)
		fake_stash_put(FAKE_STASH4, i, i);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted, 400);
	cr_assert(packet_is_blocked(&memory, &last));
	cr_assert_eq(fake_stash_count(FAKE_STASH4), stashed);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* Hashes that only differ in the bucket have the same word in the stash: all look right for a way. */
Test(blocklist_adoption, starts_in_spite_of_a_stash_full_of_likely_garbage)
{
	struct pinned_memory memory = pinned_memory_new(1000, 28);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key last = crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 400)[399];

	fill(&memory, table, 400, 0);
	uint32_t tag = (uint32_t)stash_key_of(&memory, &last) & (~0u >> PINNED_BITS);
	uint32_t position = memory.records[399].position;

	cr_assert_geq(position, PINNED_FIRST_STASH_POSITION);
	blocklist_table_free(table);
	fake_stash_reset();
	for (uint32_t i = 0; fake_stash_count(FAKE_STASH4) < PINNED_STASH_WAYS; i++)
		fake_stash_put(FAKE_STASH4, i << (32 - PINNED_BITS) | tag, position);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted + adoption.damaged, 400);
	cr_assert_gt(adoption.adopted, 0);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* 0 is a hash like any other, of one address; in the stash it must not be taken for nobody's. */
Test(blocklist_adoption, a_hash_of_nothing_claims_nothing)
{
	struct pinned_memory memory = pinned_memory_new(100, 29);
	struct blocklist_adoption adoption;

	/* An orphan in the stash that the source with hash 0 could own. */
	memory.block4[PINNED_BUCKETS].word[3] = SLUICE_BLOCK_VALID | SLUICE_BLOCK_AWAY;
	fake_stash_put(FAKE_STASH4, 0, PINNED_FIRST_STASH_POSITION + 3);
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

	cr_assert_eq(adoption.orphans, 1);
	cr_assert_eq(fake_stash_count(FAKE_STASH4), 0);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* A packet may have found the orphan's way just before adoption emptied it. */
Test(blocklist_adoption, orphan_ways_wait_for_grace)
{
	struct pinned_memory memory = pinned_memory_new(2000, 27);
	struct blocklist_adoption adoption;
	struct blocklist_table *table;
	const struct sluice_key *keys = crowd(&memory, SLUICE_FAMILY_IPV4, WIDTH, 400);
	uint32_t home = home_bucket(&memory, &keys[0]), second = 1;
	struct dataplane_block_record record = block_of(keys[0]);
	dataplane_slot slot;

	while (home_bucket(&memory, &keys[second]) != home)
		second++;
	memory.block4[home].word[0] = SLUICE_BLOCK_VALID | 0x12345;
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.orphans, 1);
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_eq(memory.records[slot].position, home * SLUICE_POSITION_WAYS + 1,
		     "way 0 is in quarantine");
	blocklist_table_release(table);
	record.key = keys[second];
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_eq(memory.records[slot].position, home * SLUICE_POSITION_WAYS);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}
