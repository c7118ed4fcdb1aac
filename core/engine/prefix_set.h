/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of prefixes, asked hundreds of thousands of times a window whether a source lies in it.
 * Kept as sorted, merged ranges of addresses: one binary search an answer, whatever the lengths.
 */
#ifndef SLUICE_ENGINE_PREFIX_SET_H
#define SLUICE_ENGINE_PREFIX_SET_H

#include <stdbool.h>
#include <stddef.h>

#include <sluice/key.h>

struct prefix_set;

/* Copies the keys, which must be valid.  0 or -ENOMEM. */
int prefix_set_new(const struct sluice_key *keys, size_t n, struct prefix_set **out)
	__attribute__((warn_unused_result));
void prefix_set_free(struct prefix_set *set);

/* True if every address of `key` is in the set.  A NULL set is empty. */
bool prefix_set_covers(const struct prefix_set *set, const struct sluice_key *key);
/* True if any address of `key` is in the set: covered, or containing one that is. */
bool prefix_set_overlaps(const struct prefix_set *set, const struct sluice_key *key);

#endif /* SLUICE_ENGINE_PREFIX_SET_H */
