/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the nodes of a schema file to struct schema_node.  Strict: what is not understood here would
 * not be checked there.
 */
#include "schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema_tree.h"

/* $ref may go round in a circle; no schema of ours is nested this deeply. */
#define MAX_DEPTH 32

struct loader {
	struct arena *arena;
	const struct config_node *definitions;
	struct config_errors *errors;
	unsigned int depth;
};

typedef int (*keyword_fn)(struct loader *loader, const struct config_node *node,
			  struct schema_node *schema);

static int node_load(struct loader *loader, const struct config_node *node,
		     struct schema_node *schema);

static int refuse(struct loader *loader, const struct config_node *node, const char *what)
{
	config_errors_add_at(loader->errors, node, config_node_key(node), "%s", what);
	return -EINVAL;
}

static int child_load(struct loader *loader, const struct config_node *node,
		      struct schema_node **out)
{
	*out = arena_alloc(loader->arena, sizeof(**out));
	return *out ? node_load(loader, node, *out) : -ENOMEM;
}

static int ignore(struct loader *loader, const struct config_node *node, struct schema_node *schema)
{
	(void)loader;
	(void)node;
	(void)schema;
	return 0;
}

static int load_type_name(struct loader *loader, const struct config_node *node,
			  struct schema_node *schema)
{
	static const struct {
		const char *name;
		enum schema_type type;
	} names[] = {
		{ "object", SCHEMA_TYPE_OBJECT }, { "array", SCHEMA_TYPE_ARRAY },
		{ "string", SCHEMA_TYPE_STRING }, { "integer", SCHEMA_TYPE_INTEGER },
		{ "number", SCHEMA_TYPE_NUMBER }, { "boolean", SCHEMA_TYPE_BOOLEAN },
	};
	const char *text = config_node_text(node);

	for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i].name, text)) {
			schema->types |= names[i].type;
			return 0;
		}
	}
	return refuse(loader, node, "unknown type");
}

static int load_type(struct loader *loader, const struct config_node *node,
		     struct schema_node *schema)
{
	const struct config_node *name;

	schema->types = 0;
	if (config_node_type(node) != CONFIG_NODE_SEQUENCE)
		return load_type_name(loader, node, schema);
	for (name = config_node_first(node); name; name = config_node_next(name)) {
		int result = load_type_name(loader, name, schema);

		if (result)
			return result;
	}
	return 0;
}

static int load_format(struct loader *loader, const struct config_node *node,
		       struct schema_node *schema)
{
	const char *text = config_node_text(node);

	if (!text || schema_format_parse(text, &schema->format))
		return refuse(loader, node, "unknown format");
	return 0;
}

static int load_properties(struct loader *loader, const struct config_node *node,
			   struct schema_node *schema)
{
	const struct config_node *member = config_node_first(node);

	if (config_node_type(node) != CONFIG_NODE_MAPPING)
		return refuse(loader, node, "is not a mapping");
	schema->properties =
		arena_calloc(loader->arena, config_node_count(node), sizeof(*schema->properties));
	if (!schema->properties)
		return -ENOMEM;
	schema->n_properties = 0;
	for (; member; member = config_node_next(member)) {
		struct schema_property *property = &schema->properties[schema->n_properties++];
		int result;

		property->name = config_node_key(member);
		result = child_load(loader, member, &property->schema);
		if (result)
			return result;
	}
	return 0;
}

static int load_required(struct loader *loader, const struct config_node *node,
			 struct schema_node *schema)
{
	const struct config_node *name;

	for (name = config_node_first(node); name; name = config_node_next(name)) {
		const char *text = config_node_text(name);
		size_t i;

		for (i = 0; i < schema->n_properties; i++)
			if (text && !strcmp(schema->properties[i].name, text))
				break;
		if (i == schema->n_properties)
			return refuse(loader, name, "is required but not among the properties");
		schema->properties[i].required = true;
	}
	return 0;
}

static int load_extra(struct loader *loader, const struct config_node *node,
		      struct schema_node *schema)
{
	if (config_node_type(node) == CONFIG_NODE_MAPPING)
		return child_load(loader, node, &schema->extra);
	if (config_node_type(node) != CONFIG_NODE_BOOL || strcmp(config_node_text(node), "false"))
		return refuse(loader, node, "is neither false nor a schema");
	return 0;
}

