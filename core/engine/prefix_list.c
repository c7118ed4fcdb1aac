/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's prefixes: see prefix_list.h. */
#include "prefix_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

void prefix_list_init(struct prefix_list *list)
{
	memset(list, 0, sizeof(*list));
}

void prefix_list_fini(struct prefix_list *list)
{
	free(list->entries);
	prefix_list_init(list);
}

int prefix_list_add(struct prefix_list *list, const struct prefix_list_entry *entry)
{
	struct prefix_list_entry *entries = prefix_list_find(list, &entry->key);
	size_t capacity = list->capacity ? list->capacity * 2 : 16;

	if (entries) {
		entries->expires_ns = entry->expires_ns;
		return 0;
	}
	if (list->n == list->capacity) {
		entries = realloc(list->entries, capacity * sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->n++] = *entry;
	return 1;
}

void prefix_list_del(struct prefix_list *list, size_t i)
{
	list->entries[i] = list->entries[--list->n];
}

struct prefix_list_entry *prefix_list_find(const struct prefix_list *list,
					   const struct sluice_key *key)
{
	for (size_t i = 0; i < list->n; i++) {
		if (address_equal(&list->entries[i].key, key))
			return &list->entries[i];
	}
	return NULL;
}

const struct prefix_list_entry *prefix_list_covering(const struct prefix_list *list,
						     const struct sluice_key *key)
{
	const struct prefix_list_entry *best = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct prefix_list_entry *entry = &list->entries[i];

		if (address_covers(&entry->key, key) &&
		    (!best || entry->key.prefix_len > best->key.prefix_len))
			best = entry;
	}
	return best;
}
