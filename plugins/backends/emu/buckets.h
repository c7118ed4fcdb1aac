/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bucket table of a card, as user space sees it through the mapping.  What it holds is not
 * trusted; emu_card.h has the rules of reading and writing.
 */
#ifndef SLUICE_BACKENDS_EMU_BUCKETS_H
#define SLUICE_BACKENDS_EMU_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu_card.h"

struct buckets {
	struct emu_card_bucket *at;
	uint32_t n;
	__u64 hash_key[2];
};

/* As many as `capacity` rules need. */
uint32_t buckets_needed(uint32_t capacity);

struct emu_card_bucket *buckets_of(const struct buckets *buckets, __be32 addr);

/* The way that holds `addr`, or -1; 0.0.0.0 never is in a bucket. */
int bucket_find(const struct emu_card_bucket *bucket, __be32 addr);

/* Puts a rule with no hits into a free way; false if there is none. */
bool bucket_add(struct emu_card_bucket *bucket, __be32 addr);
void bucket_del(struct emu_card_bucket *bucket, int way);

/*
 * The rule of one way: false if it is empty, if it is in the wrong bucket, where no packet finds
 * it, or if it came or went while it was read.
 */
bool buckets_rule(const struct buckets *buckets, uint32_t bucket, int way, __be32 *addr,
		  struct emu_card_hits *hits);

/* Clears what cannot be a rule: strays of other buckets, doubles.  How many rules are left. */
size_t buckets_repair(struct buckets *buckets);

uint32_t bucket_spilled(const struct emu_card_bucket *bucket);
void bucket_set_spilled(struct emu_card_bucket *bucket, uint32_t spilled);

#endif /* SLUICE_BACKENDS_EMU_BUCKETS_H */
