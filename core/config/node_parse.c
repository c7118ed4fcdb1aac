/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From libyaml's events to a tree, refusing what the header says.  Syntax ends at the first error;
 * duplicate keys are all reported.
 */
#include "node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "errors.h"
#include "node_tree.h"

struct builder {
	yaml_parser_t parser;
	struct node_tree *tree;
	struct config_errors *errors;
	size_t nodes;
	bool bad_keys; /* Duplicate or merged ones were told. */
	const char *text;
	size_t size;
};

static int node_build(struct builder *b, const yaml_event_t *event, unsigned int depth,
		      struct config_node **out);

static int refuse(struct builder *b, yaml_mark_t mark, const char *what, const char *next_step)
{
	config_errors_add(b->errors, b->tree->file, (unsigned int)mark.line + 1,
			  (unsigned int)mark.column + 1, NULL, "%s; %s", what, next_step);
	return -EINVAL;
}

/* Is it a tab that stands there?  libyaml counts characters, so the line is found by hand. */
static bool is_tab(const struct builder *b, const yaml_mark_t *mark)
{
	const char *at = b->text, *end = b->text + b->size;

	for (size_t line = 0; line < mark->line && at; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	/* A tab that indents has nothing but white space before it. */
	for (size_t column = 0; at && at < end && column < mark->column; column++, at++)
		if (*at != ' ' && *at != '\t')
			return false;
	return at && at < end && *at == '\t';
}

/* Gets the next event; the caller deletes it when this succeeds. */
static int event_next(struct builder *b, yaml_event_t *event)
{
	const yaml_parser_t *parser = &b->parser;

	if (yaml_parser_parse(&b->parser, event))
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	config_errors_add(b->errors, b->tree->file, (unsigned int)parser->problem_mark.line + 1,
			  (unsigned int)parser->problem_mark.column + 1, NULL, "not YAML: %s%s%s%s",
			  parser->problem ? parser->problem : "unreadable",
			  parser->context ? " " : "", parser->context ? parser->context : "",
			  is_tab(b, &parser->problem_mark) ? "; indent by spaces, not by tabs"
							   : "");
	return -EINVAL;
}

static struct config_node *node_new(struct builder *b, const yaml_event_t *event)
{
	struct config_node *node = arena_alloc(&b->tree->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->line = (unsigned int)event->start_mark.line + 1;
	node->column = (unsigned int)event->start_mark.column + 1;
	node->tree = b->tree;
	return node;
}

/* Anchors and tags, on any kind of node. */
static int properties_check(struct builder *b, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		return refuse(b, event->start_mark, "anchors (&name) are not allowed",
			      "write the value where it is used");
	if (tag)
		return refuse(b, event->start_mark, "tags (!name) are not allowed",
			      "write the plain value");
	return 0;
}

static int scalar_build(struct builder *b, const yaml_event_t *event, struct config_node *node)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return refuse(b, event->start_mark, "a string holds a NUL", "remove it");
	node->text = arena_strndup(&b->tree->arena, text, event->data.scalar.length);
	if (!node->text)
		return -ENOMEM;
	node->type =
		node_scalar_type(node->text, event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE);
	return 0;
}

static int sequence_build(struct builder *b, struct config_node *parent, unsigned int depth)
{
	for (;;) {
		struct config_node *child;
		yaml_event_t event;
		int result = event_next(b, &event);

		if (result)
			return result;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		result = node_build(b, &event, depth + 1, &child);
		yaml_event_delete(&event);
		if (result)
			return result;
		node_append(parent, child);
	}
}

/* True if the key is new.  A second one is an error, but reading goes on. */
static bool key_is_new(struct builder *b, const struct config_node *parent,
		       const struct config_node *key)
{
	const struct config_node *same = config_node_get(parent, key->text);

	if (strcmp(key->text, "<<") == 0) {
		config_errors_add_at(b->errors, key, NULL,
				     "merge keys (<<) are not allowed; write the values where they "
				     "are used");
		b->bad_keys = true;
		return false;
	}

	if (!same)
		return true;
	config_errors_add_at(b->errors, key, NULL,
			     "duplicate key '%s': already set at %u:%u; remove one of them",
			     key->text, same->key_line, same->key_column);
	b->bad_keys = true;
	return false;
}

static int member_build(struct builder *b, struct config_node *parent, const yaml_event_t *first,
			unsigned int depth)
{
	struct config_node *key, *child;
	yaml_event_t event;
	int result;

	if (first->type != YAML_SCALAR_EVENT && first->type != YAML_ALIAS_EVENT)
		return refuse(b, first->start_mark, "a key is not a word", "write 'key: value'");
	result = node_build(b, first, depth + 1, &key);
	if (result)
		return result;
	result = event_next(b, &event);
	if (result)
		return result;
	result = node_build(b, &event, depth + 1, &child);
	yaml_event_delete(&event);
	if (result)
		return result;
	if (!key_is_new(b, parent, key))
		return 0;
	if (parent->count == CONFIG_MAX_KEYS)
		return refuse(b, first->start_mark, "too many keys in one mapping", "remove some");
	child->key = key->text;
	child->key_line = key->line;
	child->key_column = key->column;
	node_append(parent, child);
	return 0;
}

static int mapping_build(struct builder *b, struct config_node *parent, unsigned int depth)
{
	for (;;) {
		yaml_event_t event;
		int result = event_next(b, &event);

		if (result)
			return result;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		}
		result = member_build(b, parent, &event, depth);
		yaml_event_delete(&event);
		if (result)
			return result;
	}
}

