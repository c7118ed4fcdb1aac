/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accessors of checked values.  Values are made in schema_check.c.
 */
#include "value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "value_tree.h"

void config_value_free(struct config_value *root)
{
	struct value_tree *tree;

	if (!root)
		return;
	tree = root->tree;
	arena_fini(&tree->arena);
	free(tree);
}

enum config_value_type config_value_type(const struct config_value *value)
{
	return value->type;
}

const struct config_node *config_value_node(const struct config_value *value)
{
	return value->node;
}

const struct config_value *config_value_first(const struct config_value *value)
{
	return value->first;
}

const struct config_value *config_value_next(const struct config_value *value)
{
	return value->next;
}

size_t config_value_count(const struct config_value *value)
{
	return value->count;
}

const char *config_value_key(const struct config_value *value)
{
	return value->key;
}

const struct config_value *config_value_get(const struct config_value *value, const char *key)
{
	if (!value || value->type != CONFIG_VALUE_MAP)
		return NULL;
	for (value = value->first; value; value = value->next)
		if (!strcmp(value->key, key))
			return value;
	return NULL;
}

bool config_value_bool(const struct config_value *value)
{
	assert(value->type == CONFIG_VALUE_BOOL);
	return value->boolean;
}

uint64_t config_value_u64(const struct config_value *value)
{
	assert(value->type == CONFIG_VALUE_U64);
	return value->number;
}

double config_value_double(const struct config_value *value)
{
	assert(value->type == CONFIG_VALUE_DOUBLE);
	return value->real;
}

const char *config_value_string(const struct config_value *value)
{
	assert(value->type == CONFIG_VALUE_STRING || value->type == CONFIG_VALUE_KEY);
	return value->text;
}

const struct sluice_key *config_value_address(const struct config_value *value)
{
	assert(value->type == CONFIG_VALUE_KEY);
	return &value->address;
}
