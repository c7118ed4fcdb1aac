/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schemas of schemas/, as they were when this was built.
 */
#ifndef SLUICE_CONFIG_SCHEMA_BUILTIN_H
#define SLUICE_CONFIG_SCHEMA_BUILTIN_H

struct config_errors;
struct config_node;
struct schema;

enum schema_builtin {
	SCHEMA_BUILTIN_CONFIG,
	SCHEMA_BUILTIN_MANIFEST,
};

extern const unsigned char schema_builtin_config[];
extern const unsigned long schema_builtin_config_size;
extern const unsigned char schema_builtin_manifest[];
extern const unsigned long schema_builtin_manifest_size;

/* A schema with the nodes that it is made of; free the schema first.  0, -EINVAL or -ENOMEM. */
int schema_builtin_new(enum schema_builtin which, struct config_errors *errors,
		       struct config_node **node, struct schema **out)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_SCHEMA_BUILTIN_H */
