/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of the card's table: in batches that the measured cost bounds, with a verdict for each
 * rule.  Nothing here can let a packet through; the software blocklist has every source.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "internal.h"

#define APPLY_BACKOFF_MAX_NS 60000000000u

uint64_t apply_backoff_ns(const struct offload *offload, uint32_t failures)
{
	uint64_t wait_ns = offload->options.window_ns;

	for (uint32_t i = 1; i < failures && wait_ns < APPLY_BACKOFF_MAX_NS; i++)
		wait_ns *= 2;
	return wait_ns < APPLY_BACKOFF_MAX_NS ? wait_ns : APPLY_BACKOFF_MAX_NS;
}

void tally_add(struct tally *tally, const struct sluice_key *key, int code, const char *text)
{
	if (tally->n++ > 0)
		return;
	tally->first = *key;
	tally->code = code;
	snprintf(tally->text, sizeof(tally->text), "%s", text);
}

void apply_device_failed(struct offload *offload, const char *call, int rc,
			 const struct sluice_err *err)
{
	struct worker *worker = &offload->worker;

	worker->failures++;
	worker->device_failures++;
	worker->audit_wanted = true;
	worker->audit_ns = worker->now_ns + apply_backoff_ns(offload, worker->device_failures);
	snprintf(worker->last_error, sizeof(worker->last_error), "%s: %.200s (%s)", call,
		 err->text[0] ? err->text : strerror(-rc), err_name(rc));
	if (!worker->healthy)
		return;
	worker->healthy = false;
	event_emit(offload->options.events, EVENT_KIND_OFFLOAD_FAILED,
		   rc == -ENODEV ? SLUICE_LOG_ERROR : SLUICE_LOG_WARNING, NULL, 1, offload->name,
		   "backend '%s': the card %s: %s; all sources stay blocked in software, the card "
		   "is asked again",
		   offload->name, rc == -ENODEV ? "is gone" : "does not answer",
		   worker->last_error);
}

/* Why one rule failed, in words. */
static const char *reason(int code, const struct sluice_err *err)
{
	if (err->text[0])
		return err->text;
	if (code == -ENOSPC)
		return "the card is full";
	return code == -EOPNOTSUPP ? "the card cannot match such a source" : strerror(-code);
}

static void note_failure(struct worker *worker, struct tally *tally, const struct sluice_key *key,
			 int code, const struct sluice_err *err)
{
	char text[sizeof(worker->last_error)];

	snprintf(text, sizeof(text), "%.200s (%s)", reason(code, err), err_name(code));
	memcpy(worker->last_error, text, sizeof(worker->last_error));
	tally_add(tally, key, code, text);
}

static void defer(struct offload *offload, struct row *row)
{
	row->attempts++;
	row->retry_ns = offload->worker.now_ns + apply_backoff_ns(offload, row->attempts);
}

/* The row's rule is in the card.  `fresh`: put there just now, so that its counter starts at 0. */
static void note_added(struct offload *offload, uint32_t i, uint32_t id, bool fresh)
{
	struct worker *worker = &offload->worker;
	struct row *row = table_row(worker->table, id);

	table_set_state(worker->table, id, ROW_STATE_PRESENT);
	row->handle = worker->batch.handles[i];
	row->named_round = worker->round;
	row->retry_ns = 0;
	row->residency = 0;
	row->ineffective = 0;
	row->worked = false;
	row->missing = 0;
	row->baseline = fresh;
	row->counter = 0;
	row->counter_ns = 0;
	row->measured = false;
	row->rate_total = row->total;
	row->rate_ns = clock_monotonic_ns(offload->options.clock);
	row->soft_pps = worker->batch.soft_pps[i];
	row->hw_pps = 0;
	worker->adds++;
	tally_add(&worker->added, &row->key, 0, "");
}

