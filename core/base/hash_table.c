/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linear probing in a power of two of entries, at most three quarters full.  Deletion closes the
 * gap by moving followers back, so that there are no tombstones to slow later look-ups.
 */
#include "hash_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "address.h"

#define MIN_SLOTS 64u
#define MAX_SLOTS (1u << 30)

struct entry {
	struct sluice_key key;
	uint32_t value;
	uint32_t hash; /* 0: the entry is free. */
};

_Static_assert(sizeof(struct entry) == 32, "two entries in a cache line");

struct hash_table {
	struct entry *entries;
	size_t mask; /* Number of entries - 1. */
	size_t used;
	struct address_secret secret;
};

static bool load_is_low(size_t used, size_t slots)
{
	return used <= slots - slots / 4;
}

static struct entry *entries_new(size_t slots)
{
	return aligned_alloc(64, slots * sizeof(struct entry));
}

int hash_table_new(size_t capacity, const struct address_secret *secret, struct hash_table **out)
{
	struct hash_table *table;
	size_t slots = MIN_SLOTS;

	while (!load_is_low(capacity, slots)) {
		if (slots == MAX_SLOTS)
			return -ENOMEM;
		slots *= 2;
	}
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->entries = entries_new(slots);
	if (!table->entries) {
		free(table);
		return -ENOMEM;
	}
	table->mask = slots - 1;
	hash_table_clear(table);
	if (secret) {
		table->secret = *secret;
	} else if (getrandom(&table->secret, sizeof(table->secret), 0) !=
		   (ssize_t)sizeof(table->secret)) {
		/* Cannot happen for so few bytes once the machine has booted. */
		hash_table_free(table);
		return -EIO;
	}
	*out = table;
	return 0;
}

void hash_table_free(struct hash_table *table)
{
	if (!table)
		return;
	free(table->entries);
	free(table);
}

size_t hash_table_size(const struct hash_table *table)
{
	return table->used;
}

static uint32_t key_hash(const struct hash_table *table, const struct sluice_key *key)
{
	uint32_t hash = (uint32_t)address_hash(key, &table->secret);

	return hash ? hash : 1;
}

/* The entry that holds the key, or the free one where it belongs. */
static size_t slot_find(const struct hash_table *table, const struct sluice_key *key, uint32_t hash)
{
	size_t slot = hash & table->mask;

	while (table->entries[slot].hash && (table->entries[slot].hash != hash ||
					     !address_equal(&table->entries[slot].key, key)))
		slot = (slot + 1) & table->mask;
	return slot;
}

static int grow(struct hash_table *table)
{
	size_t slots = (table->mask + 1) * 2, old_slots = table->mask + 1;
	struct entry *old = table->entries, *fresh;

	if (slots > MAX_SLOTS)
		return -ENOMEM;
	fresh = entries_new(slots);
	if (!fresh)
		return -ENOMEM;
	memset(fresh, 0, slots * sizeof(*fresh));
	table->entries = fresh;
	table->mask = slots - 1;
	for (size_t i = 0; i < old_slots; i++) {
		size_t slot = old[i].hash & table->mask;

		if (!old[i].hash)
			continue;
		while (fresh[slot].hash)
			slot = (slot + 1) & table->mask;
		fresh[slot] = old[i];
	}
	free(old);
	return 0;
}

bool hash_table_get(const struct hash_table *table, const struct sluice_key *key, uint32_t *value)
{
	const struct entry *entry = &table->entries[slot_find(table, key, key_hash(table, key))];

	if (!entry->hash)
		return false;
	if (value)
		*value = entry->value;
	return true;
}

/* Finds the key's entry or makes it, with `value`.  1 made, 0 found, -ENOMEM. */
static int entry_get(struct hash_table *table, const struct sluice_key *key, uint32_t value,
		     struct entry **out)
{
	uint32_t hash = key_hash(table, key);
	size_t slot = slot_find(table, key, hash);

	if (table->entries[slot].hash) {
		*out = &table->entries[slot];
		return 0;
	}
	if (!load_is_low(table->used + 1, table->mask + 1)) {
		int result = grow(table);

		if (result)
			return result;
		slot = slot_find(table, key, hash);
	}
	table->entries[slot] = (struct entry){ .key = *key, .value = value, .hash = hash };
	table->used++;
	*out = &table->entries[slot];
	return 1;
}

int hash_table_add(struct hash_table *table, const struct sluice_key *key, uint32_t value,
		   uint32_t *found)
{
	struct entry *entry;
	int result = entry_get(table, key, value, &entry);

	if (result >= 0 && found)
		*found = entry->value;
	return result;
}

int hash_table_set(struct hash_table *table, const struct sluice_key *key, uint32_t value)
{
	struct entry *entry;
	int result = entry_get(table, key, value, &entry);

	if (result >= 0)
		entry->value = value;
	return result;
}

bool hash_table_del(struct hash_table *table, const struct sluice_key *key, uint32_t *value)
{
	size_t hole = slot_find(table, key, key_hash(table, key)), next = hole;

	if (!table->entries[hole].hash)
		return false;
	if (value)
		*value = table->entries[hole].value;
	for (;;) {
		size_t home;

		next = (next + 1) & table->mask;
		if (!table->entries[next].hash)
			break;
		home = table->entries[next].hash & table->mask;
		/* A follower may move back only if its home is not between the hole and it. */
		if (((next - home) & table->mask) >= ((next - hole) & table->mask)) {
			table->entries[hole] = table->entries[next];
			hole = next;
		}
	}
	table->entries[hole].hash = 0;
	table->used--;
	return true;
}

void hash_table_clear(struct hash_table *table)
{
	memset(table->entries, 0, (table->mask + 1) * sizeof(*table->entries));
	table->used = 0;
}

bool hash_table_next(const struct hash_table *table, size_t *cursor, struct sluice_key *key,
		     uint32_t *value)
{
	while (*cursor <= table->mask) {
		const struct entry *entry = &table->entries[(*cursor)++];

		if (!entry->hash)
			continue;
		*key = entry->key;
		*value = entry->value;
		return true;
	}
	return false;
}
