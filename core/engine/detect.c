/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling the detectors: see detect.h. */
#include "detect.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/event.h"
#include "name_table.h"
#include "proposals.h"
#include "rule_wishes.h"

/* A plugin may return any number; only these are errors that have a name. */
#define ERRNO_MAX 4095

static const struct detect_slot *find(const struct detect *detect, const char *name)
{
	for (size_t i = 0; detect && i < detect->n; i++) {
		if (strcmp(detect->slots[i].name, name) == 0)
			return &detect->slots[i];
	}
	return NULL;
}

int detect_init(struct detect *detect, const struct engine_detector *detectors, size_t n,
		const struct detect *before, struct name_table *names)
{
	memset(detect, 0, sizeof(*detect));
	detect->slots = calloc(n + 1, sizeof(*detect->slots));
	detect->statuses = calloc(n + 1, sizeof(*detect->statuses));
	if (!detect->slots || !detect->statuses) {
		detect_fini(detect);
		return -ENOMEM;
	}
	detect->n = n;
	for (size_t i = 0; i < n; i++) {
		struct detect_slot *slot = &detect->slots[i];
		const struct detect_slot *old;

		slot->detector = detectors[i];
		snprintf(slot->name, sizeof(slot->name), "%s", detectors[i].name);
		slot->name_id = name_table_intern(names, slot->name);
		old = find(before, slot->name);
		if (old) {
			slot->status = old->status;
			slot->attack_sequence = old->attack_sequence;
		}
		/* New options deserve a new trial. */
		slot->status.disabled = false;
		slot->status.name = slot->name;
		slot->status.enforce = detectors[i].enforce;
	}
	return 0;
}

void detect_fini(struct detect *detect)
{
	free(detect->slots);
	free(detect->statuses);
	memset(detect, 0, sizeof(*detect));
}

/* A plugin wrote into it: whatever is there must be safe to print and to compare. */
static void tidy(struct sluice_verdict *verdict)
{
	verdict->size = sizeof(*verdict);
	verdict->evidence[sizeof(verdict->evidence) - 1] = '\0';
	for (char *at = verdict->evidence; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	if (!isfinite(verdict->score) || verdict->score < 0)
		verdict->score = 0;
}

static void strike(struct detect_slot *slot, const struct detect_round *round, const char *what)
{
	slot->status.failures++;
	slot->strikes++;
	if (slot->strikes == 1)
		event_emit(round->events, EVENT_KIND_DETECTOR_FAILED, SLUICE_LOG_WARNING, NULL, 1,
			   slot->name, "detector '%s': %s; disabled after %d times in a row",
			   slot->name, what, DETECT_STRIKES);
	if (slot->strikes < DETECT_STRIKES)
		return;
	slot->status.disabled = true;
	event_emit(round->events, EVENT_KIND_DETECTOR_DISABLED, SLUICE_LOG_ERROR, NULL, 1,
		   slot->name,
		   "detector '%s': disabled: %s, %d times in a row; the rest goes on; "
		   "reload to try it again",
		   slot->name, what, DETECT_STRIKES);
}

static void call(struct detect *detect, struct detect_slot *slot, const struct detect_round *round,
		 const struct sluice_window *window)
{
	struct engine_detector_status *status = &slot->status;
	uint64_t start = clock_monotonic_ns(round->clock);
	char what[96];
	int rc;

	detect->calling = slot;
	rc = slot->detector.ops->observe(slot->detector.self, window, &status->verdict);
	detect->calling = NULL;
	status->last_ns = clock_monotonic_ns(round->clock) - start;
	if (rc < -ERRNO_MAX)
		rc = -EPROTO;
	if (rc < 0) {
		proposals_undo(round->proposals);
		rule_wishes_undo(round->rule_wishes);
		memset(&status->verdict, 0, sizeof(status->verdict));
		snprintf(what, sizeof(what), "observe failed: %s (%s)", strerror(-rc),
			 err_name(rc));
		strike(slot, round, what);
	} else if (status->last_ns > round->budget_ns) {
		snprintf(what, sizeof(what), "took %.1f ms of its budget of %.1f ms",
			 (double)status->last_ns / 1e6, (double)round->budget_ns / 1e6);
		strike(slot, round, what);
	} else {
		slot->strikes = 0;
	}
	tidy(&status->verdict);
	status->proposals += proposals_count(round->proposals);
	status->rule_proposals += rule_wishes_count(round->rule_wishes);
	status->attack_windows += status->verdict.attack;
	if (status->verdict.attack)
		slot->attack_sequence = window->sequence;
}

const struct detect_slot *detect_run(struct detect *detect, const struct detect_round *round,
				     const struct sluice_window *window)
{
	const struct detect_slot *worst = NULL;

	for (size_t i = 0; i < detect->n; i++) {
		struct detect_slot *slot = &detect->slots[i];
		const struct proposals_author author = {
			.sequence = window->sequence,
			.max = round->max_proposals,
			.detector = slot->name_id,
			.place = i,
			.enforce = slot->detector.enforce,
			.v6_prefix_len = round->v6_prefix_len,
		};

		memset(&slot->status.verdict, 0, sizeof(slot->status.verdict));
		slot->status.verdict.size = sizeof(slot->status.verdict);
		if (slot->status.disabled)
			continue;
		proposals_begin(round->proposals, &author);
		rule_wishes_begin(round->rule_wishes, slot->name_id, i, slot->detector.enforce);
		call(detect, slot, round, window);
		if (slot->status.verdict.attack &&
		    (!worst || slot->status.verdict.score > worst->status.verdict.score))
			worst = slot;
	}
	return worst;
}

const struct engine_detector_status *detect_statuses(struct detect *detect)
{
	for (size_t i = 0; i < detect->n; i++)
		detect->statuses[i] = detect->slots[i].status;
	return detect->statuses;
}
