/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a detector on a thread of its own asks for during one call: checked and copied there, and
 * handed to the engine only if the call came back in time.
 */
#ifndef SLUICE_ENGINE_ANSWER_H
#define SLUICE_ENGINE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "name_table.h"
#include "rule_wishes.h"

struct proposals;

struct answer_source {
	struct sluice_key key;
	uint64_t pps;
	char reason[NAME_TABLE_NAME_SIZE];
	char evidence[64];
};

struct answer_rule {
	struct sluice_rule_proposal proposal; /* Without its pointers. */
	struct sluice_rule_match match;
	char reason[NAME_TABLE_NAME_SIZE];
	char evidence[96];
};

struct answer {
	struct answer_source *sources;
	size_t n_sources, capacity;
	struct answer_rule rules[RULE_WISHES_EACH];
	size_t n_rules;
	uint32_t max_sources;
	uint8_t v6_prefix_len;
	int rc;		  /* Of the call. */
	uint64_t took_ns; /* The call, less the time in which its thread waited for a CPU. */
	struct sluice_verdict verdict;
};

void answer_init(struct answer *answer);
void answer_fini(struct answer *answer);
/* Forgets the last one. */
void answer_begin(struct answer *answer, uint32_t max_sources, uint8_t v6_prefix_len);

/* As proposals_add() and rule_wishes_add(). */
int answer_propose(struct answer *answer, const struct sluice_proposal *proposal);
int answer_propose_rule(struct answer *answer, const struct sluice_rule_proposal *proposal);

/* To the present author of both lists; what they have no room for is left out. */
void answer_deliver(const struct answer *answer, struct proposals *proposals,
		    struct rule_wishes *wishes, struct name_table *names);

#endif /* SLUICE_ENGINE_ANSWER_H */
