/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML file as a tree whose nodes know their place.  Only the plain part of YAML 1.2 is let in:
 * mappings, sequences and scalars.  Anchors, aliases, tags, duplicate keys, several documents and
 * anything but UTF-8 are refused, and size, depth and number of nodes are bounded.
 */
#ifndef SLUICE_CONFIG_NODE_H
#define SLUICE_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

struct config_errors;
struct config_node;

#define CONFIG_MAX_FILE_SIZE (1024 * 1024)
#define CONFIG_MAX_DEPTH 24
#define CONFIG_MAX_NODES 65536
#define CONFIG_MAX_KEYS 256 /* In one mapping. */

/* Scalars are told apart as YAML's core schema does; `yes` and `on` are strings. */
enum config_node_type {
	CONFIG_NODE_NULL,
	CONFIG_NODE_BOOL,
	CONFIG_NODE_INTEGER,
	CONFIG_NODE_NUMBER,
	CONFIG_NODE_STRING,
	CONFIG_NODE_SEQUENCE,
	CONFIG_NODE_MAPPING,
};

/*
 * 0; -EINVAL not acceptable YAML; -EFBIG too large; -ENOMEM; or what open() and read() say.  The
 * reasons are added to `errors`.
 */
int config_node_load(const char *path, struct config_errors *errors, struct config_node **out)
	__attribute__((warn_unused_result));
/* The same from memory; `file` is what messages call it. */
int config_node_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		      struct config_node **out) __attribute__((warn_unused_result));
/* `node` and all below it as a tree of its own, with the same places.  0 or -ENOMEM. */
int config_node_copy(const struct config_node *node, struct config_node **out)
	__attribute__((warn_unused_result));
/*
 * A tree of its own with the members of both mappings; where both have a key, that of `over` counts.
 * `base` may be NULL.  0 or -ENOMEM.
 */
int config_node_merge(const struct config_node *base, const struct config_node *over,
		      struct config_node **out) __attribute__((warn_unused_result));
/* Frees the whole tree; give it the root.  NULL is a no-op. */
void config_node_free(struct config_node *root);

enum config_node_type config_node_type(const struct config_node *node);
/* "a mapping", "a list", "an integer", ... for messages. */
const char *config_node_type_name(const struct config_node *node);
/* Of a scalar, as written, without quotes; NULL for others. */
const char *config_node_text(const struct config_node *node);
const char *config_node_file(const struct config_node *node);
unsigned int config_node_line(const struct config_node *node);	 /* From 1. */
unsigned int config_node_column(const struct config_node *node); /* From 1. */

/* Children in file order.  `first` is NULL for scalars and for what is empty. */
const struct config_node *config_node_first(const struct config_node *node);
const struct config_node *config_node_next(const struct config_node *node);
size_t config_node_count(const struct config_node *node);
/* The key under which a mapping holds this node, and its place; NULL and 0 in a sequence. */
const char *config_node_key(const struct config_node *node);
unsigned int config_node_key_line(const struct config_node *node);
unsigned int config_node_key_column(const struct config_node *node);
/* The member of a mapping; NULL if absent, or if `node` is NULL or no mapping. */
const struct config_node *config_node_get(const struct config_node *node, const char *key);

#endif /* SLUICE_CONFIG_NODE_H */