static int node_build(struct builder *b, const yaml_event_t *event, unsigned int depth,
		      struct config_node **out)
{
	struct config_node *node;
	int result;

	if (event->type == YAML_ALIAS_EVENT)
		return refuse(b, event->start_mark, "aliases (*name) are not allowed",
			      "write the value itself, in quotes if it begins with '*'");
	if (depth > CONFIG_MAX_DEPTH)
		return refuse(b, event->start_mark, "nested too deeply", "24 levels are allowed");
	if (++b->nodes > CONFIG_MAX_NODES)
		return refuse(b, event->start_mark, "too many values", "65536 are allowed");
	result = properties_check(b, event);
	if (result)
		return result;
	node = node_new(b, event);
	if (!node)
		return -ENOMEM;
	*out = node;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return scalar_build(b, event, node);
	case YAML_SEQUENCE_START_EVENT:
		node->type = CONFIG_NODE_SEQUENCE;
		return sequence_build(b, node, depth);
	case YAML_MAPPING_START_EVENT:
		node->type = CONFIG_NODE_MAPPING;
		return mapping_build(b, node, depth);
	default:
		return refuse(b, event->start_mark, "unexpected end", "complete the file");
	}
}

/* One event that must be of `type`; what else comes is named by `what`. */
static int expect(struct builder *b, yaml_event_type_t type, const char *what, const char *next)
{
	yaml_event_t event;
	int result = event_next(b, &event);

	if (result)
		return result;
	if (event.type != type)
		result = refuse(b, event.start_mark, what, next);
	yaml_event_delete(&event);
	return result;
}

static int document_build(struct builder *b)
{
	yaml_event_t event;
	int result;

	result = expect(b, YAML_STREAM_START_EVENT, "unreadable", "write YAML");
	if (result)
		return result;
	result = expect(b, YAML_DOCUMENT_START_EVENT, "the file is empty",
			"it needs at least one key");
	if (result)
		return result;
	result = event_next(b, &event);
	if (result)
		return result;
	result = node_build(b, &event, 1, &b->tree->root);
	yaml_event_delete(&event);
	if (result)
		return result;
	result = expect(b, YAML_DOCUMENT_END_EVENT, "unexpected content", "remove it");
	if (result)
		return result;
	result = expect(b, YAML_STREAM_END_EVENT, "a second document begins here",
			"one file holds one document");
	if (result)
		return result;
	return b->bad_keys ? -EINVAL : 0;
}

/* Length of the UTF-8 sequence at `c`, of at most `size` bytes; 0 if it is none. */
static size_t utf8_len(const unsigned char *c, size_t size)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int code;
	size_t len;

	if (c[0] < 0x80)
		return 1;
	len = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	if (c[0] < 0xc2 || c[0] > 0xf4 || len > size)
		return 0;
	code = c[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3fu);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

/* libyaml names no line for bytes that are no text, so they are looked for before it runs. */
static int text_check(const char *file, const char *text, size_t size, struct config_errors *errors)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned int line = 1, column = 1;
	size_t len;

	for (size_t i = 0; i < size; i += len) {
		len = utf8_len(bytes + i, size - i);
		if (!len) {
			config_errors_add(errors, file, line, column, NULL,
					  "byte 0x%02x is not UTF-8; save the file as UTF-8",
					  bytes[i]);
			return -EINVAL;
		}
		if ((bytes[i] < 0x20 && !strchr("\t\n\r", bytes[i])) || !bytes[i] ||
		    bytes[i] == 0x7f) {
			config_errors_add(errors, file, line, column, NULL,
					  "control character 0x%02x; remove it", bytes[i]);
			return -EINVAL;
		}
		column++;
		if (bytes[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

int config_node_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		      struct config_node **out)
{
	struct builder b = { .errors = errors, .text = text, .size = size };
	int result;

	if (size > CONFIG_MAX_FILE_SIZE) {
		config_errors_add(
			errors, file, 0, 0, NULL,
			"larger than 1 MiB, the most that is read (-EFBIG); is it the right file?");
		return -EFBIG;
	}
	result = text_check(file, text, size, errors);
	if (result)
		return result;
	b.tree = node_tree_new(file);
	if (!b.tree)
		return -ENOMEM;
	if (!yaml_parser_initialize(&b.parser)) {
		node_tree_free(b.tree);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, size);
	result = document_build(&b);
	yaml_parser_delete(&b.parser);
	if (result) {
		node_tree_free(b.tree);
		return result;
	}
	*out = b.tree->root;
	return 0;
}
