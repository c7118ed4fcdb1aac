/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a manifest and answers what is in it.
 */
#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "manifest_tree.h"
#include "node.h"
#include "schema.h"
#include "schema_builtin.h"
#include "value.h"

#define LIST_MINOR 3 /* The ABI's minor that brought readers of lists. */

static const char *string_get(const struct manifest *manifest, const char *name)
{
	return config_value_string(config_value_get(manifest->value, name));
}

static const struct config_value *need(const struct manifest *manifest, const char *name)
{
	return config_value_get(config_value_get(manifest->value, "needs"), name);
}

/* A plugin of an older ABI has no way to read a list. */
static int lists_check(const struct manifest *manifest, struct config_errors *errors)
{
	const struct config_value *option =
		config_value_first(config_value_get(manifest->value, "options"));
	int failed = 0;

	for (; option; option = config_value_next(option)) {
		const struct config_value *type = config_value_get(option, "type");
		char key[64];

		if (strcmp(config_value_string(type), "list"))
			continue;
		snprintf(key, sizeof(key), "options.%s.type", config_value_key(option));
		config_errors_add_at(errors, config_value_node(type), key,
				     "lists came with ABI 1.%d, this plugin is of %s; raise 'abi'",
				     LIST_MINOR, string_get(manifest, "abi"));
		failed = -EINVAL;
	}
	return failed;
}

/* The format let at most five digits through on each side of the dot. */
static int abi_check(const struct manifest *manifest, struct config_errors *errors)
{
	const char *text = string_get(manifest, "abi");
	unsigned long major = strtoul(text, NULL, 10);
	unsigned long minor = strtoul(strchr(text, '.') + 1, NULL, 10);

	if (major <= UINT16_MAX && minor <= UINT16_MAX)
		return major == 1 && minor < LIST_MINOR ? lists_check(manifest, errors) : 0;
	config_errors_add_at(errors, config_value_node(config_value_get(manifest->value, "abi")),
			     "abi", "%s is out of range; allowed: 0.0 to 65535.65535", text);
	return -EINVAL;
}

static int manifest_check(struct manifest *manifest, struct config_errors *errors)
{
	int result;

	result = schema_builtin_new(SCHEMA_BUILTIN_MANIFEST, errors, &manifest->schema_node,
				    &manifest->schema);
	if (result)
		return result;
	result = schema_check(manifest->schema, manifest->node, "", errors, &manifest->value);
	if (result)
		return result;
	result = abi_check(manifest, errors);
	if (result)
		return result;
	return manifest_options_schema(config_value_get(manifest->value, "options"), errors,
				       &manifest->options);
}

/* Takes the node over, also when it fails. */
static int manifest_new(struct config_node *node, struct config_errors *errors,
			struct manifest **out)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	int result;

	if (!manifest) {
		config_node_free(node);
		return -ENOMEM;
	}
	manifest->node = node;
	result = manifest_check(manifest, errors);
	if (result) {
		manifest_free(manifest);
		return result;
	}
	*out = manifest;
	return 0;
}

int manifest_load(const char *path, struct config_errors *errors, struct manifest **out)
{
	struct config_node *node;
	int result = config_node_load(path, errors, &node);

	return result ? result : manifest_new(node, errors, out);
}

int manifest_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		   struct manifest **out)
{
	struct config_node *node;
	int result = config_node_parse(file, text, size, errors, &node);

	return result ? result : manifest_new(node, errors, out);
}

void manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	schema_free(manifest->options);
	config_value_free(manifest->value);
	config_node_free(manifest->node);
	schema_free(manifest->schema);
	config_node_free(manifest->schema_node);
	free(manifest);
}

enum sluice_plugin_kind manifest_kind(const struct manifest *manifest)
{
	const char *kind = string_get(manifest, "kind");

	if (strcmp(kind, "stack") == 0)
		return SLUICE_PLUGIN_STACK;
	return strcmp(kind, "backend") == 0 ? SLUICE_PLUGIN_BACKEND : SLUICE_PLUGIN_DETECTOR;
}

uint16_t manifest_abi_major(const struct manifest *manifest)
{
	return (uint16_t)strtoul(string_get(manifest, "abi"), NULL, 10);
}

uint16_t manifest_abi_minor(const struct manifest *manifest)
{
	return (uint16_t)strtoul(strchr(string_get(manifest, "abi"), '.') + 1, NULL, 10);
}

const char *manifest_name(const struct manifest *manifest)
{
	return string_get(manifest, "name");
}

const char *manifest_version(const struct manifest *manifest)
{
	return string_get(manifest, "version");
}

const char *manifest_license(const struct manifest *manifest)
{
	return string_get(manifest, "license");
}

const char *manifest_description(const struct manifest *manifest)
{
	return string_get(manifest, "description");
}

const char *manifest_file(const struct manifest *manifest)
{
	return config_node_file(manifest->node);
}

static const char *need_at(const struct manifest *manifest, const char *name, size_t i)
{
	const struct config_value *item = config_value_first(need(manifest, name));

	for (; item && i; i--)
		item = config_value_next(item);
	return item ? config_value_string(item) : NULL;
}

size_t manifest_n_features(const struct manifest *manifest)
{
	return config_value_count(need(manifest, "features"));
}

const char *manifest_feature(const struct manifest *manifest, size_t i)
{
	return need_at(manifest, "features", i);
}

size_t manifest_n_capabilities(const struct manifest *manifest)
{
	return config_value_count(need(manifest, "capabilities"));
}

const char *manifest_capability(const struct manifest *manifest, size_t i)
{
	return need_at(manifest, "capabilities", i);
}

const char *manifest_kernel(const struct manifest *manifest)
{
	const struct config_value *kernel = need(manifest, "kernel");

	return kernel ? config_value_string(kernel) : NULL;
}