static void take_add_result(struct offload *offload, uint32_t i, const struct sluice_err *err)
{
	struct worker *worker = &offload->worker;
	const struct sluice_key *key = &worker->batch.rules[i].key;
	uint32_t id = worker->batch.ids[i];
	int code = worker->batch.results[i];
	struct row *row = table_row(worker->table, id);

	if (code == 0 || code == -EEXIST) {
		note_added(offload, i, id, code == 0);
		return;
	}
	note_failure(worker, &worker->not_added, key, code, err);
	if (code == -ENOSPC) {
		worker->refused++;
		capacity_full(&worker->capacity, table_n_present(worker->table), worker->now_ns);
		/* Nothing is wrong with this source: it stays a candidate like any other. */
		table_del(worker->table, id);
	} else if (code == -EOPNOTSUPP) {
		worker->refused++;
		table_set_state(worker->table, id, ROW_STATE_REFUSED);
	} else {
		worker->failures++;
		defer(offload, row);
	}
}

/* An entry of the back end's operations that changes rules. */
typedef int change_call(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
			struct sluice_err *err);

/* Has the card do the batch, and learns what that costs; false if the device failed. */
static bool send_batch(struct offload *offload, const char *name, change_call *call,
		       struct sluice_err *err)
{
	struct worker *worker = &offload->worker;
	struct batch *batch = &worker->batch;
	uint64_t start_ns = clock_monotonic_ns(offload->options.clock), end_ns;
	int rc = call(offload->options.self, batch->rules, batch->n, batch->results, err);

	end_ns = clock_monotonic_ns(offload->options.clock);
	budget_spend(&worker->budget, batch->n);
	if (rc) {
		apply_device_failed(offload, name, rc, err);
		return false;
	}
	worker->device_failures = 0;
	cost_note(&worker->cost, end_ns - start_ns, batch->n);
	return true;
}

static bool send_add(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	struct batch *batch = &worker->batch;
	struct sluice_err err = { .text = "" };

	if (batch->n == 0)
		return true;
	if (!send_batch(offload, "add", offload->options.ops->add, &err)) {
		for (uint32_t i = 0; i < batch->n; i++)
			table_del(worker->table, batch->ids[i]);
		return false;
	}
	for (uint32_t i = 0; i < batch->n; i++)
		take_add_result(offload, i, &err);
	return true;
}

/*
 * A rule that did nothing was taken out.  If it has dropped before, the card has lost it without a
 * word, as by a reset: it goes in again at once.  Else it sits out, for much longer than a rule that
 * was merely refused once.
 */
static void note_ineffective(struct offload *offload, uint32_t id)
{
	static const struct sluice_err never = {
		.text = "the card took the rule, but the packets still arrive",
	};
	static const struct sluice_err no_more = {
		.text = "the packets arrive again, as after a reset of the card; the rule is put "
			"there anew",
	};
	struct worker *worker = &offload->worker;
	struct row *row = table_row(worker->table, id);

	worker->failures++;
	if (row->worked) {
		note_failure(worker, &worker->stopped, &row->key, -EIO, &no_more);
	} else {
		note_failure(worker, &worker->not_added, &row->key, -EIO, &never);
		row->attempts += row->attempts == 0 ? 4 : 0;
		defer(offload, row);
	}
	table_set_state(worker->table, id, ROW_STATE_DEFERRED);
}

static void take_del_result(struct offload *offload, uint32_t i, const struct sluice_err *err)
{
	struct worker *worker = &offload->worker;
	uint32_t id = worker->batch.ids[i];
	struct row *row = table_row(worker->table, id);
	int code = worker->batch.results[i];

	if (code != 0 && code != -ENOENT) {
		worker->failures++;
		note_failure(worker, &worker->not_removed, &row->key, code, err);
		defer(offload, row);
		return;
	}
	worker->dels++;
	row->retry_ns = 0;
	tally_add(&worker->withdrawn, &row->key, 0, "");
	if (row->ineffective >= 3)
		note_ineffective(offload, id);
	else
		table_retire(worker->table, id);
}