static int load_property_names(struct loader *loader, const struct config_node *node,
			       struct schema_node *schema)
{
	return child_load(loader, node, &schema->property_names);
}

static int load_items(struct loader *loader, const struct config_node *node,
		      struct schema_node *schema)
{
	return child_load(loader, node, &schema->items);
}

static int load_enum(struct loader *loader, const struct config_node *node,
		     struct schema_node *schema)
{
	const struct config_node *value;

	if (config_node_type(node) != CONFIG_NODE_SEQUENCE || !config_node_first(node))
		return refuse(loader, node, "is not a list of values");
	for (value = config_node_first(node); value; value = config_node_next(value))
		if (!config_node_text(value))
			return refuse(loader, value, "is not a scalar");
	schema->values = node;
	return 0;
}

static int load_any_of(struct loader *loader, const struct config_node *node,
		       struct schema_node *schema)
{
	const struct config_node *branch = config_node_first(node);

	if (config_node_type(node) != CONFIG_NODE_SEQUENCE || !branch)
		return refuse(loader, node, "is not a list of schemas");
	schema->any_of =
		arena_calloc(loader->arena, config_node_count(node), sizeof(*schema->any_of));
	if (!schema->any_of)
		return -ENOMEM;
	schema->n_any_of = 0;
	for (; branch; branch = config_node_next(branch)) {
		int result = child_load(loader, branch, &schema->any_of[schema->n_any_of++]);

		if (result)
			return result;
	}
	return 0;
}

static int load_size(struct loader *loader, const struct config_node *node, size_t *size)
{
	const char *text = config_node_text(node);
	uint64_t value;

	if (!text || schema_integer_parse(text, &value))
		return refuse(loader, node, "is not an integer of at least 0");
	*size = (size_t)value;
	return 0;
}

static int load_min_items(struct loader *loader, const struct config_node *node,
			  struct schema_node *schema)
{
	return load_size(loader, node, &schema->min_items);
}

static int load_max_items(struct loader *loader, const struct config_node *node,
			  struct schema_node *schema)
{
	return load_size(loader, node, &schema->max_items);
}

static int load_max_len(struct loader *loader, const struct config_node *node,
			struct schema_node *schema)
{
	return load_size(loader, node, &schema->max_len);
}

static int load_minimum(struct loader *loader, const struct config_node *node,
			struct schema_node *schema)
{
	return schema_bound_parse(schema, node, config_node_key(node), &schema->minimum,
				  loader->errors);
}

static int load_maximum(struct loader *loader, const struct config_node *node,
			struct schema_node *schema)
{
	return schema_bound_parse(schema, node, config_node_key(node), &schema->maximum,
				  loader->errors);
}

static int load_default(struct loader *loader, const struct config_node *node,
			struct schema_node *schema)
{
	schema->fallback = node;
	return schema_fallback_check(schema, "default", loader->errors);
}

static int load_description(struct loader *loader, const struct config_node *node,
			    struct schema_node *schema)
{
	schema->description = config_node_text(node);
	return schema->description ? 0 : refuse(loader, node, "is not a string");
}

static int load_absent(struct loader *loader, const struct config_node *node,
		       struct schema_node *schema)
{
	const struct config_node *reason;

	if (config_node_type(node) != CONFIG_NODE_MAPPING)
		return refuse(loader, node, "is not a mapping");
	for (reason = config_node_first(node); reason; reason = config_node_next(reason))
		if (!config_node_text(reason))
			return refuse(loader, reason, "is not a string");
	schema->absent = node;
	return 0;
}

static int load_shorthand(struct loader *loader, const struct config_node *node,
			  struct schema_node *schema)
{
	const char *text = config_node_text(node);

	for (size_t i = 0; text && i < schema->n_properties; i++) {
		if (!strcmp(schema->properties[i].name, text)) {
			schema->shorthand = text;
			return 0;
		}
	}
	return refuse(loader, node, "is not among the properties");
}

static int load_opaque(struct loader *loader, const struct config_node *node,
		       struct schema_node *schema)
{
	(void)loader;
	schema->opaque = config_node_text(node) && !strcmp(config_node_text(node), "true");
	return 0;
}

static int load_ref(struct loader *loader, const struct config_node *node,
		    struct schema_node *schema)
{
	static const char start[] = "#/$defs/";
	const char *text = config_node_text(node);
	const struct config_node *target = NULL;

