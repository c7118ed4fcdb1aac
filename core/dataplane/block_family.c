/* SPDX-License-Identifier: BSD-2-Clause */
/* See block_family.h. */
#include "block_family.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "hash.h"

const struct block_shape block_shape4 = {
	.key_size = 4,
	.ways = SLUICE_BLOCK4_WAYS,
	.packets_offset = offsetof(struct sluice_block4_bucket, packets),
	.flags_offset = offsetof(struct sluice_block4_bucket, flags),
};

const struct block_shape block_shape6 = {
	.key_size = 8,
	.ways = SLUICE_BLOCK6_WAYS,
	.packets_offset = offsetof(struct sluice_block6_bucket, packets),
	.flags_offset = offsetof(struct sluice_block6_bucket, flags),
};

static uint32_t position_bucket(uint32_t position)
{
	return position / SLUICE_POSITION_WAYS;
}

static uint32_t position_way(uint32_t position)
{
	return position % SLUICE_POSITION_WAYS;
}

static uint8_t *bucket_at(const struct block_family *family, uint32_t bucket)
{
	return family->memory + (size_t)bucket * SLUICE_CACHE_LINE;
}

static uint64_t key_load(const struct block_family *family, uint32_t bucket, unsigned int way)
{
	uint8_t *memory = bucket_at(family, bucket) + way * family->shape->key_size;

	if (family->shape->key_size == 4)
		return __atomic_load_n((uint32_t *)(void *)memory, __ATOMIC_RELAXED);
	return __atomic_load_n((uint64_t *)(void *)memory, __ATOMIC_RELAXED);
}

/* One aligned store, after all that the key's visibility implies. */
static void key_store(struct block_family *family, uint32_t position, uint64_t key)
{
	uint8_t *memory = bucket_at(family, position_bucket(position)) +
			  position_way(position) * family->shape->key_size;

	if (family->shape->key_size == 4)
		__atomic_store_n((uint32_t *)(void *)memory, (uint32_t)key, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint64_t *)(void *)memory, key, __ATOMIC_RELEASE);
}

static uint32_t *flags_at(struct block_family *family, uint32_t bucket)
{
	return (uint32_t *)(void *)(bucket_at(family, bucket) + family->shape->flags_offset);
}

static uint32_t stash_first(const struct block_family *family)
{
	return family->n_buckets;
}

static uint32_t stash_end(const struct block_family *family)
{
	return family->n_buckets + SLUICE_STASH_BUCKETS;
}

int block_family_init(struct block_family *family, const struct block_shape *shape, void *memory,
		      uint32_t n_buckets, int stash_fd)
{
	*family = (struct block_family){
		.shape = shape,
		.memory = memory,
		.n_buckets = n_buckets,
		.stash_fd = stash_fd,
	};
	family->busy = calloc(stash_end(family), sizeof(*family->busy));
	family->overflow = calloc(stash_end(family), sizeof(*family->overflow));
	if (family->busy && family->overflow)
		return 0;
	block_family_fini(family);
	return -ENOMEM;
}

void block_family_fini(struct block_family *family)
{
	free(family->busy);
	free(family->overflow);
	free(family->quarantine);
	*family = (struct block_family){ 0 };
}

static bool find_in(const struct block_family *family, uint32_t bucket, uint64_t key,
		    uint32_t *position)
{
	/* An adopted table may hold keys that nobody has claimed; they do not count. */
	for (unsigned int way = 0; way < family->shape->ways; way++) {
		if (family->busy[bucket] & 1u << way && key_load(family, bucket, way) == key) {
			*position = bucket * SLUICE_POSITION_WAYS + way;
			return true;
		}
	}
	return false;
}

