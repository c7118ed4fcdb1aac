/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the detectors' proposals: protected sources and observe mode first, then the
 * caps, then the data plane, all of a window in one go.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/err.h"
#include "votes.h"

/* Told once while it goes on, since nothing stops the detector from asking in every window. */
static void tell_candidate(struct engine *engine, const struct proposal *proposal)
{
	char why[64];

	snprintf(why, sizeof(why), "%s; its detector only observes",
		 name_table_get(&engine->names, proposal->reason));
	report_add_candidate(&engine->report, &proposal->key,
			     name_table_get(&engine->names, proposal->detector), why,
			     proposal->evidence);
}

static void note_candidate(struct engine *engine, const struct proposal *proposal, uint64_t now_ns)
{
	struct history_entry entry = {
		.key = proposal->key,
		.at_ns = now_ns,
		.first_seen_ns = now_ns,
		.pps = proposal->pps,
		.detector = proposal->detector,
		.reason = proposal->reason,
	};
	const struct history_entry *before =
		history_find(engine->candidates, &proposal->key, now_ns, UINT64_MAX);

	if (before)
		entry.first_seen_ns = before->first_seen_ns;
	if (!before || now_ns - before->at_ns > POLICY_CANDIDATE_NS)
		tell_candidate(engine, proposal);
	snprintf(entry.evidence, sizeof(entry.evidence), "%s", proposal->evidence);
	history_note(engine->candidates, &entry);
	engine->would_block++;
}

static void refuse(struct engine *engine, const struct proposal *proposal, const char *why)
{
	engine->refused_total++;
	report_add(&engine->report, EVENT_KIND_BLOCK_REFUSED, SLUICE_LOG_WARNING, &proposal->key,
		   name_table_get(&engine->names, proposal->detector), why, proposal->evidence);
}

/*
 * Who has no address yet asks from `::` whether the one it wants is free, and routers and neighbours
 * speak from fe80::/10 (RFC 4861, 4862): one unit of either holds all hosts of a link, and its block
 * would end neighbour discovery.  No router forwards these, so that no flood from afar bears them.
 */
static bool is_for_neighbours(const struct sluice_key *key)
{
	static const struct sluice_key prefixes[] = {
		{ .family = SLUICE_FAMILY_IPV6, .prefix_len = 128 },
		{ .family = SLUICE_FAMILY_IPV6, .prefix_len = 10, .addr = { 0xfe, 0x80 } },
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (address_covers(&prefixes[i], key) || address_covers(key, &prefixes[i]))
			return true;
	}
	return false;
}

/* True if the proposal is to become a block. */
static bool admit(struct engine *engine, const struct proposal *proposal, uint64_t now_ns)
{
	const struct sluice_key *key = &proposal->key;
	const struct history_entry *past;

	if (blocklist_find(engine->blocklist, key) || prefix_list_covering(&engine->prefixes, key))
		return false;
	if (allow_overlaps(engine->allow, key)) {
		engine->protected_allow++;
		return false;
	}
	if (is_for_neighbours(key)) {
		refuse(engine, proposal, "neighbour discovery needs it");
		return false;
	}
	if (engine->settings->policy.protect_known && engine_is_known(engine, key)) {
		engine->protected_known++;
		return false;
	}
	if (!proposal->enforce) {
		note_candidate(engine, proposal, now_ns);
		return false;
	}
	if (!votes_carry(&engine->detect, &engine->settings->policy, engine->window.sequence,
			 proposal->voters)) {
		engine->outvoted++;
		return false;
	}
	if (spoofed_distrusts(&engine->spoofed) &&
	    engine->settings->policy.spoofed == SETTINGS_SPOOFED_RULES) {
		engine->refused_spoofed++;
		refuse(engine, proposal, "spoofed_flood: sources are many and new");
		return false;
	}
	past = blocklist_released(engine->blocklist, key, now_ns);
	return !past || past->held_until_ns <= now_ns;
}

static uint64_t packets_of(const struct engine *engine, uint64_t pps)
{
	double packets = (double)pps * (double)engine->window.length_ns / 1e9;

	return packets < 1e15 ? (uint64_t)packets : (uint64_t)1e15;
}

