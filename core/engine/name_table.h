/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of detectors and reasons, kept once and referred to by a small number in a million
 * blocklist entries.  Bounded: a detector that makes up names without end gets "other".
 */
#ifndef SLUICE_ENGINE_NAME_TABLE_H
#define SLUICE_ENGINE_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define NAME_TABLE_NAME_SIZE 24
#define NAME_TABLE_MAX 512
#define NAME_TABLE_OTHER 0

struct name_table {
	uint16_t n;
	char names[NAME_TABLE_MAX][NAME_TABLE_NAME_SIZE];
};

void name_table_init(struct name_table *table);
/* Cut to fit.  NAME_TABLE_OTHER when the table is full. */
uint16_t name_table_intern(struct name_table *table, const char *name);
const char *name_table_get(const struct name_table *table, uint16_t id);

#endif /* SLUICE_ENGINE_NAME_TABLE_H */
