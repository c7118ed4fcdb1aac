/* SPDX-License-Identifier: BSD-2-Clause */
/* See block_family.h. */
#include "block_family.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "hash.h"

/* What hardly a key needs, kept out of line, so that the usual one saves no registers for it. */
#define RARE __attribute__((noinline))

/* A flag of shared.h in a word of 64 bits. */
#define WORD(flag) ((uint64_t)(flag) << 32)
/* What readers compare: all but the hits and the flags that are not part of the key. */
#define WORD_SAME (WORD(SLUICE_BLOCK_SAME) | 0xffffffffu)

static uint32_t position_bucket(uint32_t position)
{
	return position / SLUICE_POSITION_WAYS;
}

static uint32_t position_way(uint32_t position)
{
	return position % SLUICE_POSITION_WAYS;
}

static uint32_t home_of(const struct block_family *family, uint64_t hash)
{
	return (uint32_t)(hash >> family->home_shift);
}

static uint64_t tag_of(const struct block_family *family, uint64_t hash)
{
	return hash & family->tag_mask;
}

static uint32_t other_of(const struct block_family *family, uint64_t hash)
{
	return hash_other_bucket(home_of(family, hash), (uint32_t)(tag_of(family, hash) >> 32),
				 family->bits);
}

static bool in_stash(const struct block_family *family, uint32_t bucket)
{
	return bucket >= family->memory.n_buckets;
}

static uint64_t *stash_hash_at(const struct block_family *family, uint32_t position)
{
	return &family->stash_hash[position - family->memory.n_buckets * SLUICE_POSITION_WAYS];
}

/* What the word of `hash` is, without hits, in its home bucket and elsewhere. */
static uint64_t word_at_home(const struct block_family *family, uint64_t hash)
{
	return tag_of(family, hash) | WORD(SLUICE_BLOCK_VALID);
}

static uint64_t word_away(const struct block_family *family, uint64_t hash)
{
	return word_at_home(family, hash) | WORD(SLUICE_BLOCK_AWAY);
}

static bool is_home(const struct block_family *family, uint64_t hash, uint32_t position)
{
	return position_bucket(position) == home_of(family, hash);
}

static void *word_at(const struct block_family *family, uint32_t position)
{
	return (uint8_t *)family->memory.buckets + (size_t)position * family->memory.word_size;
}

static uint64_t word_load(const struct block_family *family, uint32_t position)
{
	if (family->memory.word_size == 4)
		return (uint64_t)__atomic_load_n((uint32_t *)word_at(family, position),
						 __ATOMIC_RELAXED)
		       << 32;
	return __atomic_load_n((uint64_t *)word_at(family, position), __ATOMIC_RELAXED);
}

/* Only into a way that no reader can match: one aligned store, after all that it implies. */
static void word_store(struct block_family *family, uint32_t position, uint64_t word)
{
	if (family->memory.word_size == 4)
		__atomic_store_n((uint32_t *)word_at(family, position), (uint32_t)(word >> 32),
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint64_t *)word_at(family, position), word, __ATOMIC_RELEASE);
}

static void word_set(struct block_family *family, uint32_t position, uint64_t bits)
{
	if (family->memory.word_size == 4)
		__atomic_fetch_or((uint32_t *)word_at(family, position), (uint32_t)(bits >> 32),
				  __ATOMIC_RELEASE);
	else
		__atomic_fetch_or((uint64_t *)word_at(family, position), bits, __ATOMIC_RELEASE);
}

static void word_keep(struct block_family *family, uint32_t position, uint64_t bits)
{
	if (family->memory.word_size == 4)
		__atomic_fetch_and((uint32_t *)word_at(family, position), (uint32_t)(bits >> 32),
				   __ATOMIC_RELEASE);
	else
		__atomic_fetch_and((uint64_t *)word_at(family, position), bits, __ATOMIC_RELEASE);
}

static uint32_t *carry_at(const struct block_family *family, uint32_t position)
{
	return &family->memory.carries[position_bucket(position)].carry[position_way(position)];
}

