/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bucket memory that the packet path reads while we write.
 */
#include "buckets.h"

uint32_t buckets_needed(uint32_t capacity)
{
	return capacity / 2 + capacity % 2;
}

static __be32 key_load(const struct emu_card_bucket *bucket, int way)
{
	return __atomic_load_n(&bucket->key[way], __ATOMIC_ACQUIRE);
}

static void key_store(struct emu_card_bucket *bucket, int way, __be32 addr)
{
	__atomic_store_n(&bucket->key[way], addr, __ATOMIC_RELEASE);
}

static uint32_t index_of(const struct buckets *buckets, __be32 addr)
{
	return emu_card_bucket_of(buckets->hash_key, buckets->n, addr);
}

struct emu_card_bucket *buckets_of(const struct buckets *buckets, __be32 addr)
{
	return &buckets->at[index_of(buckets, addr)];
}

int bucket_find(const struct emu_card_bucket *bucket, __be32 addr)
{
	for (int way = 0; way < EMU_CARD_WAYS && addr; way++) {
		if (key_load(bucket, way) == addr)
			return way;
	}
	return -1;
}

bool bucket_add(struct emu_card_bucket *bucket, __be32 addr)
{
	for (int way = 0; way < EMU_CARD_WAYS && addr; way++) {
		if (key_load(bucket, way))
			continue;
		__atomic_store_n(&bucket->hits[way].packets, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&bucket->hits[way].bytes, 0, __ATOMIC_RELAXED);
		key_store(bucket, way, addr);
		return true;
	}
	return false;
}

void bucket_del(struct emu_card_bucket *bucket, int way)
{
	key_store(bucket, way, 0);
}

bool buckets_rule(const struct buckets *buckets, uint32_t bucket, int way, __be32 *addr,
		  struct emu_card_hits *hits)
{
	const struct emu_card_bucket *at = &buckets->at[bucket];

	*addr = key_load(at, way);
	if (!*addr || index_of(buckets, *addr) != bucket)
		return false;
	hits->packets = __atomic_load_n(&at->hits[way].packets, __ATOMIC_ACQUIRE);
	hits->bytes = __atomic_load_n(&at->hits[way].bytes, __ATOMIC_ACQUIRE);
	return key_load(at, way) == *addr;
}

size_t buckets_repair(struct buckets *buckets)
{
	size_t n_rules = 0;

	for (uint32_t i = 0; i < buckets->n; i++) {
		struct emu_card_bucket *bucket = &buckets->at[i];

		for (int way = 0; way < EMU_CARD_WAYS; way++) {
			__be32 addr = key_load(bucket, way);

			if (!addr)
				continue;
			if (index_of(buckets, addr) == i && bucket_find(bucket, addr) == way)
				n_rules++;
			else
				key_store(bucket, way, 0);
		}
	}
	return n_rules;
}

uint32_t bucket_spilled(const struct emu_card_bucket *bucket)
{
	return __atomic_load_n(&bucket->spilled, __ATOMIC_RELAXED);
}

void bucket_set_spilled(struct emu_card_bucket *bucket, uint32_t spilled)
{
	__atomic_store_n(&bucket->spilled, spilled, __ATOMIC_RELEASE);
}
