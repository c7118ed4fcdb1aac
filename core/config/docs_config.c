/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints docs/CONFIG.md from the built-in schemas.  Not part of the library: the target docs-config
 * runs it, and a test compares what it prints with the file that is committed.
 */
#include <stdio.h>
#include <string.h>

#include "errors.h"
#include "schema.h"
#include "schema_builtin.h"
#include "schema_tree.h"

#define WORDS_SIZE 400
#define KEY_SIZE 128

static void section_print(const struct schema_node *schema, const char *key);

/* A default as one would write it on one line. */
static void default_print(const struct config_node *node)
{
	bool mapping = config_node_type(node) == CONFIG_NODE_MAPPING;
	const struct config_node *child;
	const char *separator = mapping ? "{ " : "[";

	if (config_node_text(node)) {
		printf("%s", config_node_text(node));
		return;
	}
	for (child = config_node_first(node); child; child = config_node_next(child)) {
		printf("%s", separator);
		if (mapping)
			printf("%s: ", config_node_key(child));
		default_print(child);
		separator = ", ";
	}
	printf(mapping ? " }" : "]");
}

static void default_cell(const struct schema_property *property)
{
	const struct config_node *fallback = property->schema->fallback;

	if (property->required) {
		printf("required");
	} else if (!fallback) {
		printf("none");
	} else if (!config_node_text(fallback) && !config_node_first(fallback)) {
		printf(config_node_type(fallback) == CONFIG_NODE_MAPPING ? "its own defaults"
									 : "`[]`");
	} else {
		printf("`");
		default_print(fallback);
		printf("`");
	}
}

/* The names and reasons of x-absent. */
static void absent_print(const struct schema_node *schema, const char *before, const char *after)
{
	const struct config_node *reason = schema->absent ? config_node_first(schema->absent)
							  : NULL;

	for (; reason; reason = config_node_next(reason))
		printf("%s`%s` is refused: %s.%s", before, config_node_key(reason),
		       config_node_text(reason), after);
}

static void row_print(const struct schema_property *property)
{
	const struct schema_node *schema = property->schema;
	char words[WORDS_SIZE];

	printf("| `%s` | ", property->name);
	if (schema->items) {
		schema_describe(schema->items, words, sizeof(words));
		printf("a list, each %s", words);
	} else if (schema->types & SCHEMA_TYPE_OBJECT) {
		printf(schema->opaque ? "a mapping" : "a mapping, see below");
	} else {
		schema_describe(schema, words, sizeof(words));
		printf("%s", words);
	}
	printf(" | ");
	default_cell(property);
	printf(" | %s", schema->description ? schema->description : "");
	absent_print(schema, " ", "");
	printf(" |\n");
}

/* Sections for the mappings that a key may hold, directly or as elements. */
static void inner_print(const struct schema_node *schema, const char *key)
{
	char item_key[KEY_SIZE];

	section_print(schema, key);
	for (size_t i = 0; i < schema->n_any_of; i++)
		inner_print(schema->any_of[i], key);
	if (schema->items) {
		snprintf(item_key, sizeof(item_key), "%s[]", key);
		inner_print(schema->items, item_key);
	}
	if (schema->extra) {
		snprintf(item_key, sizeof(item_key), "%s.NAME", key);
		inner_print(schema->extra, item_key);
	}
}

static void rows_print(const struct schema_node *schema, const char *key)
{
	printf("| key | value | default | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < schema->n_properties; i++)
		row_print(&schema->properties[i]);
	printf("\n");
	absent_print(schema, "- ", "\n");
	if (schema->absent)
		printf("\n");
	for (size_t i = 0; i < schema->n_properties; i++) {
		char inner_key[KEY_SIZE];

		snprintf(inner_key, sizeof(inner_key), "%s%s%s", key, *key ? "." : "",
			 schema->properties[i].name);
		inner_print(schema->properties[i].schema, inner_key);
	}
}

static void section_print(const struct schema_node *schema, const char *key)
{
	if (!schema->n_properties)
		return;
	printf("### `%s`\n\n", key);
	if (schema->description)
		printf("%s\n\n", schema->description);
	rows_print(schema, key);
}

static int part_print(enum schema_builtin which, const char *title)
{
	static struct config_errors errors;
	char text[CONFIG_ERROR_TEXT_SIZE];
	struct config_node *node;
	struct schema *schema;

	config_errors_init(&errors);
	if (schema_builtin_new(which, &errors, &node, &schema)) {
		for (size_t i = 0; i < config_errors_kept(&errors); i++)
			fprintf(stderr, "%s\n", config_error_format(&errors.list[i], text));
		return -1;
	}
	printf("## %s\n\n%s\n\n", title, schema->root->description);
	rows_print(schema->root, "");
	schema_free(schema);
	config_node_free(node);
	return 0;
}

int main(void)
{
	printf("<!-- Made from schemas/*.schema.yaml by the target docs-config; do not edit. -->\n"
	       "# Configuration\n\n"
	       "Two kinds of files, both YAML: mappings, lists and scalars, without anchors, tags or\n"
	       "duplicate keys. `sluice check FILE` checks a deployment file and reports all that is\n"
	       "wrong with it. The shortest one is `configs/minimal.yaml`.\n\n");
	if (part_print(SCHEMA_BUILTIN_CONFIG, "The deployment file") ||
	    part_print(SCHEMA_BUILTIN_MANIFEST, "A plugin's manifest, NAME.plugin.yaml"))
		return 1;
	return fflush(stdout) ? 1 : 0;
}
