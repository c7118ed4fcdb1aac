/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows in one array with a list of free ones, and a hash table from source to row number.
 */
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/hash_table.h"

struct table {
	struct row *rows;
	uint32_t n_rows, capacity;
	uint32_t *free_ids; /* As long as `rows`. */
	uint32_t n_free;
	uint32_t n_present;
	uint32_t generation;
	struct hash_table *index;
};

int table_new(struct table **out)
{
	struct table *table = calloc(1, sizeof(*table));
	int rc;

	if (!table)
		return -ENOMEM;
	rc = hash_table_new(0, NULL, &table->index);
	if (rc) {
		free(table);
		return rc;
	}
	*out = table;
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	hash_table_free(table->index);
	free(table->rows);
	free(table->free_ids);
	free(table);
}

uint32_t table_n_rows(const struct table *table)
{
	return table->n_rows;
}

uint32_t table_n_present(const struct table *table)
{
	return table->n_present;
}

struct row *table_row(struct table *table, uint32_t id)
{
	assert(id < table->n_rows);
	return &table->rows[id];
}

uint32_t table_find(const struct table *table, const struct sluice_key *key)
{
	uint32_t id;

	return hash_table_get(table->index, key, &id) ? id : TABLE_NONE;
}

static int grow(struct table *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : 64;
	struct row *rows;
	uint32_t *free_ids;

	if (table->n_rows < table->capacity)
		return 0;
	if (capacity < table->capacity)
		return -ENOMEM;
	rows = realloc(table->rows, capacity * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	free_ids = realloc(table->free_ids, capacity * sizeof(*free_ids));
	if (!free_ids)
		return -ENOMEM;
	table->free_ids = free_ids;
	table->capacity = capacity;
	return 0;
}

int table_add(struct table *table, const struct sluice_key *key, uint32_t *id)
{
	uint32_t row;
	int rc;

	if (table->n_free == 0) {
		rc = grow(table);
		if (rc)
			return rc;
	}
	row = table->n_free > 0 ? table->free_ids[table->n_free - 1] : table->n_rows;
	rc = hash_table_add(table->index, key, row, NULL);
	if (rc < 0)
		return rc;
	assert(rc == 1);
	if (table->n_free > 0)
		table->n_free--;
	else
		table->n_rows++;
	table->rows[row] = (struct row){
		.key = *key,
		.handle = TABLE_NONE,
		.generation = ++table->generation,
		.state = ROW_STATE_DEFERRED,
	};
	*id = row;
	return 0;
}

void table_set_state(struct table *table, uint32_t id, enum row_state state)
{
	struct row *row = table_row(table, id);

	assert(row->state != ROW_STATE_FREE && row->state != ROW_STATE_RETIRED);
	assert(state != ROW_STATE_FREE && state != ROW_STATE_RETIRED);
	table->n_present -= row->state == ROW_STATE_PRESENT;
	table->n_present += state == ROW_STATE_PRESENT;
	row->state = state;
}

void table_retire(struct table *table, uint32_t id)
{
	struct row *row = table_row(table, id);

	assert(row->state != ROW_STATE_FREE && row->state != ROW_STATE_RETIRED);
	table->n_present -= row->state == ROW_STATE_PRESENT;
	hash_table_del(table->index, &row->key, NULL);
	row->state = ROW_STATE_RETIRED;
	row->published = false;
}

void table_del(struct table *table, uint32_t id)
{
	struct row *row = table_row(table, id);

	if (row->state != ROW_STATE_RETIRED)
		table_retire(table, id);
	row->state = ROW_STATE_FREE;
	table->free_ids[table->n_free++] = id;
}
