/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks a node tree against a schema and turns it into typed values.
 *
 * A schema is YAML in a subset of JSON Schema 2020-12, so that editors can use the same file:
 *   type (one or a list), properties, required, additionalProperties (false, or a schema), items,
 *   enum, minimum, maximum, minItems, maxItems, maxLength, anyOf (the first that fits), $ref to
 *   #/$defs/NAME, $defs, default, title, description, examples, $schema, $id, and
 *   format: count duration rate bits bytes address prefix interface path name endpoint version abi.
 * Keywords of our own, which JSON Schema lets pass as annotations:
 *   x-minimum, x-maximum  bounds in the format's own notation (100ms); JSON Schema's take numbers
 *   x-shorthand: KEY      a scalar in place of the mapping stands for { KEY: scalar }
 *   x-absent: {NAME: WHY} keys or enum values that are refused with a reason of their own
 *   x-opaque: true        a mapping that somebody else checks
 * Any other keyword is refused when the schema is loaded: it would not be checked.
 */
#ifndef SLUICE_CONFIG_SCHEMA_H
#define SLUICE_CONFIG_SCHEMA_H

#include <stddef.h>

struct config_errors;
struct config_node;
struct config_value;
struct schema;

/* `root` must outlive the schema.  0, -EINVAL with reasons in `errors`, or -ENOMEM. */
int schema_new(const struct config_node *root, struct config_errors *errors, struct schema **out)
	__attribute__((warn_unused_result));
void schema_free(struct schema *schema);

/*
 * Reports all that is wrong with `node`, and gives its value if nothing is.  A NULL `node` stands
 * for an empty mapping.  `key` is the path of `node` in its file, "" for the root.  `node` must
 * outlive the value.  0, -EINVAL or -ENOMEM.
 */
int schema_check(const struct schema *schema, const struct config_node *node, const char *key,
		 struct config_errors *errors, struct config_value **out)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_SCHEMA_H */
