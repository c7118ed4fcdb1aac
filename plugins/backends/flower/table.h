/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rule has which handle.  The kernel deletes rules by handle alone, so each source that has a
 * rule has a slot, and handles are slot numbers from 1 on.
 */
#ifndef SLUICE_BACKENDS_FLOWER_TABLE_H
#define SLUICE_BACKENDS_FLOWER_TABLE_H

#include <stdint.h>

#include <sluice/key.h>

#define TABLE_MAX 1048576u

struct table;

/* -ENOMEM.  At most `capacity` rules of ours; 0 stands for TABLE_MAX. */
int table_new(uint32_t capacity, struct table **table) __attribute__((warn_unused_result));
void table_free(struct table *table); /* NULL is a no-op. */

/* The handle of a source's rule; 0: it has none. */
uint32_t table_find(const struct table *table, const struct sluice_key *key);

/* Gives a source a handle: -EEXIST, -ENOSPC, -ENOMEM. */
int table_add(struct table *table, const struct sluice_key *key, uint32_t *handle)
	__attribute__((warn_unused_result));

/* Takes note of a rule that is there: as table_add(), -EBUSY if the handle is taken, -ERANGE. */
int table_put(struct table *table, const struct sluice_key *key, uint32_t handle)
	__attribute__((warn_unused_result));

/* Never gives out this handle, since a rule of somebody else's has it; -EBUSY, -ERANGE, -ENOMEM. */
int table_reserve(struct table *table, uint32_t handle) __attribute__((warn_unused_result));

/* Frees the handle of a source; a no-op if it has none. */
void table_del(struct table *table, const struct sluice_key *key);

uint32_t table_count(const struct table *table); /* Of ours. */

#endif /* SLUICE_BACKENDS_FLOWER_TABLE_H */
