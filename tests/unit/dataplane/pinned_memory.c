// SPDX-License-Identifier: BSD-2-Clause
/* See pinned_memory.h. */
#include "pinned_memory.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "fake_stash.h"
#include "support/random.h"
#include "table.h"

static void *zeroed(size_t size)
{
	size_t rounded = (size + SLUICE_CACHE_LINE - 1) / SLUICE_CACHE_LINE * SLUICE_CACHE_LINE;
	void *memory = aligned_alloc(SLUICE_CACHE_LINE, rounded);

	cr_assert_not_null(memory);
	return memset(memory, 0, rounded);
}

struct pinned_memory pinned_memory_new(uint32_t block4_buckets, uint32_t block6_buckets,
				       uint32_t max_blocked, uint64_t seed)
{
	struct random random = { seed };
	struct pinned_memory memory = {
		.header = zeroed(SLUICE_HEADER_SIZE),
		.block4 = zeroed((block4_buckets + SLUICE_STASH_BUCKETS) * sizeof(*memory.block4)),
		.block6 = zeroed((block6_buckets + SLUICE_STASH_BUCKETS) * sizeof(*memory.block6)),
		.records = zeroed(max_blocked * sizeof(*memory.records)),
	};

	memory.header->magic = SLUICE_HEADER_MAGIC;
	memory.header->layout = SLUICE_LAYOUT;
	memory.header->hash_key[0] = random_next(&random);
	memory.header->hash_key[1] = random_next(&random);
	memory.header->block4_buckets = block4_buckets;
	memory.header->block6_buckets = block6_buckets;
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
	free(memory->records);
}

struct blocklist_table *pinned_memory_adopt(const struct pinned_memory *memory,
					    struct blocklist_adoption *adoption)
{
	const struct blocklist_memory lent = {
		.header = memory->header,
		.block4 = memory->block4,
		.block6 = memory->block6,
		.records = memory->records,
		.stash4_fd = FAKE_STASH4,
		.stash6_fd = FAKE_STASH6,
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

static bool count4(struct sluice_block4_bucket *bucket, uint64_t way)
{
	__atomic_fetch_add(&bucket->packets[way], 1, __ATOMIC_RELAXED);
	return true;
}

static bool count6(struct sluice_block6_bucket *bucket, uint64_t way)
{
	__atomic_fetch_add(&bucket->packets[way], 1, __ATOMIC_RELAXED);
	return true;
}

static bool stashed4(const struct pinned_memory *memory, uint32_t key)
{
	uint32_t position;

	if (!fake_stash_get(FAKE_STASH4, key, &position))
		return false;
	uint32_t index = position / SLUICE_POSITION_WAYS, way = position % SLUICE_POSITION_WAYS;

	if (index >= memory->header->block4_buckets + SLUICE_STASH_BUCKETS ||
	    way >= SLUICE_BLOCK4_WAYS || memory->block4[index].key[way] != key)
		return false;
	return count4(&memory->block4[index], way);
}

static bool stashed6(const struct pinned_memory *memory, uint64_t key)
{
	uint32_t position;

	if (!fake_stash_get(FAKE_STASH6, key, &position))
		return false;
	uint32_t index = position / SLUICE_POSITION_WAYS, way = position % SLUICE_POSITION_WAYS;

	if (index >= memory->header->block6_buckets + SLUICE_STASH_BUCKETS ||
	    way >= SLUICE_BLOCK6_WAYS || memory->block6[index].key[way] != key)
		return false;
	return count6(&memory->block6[index], way);
}

static bool blocked4(const struct pinned_memory *memory, uint32_t key)
{
	uint32_t n_buckets = memory->header->block4_buckets;
	uint64_t hash = hash_v4(memory->header->hash_key, key);
	uint32_t index[2] = { hash_bucket_first(hash, n_buckets),
			      hash_bucket_second(hash, n_buckets) };

	for (int i = 0; i < 2; i++) {
		struct sluice_block4_bucket *bucket = &memory->block4[index[i]];
		uint64_t match = table_match_block4(bucket, key);

		if (match)
			return match <= SLUICE_BLOCK4_WAYS && count4(bucket, match - 1);
		if (!(bucket->flags & SLUICE_BLOCK_OVERFLOW))
			return false;
	}
	return stashed4(memory, key);
}

static bool blocked6(const struct pinned_memory *memory, uint64_t key)
{
	uint32_t n_buckets = memory->header->block6_buckets;
	uint32_t index[2] = { hash_bucket_first(key, n_buckets),
			      hash_bucket_second(key, n_buckets) };

	for (int i = 0; i < 2; i++) {
		struct sluice_block6_bucket *bucket = &memory->block6[index[i]];
		uint64_t match = table_match_block6(bucket, key);

		if (match)
			return match <= SLUICE_BLOCK6_WAYS && count6(bucket, match - 1);
		if (!(bucket->flags & SLUICE_BLOCK_OVERFLOW))
			return false;
	}
	return stashed6(memory, key);
}

/* Not inlined: each packet reads memory anew. */
__attribute__((noinline)) bool packet_is_blocked(const struct pinned_memory *memory,
						 const struct sluice_key *source)
{
	if (source->family == SLUICE_FAMILY_IPV4) {
		uint32_t addr;

		memcpy(&addr, source->addr, sizeof(addr));
		return addr && blocked4(memory, addr);
	}
	uint64_t addr[2];

	memcpy(addr, source->addr, sizeof(addr));
	return blocked6(memory, hash_v6(memory->header->hash_key, addr[0], addr[1]));
}

uint32_t keys_in_table(const struct pinned_memory *memory, uint8_t family)
{
	uint32_t n = 0;

	if (family == SLUICE_FAMILY_IPV4) {
		for (uint32_t i = 0; i < memory->header->block4_buckets + SLUICE_STASH_BUCKETS; i++)
			for (int way = 0; way < SLUICE_BLOCK4_WAYS; way++)
				n += memory->block4[i].key[way] != 0;
		return n;
	}
	for (uint32_t i = 0; i < memory->header->block6_buckets + SLUICE_STASH_BUCKETS; i++)
		for (int way = 0; way < SLUICE_BLOCK6_WAYS; way++)
			n += memory->block6[i].key[way] != 0;
	return n;
}
