/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer's side of one family's bucket table (bpf/table.h has the readers' side and the rules
 * between them): where a key goes, what is published in which order, which ways may be reused.
 *
 * IPv4 and IPv6 differ in the width of a word only.  An IPv4 word and hash are handled as the upper
 * half of 64 bits, so one code serves both.
 */
#ifndef SLUICE_DATAPLANE_BLOCK_FAMILY_H
#define SLUICE_DATAPLANE_BLOCK_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared.h"

/* What one family's table consists of; all of it stays the caller's. */
struct block_memory {
	uint8_t word_size;  /* 4 or 8 */
	uint32_t n_buckets; /* A power of two, of at least SLUICE_BLOCK_MIN_BITS. */
	void *buckets;	    /* And SLUICE_STASH_BUCKETS(n_buckets) more. */
	struct sluice_block_carries *carries; /* As many. */
	int stash_fd;			      /* hash -> position, for what lies in the stash. */
};

struct block_family {
	struct block_memory memory;
	uint32_t bits;	      /* log2 of n_buckets */
	uint32_t home_shift;  /* What is left of a hash by it is the home bucket ... */
	uint64_t tag_mask;    /* ... and this has the bits below. */
	uint32_t n_all;	      /* Buckets with those of the stash. */
	uint8_t *busy;	      /* Per bucket, a bit per way: occupied or in quarantine. */
	uint16_t *overflow;   /* Per bucket: keys that belong here and live further along. */
	uint64_t *stash_hash; /* By way of the stash: whose it is; 0 = nobody's. */
	uint32_t *quarantine; /* Positions freed since the last grace wait. */
	size_t n_quarantine, quarantine_capacity;
};

int block_family_init(struct block_family *family, const struct block_memory *memory)
	__attribute__((warn_unused_result));
void block_family_fini(struct block_family *family);

/*
 * A source is its hash: of IPv4 the permuted address in the upper half, of IPv6 the fingerprint.
 * Below, `hash` is that.
 */

/* Asks the CPU for what the next calls on `hash` will touch. */
void block_family_prefetch(const struct block_family *family, uint64_t hash);
/* Where `hash` was published, or false. */
bool block_family_find(const struct block_family *family, uint64_t hash, uint32_t *position);
/*
 * Chooses a free way for `hash`; -EEXIST: it is published already, -ENOSPC: its buckets and the stash
 * are full.  Changes nothing.
 */
int block_family_place(const struct block_family *family, uint64_t hash, uint32_t *position)
	__attribute__((warn_unused_result));
/* Publishes `hash` at a position from block_family_place(): readers drop it from now on. */
int block_family_publish(struct block_family *family, uint64_t hash, uint32_t position, bool manual)
	__attribute__((warn_unused_result));
void block_family_set_manual(struct block_family *family, uint32_t position, bool manual);
/*
 * Removes it: readers let it pass from now on.  The way goes into quarantine; without memory for
 * that it is never used again.
 */
void block_family_remove(struct block_family *family, uint64_t hash, uint32_t position);
/* After a grace wait: what was removed before it may be reused. */
void block_family_release(struct block_family *family);

/*
 * Hits since it was published, mod 2^32.  While packets come in, a reading may lag behind an earlier
 * one by up to 256: between a way's going round and its carry.
 */
uint32_t block_family_packets(const struct block_family *family, uint32_t position);

/* For adoption.  True if `position` exists and an entry of `hash` may lie there. */
bool block_family_fits(const struct block_family *family, uint64_t hash, uint32_t position);
/* True if the way is empty or holds what an entry of `hash` would be. */
bool block_family_may_hold(const struct block_family *family, uint64_t hash, uint32_t position);
bool block_family_is_busy(const struct block_family *family, uint32_t position);
/* Publishes what a dead daemon had published, or was about to; keeps the hits if it is there. */
int block_family_adopt(struct block_family *family, uint64_t hash, uint32_t position, bool manual)
	__attribute__((warn_unused_result));
/*
 * Takes out of the stash map what no taken way of the stash confirms.  Before adoption publishes
 * anything: then the map has room for all that the table can hold.
 */
void block_family_sweep_stash(struct block_family *family);
/* Takes what adoption did not claim out of the table and the stash; how much that was. */
size_t block_family_sweep(struct block_family *family);

#endif /* SLUICE_DATAPLANE_BLOCK_FAMILY_H */
