/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks a node tree along a schema, builds the values, and goes on after an error, so that a file's
 * errors are reported together.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#include "schema_checker.h"

#define MAX_CANDIDATES 64

static int node_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *key, struct config_value **out);

static void value_append(struct config_value *parent, struct config_value *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static const struct schema_property *property_find(const struct schema_node *schema,
						   const char *name)
{
	for (size_t i = 0; i < schema->n_properties; i++)
		if (!strcmp(schema->properties[i].name, name))
			return &schema->properties[i];
	return NULL;
}

/* "policy" and "ttl" are "policy.ttl". */
static void key_join(const char *key, const char *name, char *joined)
{
	snprintf(joined, CHECKER_KEY_SIZE, "%s%s%s", key, *key ? "." : "", name);
}

static void allowed_keys(const struct schema_node *schema, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < schema->n_properties && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "",
					schema->properties[i].name);
}

static int unknown_key(struct checker *checker, const struct schema_node *schema,
		       const struct config_node *node, const char *key)
{
	const char *name = config_node_key(node), *candidates[MAX_CANDIDATES];
	const char *reason = checker_absent(schema, name);
	char allowed[CHECKER_WORDS_SIZE], suggestion[80];
	size_t n = 0;

	checker->rank = CHECKER_RANK_INSIDE;
	if (!checker->errors)
		return -EINVAL;
	for (size_t i = 0; i < schema->n_properties && n < MAX_CANDIDATES; i++)
		candidates[n++] = schema->properties[i].name;
	checker_suggest(name, candidates, n, suggestion, sizeof(suggestion));
	allowed_keys(schema, allowed, sizeof(allowed));
	if (reason)
		config_errors_add(checker->errors, config_node_file(node),
				  config_node_key_line(node), config_node_key_column(node), key,
				  "not available: %s", reason);
	else
		config_errors_add(checker->errors, config_node_file(node),
				  config_node_key_line(node), config_node_key_column(node), key,
				  "unknown key;%s here: %s", suggestion, n ? allowed : "nothing");
	return -EINVAL;
}

/* A key that no property names, where a schema for such keys exists. */
static int extra_check(struct checker *checker, const struct schema_node *schema,
		       const struct config_node *node, const char *key, struct config_value **out)
{
	const struct schema_node *names = schema->property_names;
	const char *name = config_node_key(node);
	struct sluice_err err = { 0 };

	if (names && schema_format_check(names->format, name, &err))
		return checker_refuse(checker, CHECKER_RANK_INSIDE, node, key, "key %s", err.text);
	if (names && strlen(name) > names->max_len)
		return checker_refuse(checker, CHECKER_RANK_INSIDE, node, key,
				      "the key is longer than the %zu bytes allowed",
				      names->max_len);
	return node_check(checker, schema->extra, node, key, out);
}

static int member_check(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key, struct config_value **out)
{
	const struct schema_property *property = property_find(schema, config_node_key(node));
	char member_key[CHECKER_KEY_SIZE];

	key_join(key, config_node_key(node), member_key);
	if (property)
		return node_check(checker, property->schema, node, member_key, out);
	if (schema->extra)
		return extra_check(checker, schema, node, member_key, out);
	return unknown_key(checker, schema, node, member_key);
}

/* Fills in a property that the file leaves out.  `map` stays as it is if there is no default. */
static int default_add(struct checker *checker, const struct schema_property *property,
		       const char *key, struct config_value *map)
{
	bool in_default = checker->in_default;
	char member_key[CHECKER_KEY_SIZE];
	struct config_value *value;
	int result;

	if (!property->schema->fallback)
		return 0;
	key_join(key, property->name, member_key);
	checker->in_default = true;
	result = node_check(checker, property->schema, property->schema->fallback, member_key,
			    &value);
	checker->in_default = in_default;
	if (result)
		return result;
	value->key = property->name;
	value_append(map, value);
	return 0;
}