int block_family_init(struct block_family *family, const struct block_memory *memory)
{
	*family = (struct block_family){
		.memory = *memory,
		.bits = (uint32_t)__builtin_ctz(memory->n_buckets),
		.n_all = memory->n_buckets + SLUICE_STASH_BUCKETS(memory->n_buckets),
	};
	family->home_shift = 64 - family->bits;
	family->tag_mask = UINT64_MAX >> family->bits;
	family->busy = calloc(family->n_all, sizeof(*family->busy));
	family->overflow = calloc(memory->n_buckets, sizeof(*family->overflow));
	family->stash_hash =
		calloc((size_t)SLUICE_STASH_BUCKETS(memory->n_buckets) * SLUICE_POSITION_WAYS,
		       sizeof(*family->stash_hash));
	if (family->busy && family->overflow && family->stash_hash)
		return 0;
	block_family_fini(family);
	return -ENOMEM;
}

void block_family_fini(struct block_family *family)
{
	free(family->busy);
	free(family->overflow);
	free(family->stash_hash);
	free(family->quarantine);
	*family = (struct block_family){ 0 };
}

void block_family_prefetch(const struct block_family *family, uint64_t hash)
{
	uint32_t home = home_of(family, hash);

	__builtin_prefetch(word_at(family, home * SLUICE_POSITION_WAYS), 1);
	__builtin_prefetch(&family->busy[home], 1);
	__builtin_prefetch(&family->overflow[home]);
}

/* Four ways of IPv4, or two of IPv6, at a time. */
typedef uint32_t four_ways __attribute__((vector_size(16), may_alias));
typedef uint64_t two_ways __attribute__((vector_size(16), may_alias));

/*
 * Whether a way of a bucket may hold `word`.  On the way of every insert, where hardly a way ever
 * matches: no branch, and one comparison for several ways.  What packets change meanwhile, hits and
 * the flags of the bucket, is masked out, and keys are stored by this thread only.
 */
static inline bool may_match4(const void *bucket, uint32_t word)
{
	const four_ways *ways = bucket;
	four_ways key = { word, word, word, word };
	two_ways same = { 0 };

	for (unsigned int i = 0; i < SLUICE_POSITION_WAYS / 4; i++)
		same |= (two_ways)(((ways[i] ^ key) & SLUICE_BLOCK_SAME) == 0);
	return same[0] | same[1];
}

static inline bool may_match6(const void *bucket, uint64_t word)
{
	const two_ways *ways = bucket;
	two_ways key = { word, word }, mask = { WORD_SAME, WORD_SAME }, same = { 0 };

	same |= (two_ways)(((ways[0] ^ key) & mask) == 0);
	same |= (two_ways)(((ways[1] ^ key) & mask) == 0);
	same |= (two_ways)(((ways[2] ^ key) & mask) == 0);
	same |= (two_ways)(((ways[3] ^ key) & mask) == 0);
	return same[0] | same[1];
}

static unsigned int ways_of_words(const uint64_t *bucket, uint64_t word)
{
	unsigned int ways = 0;

	for (unsigned int i = 0; i < SLUICE_POSITION_WAYS; i++) {
		uint64_t there = __atomic_load_n(&bucket[i], __ATOMIC_RELAXED);

		ways |= (unsigned int)!((there ^ word) & WORD_SAME) << i;
	}
	return ways;
}

static unsigned int ways_of_halves(const uint32_t *bucket, uint32_t word)
{
	unsigned int ways = 0;

	for (unsigned int i = 0; i < SLUICE_POSITION_WAYS; i++) {
		uint32_t there = __atomic_load_n(&bucket[i], __ATOMIC_RELAXED);

		ways |= (unsigned int)!((there ^ word) & SLUICE_BLOCK_SAME) << i;
	}
	return ways;
}

