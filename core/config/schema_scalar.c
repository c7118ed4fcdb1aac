/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks one scalar: its type, its enum, its format, its range.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"

#include "schema_checker.h"

/* Enumerations are short; more names than this are simply not suggested. */
#define MAX_CANDIDATES 64

static bool is_address(enum schema_format format)
{
	return format == SCHEMA_FORMAT_ADDRESS || format == SCHEMA_FORMAT_PREFIX;
}

static unsigned int node_types(const struct config_node *node)
{
	switch (config_node_type(node)) {
	case CONFIG_NODE_BOOL:
		return SCHEMA_TYPE_BOOLEAN;
	case CONFIG_NODE_INTEGER:
		return SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_NUMBER;
	case CONFIG_NODE_NUMBER:
		return SCHEMA_TYPE_NUMBER;
	case CONFIG_NODE_STRING:
		return SCHEMA_TYPE_STRING;
	default:
		return 0;
	}
}

/* A quantity may be written as a number or as a string, whatever `type` says to editors. */
static bool type_fits(const struct schema_node *schema, const struct config_node *node)
{
	unsigned int types = node_types(node);

	if (schema_format_is_quantity(schema->format))
		return types & (SCHEMA_TYPE_NUMBER | SCHEMA_TYPE_STRING);
	return schema->types ? (types & schema->types) != 0 : types != 0;
}

static int enum_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *key)
{
	const char *text = config_node_text(node), *candidates[MAX_CANDIDATES], *reason;
	char allowed[CHECKER_WORDS_SIZE], suggestion[80];
	const struct config_node *value = config_node_first(schema->values);
	size_t n = 0;

	for (; value; value = config_node_next(value)) {
		if (!strcmp(config_node_text(value), text) && node_types(value) == node_types(node))
			return 0;
		if (n < MAX_CANDIDATES)
			candidates[n++] = config_node_text(value);
	}
	reason = checker_absent(schema, text);
	if (reason)
		return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
				      "'%s' is not available: %s", text, reason);
	schema_describe_values(schema, allowed, sizeof(allowed));
	checker_suggest(text, candidates, n, suggestion, sizeof(suggestion));
	return checker_refuse(checker, CHECKER_RANK_WORD, node, key,
			      "'%.64s' is not allowed;%s: %s", text, suggestion, allowed);
}

static int range_refuse(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key)
{
	char range[2 * QUANTITY_TEXT_SIZE + 8];

	schema_describe_range(schema, range, sizeof(range));
	return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
			      "%.64s is out of range; allowed: %s", config_node_text(node), range);
}

static bool number_fits(const struct schema_node *schema, uint64_t number)
{
	return (!schema->minimum.set || number >= schema->minimum.number) &&
	       (!schema->maximum.set || number <= schema->maximum.number);
}

/* "20x" was meant as a number and "lerned" was not: the first deserves to be told why not. */
static enum checker_rank text_rank(const char *text)
{
	return strchr("0123456789-+.:", text[0]) || strpbrk(text, "/:") ? CHECKER_RANK_VALUE
									: CHECKER_RANK_WORD;
}

static int quantity_check(struct checker *checker, const struct schema_node *schema,
			  const struct config_node *node, const char *key,
			  struct config_value *value)
{
	const char *text = config_node_text(node);
	struct sluice_err err = { 0 };
	char expected[CHECKER_WORDS_SIZE];
	int result;

	result = quantity_parse((enum quantity_kind)schema->format, text, &value->number, &err);
	value->type = CONFIG_VALUE_U64;
	value->unit = (enum quantity_kind)schema->format;
	if (result == -ERANGE && schema->maximum.set)
		return range_refuse(checker, schema, node, key);
	if (result && text_rank(text) == CHECKER_RANK_WORD)
		return checker_refuse_type(checker, schema, node, key);
	if (result) {
		schema_describe(schema, expected, sizeof(expected));
		return checker_refuse(checker, CHECKER_RANK_VALUE, node, key, "%s; expected %s",
				      err.text, expected);
	}
	if (!number_fits(schema, value->number))
		return range_refuse(checker, schema, node, key);
	return 0;
}

static int address_check(struct checker *checker, const struct schema_node *schema,
			 const struct config_node *node, const char *key,
			 struct config_value *value)
{
	const char *text = config_node_text(node);
	struct sluice_err err = { 0 };
	int result;

	value->type = CONFIG_VALUE_KEY;
	if (schema->format == SCHEMA_FORMAT_ADDRESS)
		result = address_parse(text, &value->address, &err);
	else
		result = address_parse_prefix(text, ADDRESS_STRICT, &value->address, &err);
	if (result)
		return checker_refuse(checker, text_rank(text), node, key, "%s", err.text);
	return 0;
}

