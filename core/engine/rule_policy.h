/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the rules that detectors ask for: who is protected and who only observes first,
 * then the caps, then the filter, all changes of a window in one generation of rules.
 */
#ifndef SLUICE_ENGINE_RULE_POLICY_H
#define SLUICE_ENGINE_RULE_POLICY_H

#include <stdint.h>

#include <sluice/plugin.h>

#include "auto_rules.h"

struct engine;

/* What the release of rules depends on, as of now. */
struct auto_rule_terms rule_policy_terms(const struct engine *engine);

/* The rules of the settings, and those of an earlier daemon that are still to be in force. */
int rule_policy_start(struct engine *engine, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Reads what the rules in force did in this window. */
void rule_policy_read(struct engine *engine);
/* Releases what is due, and decides on what was asked for. */
void rule_policy_run(struct engine *engine);

/* The automatic rules of the last windows, and keeps them out for a while. */
void rule_policy_withdraw_newest(struct engine *engine, uint64_t held_until_ns);
/* One, by hand: -ENOENT if it is not in force. */
int rule_policy_release_one(struct engine *engine, const char *name, uint64_t held_until_ns)
	__attribute__((warn_unused_result));
/* Every automatic rule. */
void rule_policy_release_all(struct engine *engine, const char *why);

#endif /* SLUICE_ENGINE_RULE_POLICY_H */
