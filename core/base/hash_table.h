/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a source to a number, usually an index into the caller's own array.  Open addressing with
 * linear probing; 32 bytes an entry, two in a cache line; the hash is keyed.  Grows by itself,
 * never shrinks.  One thread at a time.
 */
#ifndef SLUICE_BASE_HASH_TABLE_H
#define SLUICE_BASE_HASH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct address_secret;
struct hash_table;

/*
 * `capacity` entries fit without growing; 0 is a small table.  `secret` is copied; NULL draws one
 * from the kernel.  0, -ENOMEM or -EIO (no randomness).
 */
int hash_table_new(size_t capacity, const struct address_secret *secret, struct hash_table **out)
	__attribute__((warn_unused_result));
void hash_table_free(struct hash_table *table);

size_t hash_table_size(const struct hash_table *table);

/* True and `*value` if the key is there.  `value` may be NULL. */
bool hash_table_get(const struct hash_table *table, const struct sluice_key *key, uint32_t *value);

/*
 * Finds the key or adds it with `value`.  `*found` gets the value that is now in the table.  1 if
 * it was added, 0 if it was there, -ENOMEM with the table unchanged.  `found` may be NULL.
 */
int hash_table_add(struct hash_table *table, const struct sluice_key *key, uint32_t value,
		   uint32_t *found) __attribute__((warn_unused_result));

/* Adds the key or replaces its value.  1 added, 0 replaced, -ENOMEM with the table unchanged. */
int hash_table_set(struct hash_table *table, const struct sluice_key *key, uint32_t value)
	__attribute__((warn_unused_result));

/* True if it was there; its value goes to `*value`, which may be NULL.  Cannot fail. */
bool hash_table_del(struct hash_table *table, const struct sluice_key *key, uint32_t *value);

/* Empties the table and keeps its memory. */
void hash_table_clear(struct hash_table *table);

/*
 * Walks the table in no order: start with `*cursor` 0, go on until false.  The table must not
 * change meanwhile, save by hash_table_set() of keys that are there.
 */
bool hash_table_next(const struct hash_table *table, size_t *cursor, struct sluice_key *key,
		     uint32_t *value);

#endif /* SLUICE_BASE_HASH_TABLE_H */
