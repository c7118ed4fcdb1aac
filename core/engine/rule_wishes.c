/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_wishes.h. */
#include "rule_wishes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "name_table.h"
#include "rule_match.h"

void rule_wishes_begin(struct rule_wishes *wishes, uint16_t detector, size_t place, bool enforce)
{
	wishes->mark = wishes->n;
	wishes->detector = detector;
	wishes->voter = place < 64 ? (uint64_t)1 << place : 0;
	wishes->enforce = enforce;
}

static bool reason_is_valid(const char *reason)
{
	size_t length = reason ? strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	return length && !reason[length] && length < NAME_TABLE_NAME_SIZE;
}

/* Evidence ends up on terminals. */
static void copy_evidence(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	for (; *to; to++)
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = ' ';
}

int rule_wishes_check(const struct sluice_rule_proposal *proposal, struct dataplane_rule *rule,
		      const char **why)
{
	*why = "it has no match, or no reason of a-z, 0-9 and _";
	if (!proposal || !SLUICE_HAS(proposal, ttl_ns) || !proposal->match ||
	    !SLUICE_HAS(proposal->match, source) || !reason_is_valid(proposal->reason))
		return -EINVAL;
	return rule_match_read(proposal, rule, why);
}

int rule_wishes_add(struct rule_wishes *wishes, struct name_table *names,
		    const struct sluice_rule_proposal *proposal, const char **why)
{
	struct rule_wish *wish;
	struct dataplane_rule rule;
	int rc = rule_wishes_check(proposal, &rule, why);

	if (rc)
		return rc;
	*why = "too many in one window";
	if (rule_wishes_count(wishes) >= RULE_WISHES_EACH || wishes->n == RULE_WISHES_MAX)
		return -ENOSPC;
	wish = &wishes->list[wishes->n++];
	*wish = (struct rule_wish){
		.rule = rule,
		.pps = proposal->packets_per_second,
		.ttl_ns = proposal->ttl_ns,
		.voters = wishes->voter,
		.reason = name_table_intern(names, proposal->reason),
		.detectors = { wishes->detector },
		.n_detectors = 1,
		.enforce = wishes->enforce,
	};
	snprintf(wish->rule.reason, sizeof(wish->rule.reason), "%s", proposal->reason);
	copy_evidence(wish->evidence, sizeof(wish->evidence), proposal->evidence);
	return 0;
}

void rule_wishes_undo(struct rule_wishes *wishes)
{
	wishes->n = wishes->mark;
}

uint32_t rule_wishes_count(const struct rule_wishes *wishes)
{
	return (uint32_t)(wishes->n - wishes->mark);
}

static bool outranks(const struct rule_wish *a, const struct rule_wish *b)
{
	bool a_drops = a->rule.action == DATAPLANE_RULE_DROP;
	bool b_drops = b->rule.action == DATAPLANE_RULE_DROP;

	if (a->enforce != b->enforce)
		return a->enforce;
	if (a_drops != b_drops)
		return a_drops;
	return a->pps > b->pps;
}

static void add_names(struct rule_wish *wish, const struct rule_wish *from)
{
	for (uint8_t i = 0; i < from->n_detectors; i++) {
		bool has = false;

		for (uint8_t k = 0; k < wish->n_detectors; k++)
			has |= wish->detectors[k] == from->detectors[i];
		if (!has && wish->n_detectors < RULE_WISH_DETECTORS)
			wish->detectors[wish->n_detectors++] = from->detectors[i];
	}
}

static void merge(struct rule_wish *kept, const struct rule_wish *next)
{
	struct rule_wish best = outranks(next, kept) ? *next : *kept;

	/* The first to ask stays the first. */
	memcpy(best.detectors, kept->detectors, sizeof(best.detectors));
	best.n_detectors = kept->n_detectors;
	add_names(&best, next);
	best.voters = kept->voters | next->voters;
	best.rule.exempts_known = kept->rule.exempts_known || next->rule.exempts_known;
	if (next->pps > best.pps)
		best.pps = next->pps;
	*kept = best;
}

static int faster_first(const void *a, const void *b)
{
	const struct rule_wish *left = a, *right = b;

	return (right->pps > left->pps) - (right->pps < left->pps);
}

void rule_wishes_merge(struct rule_wishes *wishes)
{
	size_t kept = 0;

	for (size_t i = 0; i < wishes->n; i++) {
		size_t at = 0;

		while (at < kept &&
		       !rule_match_equal(&wishes->list[at].rule.match, &wishes->list[i].rule.match))
			at++;
		if (at < kept)
			merge(&wishes->list[at], &wishes->list[i]);
		else
			wishes->list[kept++] = wishes->list[i];
	}
	wishes->n = kept;
	wishes->mark = kept;
	qsort(wishes->list, kept, sizeof(*wishes->list), faster_first);
}
