/* SPDX-License-Identifier: BSD-2-Clause */
#include "neighbour.h"

#include <string.h>

void neighbour_init(struct neighbour_table *table, const struct neighbour_address *own,
		    unsigned int prefix, uint64_t key)
{
	memset(table, 0, sizeof(*table));
	table->own = *own;
	table->prefix = prefix;
	table->key = key;
}

static bool is_local(const struct neighbour_table *table, const struct neighbour_address *address)
{
	unsigned int whole = table->prefix / 8, rest = table->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(table->own.bytes, address->bytes, whole) != 0)
		return false;
	return !rest || !((table->own.bytes[whole] ^ address->bytes[whole]) & mask);
}

static size_t slot_of(const struct neighbour_table *table, const struct neighbour_address *address)
{
	uint64_t halves[2], hash;

	memcpy(halves, address->bytes, sizeof(halves));
	hash = (halves[0] ^ table->key) * 0x9e3779b97f4a7c15u;
	hash = ((hash >> 32) ^ hash ^ halves[1]) * 0xbf58476d1ce4e5b9u;
	return (hash >> 40) & (NEIGHBOUR_ENTRIES - 1);
}

void neighbour_learn(struct neighbour_table *table, const struct neighbour_address *source,
		     const uint8_t *mac)
{
	struct neighbour_entry *entry = &table->gateway;

	if (is_local(table, source)) {
		entry = &table->entries[slot_of(table, source)];
		entry->address = *source;
	}
	memcpy(entry->mac, mac, sizeof(entry->mac));
	entry->known = true;
}

const uint8_t *neighbour_find(const struct neighbour_table *table,
			      const struct neighbour_address *destination)
{
	const struct neighbour_entry *entry = &table->gateway;

	if (is_local(table, destination)) {
		entry = &table->entries[slot_of(table, destination)];
		if (memcmp(&entry->address, destination, sizeof(*destination)) != 0)
			return NULL;
	}
	return entry->known ? entry->mac : NULL;
}
