/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The document of `sluice rules --json`: the signature rules in force, in the order in which they
 * are tried, with what each has done.  Its names are stable and are described in sluice(8).
 */
#ifndef SLUICE_SLUICED_RULES_LIST_H
#define SLUICE_SLUICED_RULES_LIST_H

#include <stddef.h>

#include <jansson.h>

#include "dataplane/rule.h"

struct dataplane;

struct rules_list_item {
	struct dataplane_rule_counters counters; /* Its `rule` is NULL or points beside it. */
	struct dataplane_rule rule;
};

struct rules_list {
	struct rules_list_item item[DATAPLANE_MAX_RULES];
	size_t n;
};

/* As it is now; on the engine's thread. */
void rules_list_read(const struct dataplane *dp, struct rules_list *list);

/* NULL: no memory. */
json_t *rules_list_json(const struct rules_list *list);

#endif /* SLUICE_SLUICED_RULES_LIST_H */
