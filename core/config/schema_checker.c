/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a check of structure and one of leaves have in common: making values, and saying what is wrong.
 */
#include "schema_checker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

struct config_value *checker_value_new(struct checker *checker, enum config_value_type type,
				       const struct config_node *node)
{
	struct config_value *value = arena_alloc(&checker->tree->arena, sizeof(*value));

	if (!value)
		return NULL;
	value->type = type;
	value->tree = checker->tree;
	value->text = node ? config_node_text(node) : NULL;
	value->node = checker->in_default ? NULL : node;
	return value;
}

int checker_refuse(struct checker *checker, enum checker_rank rank, const struct config_node *node,
		   const char *key, const char *fmt, ...)
{
	char text[sizeof(((struct config_error *)0)->text)];
	va_list args;

	checker->rank = rank;
	if (!checker->errors)
		return -EINVAL;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (node)
		config_errors_add_at(checker->errors, node, key, "%s", text);
	else
		config_errors_add(checker->errors, "(not given)", 0, 0, key, "%s", text);
	return -EINVAL;
}

void checker_got(const struct config_node *node, char *text, size_t size)
{
	switch (config_node_type(node)) {
	case CONFIG_NODE_BOOL:
	case CONFIG_NODE_INTEGER:
	case CONFIG_NODE_NUMBER:
		snprintf(text, size, "%.64s", config_node_text(node));
		break;
	case CONFIG_NODE_STRING:
		snprintf(text, size, "the string '%.64s'", config_node_text(node));
		break;
	default:
		snprintf(text, size, "%s", config_node_type_name(node));
		break;
	}
}

int checker_refuse_type(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key)
{
	char expected[CHECKER_WORDS_SIZE], got[96];
	const char *next_step = "";

	if (!checker->errors) {
		checker->rank = CHECKER_RANK_TYPE;
		return -EINVAL;
	}
	schema_describe(schema, expected, sizeof(expected));
	checker_got(node, got, sizeof(got));
	if (schema->types == SCHEMA_TYPE_STRING && !schema->values &&
	    (schema->format == SCHEMA_FORMAT_NONE || schema->format == SCHEMA_FORMAT_INTERFACE) &&
	    config_node_text(node) && *config_node_text(node))
		next_step = "; put it in quotes";
	if (config_node_type(node) == CONFIG_NODE_NULL)
		next_step = "; give it a value, or leave out the key";
	return checker_refuse(checker, CHECKER_RANK_TYPE, node, key, "expected %s, got %s%s",
			      expected, got, next_step);
}

const char *checker_absent(const struct schema_node *schema, const char *name)
{
	const struct config_node *reason;

	reason = schema->absent ? config_node_get(schema->absent, name) : NULL;
	return reason ? config_node_text(reason) : NULL;
}

void checker_suggest(const char *name, const char *const *candidates, size_t n, char *text,
		     size_t size)
{
	const char *nearest = nearest_name(name, candidates, n);

	if (nearest)
		snprintf(text, size, " did you mean '%.40s'? Allowed", nearest);
	else
		snprintf(text, size, " allowed");
}
