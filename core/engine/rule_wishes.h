/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter rules that detectors asked for in one window: checked, and each match once.  As
 * proposals.h for sources.
 */
#ifndef SLUICE_ENGINE_RULE_WISHES_H
#define SLUICE_ENGINE_RULE_WISHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/rule.h>

#include "dataplane/rule.h"

struct name_table;

/* Of one detector in one window; a rule speaks for many packets, so few are enough. */
#define RULE_WISHES_EACH 32
#define RULE_WISHES_MAX 512
/* How many detectors' names a rule keeps. */
#define RULE_WISH_DETECTORS 4

struct rule_wish {
	struct dataplane_rule rule; /* Match and action alone. */
	uint64_t pps;
	uint64_t ttl_ns; /* 0 = the policy's. */
	uint64_t voters; /* Bits of the detectors that ask for it, by their place. */
	uint16_t reason; /* struct name_table */
	uint16_t detectors[RULE_WISH_DETECTORS];
	uint8_t n_detectors;
	bool enforce; /* Some enforced detector asks for it. */
	char evidence[96];
};

struct rule_wishes {
	struct rule_wish list[RULE_WISHES_MAX];
	size_t n;
	size_t mark; /* Where the present author began. */
	uint64_t voter;
	uint16_t detector;
	bool enforce;
};

/* Who asks from now on: the detector at that place. */
void rule_wishes_begin(struct rule_wishes *wishes, uint16_t detector, size_t place, bool enforce);
/*
 * What can be said of a proposal alone, with `rule` as rule_match_read() makes it.  0; -EINVAL
 * malformed, with `*why`; -EOPNOTSUPP.  Any thread.
 */
int rule_wishes_check(const struct sluice_rule_proposal *proposal, struct dataplane_rule *rule,
		      const char **why) __attribute__((warn_unused_result));
/* 0; -EINVAL malformed, with `*why`; -EOPNOTSUPP; -ENOSPC one too many. */
int rule_wishes_add(struct rule_wishes *wishes, struct name_table *names,
		    const struct sluice_rule_proposal *proposal, const char **why);
/* Forgets what was added since rule_wishes_begin(): its author failed. */
void rule_wishes_undo(struct rule_wishes *wishes);
uint32_t rule_wishes_count(const struct rule_wishes *wishes);

/*
 * One entry for each match, the highest rate first.  An enforced detector's word goes before an
 * observing one's; dropping goes before limiting; known clients pass if anybody lets them.
 */
void rule_wishes_merge(struct rule_wishes *wishes);

#endif /* SLUICE_ENGINE_RULE_WISHES_H */