/* An adopted table may hold words that nobody has claimed; they do not count. */
static RARE bool find_way(const struct block_family *family, uint32_t bucket, uint64_t word,
			  uint32_t *position)
{
	const void *at = word_at(family, bucket * SLUICE_POSITION_WAYS);
	unsigned int ways = family->memory.word_size == 4
				    ? ways_of_halves(at, (uint32_t)(word >> 32))
				    : ways_of_words(at, word);

	ways &= family->busy[bucket];
	if (!ways)
		return false;
	*position = bucket * SLUICE_POSITION_WAYS + (uint32_t)__builtin_ctz(ways);
	return true;
}

static inline bool find_in(const struct block_family *family, uint32_t bucket, uint64_t word,
			   uint32_t *position)
{
	const void *at = word_at(family, bucket * SLUICE_POSITION_WAYS);

	return (family->memory.word_size == 4 ? may_match4(at, (uint32_t)(word >> 32))
					      : may_match6(at, word)) &&
	       find_way(family, bucket, word, position);
}

static bool find_in_stash(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	for (uint32_t at = family->memory.n_buckets * SLUICE_POSITION_WAYS;
	     at < family->n_all * SLUICE_POSITION_WAYS; at++) {
		/* A hash may be 0, which is also nobody's: what no entry claimed does not count. */
		if (*stash_hash_at(family, at) == hash && block_family_is_busy(family, at) &&
		    word_load(family, at) & WORD(SLUICE_BLOCK_VALID)) {
			*position = at;
			return true;
		}
	}
	return false;
}

/* Of a key whose home bucket has overflowed: where else it may be. */
static RARE bool find_away(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	uint32_t other = other_of(family, hash);

	return find_in(family, other, word_away(family, hash), position) ||
	       (family->overflow[other] && find_in_stash(family, hash, position));
}

static inline bool find(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	uint32_t home = home_of(family, hash);

	return find_in(family, home, word_at_home(family, hash), position) ||
	       (family->overflow[home] && find_away(family, hash, position));
}

bool block_family_find(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	return find(family, hash, position);
}

static bool free_way(const struct block_family *family, uint32_t bucket, uint32_t *position)
{
	uint8_t free = (uint8_t)~family->busy[bucket];

	if (!free)
		return false;
	*position = bucket * SLUICE_POSITION_WAYS + (uint32_t)__builtin_ctz(free);
	return true;
}

/* Of a key whose home bucket is full: where else it may go. */
static RARE int place_away(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	if (free_way(family, other_of(family, hash), position))
		return 0;
	for (uint32_t bucket = family->memory.n_buckets; bucket < family->n_all; bucket++)
		if (free_way(family, bucket, position))
			return 0;
	return -ENOSPC;
}

int block_family_place(const struct block_family *family, uint64_t hash, uint32_t *position)
{
	if (find(family, hash, position))
		return -EEXIST;
	return free_way(family, home_of(family, hash), position)
		       ? 0
		       : place_away(family, hash, position);
}

/* Counts a key in or out of the overflow of the buckets before its own, and sets their flags. */
static void overflow_add(struct block_family *family, uint64_t hash, uint32_t position, int change)
{
	uint32_t before[2] = { home_of(family, hash), other_of(family, hash) };
	uint32_t bucket = position_bucket(position);

	for (unsigned int i = 0; i < 2 && before[i] != bucket; i++) {
		uint32_t flag_at = before[i] * SLUICE_POSITION_WAYS;

		family->overflow[before[i]] = (uint16_t)(family->overflow[before[i]] + change);
		if (family->overflow[before[i]])
			word_set(family, flag_at, WORD(SLUICE_BLOCK_OVERFLOW));
		else
			word_keep(family, flag_at, ~WORD(SLUICE_BLOCK_OVERFLOW));
	}
}

/* The stash map's key: 4 or 8 bytes. */
static const void *stash_key(const struct block_family *family, const uint64_t *hash,
			     uint32_t *short_hash)
{
	*short_hash = (uint32_t)(*hash >> 32);
	return family->memory.word_size == 4 ? (const void *)short_hash : (const void *)hash;
}

static int stash_set(struct block_family *family, uint64_t hash, uint32_t position)
{
	uint32_t buffer;

	if (bpf_map_update_elem(family->memory.stash_fd, stash_key(family, &hash, &buffer),
				&position, BPF_ANY))
		return -errno;
	*stash_hash_at(family, position) = hash;
	return 0;
}

