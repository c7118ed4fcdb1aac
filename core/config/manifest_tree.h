/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of a manifest; for manifest*.c only.
 */
#ifndef SLUICE_CONFIG_MANIFEST_TREE_H
#define SLUICE_CONFIG_MANIFEST_TREE_H

#include "manifest.h"

struct config_value;
struct schema;

struct manifest {
	struct config_node *schema_node; /* The built-in schema, and its nodes. */
	struct schema *schema;
	struct config_node *node; /* The file. */
	struct config_value *value;
	struct schema *options; /* What the file declares, as a schema. */
};

/* The value of an option, or why there is none: -ENODATA or -ENOENT, as of config_option_u64(). */
int config_find(const struct sluice_config *config, const char *name,
		const struct config_value **value) __attribute__((warn_unused_result));

/*
 * Turns the declared options into a schema for the mapping that sets them.  `options` must outlive
 * it.  0, -EINVAL with reasons in `errors`, or -ENOMEM.
 */
int manifest_options_schema(const struct config_value *options, struct config_errors *errors,
			    struct schema **out) __attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_MANIFEST_TREE_H */
