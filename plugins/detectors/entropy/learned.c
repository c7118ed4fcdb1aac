/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set-associative table: four entries of 16 bytes in one cache line, the key told by its bucket
 * and 32 more bits of a keyed hash.  Two sources share an entry once in 2^30 look-ups.
 */
#include "learned.h"

#include <stdlib.h>
#include <string.h>

#include "params.h"

#define WAYS 4
#define REMEMBER_WINDOWS 3600 /* Without a sign of the source. */
#define VOUCHED 0	      /* `born` of a source that counts at once. */

struct entry {
	uint32_t tag; /* 0 = free */
	uint32_t born, seen;
	float pps;
};

struct bucket {
	struct entry entry[WAYS];
} __attribute__((aligned(64)));

struct learned {
	struct bucket *buckets;
	uint64_t mask, seed;
	bool has_young; /* Somebody was noted since the young ones were dropped. */
};

struct learned *learned_new(uint32_t capacity, uint64_t seed)
{
	struct learned *learned = calloc(1, sizeof(*learned));
	uint64_t n = 1;

	if (!learned)
		return NULL;
	while (n * WAYS < capacity)
		n *= 2;
	learned->buckets = aligned_alloc(sizeof(struct bucket), n * sizeof(struct bucket));
	if (!learned->buckets) {
		free(learned);
		return NULL;
	}
	memset(learned->buckets, 0, n * sizeof(struct bucket));
	learned->mask = n - 1;
	learned->seed = seed;
	return learned;
}

void learned_free(struct learned *learned)
{
	if (!learned)
		return;
	free(learned->buckets);
	free(learned);
}

/* Multiply and fold: spreads every bit of the input over the whole result. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const struct learned *learned, const struct sluice_key *key)
{
	uint64_t high, low, kind = (uint64_t)key->family << 8 | key->prefix_len;

	memcpy(&high, key->addr, sizeof(high));
	memcpy(&low, key->addr + sizeof(high), sizeof(low));
	high = mix(high ^ learned->seed ^ 0xa0761d6478bd642full, kind ^ 0xe7037ed1a0b428dbull);
	return mix(low ^ high, learned->seed ^ 0x8ebc6af09c88c6e3ull);
}

static struct bucket *find_bucket(struct learned *learned, const struct sluice_key *key,
				  uint32_t *tag)
{
	uint64_t hash = hash_key(learned, key);

	*tag = (uint32_t)hash | 1;
	return &learned->buckets[(hash >> 32) & learned->mask];
}

static struct entry *find(struct bucket *bucket, uint32_t tag)
{
	for (int i = 0; i < WAYS; i++)
		if (bucket->entry[i].tag == tag)
			return &bucket->entry[i];
	return NULL;
}

/* A free place, or that of the source not seen for longest. */
static struct entry *make_room(struct bucket *bucket)
{
	struct entry *oldest = &bucket->entry[0];

	for (int i = 0; i < WAYS; i++) {
		struct entry *entry = &bucket->entry[i];

		if (entry->tag == 0)
			return entry;
		if (entry->seen < oldest->seen)
			oldest = entry;
	}
	return oldest;
}

static void add(struct learned *learned, struct bucket *bucket, uint32_t tag, double pps,
		uint32_t born, uint32_t now)
{
	learned->has_young |= born != VOUCHED;
	*make_room(bucket) = (struct entry){
		.tag = tag,
		.born = born,
		.seen = now,
		.pps = (float)pps,
	};
}

void learned_note(struct learned *learned, const struct sluice_key *key, double pps, uint32_t now)
{
	uint32_t tag;
	struct bucket *bucket = find_bucket(learned, key, &tag);
	struct entry *entry = find(bucket, tag);

	if (!entry) {
		add(learned, bucket, tag, pps, now, now);
		return;
	}
	entry->seen = now;
	/* Up by at most twice a window, so that one mistaken window does not raise it far. */
	if (pps > (double)entry->pps)
		entry->pps =
			(float)(pps < 2.0 * (double)entry->pps ? pps : 2.0 * (double)entry->pps);
	else
		entry->pps += (float)((pps - (double)entry->pps) / 256);
}

void learned_vouch(struct learned *learned, const struct sluice_key *key, double pps, uint32_t now)
{
	uint32_t tag;
	struct bucket *bucket = find_bucket(learned, key, &tag);
	struct entry *entry = find(bucket, tag);

	if (!entry) {
		add(learned, bucket, tag, pps, VOUCHED, now);
		return;
	}
	entry->born = VOUCHED;
	entry->seen = now;
	if (pps > (double)entry->pps)
		entry->pps = (float)pps;
}

bool learned_accepts(struct learned *learned, const struct sluice_key *key, double pps,
		     double growth, uint32_t now)
{
	uint32_t tag;
	struct bucket *bucket = find_bucket(learned, key, &tag);
	const struct entry *entry = find(bucket, tag);

	if (!entry || now - entry->seen > REMEMBER_WINDOWS)
		return false;
	if (entry->born != VOUCHED && now - entry->born < ENTROPY_LAG)
		return false;
	return pps < growth * (double)entry->pps;
}

bool learned_has(struct learned *learned, const struct sluice_key *key, uint32_t now)
{
	return learned_accepts(learned, key, -1, 0, now);
}

uint64_t learned_hash(const struct learned *learned, const struct sluice_key *key)
{
	return hash_key(learned, key);
}

/* In every window of an attack, in which nobody is noted: then there is nothing to look for. */
void learned_drop_young(struct learned *learned, uint32_t now)
{
	if (!learned->has_young)
		return;
	learned->has_young = false;
	for (uint64_t i = 0; i <= learned->mask; i++)
		for (int j = 0; j < WAYS; j++) {
			struct entry *entry = &learned->buckets[i].entry[j];

			if (entry->born != VOUCHED && now - entry->born < ENTROPY_LAG + 1)
				entry->tag = 0;
		}
}

size_t learned_count(const struct learned *learned)
{
	size_t count = 0;

	for (uint64_t i = 0; i <= learned->mask; i++)
		for (int j = 0; j < WAYS; j++)
			count += learned->buckets[i].entry[j].tag != 0;
	return count;
}