static void stash_del(struct block_family *family, uint64_t hash)
{
	uint32_t buffer;

	/* -ENOENT is what we want anyway. */
	(void)!bpf_map_delete_elem(family->memory.stash_fd, stash_key(family, &hash, &buffer));
}

void block_family_set_manual(struct block_family *family, uint32_t position, bool manual)
{
	if (manual)
		word_set(family, position, WORD(SLUICE_BLOCK_MANUAL));
	else
		word_keep(family, position, ~WORD(SLUICE_BLOCK_MANUAL));
}

static void mark_busy(struct block_family *family, uint32_t position)
{
	family->busy[position_bucket(position)] |= (uint8_t)(1u << position_way(position));
}

/* What readers follow to a key outside its home bucket; before the key is there. */
static int lead_to(struct block_family *family, uint64_t hash, uint32_t position)
{
	if (in_stash(family, position_bucket(position))) {
		int code = stash_set(family, hash, position);

		if (code)
			return code;
	}
	overflow_add(family, hash, position, 1);
	return 0;
}

static inline void publish_word(struct block_family *family, uint32_t position, uint64_t word,
				bool manual)
{
	word |= word_load(family, position) & WORD(SLUICE_BLOCK_OVERFLOW);
	mark_busy(family, position);
	word_store(family, position, manual ? word | WORD(SLUICE_BLOCK_MANUAL) : word);
}

static RARE int publish_away(struct block_family *family, uint64_t hash, uint32_t position,
			     bool manual)
{
	int code = lead_to(family, hash, position);

	if (!code)
		publish_word(family, position, word_away(family, hash), manual);
	return code;
}

int block_family_publish(struct block_family *family, uint64_t hash, uint32_t position, bool manual)
{
	if (!is_home(family, hash, position))
		return publish_away(family, hash, position, manual);
	publish_word(family, position, word_at_home(family, hash), manual);
	return 0;
}

