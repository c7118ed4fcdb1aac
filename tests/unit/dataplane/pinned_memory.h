/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blocklist's pinned memory as plain allocations, and the packet path's view of it, so that the
 * writer can be tested without a kernel.
 */
#ifndef SLUICE_TESTS_UNIT_DATAPLANE_PINNED_MEMORY_H
#define SLUICE_TESTS_UNIT_DATAPLANE_PINNED_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/blocklist_table.h"
#include "shared.h"

/* The smallest table there is, which all tests here use. */
#define PINNED_BITS SLUICE_BLOCK_MIN_BITS
#define PINNED_BUCKETS (1u << PINNED_BITS)
#define PINNED_STASH_WAYS (SLUICE_STASH_BUCKETS(PINNED_BUCKETS) * SLUICE_POSITION_WAYS)
#define PINNED_ALL_BUCKETS (PINNED_BUCKETS + SLUICE_STASH_BUCKETS(PINNED_BUCKETS))
#define PINNED_FIRST_STASH_POSITION (PINNED_BUCKETS * SLUICE_POSITION_WAYS)

struct pinned_memory {
	struct sluice_header *header;
	struct sluice_block4_bucket *block4;
	struct sluice_block6_bucket *block6;
	struct sluice_block_carries *carry4, *carry6;
	struct sluice_block_record *records;
};

/* Fails the test if there is no memory.  Also empties the fake stash. */
struct pinned_memory pinned_memory_new(uint32_t max_blocked, uint64_t seed);
void pinned_memory_free(struct pinned_memory *memory);
/* A blocklist on it, as a starting daemon makes it; the test fails if that fails. */
struct blocklist_table *pinned_memory_adopt(const struct pinned_memory *memory,
					    struct blocklist_adoption *adoption);

/* The nth source of a family: distinct for n < 2^24, never 0.0.0.0. */
struct sluice_key source_v4(uint32_t n);
struct sluice_key source_v6(uint32_t n);
struct dataplane_block_record block_of(struct sluice_key key);

/*
 * The first `n` sources of a family whose two buckets are both among the first `width` ones of this
 * memory, so that few of them overflow a table.  Found by trying, (PINNED_BUCKETS / width)^2 for
 * each; kept for the next caller with the same memory's hash key, who may ask for more.
 */
const struct sluice_key *crowd(const struct pinned_memory *memory, uint8_t family, uint32_t width,
			       uint32_t n);
/* The bucket that a source is looked for first. */
uint32_t home_bucket(const struct pinned_memory *memory, const struct sluice_key *source);
/* What the stash map knows a source by. */
uint64_t stash_key_of(const struct pinned_memory *memory, const struct sluice_key *source);

/*
 * What bpf/filter.bpf.c does to find out whether a source is blocked, with the same look-up
 * functions.  Counts a hit.
 */
bool packet_is_blocked(const struct pinned_memory *memory, const struct sluice_key *source);

/* How many ways of a family hold a key. */
uint32_t keys_in_table(const struct pinned_memory *memory, uint8_t family);

#endif /* SLUICE_TESTS_UNIT_DATAPLANE_PINNED_MEMORY_H */
