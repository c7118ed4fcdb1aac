/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In what two checked values differ, key by key.  Only what means something else counts: 20k and
 * 20000 are one rate, and a default is the same as the value written out.
 *
 * Items of a list that have a `name` or a `plugin` are told apart by it, "rules[telnet].action";
 * other lists are sets, whose items are added and removed.
 */
#ifndef SLUICE_CONFIG_VALUE_DIFF_H
#define SLUICE_CONFIG_VALUE_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct config_node;
struct config_value;

enum value_change {
	VALUE_ADDED,
	VALUE_REMOVED,
	VALUE_CHANGED,
	VALUE_REORDERED, /* The items of a list that both have stand in another order. */
};

/* Lives in the diff's arena. */
struct value_difference {
	const struct value_difference *next;
	enum value_change change;
	const char *path;	    /* "policy.ttl" */
	const char *before, *after; /* As YAML on one line; NULL: absent. */
	bool before_is_default, after_is_default;
};

/* Differences in the order of the older value's keys; what is added comes behind its neighbours. */
struct value_diff {
	struct arena arena;
	const struct value_difference *first;
	struct value_difference *last;
	size_t n;
	/* Lists without names are no sets: another order is a difference, too. */
	bool is_ordered;
};

void value_diff_init(struct value_diff *diff);
void value_diff_fini(struct value_diff *diff);

/*
 * Appends what differs below `path` ("" for the root).  Either value may be NULL: absent.  What
 * somebody else checks (CONFIG_VALUE_OPAQUE) is passed over.  0 or -ENOMEM.
 */
int value_diff_add(struct value_diff *diff, const char *path, const struct config_value *before,
		   const struct config_value *after) __attribute__((warn_unused_result));

const char *value_change_name(enum value_change change);

/* True if both mean the same. */
bool value_equal(const struct config_value *a, const struct config_value *b);

#endif /* SLUICE_CONFIG_VALUE_DIFF_H */