int block_family_adopt(struct block_family *family, uint64_t hash, uint32_t position, bool manual)
{
	if (!(word_load(family, position) & WORD(SLUICE_BLOCK_VALID)))
		return block_family_publish(family, hash, position, manual);
	int code = is_home(family, hash, position) ? 0 : lead_to(family, hash, position);

	if (code)
		return code;
	mark_busy(family, position);
	block_family_set_manual(family, position, manual);
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

void block_family_remove(struct block_family *family, uint64_t hash, uint32_t position)
{
	word_keep(family, position, WORD(SLUICE_BLOCK_OVERFLOW));
	if (!is_home(family, hash, position))
		overflow_add(family, hash, position, -1);
	if (in_stash(family, position_bucket(position))) {
		stash_del(family, hash);
		*stash_hash_at(family, position) = 0;
	}
	(void)quarantine_add(family, position);
}

void block_family_release(struct block_family *family)
{
	for (size_t i = 0; i < family->n_quarantine; i++) {
		uint32_t position = family->quarantine[i];

		/* Now that nobody can add to it any more; publishing has one line less to touch. */
		__atomic_store_n(carry_at(family, position), 0, __ATOMIC_RELAXED);
		family->busy[position_bucket(position)] &=
			(uint8_t) ~(1u << position_way(position));
	}
	family->n_quarantine = 0;
}

uint32_t block_family_packets(const struct block_family *family, uint32_t position)
{
	uint32_t carries, hits;

	/* The carry that is there before and after belongs to the hits in between. */
	do {
		carries = __atomic_load_n(carry_at(family, position), __ATOMIC_ACQUIRE);
		hits = (uint32_t)(word_load(family, position) >> 32) / SLUICE_BLOCK_HIT;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (carries != __atomic_load_n(carry_at(family, position), __ATOMIC_RELAXED));
	return carries * SLUICE_BLOCK_HITS_PER_CARRY + hits;
}

bool block_family_fits(const struct block_family *family, uint64_t hash, uint32_t position)
{
	uint32_t bucket = position_bucket(position);

	return bucket < family->n_all &&
	       (in_stash(family, bucket) || bucket == home_of(family, hash) ||
		bucket == other_of(family, hash));
}

bool block_family_may_hold(const struct block_family *family, uint64_t hash, uint32_t position)
{
	uint64_t there = word_load(family, position);
	uint64_t word = is_home(family, hash, position) ? word_at_home(family, hash)
							: word_away(family, hash);

	return !(there & WORD(SLUICE_BLOCK_VALID)) || ((there ^ word) & WORD_SAME) == 0;
}

bool block_family_is_busy(const struct block_family *family, uint32_t position)
{
	return family->busy[position_bucket(position)] & 1u << position_way(position);
}

/* All that the stash map holds; at most as many as the stash has ways. */
static size_t stash_list(const struct block_family *family, uint64_t *hashes, uint32_t *positions,
			 size_t max)
{
	bool is_short = family->memory.word_size == 4;
	uint64_t key = 0, next = 0;
	const void *previous = NULL;
	size_t n = 0;

	while (n < max && bpf_map_get_next_key(family->memory.stash_fd, previous, &next) == 0) {
		positions[n] = UINT32_MAX;
		(void)!bpf_map_lookup_elem(family->memory.stash_fd, &next, &positions[n]);
		hashes[n++] = is_short ? next << 32 : next;
		key = next;
		previous = &key;
		next = 0;
	}
	return n;
}

/* Takes out what `is_right` does not confirm. */
static void stash_clean(struct block_family *family,
			bool (*is_right)(const struct block_family *, uint64_t, uint32_t))
{
	size_t max = (size_t)(family->n_all - family->memory.n_buckets) * SLUICE_POSITION_WAYS;
	uint64_t *hashes = malloc(max * sizeof(*hashes));
	uint32_t *positions = malloc(max * sizeof(*positions));
	size_t n = hashes && positions ? stash_list(family, hashes, positions, max) : 0;

	for (size_t i = 0; i < n; i++)
		if (!in_stash(family, position_bucket(positions[i])) ||
		    position_bucket(positions[i]) >= family->n_all ||
		    !is_right(family, hashes[i], positions[i]))
			stash_del(family, hashes[i]);
	free(hashes);
	free(positions);
}

static bool is_confirmed(const struct block_family *family, uint64_t hash, uint32_t position)
{
	return word_load(family, position) & WORD(SLUICE_BLOCK_VALID) &&
	       block_family_may_hold(family, hash, position);
}

static bool is_claimed(const struct block_family *family, uint64_t hash, uint32_t position)
{
	/* After the sweep a taken way is a claimed one; a hash of 0 alone would say nothing. */
	return *stash_hash_at(family, position) == hash &&
	       word_load(family, position) & WORD(SLUICE_BLOCK_VALID);
}

void block_family_sweep_stash(struct block_family *family)
{
	stash_clean(family, is_confirmed);
}

size_t block_family_sweep(struct block_family *family)
{
	size_t orphans = 0;

	for (uint32_t position = 0; position < family->n_all * SLUICE_POSITION_WAYS; position++) {
		uint64_t flags = WORD(SLUICE_BLOCK_OVERFLOW);

		if (!block_family_is_busy(family, position))
			__atomic_store_n(carry_at(family, position), 0, __ATOMIC_RELAXED);
		if (!word_load(family, position))
			continue;
		if (position_way(position) || in_stash(family, position_bucket(position)) ||
		    !family->overflow[position_bucket(position)])
			flags = 0;
		if (block_family_is_busy(family, position)) {
			if (!flags)
				word_keep(family, position, ~WORD(SLUICE_BLOCK_OVERFLOW));
			continue;
		}
		bool is_orphan = word_load(family, position) & WORD(SLUICE_BLOCK_VALID);

		word_keep(family, position, flags);
		if (!is_orphan)
			continue;
		/* A reader may have found it a moment ago. */
		mark_busy(family, position);
		(void)quarantine_add(family, position);
		orphans++;
	}
	stash_clean(family, is_claimed);
	return orphans;
}
