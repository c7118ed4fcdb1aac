/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a deployment file to settings: parse, check by the schema, check across keys, fill in.
 */
#include "settings.h"

#include <errno.h>
#include <stdlib.h>

#include "errors.h"
#include "node.h"
#include "schema.h"
#include "schema_builtin.h"
#include "settings_owned.h"
#include "value.h"
#include "value_diff.h"

static void owned_free(struct settings_owned *owned)
{
	arena_fini(&owned->arena);
	for (size_t i = 0; i < SETTINGS_STACK_INTERFACES; i++)
		config_node_free(owned->stack_options[i]);
	config_value_free(owned->value);
	config_node_free(owned->node);
	schema_free(owned->schema);
	config_node_free(owned->schema_node);
	free(owned);
}

static int owned_build(struct settings_owned *owned, struct config_errors *errors)
{
	int result, rules, deliver, stack;

	result = schema_builtin_new(SCHEMA_BUILTIN_CONFIG, errors, &owned->schema_node,
				    &owned->schema);
	if (result)
		return result;
	result = schema_check(owned->schema, owned->node, "", errors, &owned->value);
	if (result)
		return result;
	result = settings_fill(owned);
	rules = result ? 0 : settings_rules_fill(owned, errors);
	deliver = result ? 0 : settings_deliver_fill(owned, errors);
	stack = result ? 0 : settings_stack_fill(owned, errors);
	if (result || rules == -ENOMEM || deliver == -ENOMEM || stack == -ENOMEM)
		return -ENOMEM;
	result = settings_check(owned, errors);
	return result || rules || deliver || stack ? -EINVAL : 0;
}

/* Takes the node over, also when it fails. */
static int settings_new(struct config_node *node, struct config_errors *errors,
			struct settings **out)
{
	struct settings_owned *owned = calloc(1, sizeof(*owned));
	int result;

	if (!owned) {
		config_node_free(node);
		return -ENOMEM;
	}
	arena_init(&owned->arena);
	owned->node = node;
	result = owned_build(owned, errors);
	if (result) {
		owned_free(owned);
		return result;
	}
	*out = &owned->settings;
	return 0;
}

int settings_load(const char *path, struct config_errors *errors, struct settings **out)
{
	struct config_node *node;
	int result = config_node_load(path, errors, &node);

	return result ? result : settings_new(node, errors, out);
}

int settings_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		   struct settings **out)
{
	struct config_node *node;
	int result = config_node_parse(file, text, size, errors, &node);

	return result ? result : settings_new(node, errors, out);
}

/* `settings` is the first member, so that both are at one address. */
static struct settings_owned *owned_of(const struct settings *settings)
{
	return (struct settings_owned *)(uintptr_t)settings;
}

void settings_free(struct settings *settings)
{
	if (settings)
		owned_free(owned_of(settings));
}

int settings_diff(const struct settings *before, const struct settings *after,
		  struct value_diff *diff)
{
	return value_diff_add(diff, "", owned_of(before)->value, owned_of(after)->value);
}