static int real_check(struct checker *checker, const struct schema_node *schema,
		      const struct config_node *node, const char *key, struct config_value *value)
{
	value->type = CONFIG_VALUE_DOUBLE;
	/* YAML also calls .inf and 0x10 numbers. */
	if (schema_real_parse(config_node_text(node), &value->real))
		return checker_refuse_type(checker, schema, node, key);
	if ((schema->minimum.set && value->real < schema->minimum.real) ||
	    (schema->maximum.set && value->real > schema->maximum.real))
		return range_refuse(checker, schema, node, key);
	return 0;
}

static int integer_check(struct checker *checker, const struct schema_node *schema,
			 const struct config_node *node, const char *key,
			 struct config_value *value)
{
	int result = schema_integer_parse(config_node_text(node), &value->number);

	value->type = CONFIG_VALUE_U64;
	if (result == -EINVAL)
		return checker_refuse_type(checker, schema, node, key);
	if (result == -ERANGE && (schema->types & SCHEMA_TYPE_STRING)) {
		/* Whoever takes words, too, reads the text and knows better what may stand there. */
		value->type = CONFIG_VALUE_STRING;
		return 0;
	}
	if (result == -ERANGE && !schema->minimum.set && !schema->maximum.set)
		return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
				      "%.64s is out of range; allowed: 0 to 2^64-1",
				      config_node_text(node));
	if (result == -ERANGE || !number_fits(schema, value->number))
		return range_refuse(checker, schema, node, key);
	return 0;
}

static int string_check(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key, struct config_value *value)
{
	const char *text = config_node_text(node);
	struct sluice_err err = { 0 };

	value->type = CONFIG_VALUE_STRING;
	if (schema_format_check(schema->format, text, &err))
		return checker_refuse(checker, text_rank(text), node, key, "%s", err.text);
	if (strlen(text) > schema->max_len)
		return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
				      "'%.32s...' is too long: %zu bytes; allowed are %zu", text,
				      strlen(text), schema->max_len);
	if (!*text)
		return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
				      "is empty; leave out the key for the default");
	return 0;
}

/* 010 is eight to YAML 1.1 and ten to YAML 1.2: whoever wrote it may mean either. */
static int octal_check(struct checker *checker, const struct schema_node *schema,
		       const struct config_node *node, const char *key)
{
	const char *text = config_node_text(node), *digits = text + (*text == '-' || *text == '+');

	if (!schema_format_is_quantity(schema->format) &&
	    (schema->format != SCHEMA_FORMAT_NONE ||
	     !(node_types(node) & (SCHEMA_TYPE_INTEGER | SCHEMA_TYPE_NUMBER))))
		return 0;
	if (digits[0] != '0' || !isdigit((unsigned char)digits[1]))
		return 0;
	while (digits[0] == '0' && isdigit((unsigned char)digits[1]))
		digits++;
	return checker_refuse(checker, CHECKER_RANK_VALUE, node, key,
			      "'%.64s' begins with a zero, which some read as octal; write %.64s",
			      text, digits);
}

int checker_scalar(struct checker *checker, const struct schema_node *schema,
		   const struct config_node *node, const char *key, struct config_value **out)
{
	struct config_value *value;

	if (!type_fits(schema, node))
		return checker_refuse_type(checker, schema, node, key);
	if (octal_check(checker, schema, node, key) ||
	    (schema->values && enum_check(checker, schema, node, key)))
		return -EINVAL;
	value = checker_value_new(checker, CONFIG_VALUE_STRING, node);
	if (!value)
		return -ENOMEM;
	*out = value;
	if (schema_format_is_quantity(schema->format))
		return quantity_check(checker, schema, node, key, value);
	if (is_address(schema->format))
		return address_check(checker, schema, node, key, value);
	if (schema->format != SCHEMA_FORMAT_NONE || config_node_type(node) == CONFIG_NODE_STRING)
		return string_check(checker, schema, node, key, value);
	if (config_node_type(node) == CONFIG_NODE_BOOL) {
		value->type = CONFIG_VALUE_BOOL;
		value->boolean = strchr("tT", config_node_text(node)[0]) != NULL;
		return 0;
	}
	if ((schema->types & SCHEMA_TYPE_NUMBER) || config_node_type(node) == CONFIG_NODE_NUMBER)
		return real_check(checker, schema, node, key, value);
	return integer_check(checker, schema, node, key, value);
}
