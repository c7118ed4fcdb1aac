/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, copying and freeing a tree of nodes. */
#include "node_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node_tree *node_tree_new(const char *file)
{
	struct node_tree *tree = malloc(sizeof(*tree));

	if (!tree)
		return NULL;
	arena_init(&tree->arena);
	tree->root = NULL;
	tree->file = arena_strndup(&tree->arena, file, strlen(file));
	if (!tree->file) {
		node_tree_free(tree);
		return NULL;
	}
	return tree;
}

void node_tree_free(struct node_tree *tree)
{
	arena_fini(&tree->arena);
	free(tree);
}

void node_append(struct config_node *parent, struct config_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

/* NULL for NULL, and when memory is out. */
static const char *copy_text(struct node_tree *tree, const char *text)
{
	return text ? arena_strndup(&tree->arena, text, strlen(text)) : NULL;
}

/* As deep as the parser lets a file be. */
static struct config_node *copy_node(struct node_tree *tree, const struct config_node *from)
{
	struct config_node *node = arena_alloc(&tree->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->type = from->type;
	node->line = from->line;
	node->column = from->column;
	node->key_line = from->key_line;
	node->key_column = from->key_column;
	node->tree = tree;
	node->text = copy_text(tree, from->text);
	node->key = copy_text(tree, from->key);
	if ((from->text && !node->text) || (from->key && !node->key))
		return NULL;
	for (const struct config_node *child = from->first; child; child = child->next) {
		struct config_node *copy = copy_node(tree, child);

		if (!copy)
			return NULL;
		node_append(node, copy);
	}
	return node;
}

int config_node_copy(const struct config_node *node, struct config_node **out)
{
	struct node_tree *tree = node_tree_new(node->tree->file);

	if (!tree)
		return -ENOMEM;
	tree->root = copy_node(tree, node);
	if (!tree->root) {
		node_tree_free(tree);
		return -ENOMEM;
	}
	*out = tree->root;
	return 0;
}

/* Those members of `from` that `over` does not have; all if that is NULL. */
static int append_members(struct config_node *to, const struct config_node *from,
			  const struct config_node *over)
{
	/* The tree owns its memory; nodes only promise not to change it. */
	struct node_tree *tree = (struct node_tree *)to->tree;

	for (const struct config_node *child = from ? from->first : NULL; child;
	     child = child->next) {
		struct config_node *copy;

		if (config_node_get(over, child->key))
			continue;
		copy = copy_node(tree, child);
		if (!copy)
			return -ENOMEM;
		node_append(to, copy);
	}
	return 0;
}

int config_node_merge(const struct config_node *base, const struct config_node *over,
		      struct config_node **out)
{
	struct node_tree *tree = node_tree_new((base ? base : over)->tree->file);
	int ret = -ENOMEM;

	if (!tree)
		return ret;
	tree->root = arena_alloc(&tree->arena, sizeof(*tree->root));
	if (tree->root) {
		tree->root->type = CONFIG_NODE_MAPPING;
		tree->root->line = (base ? base : over)->line;
		tree->root->column = (base ? base : over)->column;
		tree->root->tree = tree;
		ret = append_members(tree->root, base, over);
	}
	if (!ret)
		ret = append_members(tree->root, over, NULL);
	if (ret)
		node_tree_free(tree);
	else
		*out = tree->root;
	return ret;
}

void config_node_free(struct config_node *root)
{
	/* The tree owns its memory; nodes only promise not to change it. */
	if (root)
		node_tree_free((struct node_tree *)root->tree);
}
