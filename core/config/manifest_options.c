/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the options that a manifest declares to a schema for the mapping that sets them, so that
 * plugins' options are checked by the same code, with the same messages, as all other keys.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_tree.h"
#include "schema.h"
#include "schema_tree.h"

#define KEY_SIZE 64
#define MEMBER_KEY_SIZE (KEY_SIZE + 16)
#define MAX_ITEMS 64 /* Unless the manifest says otherwise. */

static const struct {
	const char *name;
	unsigned int types;
	enum schema_format format;
} option_types[] = {
	{ "int", SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_STRING, SCHEMA_FORMAT_COUNT },
	{ "number", SCHEMA_TYPE_NUMBER, SCHEMA_FORMAT_NONE },
	{ "bool", SCHEMA_TYPE_BOOLEAN, SCHEMA_FORMAT_NONE },
	{ "string", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_NONE },
	{ "enum", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_NONE },
	{ "duration", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_DURATION },
	{ "rate", SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_STRING, SCHEMA_FORMAT_RATE },
	{ "bits", SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_STRING, SCHEMA_FORMAT_BITS },
	{ "bytes", SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_STRING, SCHEMA_FORMAT_BYTES },
	{ "address", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_ADDRESS },
	{ "prefix", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_PREFIX },
	{ "path", SCHEMA_TYPE_STRING, SCHEMA_FORMAT_PATH },
};

static int type_set(struct schema_node *schema, const char *type)
{
	for (size_t i = 0; i < sizeof(option_types) / sizeof(option_types[0]); i++) {
		if (!strcmp(option_types[i].name, type)) {
			schema->types = option_types[i].types;
			schema->format = option_types[i].format;
			return 0;
		}
	}
	return -EINVAL;
}

static int refuse(const struct config_value *option, const char *key, struct config_errors *errors,
		  const char *what)
{
	config_errors_add_at(errors, config_value_node(option), key, "%s", what);
	return -EINVAL;
}

static const struct config_node *member_node(const struct config_value *option, const char *name)
{
	const struct config_value *member = config_value_get(option, name);

	return member ? config_value_node(member) : NULL;
}

static int bound_set(struct schema_node *schema, const struct config_value *option, const char *key,
		     const char *name, struct schema_bound *bound, struct config_errors *errors)
{
	const struct config_node *node = member_node(option, name);
	char bound_key[MEMBER_KEY_SIZE];

	if (!node)
		return 0;
	snprintf(bound_key, sizeof(bound_key), "%s.%s", key, name);
	return schema_bound_parse(schema, node, bound_key, bound, errors);
}

static int bounds_set(struct schema_node *schema, const struct config_value *option,
		      const char *key, struct config_errors *errors)
{
	bool crossed;

	if (bound_set(schema, option, key, "minimum", &schema->minimum, errors) ||
	    bound_set(schema, option, key, "maximum", &schema->maximum, errors))
		return -EINVAL;
	if (!schema->minimum.set || !schema->maximum.set)
		return 0;
	crossed = schema->types == SCHEMA_TYPE_NUMBER
			  ? schema->minimum.real > schema->maximum.real
			  : schema->minimum.number > schema->maximum.number;
	return crossed ? refuse(option, key, errors, "the minimum is above the maximum") : 0;
}

/* Of an option that is no list, or of a list's items. */
static int scalar_schema(const struct config_value *option, const char *key,
			 struct config_errors *errors, struct schema_node *schema)
{
	const char *type = config_value_string(config_value_get(option, "type"));

	schema->max_items = SIZE_MAX;
	schema->max_len = 255;
	if (type_set(schema, type))
		return refuse(option, key, errors, "unknown type");
	schema->values = member_node(option, "values");
	if (!strcmp(type, "enum") != (schema->values != NULL))
		return refuse(option, key, errors,
			      "'values' belongs to the type enum, and only to it");
	return bounds_set(schema, option, key, errors);
}

static int list_schema(struct arena *arena, const struct config_value *option, const char *key,
		       struct config_errors *errors, struct schema_node *schema)
{
	const struct config_value *items = config_value_get(option, "items");
	const struct config_value *max_items = config_value_get(option, "max_items");
	const struct config_value *help = items ? config_value_get(items, "help") : NULL;
	char items_key[MEMBER_KEY_SIZE];

	if (!items)
		return refuse(option, key, errors, "a list needs 'items'");
	if (config_value_get(option, "values") || config_value_get(option, "minimum") ||
	    config_value_get(option, "maximum"))
		return refuse(option, key, errors,
			      "'values', 'minimum' and 'maximum' of a list belong under 'items'");
	schema->types = SCHEMA_TYPE_ARRAY;
	schema->format = SCHEMA_FORMAT_NONE;
	schema->max_items = max_items ? config_value_u64(max_items) : MAX_ITEMS;
	schema->items = arena_alloc(arena, sizeof(*schema->items));
	if (!schema->items)
		return -ENOMEM;
	snprintf(items_key, sizeof(items_key), "%s.items", key);
	schema->items->description = help ? config_value_string(help) : NULL;
	return scalar_schema(items, items_key, errors, schema->items);
}

static int option_schema(struct arena *arena, const struct config_value *option, const char *key,
			 struct config_errors *errors, struct schema_property *property)
{
	struct schema_node *schema = property->schema;
	char default_key[MEMBER_KEY_SIZE];
	int result;

	schema->description = config_value_string(config_value_get(option, "help"));
	property->required = config_value_bool(config_value_get(option, "required"));
	schema->fallback = member_node(option, "default");
	if (property->required && schema->fallback)
		return refuse(option, key, errors, "has a default although it is required");
	if (!strcmp(config_value_string(config_value_get(option, "type")), "list"))
		result = list_schema(arena, option, key, errors, schema);
	else if (config_value_get(option, "items") || config_value_get(option, "max_items"))
		result = refuse(option, key, errors,
				"'items' and 'max_items' belong to the type list, and only to it");
	else
		result = scalar_schema(option, key, errors, schema);
	if (result || !schema->fallback)
		return result;
	snprintf(default_key, sizeof(default_key), "%s.default", key);
	return schema_fallback_check(schema, default_key, errors);
}

static int options_fill(struct schema *schema, const struct config_value *options,
			struct config_errors *errors)
{
	const struct config_value *option = config_value_first(options);
	struct schema_node *root;
	int failed = 0;

	root = schema->root = arena_alloc(&schema->arena, sizeof(*root));
	if (!root)
		return -ENOMEM;
	root->types = SCHEMA_TYPE_OBJECT;
	root->format = SCHEMA_FORMAT_NONE;
	root->properties = arena_calloc(&schema->arena, config_value_count(options),
					sizeof(*root->properties));
	if (!root->properties)
		return -ENOMEM;
	for (; option; option = config_value_next(option)) {
		struct schema_property *property = &root->properties[root->n_properties++];
		char key[KEY_SIZE];
		int result;

		property->name = config_value_key(option);
		property->schema = arena_alloc(&schema->arena, sizeof(*property->schema));
		if (!property->schema)
			return -ENOMEM;
		snprintf(key, sizeof(key), "options.%s", property->name);
		result = option_schema(&schema->arena, option, key, errors, property);
		if (result == -ENOMEM)
			return result;
		failed = result ? result : failed;
	}
	return failed;
}

int manifest_options_schema(const struct config_value *options, struct config_errors *errors,
			    struct schema **out)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	int result;

	if (!schema)
		return -ENOMEM;
	arena_init(&schema->arena);
	result = options_fill(schema, options, errors);
	if (result) {
		schema_free(schema);
		return result;
	}
	*out = schema;
	return 0;
}
