/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of a value tree; for value.c and schema_check.c only.
 */
#ifndef SLUICE_CONFIG_VALUE_TREE_H
#define SLUICE_CONFIG_VALUE_TREE_H

#include "base/arena.h"
#include "base/quantity.h"

#include "value.h"

struct value_tree {
	struct arena arena;
};

struct config_value {
	enum config_value_type type;
	const struct config_node *node;
	const char *key;
	const char *text;	 /* Of a scalar, as written. */
	enum quantity_kind unit; /* Of a quantity: 1M packets are not 1Mbit. */
	union {
		bool boolean;
		uint64_t number;
		double real;
		struct sluice_key address;
	};
	struct config_value *first, *last, *next;
	size_t count;
	struct value_tree *tree;
};

#endif /* SLUICE_CONFIG_VALUE_TREE_H */
