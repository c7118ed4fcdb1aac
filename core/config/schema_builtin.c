/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a built-in schema.
 */
#include "schema_builtin.h"

#include "node.h"
#include "schema.h"

int schema_builtin_new(enum schema_builtin which, struct config_errors *errors,
		       struct config_node **node, struct schema **out)
{
	struct config_node *root;
	int result;

	if (which == SCHEMA_BUILTIN_CONFIG)
		result = config_node_parse("config.schema.yaml (built in)",
					   (const char *)schema_builtin_config,
					   schema_builtin_config_size, errors, &root);
	else
		result = config_node_parse("manifest.schema.yaml (built in)",
					   (const char *)schema_builtin_manifest,
					   schema_builtin_manifest_size, errors, &root);
	if (result)
		return result;
	result = schema_new(root, errors, out);
	if (result) {
		config_node_free(root);
		return result;
	}
	*node = root;
	return 0;
}
