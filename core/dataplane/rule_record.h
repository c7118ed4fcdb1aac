/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule that a detector asked for, into pinned memory and back, for the next daemon. */
#ifndef SLUICE_DATAPLANE_RULE_RECORD_H
#define SLUICE_DATAPLANE_RULE_RECORD_H

#include <stdbool.h>

#include "rule.h"
#include "rules_shared.h"

/* Unused if the rule is not automatic. */
void rule_record_write(const struct dataplane_rule *rule, struct rules_record *record);
/* False: it is none, or damaged.  Pinned memory may hold anything. */
bool rule_record_read(const struct rules_name *name, struct dataplane_rule *rule);

#endif /* SLUICE_DATAPLANE_RULE_RECORD_H */
