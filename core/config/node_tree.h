/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of a node tree; for node*.c only.
 */
#ifndef SLUICE_CONFIG_NODE_TREE_H
#define SLUICE_CONFIG_NODE_TREE_H

#include "base/arena.h"

#include "node.h"

struct node_tree;

struct config_node {
	enum config_node_type type;
	unsigned int line, column;
	const char *text;
	const char *key;
	unsigned int key_line, key_column;
	struct config_node *first, *last, *next;
	size_t count;
	const struct node_tree *tree;
};

/* Lives in its own arena, as all of its nodes do; `root` is what users hold. */
struct node_tree {
	struct arena arena;
	const char *file;
	struct config_node *root;
};

/* NULL: no memory. */
struct node_tree *node_tree_new(const char *file);
void node_tree_free(struct node_tree *tree);
void node_append(struct config_node *parent, struct config_node *child);

enum config_node_type node_scalar_type(const char *text, bool quoted);

#endif /* SLUICE_CONFIG_NODE_TREE_H */