bool block_family_find(const struct block_family *family, const struct block_key *key,
		       uint32_t *position)
{
	uint32_t first = hash_bucket_first(key->hash, family->n_buckets);
	uint32_t second = hash_bucket_second(key->hash, family->n_buckets);

	if (find_in(family, first, key->key, position))
		return true;
	if (!family->overflow[first])
		return false;
	if (find_in(family, second, key->key, position))
		return true;
	if (!family->overflow[second])
		return false;
	for (uint32_t bucket = stash_first(family); bucket < stash_end(family); bucket++)
		if (family->busy[bucket] && find_in(family, bucket, key->key, position))
			return true;
	return false;
}

static bool free_way(const struct block_family *family, uint32_t bucket, uint32_t *position)
{
	for (unsigned int way = 0; way < family->shape->ways; way++) {
		if (!(family->busy[bucket] & 1u << way)) {
			*position = bucket * SLUICE_POSITION_WAYS + way;
			return true;
		}
	}
	return false;
}

int block_family_place(const struct block_family *family, const struct block_key *key,
		       uint32_t *position)
{
	if (free_way(family, hash_bucket_first(key->hash, family->n_buckets), position) ||
	    free_way(family, hash_bucket_second(key->hash, family->n_buckets), position))
		return 0;
	for (uint32_t bucket = stash_first(family); bucket < stash_end(family); bucket++)
		if (free_way(family, bucket, position))
			return 0;
	return -ENOSPC;
}

/* Counts a key in or out of the overflow of the buckets before its own, and sets their flags. */
static void overflow_add(struct block_family *family, const struct block_key *key,
			 uint32_t position, int change)
{
	uint32_t before[2] = { hash_bucket_first(key->hash, family->n_buckets),
			       hash_bucket_second(key->hash, family->n_buckets) };
	uint32_t bucket = position_bucket(position);

	for (unsigned int i = 0; i < 2 && before[i] != bucket; i++) {
		uint32_t *flags = flags_at(family, before[i]);

		if (i == 1 && before[1] == before[0])
			break;
		family->overflow[before[i]] = (uint16_t)(family->overflow[before[i]] + change);
		if (family->overflow[before[i]])
			__atomic_fetch_or(flags, SLUICE_BLOCK_OVERFLOW, __ATOMIC_RELEASE);
		else
			__atomic_fetch_and(flags, ~SLUICE_BLOCK_OVERFLOW, __ATOMIC_RELEASE);
	}
}

static int stash_set(struct block_family *family, uint64_t key, uint32_t position)
{
	uint32_t key4 = (uint32_t)key;
	const void *at = family->shape->key_size == 4 ? (const void *)&key4 : (const void *)&key;

	return bpf_map_update_elem(family->stash_fd, at, &position, BPF_ANY) ? -errno : 0;
}

static void stash_del(struct block_family *family, uint64_t key)
{
	uint32_t key4 = (uint32_t)key;

	/* -ENOENT is what we want anyway. */
	if (family->shape->key_size == 4)
		bpf_map_delete_elem(family->stash_fd, &key4);
	else
		bpf_map_delete_elem(family->stash_fd, &key);
}

