/* SPDX-License-Identifier: BSD-2-Clause */
/* Calling the detectors: see detect.h. */
#include "detect.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/event.h"
#include "detector_thread.h"
#include "name_table.h"
#include "proposals.h"
#include "rule_wishes.h"
#include "window_copy.h"

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
	window_copy_drop(detect->copy);
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

/* What it said is void. */
static void forget(struct detect_slot *slot, const struct detect_round *round)
{
	proposals_undo(round->proposals);
	rule_wishes_undo(round->rule_wishes);
	memset(&slot->status.verdict, 0, sizeof(slot->status.verdict));
}

/* On the engine's own thread. */
static int ask(struct detect *detect, struct detect_slot *slot, const struct sluice_window *window)
{
	int rc;

	detect->calling = slot;
	rc = slot->detector.ops->observe(slot->detector.self, window, &slot->status.verdict);
	detect->calling = NULL;
	return rc;
}

/* How one call went. */
struct outcome {
	int rc;
	uint64_t took_ns; /* What the detector answers for; the window may have waited longer. */
	bool is_ours;	  /* It was not even asked: no strike. */
	char what[96];	  /* What went wrong; "" if nothing did. */
};

static void fail(struct outcome *outcome, int rc, bool is_ours, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void fail(struct outcome *outcome, int rc, bool is_ours, const char *fmt, ...)
{
	va_list args;

	outcome->rc = rc;
	outcome->is_ours = is_ours;
	va_start(args, fmt);
	vsnprintf(outcome->what, sizeof(outcome->what), fmt, args);
	va_end(args);
}

static void describe_failure(struct outcome *outcome)
{
	int rc = outcome->rc < -ERRNO_MAX ? -EPROTO : outcome->rc;

	if (rc > 0)
		fail(outcome, -EPROTO, false,
		     "observe gave %d, neither 0 nor a negative errno (-EPROTO)", rc);
	else
		fail(outcome, outcome->rc, false, "observe failed: %s (%s)", strerror(-rc),
		     err_name(rc));
}

/* Asks a detector on a thread of its own; `limit_ns` is how long the window waits for it. */
static void ask_thread(const struct detect *detect, struct detect_slot *slot,
		       const struct detect_round *round, uint64_t limit_ns, struct outcome *outcome)
{
	const struct detector_thread_call call = {
		.max_sources = round->max_proposals,
		.v6_prefix_len = round->v6_prefix_len,
		.wait_ns = limit_ns,
	};
	const struct answer *answer;
	int rc;

	if (!detect->copy) {
		fail(outcome, -ENOMEM, true, "no memory for a copy of the window");
		return;
	}
	rc = detector_thread_observe(slot->detector.thread, detect->copy, &call, &answer);
	if (rc == -ETIMEDOUT) {
		fail(outcome, rc, false, "no answer after %.1f ms, the window went on without it",
		     (double)limit_ns / 1e6);
	} else if (rc == -EBUSY) {
		fail(outcome, rc, false, "still busy with an earlier window");
	} else if (rc) {
		fail(outcome, rc, true, "no thread for it: %s (%s)", strerror(-rc), err_name(rc));
	} else if (answer->rc == 0) {
		outcome->took_ns = answer->took_ns;
		slot->status.verdict = answer->verdict;
		answer_deliver(answer, round->proposals, round->rule_wishes, round->names);
	} else {
		outcome->rc = answer->rc;
	}
}

/* The fault is the host's: the window is lost to the detector, which is asked again in the next. */
static void tell_unasked(struct detect_slot *slot, const struct detect_round *round,
			 const char *what)
{
	if (!slot->unasked++)
		event_emit(round->events, EVENT_KIND_DETECTOR_FAILED, SLUICE_LOG_WARNING, NULL, 1,
			   slot->name,
			   "detector '%s': not asked: %s; it stays enabled and is asked again in "
			   "the next window",
			   slot->name, what);
}

/* What the outcome means for the detector's standing. */
static void judge(struct detect_slot *slot, const struct detect_round *round,
		  const struct outcome *outcome)
{
	if (outcome->is_ours) {
		tell_unasked(slot, round, outcome->what);
		return;
	}
	slot->unasked = 0;
	if (outcome->what[0])
		strike(slot, round, outcome->what);
	else
		slot->strikes = 0;
}

static void call(struct detect *detect, struct detect_slot *slot, const struct detect_round *round,
		 const struct sluice_window *window)
{
	struct engine_detector_status *status = &slot->status;
	uint64_t start = clock_monotonic_ns(round->clock);
	uint64_t budget_ns = slot->detector.budget_ns ? slot->detector.budget_ns : round->budget_ns;
	uint64_t limit_ns = DETECT_PATIENCE * budget_ns;
	struct outcome outcome = { 0 };

	if (slot->detector.thread)
		ask_thread(detect, slot, round, limit_ns, &outcome);
	else
		outcome.rc = ask(detect, slot, window);
	status->last_ns = clock_monotonic_ns(round->clock) - start;
	if (!slot->detector.thread)
		outcome.took_ns = status->last_ns;
	if (outcome.rc == 0 && outcome.took_ns > budget_ns)
		fail(&outcome, 0, false, "took %.1f ms of its budget of %.1f ms",
		     (double)outcome.took_ns / 1e6, (double)budget_ns / 1e6);
	else if (outcome.rc != 0 && !outcome.what[0])
		describe_failure(&outcome);
	if (outcome.rc < 0 || status->last_ns > limit_ns)
		forget(slot, round);
	judge(slot, round, &outcome);
	tidy(&status->verdict);
	status->proposals += proposals_count(round->proposals);
	status->rule_proposals += rule_wishes_count(round->rule_wishes);
	status->attack_windows += status->verdict.attack;
	if (status->verdict.attack)
		slot->attack_sequence = window->sequence;
}

static bool needs_copy(const struct detect *detect)
{
	for (size_t i = 0; i < detect->n; i++) {
		if (detect->slots[i].detector.thread && !detect->slots[i].status.disabled)
			return true;
	}
	return false;
}

const struct detect_slot *detect_run(struct detect *detect, const struct detect_round *round,
				     const struct sluice_window *window)
{
	const struct detect_slot *worst = NULL;

	if (needs_copy(detect) && window_copy_make(&detect->copy, window))
		detect->copy = NULL; /* The detectors that it is for are told. */
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
