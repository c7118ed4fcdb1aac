/* SPDX-License-Identifier: BSD-2-Clause */
/* See answer.h. */
#include "answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proposals.h"

void answer_init(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
}

void answer_fini(struct answer *answer)
{
	free(answer->sources);
	memset(answer, 0, sizeof(*answer));
}

void answer_begin(struct answer *answer, uint32_t max_sources, uint8_t v6_prefix_len)
{
	answer->n_sources = 0;
	answer->n_rules = 0;
	answer->max_sources = max_sources;
	answer->v6_prefix_len = v6_prefix_len;
	answer->rc = 0;
	answer->verdict = (struct sluice_verdict){ .size = sizeof(answer->verdict) };
}

static int make_room(struct answer *answer)
{
	size_t capacity = answer->capacity ? answer->capacity * 2 : 256;
	struct answer_source *sources;

	if (answer->n_sources < answer->capacity)
		return 0;
	sources = realloc(answer->sources, capacity * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	answer->sources = sources;
	answer->capacity = capacity;
	return 0;
}

int answer_propose(struct answer *answer, const struct sluice_proposal *proposal)
{
	struct answer_source *source;
	struct sluice_key key;
	int rc = proposals_check(proposal, answer->v6_prefix_len, &key);

	if (rc)
		return rc;
	if (answer->n_sources >= answer->max_sources)
		return -ENOSPC;
	if (make_room(answer))
		return -ENOMEM;
	source = &answer->sources[answer->n_sources++];
	source->key = key;
	source->pps = proposal->packets_per_second;
	snprintf(source->reason, sizeof(source->reason), "%s", proposal->reason);
	snprintf(source->evidence, sizeof(source->evidence), "%s",
		 proposal->evidence ? proposal->evidence : "");
	return 0;
}

int answer_propose_rule(struct answer *answer, const struct sluice_rule_proposal *proposal)
{
	struct dataplane_rule unused;
	struct answer_rule *rule;
	const char *why;
	int rc = rule_wishes_check(proposal, &unused, &why);

	if (rc)
		return rc;
	if (answer->n_rules == RULE_WISHES_EACH)
		return -ENOSPC;
	rule = &answer->rules[answer->n_rules++];
	rule->proposal = *proposal;
	rule->match = *proposal->match;
	snprintf(rule->reason, sizeof(rule->reason), "%s", proposal->reason);
	snprintf(rule->evidence, sizeof(rule->evidence), "%s",
		 proposal->evidence ? proposal->evidence : "");
	return 0;
}

void answer_deliver(const struct answer *answer, struct proposals *proposals,
		    struct rule_wishes *wishes, struct name_table *names)
{
	for (size_t i = 0; i < answer->n_sources; i++) {
		const struct answer_source *source = &answer->sources[i];
		const struct sluice_proposal proposal = {
			.size = sizeof(proposal),
			.key = source->key,
			.packets_per_second = source->pps,
			.reason = source->reason,
			.evidence = source->evidence,
		};

		if (proposals_add(proposals, names, &proposal))
			break;
	}
	for (size_t i = 0; i < answer->n_rules; i++) {
		const struct answer_rule *rule = &answer->rules[i];
		struct sluice_rule_proposal proposal = rule->proposal;
		const char *why;

		proposal.match = &rule->match;
		proposal.reason = rule->reason;
		proposal.evidence = rule->evidence;
		if (rule_wishes_add(wishes, names, &proposal, &why))
			break;
	}
}