/* True if it was blocked. */
static bool block(struct engine *engine, const struct proposal *proposal, uint64_t now_ns)
{
	const struct settings_policy *policy = &engine->settings->policy;
	const struct blocklist_terms terms = engine_terms(engine);
	struct blocklist_request request = {
		.key = proposal->key,
		.now_ns = now_ns,
		.pps = proposal->pps,
		/* So that the card is offered the heaviest at once and not in the next window. */
		.packets = packets_of(engine, proposal->pps),
		.detector = proposal->detector,
		.reason = proposal->reason,
		.evidence = proposal->evidence,
		.sequence = (uint32_t)engine->window.sequence,
	};
	struct sluice_err err = { 0 };
	int rc;

	if (blocklist_size(engine->blocklist) >= policy->max_blocked) {
		refuse(engine, proposal, "policy.max_blocked is reached");
		return false;
	}
	rc = blocklist_block(engine->blocklist, &request, &terms, &err);
	if (rc == -ENOSPC) {
		refuse(engine, proposal, "the data plane's table is full");
		return false;
	}
	if (rc) {
		char why[64];

		snprintf(why, sizeof(why), "the data plane refused it (%s)", err_name(rc));
		refuse(engine, proposal, why);
		return false;
	}
	return true;
}

static void note_block(struct engine *engine, const struct proposal *proposal)
{
	const char *detector = name_table_get(&engine->names, proposal->detector);
	const char *reason = name_table_get(&engine->names, proposal->reason);
	char why[64];

	if (engine->settings->enforce) {
		engine->blocks_total++;
		report_add(&engine->report, EVENT_KIND_BLOCKED, SLUICE_LOG_NOTICE, &proposal->key,
			   detector, reason, proposal->evidence);
		return;
	}
	engine->would_block++;
	snprintf(why, sizeof(why), "%s; observe mode: counted, let through", reason);
	report_add_candidate(&engine->report, &proposal->key, detector, why, proposal->evidence);
}

static int faster_first(const void *a, const void *b)
{
	const struct proposal *left = a, *right = b;

	return (right->pps > left->pps) - (right->pps < left->pps);
}

/* `list` is what is to be blocked; when a cap bites, the fastest go first. */
static void block_all(struct engine *engine, struct proposal *list, size_t n, uint64_t now_ns)
{
	const struct settings_policy *policy = &engine->settings->policy;
	size_t max = policy->max_new_per_window, done = 0, i;

	if (n > max || blocklist_size(engine->blocklist) + n > policy->max_blocked)
		qsort(list, n, sizeof(*list), faster_first);
	for (i = 0; i < n && done < max; i++) {
		if (i + DATAPLANE_BLOCK_AHEAD < n)
			engine->dp->ops->block_announce(engine->dp,
							&list[i + DATAPLANE_BLOCK_AHEAD].key);
		if (!block(engine, &list[i], now_ns))
			continue;
		note_block(engine, &list[i]);
		done++;
	}
	for (; i < n; i++)
		refuse(engine, &list[i], "policy.max_new_per_window is reached");
	if (done && engine->settings->enforce)
		min_pass_blocked(&engine->min_pass);
}

static void swap(struct proposal *a, struct proposal *b)
{
	struct proposal kept = *a;

	*a = *b;
	*b = kept;
}

void policy_run(struct engine *engine)
{
	uint64_t now_ns = engine_boottime_ns(engine);
	size_t n, held = 0, admitted;
	struct proposal *list;

	/* Without the memory to merge them they are merged, and decided on, in the next window. */
	if (proposals_merge(engine->proposals))
		return;
	list = proposals_list(engine->proposals, &n);
	if (!n)
		return;
	known_insist(engine);
	for (size_t i = 0; i < n; i++) {
		if (!known_fits(engine, list[i].sequence))
			swap(&list[held++], &list[i]);
	}
	admitted = held;
	for (size_t i = held; i < n; i++) {
		if (admit(engine, &list[i], now_ns))
			swap(&list[admitted++], &list[i]);
	}
	block_all(engine, list + held, admitted - held, now_ns);
	proposals_keep(engine->proposals, held);
}
