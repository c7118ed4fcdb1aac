/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule asks of a packet: a detector's proposal checked and tidied, and how two matches stand to
 * each other.
 */
#ifndef SLUICE_ENGINE_RULE_MATCH_H
#define SLUICE_ENGINE_RULE_MATCH_H

#include <stdbool.h>

#include <sluice/rule.h>

struct dataplane_rule;

/*
 * Match and action of `proposal` into `rule`, which is otherwise zero.  What is not asked for is zero
 * too, so that equal matches have equal members.  -EINVAL: `*why` says in words what is wrong;
 * -EOPNOTSUPP: the filter cannot ask for that.
 */
int rule_match_read(const struct sluice_rule_proposal *proposal, struct dataplane_rule *rule,
		    const char **why) __attribute__((warn_unused_result));
/* The same packets. */
bool rule_match_equal(const struct sluice_rule_match *a, const struct sluice_rule_match *b);
/* Every packet that `narrow` matches is matched by `wide`, as far as can be told field by field. */
bool rule_match_covers(const struct sluice_rule_match *wide,
		       const struct sluice_rule_match *narrow);

#endif /* SLUICE_ENGINE_RULE_MATCH_H */
