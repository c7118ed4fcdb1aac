/* SPDX-License-Identifier: BSD-2-Clause */
/* See table.h: an array of slots that are chained by hash. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536u
#define FIRST_SLOTS 256u

enum slot_state {
	SLOT_FREE,
	SLOT_RULE,
	SLOT_FOREIGN,
};

struct slot {
	struct sluice_key key;
	uint32_t next; /* The handle of the next in the bucket; 0: none. */
	enum slot_state state;
};

struct table {
	uint32_t buckets[BUCKETS]; /* Handles. */
	struct slot *slots;
	uint32_t n_slots, n_rules, capacity;
	uint32_t first_free; /* No slot below is free. */
};

static uint32_t bucket_of(const struct sluice_key *key)
{
	uint64_t low, high;

	memcpy(&high, key->addr, sizeof(high));
	memcpy(&low, key->addr + 8, sizeof(low));
	high = (high ^ low * 0x9e3779b97f4a7c15u ^ key->prefix_len) * 0xd6e8feb86659fd93u;
	return (uint32_t)(high >> 48) % BUCKETS;
}

int table_new(uint32_t capacity, struct table **table)
{
	*table = calloc(1, sizeof(**table));
	if (!*table)
		return -ENOMEM;
	(*table)->capacity = capacity && capacity < TABLE_MAX ? capacity : TABLE_MAX;
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	free(table->slots);
	free(table);
}

uint32_t table_find(const struct table *table, const struct sluice_key *key)
{
	uint32_t handle = table->buckets[bucket_of(key)];

	while (handle && memcmp(&table->slots[handle - 1].key, key, sizeof(*key)) != 0)
		handle = table->slots[handle - 1].next;
	return handle;
}

static int grow(struct table *table, uint32_t n)
{
	uint32_t n_slots = table->n_slots ? table->n_slots : FIRST_SLOTS;
	struct slot *slots;

	if (n <= table->n_slots)
		return 0;
	while (n_slots < n)
		n_slots *= 2;
	slots = realloc(table->slots, n_slots * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + table->n_slots, 0, (n_slots - table->n_slots) * sizeof(*slots));
	table->slots = slots;
	table->n_slots = n_slots;
	return 0;
}

/* The slot of a handle that is free. */
static int claim(struct table *table, uint32_t handle, struct slot **slot)
{
	int rc = handle >= 1 && handle <= TABLE_MAX ? grow(table, handle) : -ERANGE;

	if (rc)
		return rc;
	*slot = &table->slots[handle - 1];
	return (*slot)->state == SLOT_FREE ? 0 : -EBUSY;
}

int table_put(struct table *table, const struct sluice_key *key, uint32_t handle)
{
	uint32_t *bucket = &table->buckets[bucket_of(key)];
	struct slot *slot;
	int rc;

	if (table_find(table, key))
		return -EEXIST;
	rc = claim(table, handle, &slot);
	if (rc)
		return rc;
	*slot = (struct slot){ .key = *key, .next = *bucket, .state = SLOT_RULE };
	*bucket = handle;
	table->n_rules++;
	return 0;
}

int table_add(struct table *table, const struct sluice_key *key, uint32_t *handle)
{
	int rc;

	if (table_find(table, key))
		return -EEXIST;
	if (table->n_rules >= table->capacity)
		return -ENOSPC;
	while (table->first_free < table->n_slots &&
	       table->slots[table->first_free].state != SLOT_FREE)
		table->first_free++;
	*handle = table->first_free + 1;
	rc = table_put(table, key, *handle);
	return rc == -ERANGE ? -ENOSPC : rc;
}

int table_reserve(struct table *table, uint32_t handle)
{
	struct slot *slot;
	int rc = claim(table, handle, &slot);

	if (rc == 0)
		slot->state = SLOT_FOREIGN;
	return rc;
}

void table_del(struct table *table, const struct sluice_key *key)
{
	uint32_t *at = &table->buckets[bucket_of(key)], handle = table_find(table, key);

	if (!handle)
		return;
	while (*at != handle)
		at = &table->slots[*at - 1].next;
	*at = table->slots[handle - 1].next;
	memset(&table->slots[handle - 1], 0, sizeof(table->slots[0]));
	table->n_rules--;
	if (handle - 1 < table->first_free)
		table->first_free = handle - 1;
}

uint32_t table_count(const struct table *table)
{
	return table->n_rules;
}
