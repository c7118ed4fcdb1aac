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

static void fill(struct blocklist_table *table, uint32_t n_v4, uint32_t n_v6)
{
	for (uint32_t n = 0; n < n_v4 + n_v6; n++) {
		struct dataplane_block_record record =
			block_of(n < n_v4 ? source_v4(n) : source_v6(n - n_v4));
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
	struct pinned_memory memory = pinned_memory_new(100, 60, 2000, 21);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

	cr_assert_eq(adoption.adopted + adoption.damaged + adoption.orphans, 0);
	fill(table, 900, 600);
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

	if (record->family == SLUICE_FAMILY_IPV4)
		memory->block4[bucket].key[way] = 0;
	else
		memory->block6[bucket].key[way] = 0;
}

static void stash_clear(const struct pinned_memory *memory, const struct sluice_key *key)
{
	uint64_t addr[2];
	uint32_t position;

	memcpy(addr, key->addr, sizeof(addr));
	uint64_t key6 = hash_v6(memory->header->hash_key, addr[0], addr[1]);

	/* An entry that points nowhere is as good as none, and harder. */
	if (key->family == SLUICE_FAMILY_IPV4 && fake_stash_get(FAKE_STASH4, addr[0], &position))
		fake_stash_put(FAKE_STASH4, addr[0], 0xffffffff);
	else if (key->family == SLUICE_FAMILY_IPV6 && fake_stash_get(FAKE_STASH6, key6, &position))
		fake_stash_put(FAKE_STASH6, key6, 0xffffffff);
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
	struct pinned_memory memory = pinned_memory_new(20, 20, 1000, 22);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	bool stays = at == CRASH_BEFORE_KEY || at == CRASH_BEFORE_KEY_ONLY;

	fill(table, 400, 300);
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
	SPOIL_BUCKETS4 = 30,
	SPOIL_BUCKETS6 = 20,
	SPOIL_RECORDS = 700,
};

static void spoil(struct random *random, const struct pinned_memory *memory)
{
	size_t size4 = (SPOIL_BUCKETS4 + SLUICE_STASH_BUCKETS) * sizeof(*memory->block4);
	size_t size6 = (SPOIL_BUCKETS6 + SLUICE_STASH_BUCKETS) * sizeof(*memory->block6);
	size_t records = SPOIL_RECORDS * sizeof(*memory->records);
	uint64_t what = random_below(random, 256);
	uint64_t n = 1 + random_below(random, 1u << random_below(random, 12));

	if (what & 1)
		flip_bits(random, memory->records, records, n);
	if (what & 2)
		flip_bits(random, memory->block4, size4, n);
	if (what & 4)
		flip_bits(random, memory->block6, size6, n);
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
		struct pinned_memory memory =
			pinned_memory_new(SPOIL_BUCKETS4, SPOIL_BUCKETS6, SPOIL_RECORDS, seed);
		struct blocklist_adoption adoption;
		struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

		fill(table, 400, 250);
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
		struct pinned_memory memory = pinned_memory_new(8, 8, 300, seed);
		struct blocklist_adoption adoption;
		uint8_t *bytes[] = { (void *)memory.records, (void *)memory.block4,
				     (void *)memory.block6 };
		size_t sizes[] = { 300 * sizeof(*memory.records),
				   (8 + SLUICE_STASH_BUCKETS) * SLUICE_CACHE_LINE,
				   (8 + SLUICE_STASH_BUCKETS) * SLUICE_CACHE_LINE };

		for (int area = 0; area < 3; area++)
			for (size_t i = 0; i < sizes[area]; i++)
				bytes[area][i] = (uint8_t)random_next(&random);
		/* Records that look used, of families that exist, so that the checks go deep. */
		for (uint32_t i = 0; i < 300; i++) {
			memory.records[i].state = (uint8_t)random_below(&random, 4);
			memory.records[i].family = random_next(&random) & 1 ? 4 : 6;
			memory.records[i].position = (uint32_t)random_below(&random, 1500);
		}
		struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);

		check_whole(&memory, table);
		blocklist_table_free(table);
		pinned_memory_free(&memory);
	}
}

Test(blocklist_adoption, a_source_recorded_twice_is_blocked_once)
{
	struct pinned_memory memory = pinned_memory_new(20, 20, 100, 25);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key key = source_v4(3);

	fill(table, 10, 0);
	/* A second record for it, in a stash way that is empty. */
	memory.records[50] = memory.records[3];
	memory.records[50].position = 25 * SLUICE_POSITION_WAYS;
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
	struct pinned_memory memory = pinned_memory_new(1, 1, 100, 26);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct sluice_key last = source_v4(9);

	fill(table, 10, 0);
	crash(&memory, CRASH_BEFORE_KEY_ONLY, 9, &last);
	blocklist_table_free(table);
	fake_stash_reset();
	for (uint32_t i = 1; fake_stash_count(FAKE_STASH4) < SLUICE_STASH_BUCKETS * 7; i++)
		fake_stash_put(FAKE_STASH4, i, i);
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.adopted, 10);
	cr_assert(packet_is_blocked(&memory, &last));
	cr_assert_eq(fake_stash_count(FAKE_STASH4), 10 - SLUICE_BLOCK4_WAYS);
	check_whole(&memory, table);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

/* A packet may have found the orphan's way just before adoption emptied it. */
Test(blocklist_adoption, orphan_ways_wait_for_grace)
{
	struct pinned_memory memory = pinned_memory_new(1, 1, 2000, 27);
	struct blocklist_adoption adoption;
	struct blocklist_table *table;
	struct dataplane_block_record record = block_of(source_v4(1));
	dataplane_slot slot;

	memory.block4[0].key[0] = 0x12345678;
	table = pinned_memory_adopt(&memory, &adoption);
	cr_assert_eq(adoption.orphans, 1);
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_eq(memory.records[slot].position, 1, "way 0 is in quarantine");
	blocklist_table_release(table);
	record.key = source_v4(2);
	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	cr_assert_eq(memory.records[slot].position, 0);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}