static bool send_del(struct offload *offload)
{
	struct sluice_err err = { .text = "" };
	uint32_t n = offload->worker.batch.n;

	if (n == 0)
		return true;
	if (!send_batch(offload, "del", offload->options.ops->del, &err))
		return false;
	for (uint32_t i = 0; i < n; i++)
		take_del_result(offload, i, &err);
	return true;
}

static void push_del(struct worker *worker, uint32_t id)
{
	struct batch *batch = &worker->batch;

	batch->rules[batch->n].key = table_row(worker->table, id)->key;
	/* A back end that forgets to write a result must not be taken at an old one's word. */
	batch->results[batch->n] = -EIO;
	batch->ids[batch->n++] = id;
}

bool apply_withdrawals(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	size_t next = 0;

	while (next < worker->n_doomed) {
		uint32_t size = cost_batch(&worker->cost, offload->options.window_ns);

		worker->batch.n = 0;
		while (next < worker->n_doomed && worker->batch.n < size)
			push_del(worker, worker->doomed[next++]);
		if (!send_del(offload) || post_is_waiting(offload))
			return false;
	}
	return true;
}

/* Adds the source to the batch unless it already has what it wants or must wait. */
static void push_add(struct offload *offload, const struct plan_step *step)
{
	struct worker *worker = &offload->worker;
	const struct offload_source *source = &worker->mail->sources[step->add];
	struct batch *batch = &worker->batch;
	uint32_t id = table_find(worker->table, &source->key);

	if (id == TABLE_NONE) {
		if (table_add(worker->table, &source->key, &id)) {
			worker->failures++;
			return;
		}
	} else if (table_row(worker->table, id)->state != ROW_STATE_DEFERRED) {
		return;
	}
	table_row(worker->table, id)->named_round = worker->round;
	batch->rules[batch->n].key = source->key;
	batch->results[batch->n] = -EIO;
	batch->handles[batch->n] = source->handle;
	batch->soft_pps[batch->n] =
		(uint64_t)((double)source->packets * 1e9 / (double)worker->mail->length_ns);
	batch->ids[batch->n++] = id;
}

/* One source's row, if it is in the card's table. */
static uint32_t present_row(const struct worker *worker, uint32_t index)
{
	uint32_t id = table_find(worker->table, &worker->mail->sources[index].key);

	if (id != TABLE_NONE && table_row(worker->table, id)->state == ROW_STATE_PRESENT)
		return id;
	return TABLE_NONE;
}

/* The removals of these steps, and then the additions that they made room for. */
static bool apply_steps(struct offload *offload, const struct plan_step *steps, size_t n)
{
	struct worker *worker = &offload->worker;

	worker->batch.n = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t id = steps[i].removes ? present_row(worker, steps[i].remove) : TABLE_NONE;

		if (id != TABLE_NONE)
			push_del(worker, id);
	}
	if (!send_del(offload))
		return false;
	worker->batch.n = 0;
	for (size_t i = 0; i < n; i++) {
		if (steps[i].add == PLAN_NONE)
			continue;
		if (steps[i].removes && present_row(worker, steps[i].remove) != TABLE_NONE)
			continue;
		push_add(offload, &steps[i]);
	}
	return send_add(offload);
}

static uint32_t updates_of(const struct plan_step *step)
{
	return step->removes + (step->add != PLAN_NONE);
}

void apply_plan(struct offload *offload, size_t n_steps)
{
	struct worker *worker = &offload->worker;
	size_t next = 0;

	while (next < n_steps) {
		uint32_t size = cost_batch(&worker->cost, offload->options.window_ns);
		uint32_t updates = updates_of(&worker->steps[next]);
		size_t n = 1;

		/* At least one step, however slow the card. */
		while (next + n < n_steps && updates + updates_of(&worker->steps[next + n]) <= size)
			updates += updates_of(&worker->steps[next + n++]);
		if (!apply_steps(offload, &worker->steps[next], n))
			return;
		next += n;
		if (post_is_waiting(offload))
			return;
	}
}
