/* SPDX-License-Identifier: BSD-2-Clause */
/* See value_text.h. */
#include "value_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

#include "node.h"
#include "value_tree.h"

struct line {
	char *text;
	size_t used; /* Grows beyond the size, as snprintf() counts. */
};

static void __attribute__((format(printf, 2, 3))) put(struct line *line, const char *fmt, ...)
{
	size_t room = line->used < VALUE_TEXT_SIZE ? VALUE_TEXT_SIZE - line->used : 0;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(room ? line->text + line->used : NULL, room, fmt, args);
	va_end(args);
	line->used += len > 0 ? (size_t)len : 0;
}

static void put_scalar(struct line *line, const char *text)
{
	/* What a plain scalar may not hold on one line: the rest is readable without quotes. */
	const char *quote = !*text || strpbrk(text, ",{}[]#") ? "\"" : "";

	put(line, "%s%s%s", quote, text, quote);
}

/* Of a mapping that only its plugin understands: as the file has it. */
static void put_node(struct line *line, const struct config_node *node)
{
	bool is_map = config_node_type(node) == CONFIG_NODE_MAPPING;
	const struct config_node *child;

	if (!is_map && config_node_type(node) != CONFIG_NODE_SEQUENCE) {
		put_scalar(line, config_node_text(node));
		return;
	}
	put(line, is_map ? "{" : "[");
	for (child = config_node_first(node); child; child = config_node_next(child)) {
		put(line, child == config_node_first(node) ? (is_map ? " " : "") : ", ");
		if (is_map)
			put(line, "%s: ", config_node_key(child));
		put_node(line, child);
	}
	put(line, is_map ? " }" : "]");
}

static void put_value(struct line *line, const struct config_value *value);

static void put_members(struct line *line, const struct config_value *value)
{
	bool is_map = value->type == CONFIG_VALUE_MAP, first = true;

	put(line, is_map ? "{" : "[");
	for (const struct config_value *child = value->first; child; child = child->next) {
		if (is_map && !child->node)
			continue; /* A default. */
		put(line, first ? (is_map ? " " : "") : ", ");
		first = false;
		if (is_map)
			put(line, "%s: ", child->key);
		put_value(line, child);
	}
	put(line, is_map ? (first ? "}" : " }") : "]");
}

static void put_value(struct line *line, const struct config_value *value)
{
	char address[ADDRESS_TEXT_SIZE];

	switch (value->type) {
	case CONFIG_VALUE_MAP:
	case CONFIG_VALUE_LIST:
		put_members(line, value);
		break;
	case CONFIG_VALUE_OPAQUE:
		if (value->node)
			put_node(line, value->node);
		break;
	case CONFIG_VALUE_KEY:
		put(line, "%s", address_format(&value->address, address));
		break;
	default:
		put_scalar(line, value->text);
	}
}

const char *value_text(const struct config_value *value, char text[VALUE_TEXT_SIZE])
{
	struct line line = { .text = text };

	text[0] = '\0';
	put_value(&line, value);
	if (line.used >= VALUE_TEXT_SIZE)
		memcpy(text + VALUE_TEXT_SIZE - 4, "...", 4);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return text;
}
