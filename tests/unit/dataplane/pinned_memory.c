// SPDX-License-Identifier: BSD-2-Clause
/* See pinned_memory.h. */
#include "pinned_memory.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "fake_stash.h"
#include "support/crowd.h"
#include "support/random.h"
#include "table.h"

static void *zeroed(size_t size)
{
	size_t rounded = (size + SLUICE_CACHE_LINE - 1) / SLUICE_CACHE_LINE * SLUICE_CACHE_LINE;
	void *memory = aligned_alloc(SLUICE_CACHE_LINE, rounded);

	cr_assert_not_null(memory);
	return memset(memory, 0, rounded);
}

struct pinned_memory pinned_memory_new(uint32_t max_blocked, uint64_t seed)
{
	struct random random = { seed };
	struct pinned_memory memory = {
		.header = zeroed(SLUICE_HEADER_SIZE),
		.block4 = zeroed(PINNED_ALL_BUCKETS * sizeof(*memory.block4)),
		.block6 = zeroed(PINNED_ALL_BUCKETS * sizeof(*memory.block6)),
		.carry4 = zeroed(PINNED_ALL_BUCKETS * sizeof(*memory.carry4)),
		.carry6 = zeroed(PINNED_ALL_BUCKETS * sizeof(*memory.carry6)),
		.records = zeroed(max_blocked * sizeof(*memory.records)),
	};

	memory.header->magic = SLUICE_HEADER_MAGIC;
	memory.header->layout = SLUICE_LAYOUT;
	memory.header->hash_key[0] = random_next(&random);
	memory.header->hash_key[1] = random_next(&random);
	memory.header->block4_buckets = PINNED_BUCKETS;
	memory.header->block6_buckets = PINNED_BUCKETS;
	memory.header->max_blocked = max_blocked;
	memory.header->v6_prefix_len = 64;
	fake_stash_reset();
	return memory;
}

void pinned_memory_free(struct pinned_memory *memory)
{
	free(memory->header);
	free(memory->block4);
	free(memory->block6);
	free(memory->carry4);
	free(memory->carry6);
	free(memory->records);
}

struct blocklist_table *pinned_memory_adopt(const struct pinned_memory *memory,
					    struct blocklist_adoption *adoption)
{
	const struct blocklist_memory lent = {
		.header = memory->header,
		.v4 = { 4, PINNED_BUCKETS, memory->block4, memory->carry4, FAKE_STASH4 },
		.v6 = { 8, PINNED_BUCKETS, memory->block6, memory->carry6, FAKE_STASH6 },
		.records = memory->records,
	};
	struct blocklist_table *table = NULL;
	struct sluice_err err = { 0 };
	int code = blocklist_table_new(&lent, &table, adoption, &err);

	cr_assert_eq(code, 0, "adoption: %d: %s", code, err.text);
	return table;
}

struct sluice_key source_v4(uint32_t n)
{
	return (struct sluice_key){
		.family = SLUICE_FAMILY_IPV4,
		.prefix_len = 32,
		.addr = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n },
	};
}

struct sluice_key source_v6(uint32_t n)
{
	return (struct sluice_key){
		.family = SLUICE_FAMILY_IPV6,
		.prefix_len = 64,
		.addr = { 0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
			  (uint8_t)n },
	};
}

struct dataplane_block_record block_of(struct sluice_key key)
{
	return (struct dataplane_block_record){
		.key = key,
		.first_seen_ns = 11,
		.expires_ns = 22,
		.repeats = 3,
		.detector = "threshold",
		.reason = "source_pps",
		.pps = 44,
	};
}

uint64_t stash_key_of(const struct pinned_memory *memory, const struct sluice_key *source)
{
	return source->family == SLUICE_FAMILY_IPV4 ? crowd_hash4(memory->header->hash_key, source)
						    : crowd_hash6(memory->header->hash_key, source);
}

uint32_t home_bucket(const struct pinned_memory *memory, const struct sluice_key *source)
{
	return crowd_home(memory->header->hash_key, source, PINNED_BITS);
}

/* What is known of one family; kept, since it takes long to find. */
struct found {
	struct crowd crowd;
	struct sluice_key *keys;
	uint32_t n;
};

const struct sluice_key *crowd(const struct pinned_memory *memory, uint8_t family, uint32_t width,
			       uint32_t n)
{
	static struct found found[2];
	struct found *known = &found[family == SLUICE_FAMILY_IPV6];

	if (known->crowd.width != width || memcmp(known->crowd.hash_key, memory->header->hash_key,
						  sizeof(known->crowd.hash_key)) != 0) {
		known->n = 0;
		known->crowd =
			(struct crowd){ .family = family, .bits = PINNED_BITS, .width = width };
		memcpy(known->crowd.hash_key, memory->header->hash_key,
		       sizeof(known->crowd.hash_key));
	}
	if (known->n < n) {
		known->keys = realloc(known->keys, n * sizeof(*known->keys));
		cr_assert_not_null(known->keys);
	}
	while (known->n < n)
		known->keys[known->n++] = crowd_next(&known->crowd);
	return known->keys;
}

