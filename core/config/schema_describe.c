/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A schema in words, for error messages and docs/CONFIG.md.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema_tree.h"

/* Appends, and cuts what does not fit. */
static void append(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

void schema_describe_bound(const struct schema_node *schema, const struct schema_bound *bound,
			   char *text, size_t size)
{
	char quantity[QUANTITY_TEXT_SIZE];

	if (schema_format_is_quantity(schema->format))
		snprintf(text, size, "%s",
			 quantity_format((enum quantity_kind)schema->format, bound->number,
					 quantity));
	else if (schema->types & SCHEMA_TYPE_NUMBER)
		snprintf(text, size, "%g", bound->real);
	else
		snprintf(text, size, "%" PRIu64, bound->number);
}

void schema_describe_range(const struct schema_node *schema, char *text, size_t size)
{
	char low[QUANTITY_TEXT_SIZE] = "", high[QUANTITY_TEXT_SIZE] = "";

	schema_describe_bound(schema, &schema->minimum, low, sizeof(low));
	schema_describe_bound(schema, &schema->maximum, high, sizeof(high));
	text[0] = '\0';
	if (schema->minimum.set && schema->maximum.set)
		append(text, size, "%s to %s", low, high);
	else if (schema->minimum.set)
		append(text, size, "at least %s", low);
	else if (schema->maximum.set)
		append(text, size, "at most %s", high);
}

void schema_describe_values(const struct schema_node *schema, char *text, size_t size)
{
	const struct config_node *value;
	const char *separator = "";

	text[0] = '\0';
	for (value = config_node_first(schema->values); value; value = config_node_next(value)) {
		append(text, size, "%s%s", separator, config_node_text(value));
		separator = ", ";
	}
}

static const char *format_describe(enum schema_format format)
{
	switch (format) {
	case SCHEMA_FORMAT_ADDRESS:
		return "an address such as 192.0.2.1 or 2001:db8::1";
	case SCHEMA_FORMAT_PREFIX:
		return "an address or prefix such as 192.0.2.0/24 or 2001:db8::/32";
	case SCHEMA_FORMAT_INTERFACE:
		return "the name of a network interface";
	case SCHEMA_FORMAT_PATH:
		return "an absolute path";
	case SCHEMA_FORMAT_NAME:
		return "a name of a-z, 0-9, _ and -";
	case SCHEMA_FORMAT_ENDPOINT:
		return "an address and port such as 127.0.0.1:9815";
	case SCHEMA_FORMAT_VERSION:
		return "a version such as 1.4.2";
	case SCHEMA_FORMAT_ABI:
		return "a version such as 1.0";
	default:
		return "a string";
	}
}

static const char *type_describe(unsigned int types)
{
	static const struct {
		unsigned int type;
		const char *words;
	} names[] = {
		{ SCHEMA_TYPE_OBJECT, "a mapping" },	  { SCHEMA_TYPE_ARRAY, "a list" },
		{ SCHEMA_TYPE_NUMBER, "a number" },	  { SCHEMA_TYPE_INTEGER, "an integer" },
		{ SCHEMA_TYPE_BOOLEAN, "true or false" }, { SCHEMA_TYPE_STRING, "a string" },
	};

	if ((types & SCHEMA_TYPE_STRING) && (types & SCHEMA_TYPE_BOOLEAN))
		return "one number, string or truth value";
	if (types == (SCHEMA_TYPE_STRING | SCHEMA_TYPE_INTEGER))
		return "an integer or a string";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (types & names[i].type)
			return names[i].words;
	return "a value";
}

/* Names the keys, unless they are too many to help. */
static void mapping_describe(const struct schema_node *schema, char *text, size_t size)
{
	append(text, size, "a mapping");
	for (size_t i = 0; i < schema->n_properties && schema->n_properties <= 4; i++)
		append(text, size, "%s'%s'", i ? ", " : " of ", schema->properties[i].name);
}

static void shorthand_describe(const struct schema_node *schema, char *text, size_t size)
{
	for (size_t i = 0; i < schema->n_properties; i++) {
		char words[160];

		if (strcmp(schema->properties[i].name, schema->shorthand))
			continue;
		schema_describe(schema->properties[i].schema, words, sizeof(words));
		append(text, size, "%s, or a mapping with '%s'", words, schema->shorthand);
	}
}

void schema_describe(const struct schema_node *schema, char *text, size_t size)
{
	char range[2 * QUANTITY_TEXT_SIZE + 8], part[256];

	text[0] = '\0';
	for (size_t i = 0; i < schema->n_any_of; i++) {
		schema_describe(schema->any_of[i], part, sizeof(part));
		append(text, size, "%s%s", i ? " or " : "", part);
	}
	if (schema->n_any_of)
		return;
	if (schema->values) {
		schema_describe_values(schema, part, sizeof(part));
		if (config_node_count(schema->values) > 1)
			append(text, size, "one of %s", part);
		else
			append(text, size, schema->types & SCHEMA_TYPE_STRING ? "'%s'" : "%s",
			       part);
		return;
	}
	if (schema->shorthand) {
		shorthand_describe(schema, text, size);
		return;
	}
	if (schema_format_is_quantity(schema->format))
		append(text, size, "%s", quantity_describe((enum quantity_kind)schema->format));
	else if (schema->format != SCHEMA_FORMAT_NONE)
		append(text, size, "%s", format_describe(schema->format));
	else if (schema->types == SCHEMA_TYPE_OBJECT)
		mapping_describe(schema, text, size);
	else
		append(text, size, "%s", type_describe(schema->types));
	schema_describe_range(schema, range, sizeof(range));
	if (range[0])
		append(text, size, " (%s)", range);
}
