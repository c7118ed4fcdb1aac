/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All rules in force as one list, the file's before the automatic ones, and what each did in the last
 * window: the engine's copy of what the data plane has.
 */
#ifndef SLUICE_ENGINE_RULE_SET_H
#define SLUICE_ENGINE_RULE_SET_H

#include <stddef.h>

#include <sluice/rule.h>

#include "dataplane/rule.h"

struct auto_rules;
struct dataplane;
struct settings;
struct sluice_err;

struct rule_set {
	size_t n, n_config;
	struct dataplane_rule rules[DATAPLANE_MAX_RULES];
	struct sluice_window_rule window[DATAPLANE_MAX_RULES];
	/* Cumulative, as last read. */
	struct dataplane_rule_counters counters[DATAPLANE_MAX_RULES];
	size_t n_read; /* Within a reading. */
};

/*
 * Puts the rules of `settings` and those in force of `automatic` into the data plane, in one go.  On
 * failure the old ones stay, here and there.
 */
int rule_set_apply(struct rule_set *set, struct dataplane *dp, const struct settings *settings,
		   const struct auto_rules *automatic, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Reads what the rules did since the last reading, into `window` and into `automatic`. */
void rule_set_read(struct rule_set *set, const struct dataplane *dp, bool enforce,
		   struct auto_rules *automatic);

#endif /* SLUICE_ENGINE_RULE_SET_H */