static int missing_refuse(struct checker *checker, const struct schema_property *property,
			  const struct config_node *node, const char *key)
{
	char expected[CHECKER_WORDS_SIZE], member_key[CHECKER_KEY_SIZE];

	key_join(key, property->name, member_key);
	schema_describe(property->schema, expected, sizeof(expected));
	return checker_refuse(checker, CHECKER_RANK_INSIDE, node, member_key,
			      "missing; required is %s", expected);
}

/* The keys that the file gives, in its order. */
static int members_check(struct checker *checker, const struct schema_node *schema,
			 const struct config_node *node, const char *key, struct config_value *map)
{
	const struct config_node *child;
	int failed = 0;

	for (child = config_node_first(node); child; child = config_node_next(child)) {
		struct config_value *value;
		int result = member_check(checker, schema, child, key, &value);

		if (result == -ENOMEM)
			return result;
		if (result) {
			failed = result;
			continue;
		}
		value->key = config_node_key(child);
		value_append(map, value);
	}
	return failed;
}

/* What the file leaves out; `given` is a scalar in place of the property of its name, or NULL. */
static int rest_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *given, const char *key,
		      struct config_value *map)
{
	int failed = 0;

	for (size_t i = 0; i < schema->n_properties; i++) {
		const struct schema_property *property = &schema->properties[i];
		int result;

		if (config_node_get(node, property->name) ||
		    (given && !strcmp(given, property->name)))
			continue;
		if (property->required)
			result = missing_refuse(checker, property, node, key);
		else
			result = default_add(checker, property, key, map);
		if (result == -ENOMEM)
			return result;
		failed = result ? result : failed;
	}
	return failed;
}

static int mapping_check(struct checker *checker, const struct schema_node *schema,
			 const struct config_node *node, const char *key, struct config_value **out)
{
	struct config_value *map;
	int failed = 0, result;

	map = checker_value_new(checker, schema->opaque ? CONFIG_VALUE_OPAQUE : CONFIG_VALUE_MAP,
				node);
	if (!map)
		return -ENOMEM;
	*out = map;
	if (schema->opaque)
		return 0;
	if (node)
		failed = members_check(checker, schema, node, key, map);
	if (failed == -ENOMEM)
		return failed;
	result = rest_check(checker, schema, node, NULL, key, map);
	if (!result)
		result = failed;
	if (result == -EINVAL)
		checker->rank = CHECKER_RANK_INSIDE;
	return result;
}

/* `eth0` in place of `{ name: eth0 }`. */
static int shorthand_check(struct checker *checker, const struct schema_node *schema,
			   const struct config_node *node, const char *key,
			   struct config_value **out)
{
	const struct schema_property *property = property_find(schema, schema->shorthand);
	struct config_value *map, *value;
	int result;

	map = checker_value_new(checker, CONFIG_VALUE_MAP, node);
	if (!map)
		return -ENOMEM;
	*out = map;
	result = node_check(checker, property->schema, node, key, &value);
	if (result)
		return result;
	value->key = property->name;
	value_append(map, value);
	return rest_check(checker, schema, node, property->name, key, map);
}

static int list_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *key, struct config_value **out)
{
	size_t count = config_node_count(node), i = 0;
	const struct config_node *child;
	struct config_value *list;
	int failed = 0;

	list = checker_value_new(checker, CONFIG_VALUE_LIST, node);
	if (!list)
		return -ENOMEM;
	*out = list;
	if (count < schema->min_items)
		failed = checker_refuse(checker, CHECKER_RANK_INSIDE, node, key,
					"%zu given; at least %zu needed", count, schema->min_items);
	if (count > schema->max_items)
		failed = checker_refuse(checker, CHECKER_RANK_INSIDE, node, key,
					"%zu given; at most %zu allowed", count, schema->max_items);
	for (child = config_node_first(node); child; child = config_node_next(child)) {
		char item_key[CHECKER_KEY_SIZE];
		struct config_value *value;
		int result;

		snprintf(item_key, sizeof(item_key), "%s[%zu]", key, i++);
		result = node_check(checker, schema->items, child, item_key, &value);
		if (result == -ENOMEM)
			return result;
		if (result)
			failed = result;
		else
			value_append(list, value);
	}
	if (failed)
		checker->rank = CHECKER_RANK_INSIDE;
	return failed;
}

