/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kind of scalar a text is, and the accessors.  Trees are filled in node_parse.c.
 */
#include "node.h"

#include <ctype.h>
#include <string.h>

#include "node_tree.h"

static bool text_is_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static const char *skip_digits(const char *c)
{
	while (isdigit((unsigned char)*c))
		c++;
	return c;
}

static bool text_is_integer(const char *text)
{
	if (!strncmp(text, "0x", 2))
		return text[2] && text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
	if (!strncmp(text, "0o", 2))
		return text[2] && text[2 + strspn(text + 2, "01234567")] == '\0';
	if (*text == '-' || *text == '+')
		text++;
	return *text && !*skip_digits(text);
}

static bool text_is_number(const char *text)
{
	static const char *const special[] = { ".inf", "-.inf", "+.inf", ".nan", NULL };
	const char *whole, *fraction;

	if (text_is_any(text, special))
		return true;
	if (*text == '-' || *text == '+')
		text++;
	whole = skip_digits(text);
	fraction = whole;
	if (*whole == '.')
		fraction = skip_digits(whole + 1);
	if (whole == text && fraction <= whole + 1)
		return false;
	if (*fraction == 'e' || *fraction == 'E') {
		const char *exponent = fraction + 1;

		if (*exponent == '-' || *exponent == '+')
			exponent++;
		fraction = skip_digits(exponent);
		if (fraction == exponent)
			return false;
	}
	return !*fraction;
}

enum config_node_type node_scalar_type(const char *text, bool quoted)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const bools[] = {
		"true", "True", "TRUE", "false", "False", "FALSE", NULL
	};

	if (quoted)
		return CONFIG_NODE_STRING;
	if (text_is_any(text, nulls))
		return CONFIG_NODE_NULL;
	if (text_is_any(text, bools))
		return CONFIG_NODE_BOOL;
	if (text_is_integer(text))
		return CONFIG_NODE_INTEGER;
	return text_is_number(text) ? CONFIG_NODE_NUMBER : CONFIG_NODE_STRING;
}

enum config_node_type config_node_type(const struct config_node *node)
{
	return node->type;
}

const char *config_node_type_name(const struct config_node *node)
{
	static const char *const names[] = {
		[CONFIG_NODE_NULL] = "nothing",	      [CONFIG_NODE_BOOL] = "a truth value",
		[CONFIG_NODE_INTEGER] = "an integer", [CONFIG_NODE_NUMBER] = "a number",
		[CONFIG_NODE_STRING] = "a string",    [CONFIG_NODE_SEQUENCE] = "a list",
		[CONFIG_NODE_MAPPING] = "a mapping",
	};

	return names[node->type];
}

const char *config_node_text(const struct config_node *node)
{
	return node->text;
}

const char *config_node_file(const struct config_node *node)
{
	return node->tree->file;
}

unsigned int config_node_line(const struct config_node *node)
{
	return node->line;
}

unsigned int config_node_column(const struct config_node *node)
{
	return node->column;
}

const struct config_node *config_node_first(const struct config_node *node)
{
	return node->first;
}

const struct config_node *config_node_next(const struct config_node *node)
{
	return node->next;
}

size_t config_node_count(const struct config_node *node)
{
	return node->count;
}

const char *config_node_key(const struct config_node *node)
{
	return node->key;
}

unsigned int config_node_key_line(const struct config_node *node)
{
	return node->key_line;
}

unsigned int config_node_key_column(const struct config_node *node)
{
	return node->key_column;
}

const struct config_node *config_node_get(const struct config_node *node, const char *key)
{
	if (!node || node->type != CONFIG_NODE_MAPPING)
		return NULL;
	for (node = node->first; node; node = node->next)
		if (!strcmp(node->key, key))
			return node;
	return NULL;
}