	if (text && !strncmp(text, start, strlen(start)))
		target = config_node_get(loader->definitions, text + strlen(start));
	if (!target)
		return refuse(loader, node, "refers to nothing in $defs");
	return node_load(loader, target, schema);
}

/* In the order in which they are read, for some need what others have set. */
static const struct {
	const char *name;
	keyword_fn load;
} keywords[] = {
	{ "$schema", ignore },
	{ "$id", ignore },
	{ "$defs", ignore },
	{ "title", ignore },
	{ "examples", ignore },
	{ "$ref", load_ref },
	{ "description", load_description },
	{ "type", load_type },
	{ "format", load_format },
	{ "enum", load_enum },
	{ "minimum", load_minimum },
	{ "maximum", load_maximum },
	{ "x-minimum", load_minimum },
	{ "x-maximum", load_maximum },
	{ "minItems", load_min_items },
	{ "maxItems", load_max_items },
	{ "maxLength", load_max_len },
	{ "properties", load_properties },
	{ "required", load_required },
	{ "additionalProperties", load_extra },
	{ "propertyNames", load_property_names },
	{ "items", load_items },
	{ "anyOf", load_any_of },
	{ "x-absent", load_absent },
	{ "x-shorthand", load_shorthand },
	{ "x-opaque", load_opaque },
	{ "default", load_default },
};

#define N_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static int keywords_check(struct loader *loader, const struct config_node *node)
{
	const struct config_node *member;

	if (config_node_type(node) != CONFIG_NODE_MAPPING)
		return refuse(loader, node, "is not a schema");
	for (member = config_node_first(node); member; member = config_node_next(member)) {
		size_t i;

		for (i = 0; i < N_KEYWORDS; i++)
			if (!strcmp(keywords[i].name, config_node_key(member)))
				break;
		if (i == N_KEYWORDS)
			return refuse(loader, member, "unknown keyword: it would not be checked");
	}
	return 0;
}

/* JSON Schema lets pass what it does not mention; a file that people write must not. */
static int strictness_check(struct loader *loader, const struct config_node *node,
			    const struct schema_node *schema)
{
	if (config_node_get(node, "$ref"))
		return 0;
	if (!schema->types && !schema->n_any_of && !schema->values)
		return refuse(loader, node, "has no type: it would allow anything");
	if ((schema->types & SCHEMA_TYPE_OBJECT) && !schema->opaque &&
	    !config_node_get(node, "additionalProperties"))
		return refuse(loader, node, "has no additionalProperties: it would allow any key");
	if ((schema->types & SCHEMA_TYPE_ARRAY) && !schema->items)
		return refuse(loader, node, "has no items: it would allow any element");
	return 0;
}

static int node_load(struct loader *loader, const struct config_node *node,
		     struct schema_node *schema)
{
	int result;

	if (loader->depth == MAX_DEPTH)
		return refuse(loader, node, "is nested too deeply, or refers to itself");
	*schema = (struct schema_node){
		.format = SCHEMA_FORMAT_NONE,
		.max_items = SIZE_MAX,
		.max_len = SIZE_MAX,
	};
	result = keywords_check(loader, node);
	if (result)
		return result;
	loader->depth++;
	for (size_t i = 0; i < N_KEYWORDS && !result; i++) {
		const struct config_node *member = config_node_get(node, keywords[i].name);

		if (member)
			result = keywords[i].load(loader, member, schema);
	}
	loader->depth--;
	return result ? result : strictness_check(loader, node, schema);
}

int schema_new(const struct config_node *root, struct config_errors *errors, struct schema **out)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	struct loader loader = { .errors = errors };
	int result;

	if (!schema)
		return -ENOMEM;
	arena_init(&schema->arena);
	loader.arena = &schema->arena;
	loader.definitions = config_node_get(root, "$defs");
	result = child_load(&loader, root, &schema->root);
	if (result) {
		schema_free(schema);
		return result;
	}
	*out = schema;
	return 0;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	arena_fini(&schema->arena);
	free(schema);
}

int schema_check(const struct schema *schema, const struct config_node *node, const char *key,
		 struct config_errors *errors, struct config_value **out)
{
	return schema_node_check(schema->root, node, key, errors, out);
}
