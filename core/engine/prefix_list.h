/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefixes that the operator blocked: everything that is not one source in the policy's unit.  Few,
 * so a plain array does.
 */
#ifndef SLUICE_ENGINE_PREFIX_LIST_H
#define SLUICE_ENGINE_PREFIX_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct prefix_list_entry {
	struct sluice_key key;
	uint64_t first_seen_ns; /* CLOCK_BOOTTIME */
	uint64_t expires_ns;	/* CLOCK_BOOTTIME; 0 = never */
};

struct prefix_list {
	size_t n, capacity;
	struct prefix_list_entry *entries;
};

void prefix_list_init(struct prefix_list *list);
void prefix_list_fini(struct prefix_list *list);

/* Adds, or gives an entry that is there a new expiry.  1 added, 0 was there, -ENOMEM. */
int prefix_list_add(struct prefix_list *list, const struct prefix_list_entry *entry)
	__attribute__((warn_unused_result));
void prefix_list_del(struct prefix_list *list, size_t i);
/* NULL if this very prefix is not listed. */
struct prefix_list_entry *prefix_list_find(const struct prefix_list *list,
					   const struct sluice_key *key);
/* The longest prefix that covers all of `key`, or NULL. */
const struct prefix_list_entry *prefix_list_covering(const struct prefix_list *list,
						     const struct sluice_key *key);

#endif /* SLUICE_ENGINE_PREFIX_LIST_H */
