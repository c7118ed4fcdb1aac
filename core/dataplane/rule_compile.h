/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules into the tables that the filter looks them up in. */
#ifndef SLUICE_DATAPLANE_RULE_COMPILE_H
#define SLUICE_DATAPLANE_RULE_COMPILE_H

#include <stddef.h>

#include <sluice/plugin.h>

#include "rule.h"

struct rules_generation;

/* -EINVAL, with the rule's number in the path and the reason, if one is not to be had. */
int rule_compile_check(const struct dataplane_rule *rules, size_t n, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Writes all of `out`; rules that rule_compile_check() took.  Slots stay 0. */
void rule_compile(const struct dataplane_rule *rules, size_t n, struct rules_generation *out);

#endif /* SLUICE_DATAPLANE_RULE_COMPILE_H */
