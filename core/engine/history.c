/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of remembered sources: see history.h. */
#include "history.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash_table.h"

struct history {
	struct hash_table *index;
	size_t capacity, n, next;
	struct history_entry *entries; /* Untouched pages cost nothing. */
};

int history_new(size_t capacity, const struct address_secret *secret, struct history **out)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	history->capacity = capacity;
	history->entries = calloc(capacity, sizeof(*history->entries));
	if (!history->entries || hash_table_new(0, secret, &history->index)) {
		history_free(history);
		return -ENOMEM;
	}
	*out = history;
	return 0;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	hash_table_free(history->index);
	free(history->entries);
	free(history);
}

void history_note(struct history *history, const struct history_entry *entry)
{
	uint32_t i;

	if (hash_table_get(history->index, &entry->key, &i)) {
		history->entries[i] = *entry;
		return;
	}
	i = (uint32_t)history->next;
	if (history->n == history->capacity)
		hash_table_del(history->index, &history->entries[i].key, NULL);
	if (hash_table_set(history->index, &entry->key, i) < 0) {
		/* The slot that was emptied above must not be found by a later eviction. */
		if (history->n == history->capacity)
			history->entries[i] = (struct history_entry){ 0 };
		return;
	}
	history->entries[i] = *entry;
	if (history->n < history->capacity)
		history->n++;
	history->next = (history->next + 1) % history->capacity;
}

const struct history_entry *history_find(const struct history *history,
					 const struct sluice_key *key, uint64_t now_ns,
					 uint64_t max_age_ns)
{
	uint32_t i;

	if (!hash_table_get(history->index, key, &i))
		return NULL;
	if (now_ns > history->entries[i].at_ns && now_ns - history->entries[i].at_ns > max_age_ns)
		return NULL;
	return &history->entries[i];
}
