/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a manifest says of its options, for people and for tests of plugins.
 */
#include <stdio.h>
#include <string.h>

#include "manifest.h"
#include "manifest_tree.h"
#include "node.h"
#include "value.h"
#include "value_text.h"

static const char *text_of(const struct config_value *option, const char *name)
{
	const struct config_value *member = config_value_get(option, name);
	const struct config_node *node = member ? config_value_node(member) : NULL;

	return node ? config_node_text(node) : NULL;
}

size_t manifest_n_options(const struct manifest *manifest)
{
	return config_value_count(config_value_get(manifest->value, "options"));
}

static void list_values(const struct config_value *option, char *text, size_t size)
{
	const struct config_value *values = config_value_get(option, "values");
	const struct config_value *value = values ? config_value_first(values) : NULL;
	size_t len = 0;

	text[0] = '\0';
	for (; value && len < size; value = config_value_next(value))
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "",
					config_value_string(value));
}

void manifest_option(const struct manifest *manifest, size_t i, struct manifest_option *option)
{
	const struct config_value *value =
		config_value_first(config_value_get(manifest->value, "options"));

	const struct config_value *items, *fallback;
	char text[VALUE_TEXT_SIZE];

	for (; i; i--)
		value = config_value_next(value);
	items = config_value_get(value, "items");
	fallback = config_value_get(value, "default");
	*option = (struct manifest_option){
		.name = config_value_key(value),
		.type = text_of(value, "type"),
		.help = text_of(value, "help"),
		.unit = text_of(value, "unit"),
		.items_help = items ? text_of(items, "help") : NULL,
		.fallback = text_of(value, "default"),
		.items = items ? text_of(items, "type") : NULL,
		.minimum = text_of(items ? items : value, "minimum"),
		.maximum = text_of(items ? items : value, "maximum"),
		.required = config_value_bool(config_value_get(value, "required")),
	};
	if (items && text_of(items, "unit"))
		option->unit = text_of(items, "unit");
	list_values(items ? items : value, option->values, sizeof(option->values));
	if (!items || !fallback)
		return;
	snprintf(option->list, sizeof(option->list), "%s", value_text(fallback, text));
	option->fallback = option->list;
}