static bool hit4(const struct pinned_memory *memory, uint32_t index, uint32_t way)
{
	uint32_t old = __atomic_fetch_add(&memory->block4[index].word[way], SLUICE_BLOCK_HIT,
					  __ATOMIC_RELAXED);

	if (old / SLUICE_BLOCK_HIT == SLUICE_BLOCK_HITS_PER_CARRY - 1)
		__atomic_fetch_add(&memory->carry4[index].carry[way], 1, __ATOMIC_RELAXED);
	return true;
}

static bool hit6(const struct pinned_memory *memory, uint32_t index, uint32_t way)
{
	uint32_t old =
		(uint32_t)(__atomic_fetch_add(&memory->block6[index].word[way],
					      (uint64_t)SLUICE_BLOCK_HIT << 32, __ATOMIC_RELAXED) >>
			   32);

	if (old / SLUICE_BLOCK_HIT == SLUICE_BLOCK_HITS_PER_CARRY - 1)
		__atomic_fetch_add(&memory->carry6[index].carry[way], 1, __ATOMIC_RELAXED);
	return true;
}

static bool stashed4(const struct pinned_memory *memory, uint32_t hash, uint32_t want)
{
	uint32_t position;

	if (!fake_stash_get(FAKE_STASH4, hash, &position))
		return false;
	uint32_t index = position / SLUICE_POSITION_WAYS, way = position % SLUICE_POSITION_WAYS;

	if (index >= PINNED_ALL_BUCKETS || !table_is_at4(&memory->block4[index], way, want))
		return false;
	return hit4(memory, index, way);
}

static bool stashed6(const struct pinned_memory *memory, uint64_t hash, uint64_t want)
{
	uint32_t position;

	if (!fake_stash_get(FAKE_STASH6, hash, &position))
		return false;
	uint32_t index = position / SLUICE_POSITION_WAYS, way = position % SLUICE_POSITION_WAYS;

	if (index >= PINNED_ALL_BUCKETS || !table_is_at6(&memory->block6[index], way, want))
		return false;
	return hit6(memory, index, way);
}

static bool blocked4(const struct pinned_memory *memory, uint32_t hash)
{
	uint32_t index = hash >> (32 - PINNED_BITS), tag = hash & (~0u >> PINNED_BITS);
	uint32_t want = tag | SLUICE_BLOCK_VALID;

	for (int i = 0; i < 2; i++) {
		uint64_t found = table_find4(&memory->block4[index], want);

		if (found)
			return hit4(memory, index, table_way4(found));
		if (!(memory->block4[index].word[0] & SLUICE_BLOCK_OVERFLOW))
			return false;
		index = hash_other_bucket(index, tag, PINNED_BITS);
		want |= SLUICE_BLOCK_AWAY;
	}
	return stashed4(memory, hash, want);
}

static bool blocked6(const struct pinned_memory *memory, uint64_t hash)
{
	uint32_t index = (uint32_t)(hash >> (64 - PINNED_BITS));
	uint64_t tag = hash & (~0ull >> PINNED_BITS);
	uint64_t want = tag | (uint64_t)SLUICE_BLOCK_VALID << 32;

	for (int i = 0; i < 2; i++) {
		uint32_t found = table_find6(&memory->block6[index], want);

		if (found)
			return hit6(memory, index, table_way6(found));
		if (!(memory->block6[index].word[0] >> 32 & SLUICE_BLOCK_OVERFLOW))
			return false;
		index = hash_other_bucket(index, (uint32_t)(tag >> 32), PINNED_BITS);
		want |= (uint64_t)SLUICE_BLOCK_AWAY << 32;
	}
	return stashed6(memory, hash, want);
}

/* Not inlined: each packet reads memory anew. */
__attribute__((noinline)) bool packet_is_blocked(const struct pinned_memory *memory,
						 const struct sluice_key *source)
{
	if (source->family == SLUICE_FAMILY_IPV4)
		return blocked4(memory, crowd_hash4(memory->header->hash_key, source));
	return blocked6(memory, crowd_hash6(memory->header->hash_key, source));
}

uint32_t keys_in_table(const struct pinned_memory *memory, uint8_t family)
{
	const uint64_t valid6 = (uint64_t)SLUICE_BLOCK_VALID << 32;
	uint32_t n = 0;

	for (uint32_t i = 0; i < PINNED_ALL_BUCKETS; i++)
		for (unsigned int way = 0; way < SLUICE_BLOCK_WAYS; way++)
			n += family == SLUICE_FAMILY_IPV4
				     ? (memory->block4[i].word[way] & SLUICE_BLOCK_VALID) != 0
				     : (memory->block6[i].word[way] & valid6) != 0;
	return n;
}
