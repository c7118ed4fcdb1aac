/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer's side of one family's bucket table (bpf/table.h has the readers' side and the rules
 * between them): where a key goes, what is published in which order, which ways may be reused.
 *
 * IPv4 and IPv6 differ in key size, ways and offsets only, so one code serves both.
 */
#ifndef SLUICE_DATAPLANE_BLOCK_FAMILY_H
#define SLUICE_DATAPLANE_BLOCK_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared.h"

struct block_shape {
	uint8_t key_size; /* 4 or 8 */
	uint8_t ways;
	uint8_t packets_offset, flags_offset;
};

extern const struct block_shape block_shape4, block_shape6;

/* A key as the table holds it, with the hash that places it. */
struct block_key {
	uint64_t key; /* Never 0. */
	uint64_t hash;
};

struct block_family {
	const struct block_shape *shape;
	uint8_t *memory; /* n_buckets + SLUICE_STASH_BUCKETS buckets, shared with BPF. */
	uint32_t n_buckets;
	int stash_fd;	      /* key -> position, for what lies in the stash. */
	uint8_t *busy;	      /* Per bucket, a bit per way: occupied or in quarantine. */
	uint16_t *overflow;   /* Per bucket: keys that belong here and live further along. */
	uint32_t *quarantine; /* Positions freed since the last grace wait. */
	size_t n_quarantine, quarantine_capacity;
};

/* `memory` and `stash_fd` stay the caller's. */
int block_family_init(struct block_family *family, const struct block_shape *shape, void *memory,
		      uint32_t n_buckets, int stash_fd) __attribute__((warn_unused_result));
void block_family_fini(struct block_family *family);

/* Where `key` was published, or false. */
bool block_family_find(const struct block_family *family, const struct block_key *key,
		       uint32_t *position);
/* Chooses a free way for `key`; -ENOSPC if its buckets and the stash are full.  Changes nothing. */
int block_family_place(const struct block_family *family, const struct block_key *key,
		       uint32_t *position) __attribute__((warn_unused_result));
/* Publishes `key` at a position from block_family_place(): readers drop it from now on. */
int block_family_publish(struct block_family *family, const struct block_key *key,
			 uint32_t position, bool manual) __attribute__((warn_unused_result));
void block_family_set_manual(struct block_family *family, uint32_t position, bool manual);
/*
 * Removes it: readers let it pass from now on.  The way goes into quarantine; without memory for
 * that it is never used again.
 */
void block_family_remove(struct block_family *family, const struct block_key *key,
			 uint32_t position);
/* After a grace wait: what was removed before it may be reused. */
void block_family_release(struct block_family *family);

uint32_t block_family_packets(const struct block_family *family, uint32_t position);

/* For adoption.  True if `position` exists and `key` may lie there. */
bool block_family_fits(const struct block_family *family, const struct block_key *key,
		       uint32_t position);
uint64_t block_family_key(const struct block_family *family, uint32_t position);
bool block_family_is_busy(const struct block_family *family, uint32_t position);
/*
 * Takes out of the stash map what its position does not confirm.  Before adoption publishes
 * anything: then the map has room for all that the table can hold.
 */
void block_family_sweep_stash(struct block_family *family);
/* Takes what adoption did not claim out of the table and the stash; how much that was. */
size_t block_family_sweep(struct block_family *family);

#endif /* SLUICE_DATAPLANE_BLOCK_FAMILY_H */
