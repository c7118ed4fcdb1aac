/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is enforced in a replay and since when: one entry for each blocked source, blocked prefix and
 * rule, and one line for each kind of them, with the packets that it dropped.
 */
#ifndef SLUICE_TRIAL_LEDGER_H
#define SLUICE_TRIAL_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#include "dataplane/replay.h"
#include "dataplane/rule_text.h"
#include "score.h"

#define LEDGER_NAME_SIZE 32

/* A line of the report: all blocks of a detector for one reason together, or one rule. */
struct ledger_line {
	char reason[LEDGER_NAME_SIZE]; /* A rule's is its name. */
	char detector[LEDGER_NAME_SIZE];
	char match[RULE_TEXT_SIZE];
	bool is_rule;	  /* Of a rule or a prefix, which may match many sources. */
	bool is_own;	  /* The filter's own checks; nobody put it in force. */
	uint64_t entries; /* Put in force. */
	uint64_t packets, attack_packets, benign_packets; /* Dropped. */
};

struct ledger;

/* `detectors`: the names that causes are numbered by; they must outlive the ledger. */
int ledger_new(const char *const *detectors, size_t n_detectors, struct ledger **out)
	__attribute__((warn_unused_result));
void ledger_free(struct ledger *ledger);

/* What comes into force gets `mark`, but for its detector.  0 or -ENOMEM. */
int ledger_block(struct ledger *ledger, const struct dataplane_block_record *record,
		 const struct score_cause *mark) __attribute__((warn_unused_result));
int ledger_prefix(struct ledger *ledger, const struct sluice_key *prefix,
		  const struct score_cause *mark) __attribute__((warn_unused_result));
/* All that are in force now; those that were before keep their entries. */
int ledger_rules(struct ledger *ledger, const struct dataplane_rule *rules, size_t n,
		 const struct score_cause *mark) __attribute__((warn_unused_result));

/*
 * Counts one dropped packet on the line of what dropped it, and tells since when that was in force.
 * `source`: the frame's, as the filter blocks by.
 */
const struct score_cause *ledger_drop(struct ledger *ledger,
				      const struct dataplane_replay_verdict *verdict,
				      const struct sluice_key *source, enum score_class class);

const struct ledger_line *ledger_lines(const struct ledger *ledger, size_t *n);
/* Distinct sources that were ever blocked, and rules and prefixes by detectors. */
uint64_t ledger_sources(const struct ledger *ledger);
uint64_t ledger_rules_enforced(const struct ledger *ledger);

#endif /* SLUICE_TRIAL_LEDGER_H */