/* No branch came near: names them all, and the word that was probably meant. */
static int any_of_refuse(struct checker *checker, const struct schema_node *schema,
			 const struct config_node *node, const char *key)
{
	const char *candidates[MAX_CANDIDATES], *text = config_node_text(node);
	char expected[CHECKER_WORDS_SIZE], got[96];
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < schema->n_any_of && text; i++) {
		const struct config_node *values = schema->any_of[i]->values, *value;

		for (value = values ? config_node_first(values) : NULL; value && n < MAX_CANDIDATES;
		     value = config_node_next(value))
			candidates[n++] = config_node_text(value);
	}
	nearest = text ? nearest_name(text, candidates, n) : NULL;
	schema_describe(schema, expected, sizeof(expected));
	checker_got(node, got, sizeof(got));
	return checker_refuse(checker, text ? CHECKER_RANK_WORD : CHECKER_RANK_TYPE, node, key,
			      "expected %s, got %s%s%s%s", expected, got,
			      nearest ? "; did you mean '" : "", nearest ? nearest : "",
			      nearest ? "'?" : "");
}

static int any_of_check(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key, struct config_value **out)
{
	struct config_errors *errors = checker->errors;
	const struct schema_node *best = NULL;
	enum checker_rank best_rank = CHECKER_RANK_WORD;

	for (size_t i = 0; i < schema->n_any_of; i++) {
		int result;

		checker->errors = NULL;
		result = node_check(checker, schema->any_of[i], node, key, out);
		checker->errors = errors;
		if (result != -EINVAL)
			return result;
		if (checker->rank > best_rank) {
			best = schema->any_of[i];
			best_rank = checker->rank;
		}
	}
	if (!best)
		return any_of_refuse(checker, schema, node, key);
	return node_check(checker, best, node, key, out);
}

static int node_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *key, struct config_value **out)
{
	bool object = schema->types & SCHEMA_TYPE_OBJECT;

	if (!node)
		return mapping_check(checker, schema, NULL, key, out);
	if (schema->n_any_of)
		return any_of_check(checker, schema, node, key, out);
	switch (config_node_type(node)) {
	case CONFIG_NODE_MAPPING:
		if (object)
			return mapping_check(checker, schema, node, key, out);
		return checker_refuse_type(checker, schema, node, key);
	case CONFIG_NODE_SEQUENCE:
		if (schema->types & SCHEMA_TYPE_ARRAY)
			return list_check(checker, schema, node, key, out);
		return checker_refuse_type(checker, schema, node, key);
	case CONFIG_NODE_NULL:
		return checker_refuse_type(checker, schema, node, key);
	default:
		if (object && schema->shorthand)
			return shorthand_check(checker, schema, node, key, out);
		return checker_scalar(checker, schema, node, key, out);
	}
}

int schema_node_check(const struct schema_node *schema, const struct config_node *node,
		      const char *key, struct config_errors *errors, struct config_value **out)
{
	struct value_tree *tree = calloc(1, sizeof(*tree));
	struct checker checker = { .tree = tree, .errors = errors };
	struct config_value *value;
	int result;

	if (!tree)
		return -ENOMEM;
	arena_init(&tree->arena);
	result = node_check(&checker, schema, node, key, &value);
	if (result) {
		arena_fini(&tree->arena);
		free(tree);
		return result;
	}
	*out = value;
	return 0;
}

int schema_fallback_check(const struct schema_node *schema, const char *key,
			  struct config_errors *errors)
{
	struct config_value *value;
	int result = schema_node_check(schema, schema->fallback, key, errors, &value);

	if (!result)
		config_value_free(value);
	return result;
}