void block_family_set_manual(struct block_family *family, uint32_t position, bool manual)
{
	uint32_t *flags = flags_at(family, position_bucket(position));
	uint32_t bit = SLUICE_BLOCK_MANUAL(position_way(position));

	if (manual)
		__atomic_fetch_or(flags, bit, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(flags, ~bit, __ATOMIC_RELEASE);
}

int block_family_publish(struct block_family *family, const struct block_key *key,
			 uint32_t position, bool manual)
{
	uint32_t bucket = position_bucket(position);

	if (bucket >= stash_first(family)) {
		int code = stash_set(family, key->key, position);

		if (code)
			return code;
	}
	family->busy[bucket] |= (uint8_t)(1u << position_way(position));
	block_family_set_manual(family, position, manual);
	overflow_add(family, key, position, 1);
	key_store(family, position, key->key);
	return 0;
}

static bool quarantine_add(struct block_family *family, uint32_t position)
{
	if (family->n_quarantine == family->quarantine_capacity) {
		size_t capacity = family->quarantine_capacity ? family->quarantine_capacity * 2
							      : 256;
		uint32_t *grown = realloc(family->quarantine, capacity * sizeof(*grown));

		if (!grown)
			return false;
		family->quarantine = grown;
		family->quarantine_capacity = capacity;
	}
	family->quarantine[family->n_quarantine++] = position;
	return true;
}

void block_family_remove(struct block_family *family, const struct block_key *key,
			 uint32_t position)
{
	key_store(family, position, 0);
	overflow_add(family, key, position, -1);
	if (position_bucket(position) >= stash_first(family))
		stash_del(family, key->key);
	(void)quarantine_add(family, position);
}

void block_family_release(struct block_family *family)
{
	for (size_t i = 0; i < family->n_quarantine; i++) {
		uint32_t position = family->quarantine[i];

		family->busy[position_bucket(position)] &=
			(uint8_t) ~(1u << position_way(position));
	}
	family->n_quarantine = 0;
}

uint32_t block_family_packets(const struct block_family *family, uint32_t position)
{
	uint8_t *memory = bucket_at(family, position_bucket(position)) +
			  family->shape->packets_offset + position_way(position) * 4;

	return __atomic_load_n((uint32_t *)(void *)memory, __ATOMIC_RELAXED);
}

bool block_family_fits(const struct block_family *family, const struct block_key *key,
		       uint32_t position)
{
	uint32_t bucket = position_bucket(position);

	if (bucket >= stash_end(family) || position_way(position) >= family->shape->ways)
		return false;
	return bucket >= stash_first(family) ||
	       bucket == hash_bucket_first(key->hash, family->n_buckets) ||
	       bucket == hash_bucket_second(key->hash, family->n_buckets);
}

uint64_t block_family_key(const struct block_family *family, uint32_t position)
{
	return key_load(family, position_bucket(position), position_way(position));
}

bool block_family_is_busy(const struct block_family *family, uint32_t position)
{
	return family->busy[position_bucket(position)] & 1u << position_way(position);
}

/* Bounded: the map cannot hold more than this. */
void block_family_sweep_stash(struct block_family *family)
{
	uint64_t keys[SLUICE_STASH_BUCKETS * SLUICE_BLOCK4_WAYS];
	size_t n = 0;
	uint64_t key = 0, next = 0;
	const void *previous = NULL;

	while (n < sizeof(keys) / sizeof(keys[0]) &&
	       bpf_map_get_next_key(family->stash_fd, previous, &next) == 0) {
		keys[n++] = next;
		key = next;
		previous = &key;
		next = 0;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t position = 0;

		if (bpf_map_lookup_elem(family->stash_fd, &keys[i], &position) == 0 &&
		    position_bucket(position) >= stash_first(family) &&
		    position_bucket(position) < stash_end(family) &&
		    position_way(position) < family->shape->ways &&
		    block_family_key(family, position) == keys[i])
			continue;
		stash_del(family, keys[i]);
	}
}

size_t block_family_sweep(struct block_family *family)
{
	size_t orphans = 0;

	for (uint32_t bucket = 0; bucket < stash_end(family); bucket++) {
		for (unsigned int way = 0; way < family->shape->ways; way++) {
			uint32_t position = bucket * SLUICE_POSITION_WAYS + way;

			if (!key_load(family, bucket, way) ||
			    block_family_is_busy(family, position))
				continue;
			key_store(family, position, 0);
			/* A reader may have found it a moment ago. */
			family->busy[bucket] |= (uint8_t)(1u << way);
			(void)quarantine_add(family, position);
			orphans++;
		}
		if (!family->overflow[bucket])
			__atomic_fetch_and(flags_at(family, bucket), ~SLUICE_BLOCK_OVERFLOW,
					   __ATOMIC_RELEASE);
	}
	block_family_sweep_stash(family);
	return orphans;
}
