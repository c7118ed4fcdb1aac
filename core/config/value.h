/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file means once it has been checked: typed values with defaults filled in.  Made by
 * schema_check(); immutable.
 */
#ifndef SLUICE_CONFIG_VALUE_H
#define SLUICE_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct config_node;
struct config_value;

enum config_value_type {
	CONFIG_VALUE_BOOL,
	CONFIG_VALUE_U64, /* Integers and all quantities, in base units. */
	CONFIG_VALUE_DOUBLE,
	CONFIG_VALUE_STRING,
	CONFIG_VALUE_KEY, /* Addresses and prefixes. */
	CONFIG_VALUE_LIST,
	CONFIG_VALUE_MAP,
	CONFIG_VALUE_OPAQUE, /* A mapping that is checked elsewhere: see config_value_node(). */
};

/* Frees the whole tree; give it the root.  NULL is a no-op. */
void config_value_free(struct config_value *root);

enum config_value_type config_value_type(const struct config_value *value);
/* Where it is written; NULL for a default. */
const struct config_node *config_value_node(const struct config_value *value);

/* Members and elements in order.  A map holds what the file or a default gives, no more. */
const struct config_value *config_value_first(const struct config_value *value);
const struct config_value *config_value_next(const struct config_value *value);
size_t config_value_count(const struct config_value *value);
/* NULL if absent, or if `value` is NULL or no map. */
const struct config_value *config_value_get(const struct config_value *value, const char *key);
/* Its own key in a map; NULL in a list. */
const char *config_value_key(const struct config_value *value);

/* The caller knows the type from the schema: another one is a programmer's error (assert). */
bool config_value_bool(const struct config_value *value);
uint64_t config_value_u64(const struct config_value *value);
double config_value_double(const struct config_value *value);
const char *config_value_string(const struct config_value *value);
const struct sluice_key *config_value_address(const struct config_value *value);

#endif /* SLUICE_CONFIG_VALUE_H */
