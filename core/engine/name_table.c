/* SPDX-License-Identifier: BSD-2-Clause */
/* Interned names: see name_table.h. */
#include "name_table.h"

#include <stdio.h>
#include <string.h>

void name_table_init(struct name_table *table)
{
	memset(table, 0, sizeof(*table));
	snprintf(table->names[NAME_TABLE_OTHER], NAME_TABLE_NAME_SIZE, "other");
	table->n = 1;
}

uint16_t name_table_intern(struct name_table *table, const char *name)
{
	char *fresh;

	for (uint16_t i = 0; i < table->n; i++) {
		if (strncmp(table->names[i], name, NAME_TABLE_NAME_SIZE - 1) == 0)
			return i;
	}
	if (table->n == NAME_TABLE_MAX)
		return NAME_TABLE_OTHER;
	fresh = table->names[table->n];
	memcpy(fresh, name, strnlen(name, NAME_TABLE_NAME_SIZE - 1));
	return table->n++;
}

const char *name_table_get(const struct name_table *table, uint16_t id)
{
	return table->names[id < table->n ? id : NAME_TABLE_OTHER];
}
