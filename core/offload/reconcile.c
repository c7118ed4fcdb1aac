/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the card says of itself: which rules it holds, and what they counted.  The book follows the
 * card, never the other way round.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "internal.h"

/* Without counters nothing else tells that the table was changed behind our back. */
#define RECONCILE_ROUTINE_NS 10000000000u
/* More rules than any table has; bounds what a back end can make us allocate. */
#define RECONCILE_RULES_MAX (1u << 22)
/* A counter that ran over may show so many times what its source sent a window ago. */
#define RECONCILE_WRAP_DOUBT 8

/* Doubles an array of `size`-byte members from at least `least`; false at the bound. */
static bool enlarge(void **array, size_t *capacity, size_t least, size_t size)
{
	size_t larger = *capacity * 2 > least ? *capacity * 2 : least;
	void *grown;

	if (larger > RECONCILE_RULES_MAX)
		larger = RECONCILE_RULES_MAX;
	if (larger <= *capacity)
		return false;
	grown = realloc(*array, larger * size);
	if (!grown)
		return false;
	*array = grown;
	*capacity = larger;
	return true;
}

/* Room for what should be there; the array is enlarged further while it comes back full. */
static bool make_room(struct worker *worker, void **array, size_t *capacity, size_t size)
{
	size_t expected = table_n_present(worker->table) + 64;

	return *capacity >= expected || enlarge(array, capacity, expected, size);
}

/* `*complete` is false when there was no memory for all of it. */
static int list_rules(struct offload *offload, size_t *count, bool *complete,
		      struct sluice_err *err)
{
	const struct offload_options *options = &offload->options;
	struct worker *worker = &offload->worker;
	void *listed = worker->listed;
	bool room = make_room(worker, &listed, &worker->listed_capacity, sizeof(*worker->listed));
	int rc = 0;

	worker->listed = listed;
	*count = 0;
	*complete = false;
	while (room) {
		rc = options->ops->list(options->self, worker->listed, worker->listed_capacity,
					count, err);
		*complete = rc == 0 && *count < worker->listed_capacity;
		if (rc || *complete)
			break;
		*count = worker->listed_capacity;
		room = enlarge(&listed, &worker->listed_capacity, 0, sizeof(*worker->listed));
		worker->listed = listed;
	}
	return rc;
}

/* A rule of ours that the book does not know, from before a crash or put there by hand. */
static bool adopt(struct offload *offload, const struct sluice_key *key)
{
	struct worker *worker = &offload->worker;
	uint32_t id = table_find(worker->table, key);
	struct row *row;

	if (id == TABLE_NONE && table_add(worker->table, key, &id)) {
		/* The next audit finds it again. */
		worker->audit_wanted = true;
		return false;
	}
	row = table_row(worker->table, id);
	row->missing = 0;
	row->listed = true;
	if (row->state == ROW_STATE_PRESENT)
		return false;
	table_set_state(worker->table, id, ROW_STATE_PRESENT);
	row->retry_ns = 0;
	row->residency = 0;
	row->ineffective = 0;
	row->worked = false;
	row->baseline = false;
	row->measured = false;
	row->rate_total = row->total;
	row->rate_ns = clock_monotonic_ns(offload->options.clock);
	return true;
}

/* Rows that a complete listing left out are not in the card any more. */
static uint32_t drop_unlisted(struct worker *worker, bool complete)
{
	uint32_t lost = 0;

	for (uint32_t id = 0; id < table_n_rows(worker->table); id++) {
		struct row *row = table_row(worker->table, id);
		bool listed = row->listed;

		row->listed = false;
		if (row->state != ROW_STATE_PRESENT || listed || !complete)
			continue;
		table_retire(worker->table, id);
		lost++;
	}
	return lost;
}

static void say_found(struct offload *offload, uint32_t found, uint32_t lost)
{
	struct worker *worker = &offload->worker;
	const struct event_sink *events = offload->options.events;

	if (!worker->healthy)
		event_emit(events, EVENT_KIND_OFFLOADED, SLUICE_LOG_NOTICE, NULL, 1, offload->name,
			   "backend '%s': the card answers again and holds %u rules", offload->name,
			   table_n_present(worker->table));
	else if (found > 0)
		event_emit(events, EVENT_KIND_OFFLOADED, SLUICE_LOG_NOTICE, NULL, found,
			   offload->name,
			   "backend '%s': found %u rules in the card's table that were not put "
			   "there by this run; those of blocked sources stay, the others go",
			   offload->name, found);
	if (lost > 0)
		event_emit(events, EVENT_KIND_OFFLOAD_FAILED, SLUICE_LOG_WARNING, NULL, lost,
			   offload->name,
			   "backend '%s': %u rules are gone from the card's table; their sources "
			   "stay blocked in software and may be added again",
			   offload->name, lost);
}

void reconcile_audit(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	bool routine = !offload->options.caps.counters && worker->now_ns >= worker->routine_ns;
	struct sluice_err err = { .text = "" };
	uint32_t found = 0, lost;
	bool complete;
	size_t count;
	int rc;

	if (worker->now_ns < worker->audit_ns || (!worker->audit_wanted && !routine))
		return;
	rc = list_rules(offload, &count, &complete, &err);
	if (rc) {
		apply_device_failed(offload, "list", rc, &err);
		return;
	}
	worker->audit_wanted = !complete;
	for (size_t i = 0; i < count; i++)
		found += adopt(offload, &worker->listed[i].key);
	lost = drop_unlisted(worker, complete);
	/* A card whose listing and counters disagree for ever is not asked for ever. */
	worker->idle_audits = found + lost > 0 ? 0 : worker->idle_audits + 1;
	worker->audit_ns = worker->now_ns + apply_backoff_ns(offload, worker->idle_audits);
	worker->routine_ns = worker->now_ns + RECONCILE_ROUTINE_NS;
	say_found(offload, found, lost);
	worker->healthy = true;
}

/*
 * The packets between two readings of one counter.  One that went back was reset, and all that it
 * shows is new; or it has 32 bits and ran over, if that makes about as many as the source sends.
 */
static uint64_t counted(const struct row *row, uint64_t packets, uint64_t at_ns)
{
	uint64_t over = (uint32_t)(packets - row->counter);
	double expected, elapsed_s;

	if (packets >= row->counter)
		return packets - row->counter;
	if (row->counter > UINT32_MAX || !row->measured || at_ns <= row->counter_ns)
		return packets;
	elapsed_s = (double)(at_ns - row->counter_ns) / 1e9;
	expected = (double)row->hw_pps * elapsed_s;
	return (double)over <= RECONCILE_WRAP_DOUBT * expected ? over : packets;
}

/* One reading of one row: the delta, and the rate once it spans enough time. */
static void take_counter(struct offload *offload, struct row *row,
			 const struct sluice_backend_counter *counter, uint64_t now_ns)
{
	uint64_t window_ns = offload->options.window_ns;
	uint64_t at_ns = counter->age_ns < now_ns ? now_ns - counter->age_ns : 1;
	uint64_t span_ns;

	row->missing = 0;
	row->read_round = offload->worker.round;
	if (row->baseline)
		row->total += counted(row, counter->packets, at_ns);
	row->counter = counter->packets;
	/* The first look at a rule that was there before us only tells where it starts. */
	if (!row->baseline) {
		row->baseline = true;
		row->rate_total = row->total;
		row->rate_ns = at_ns;
	}
	if (row->counter_ns < at_ns)
		row->counter_ns = at_ns;
	if (at_ns <= row->rate_ns)
		return;

	span_ns = at_ns - row->rate_ns;
	/*
	 * The first rate is spread over a whole window, because the software counted the other part
	 * of that window.
	 */
	if (!row->measured && span_ns < window_ns)
		span_ns = window_ns;
	if (span_ns < window_ns / 2)
		return;
	row->hw_pps = (uint64_t)((double)(row->total - row->rate_total) * 1e9 / (double)span_ns);
	row->measured = true;
	row->measured_round = offload->worker.round;
	row->rate_total = row->total;
	row->rate_ns = at_ns;
}

static int read_counters(struct offload *offload, size_t *count, struct sluice_err *err)
{
	const struct offload_options *options = &offload->options;
	struct worker *worker = &offload->worker;
	void *counters = worker->counters;
	bool room =
		make_room(worker, &counters, &worker->counters_capacity, sizeof(*worker->counters));
	int rc = room ? 0 : -ENOMEM;

	worker->counters = counters;
	while (rc == 0) {
		*count = 0;
		rc = options->ops->read(options->self, worker->counters, worker->counters_capacity,
					count, err);
		if (rc || *count < worker->counters_capacity)
			break;
		*count = worker->counters_capacity;
		room = enlarge(&counters, &worker->counters_capacity, 0, sizeof(*worker->counters));
		worker->counters = counters;
		if (!room)
			break;
	}
	return rc;
}

void reconcile_read(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	struct sluice_err err = { .text = "" };
	uint64_t now_ns;
	size_t count;
	int rc;

	if (!offload->options.caps.counters || !worker->healthy)
		return;
	rc = read_counters(offload, &count, &err);
	if (rc) {
		apply_device_failed(offload, "read", rc, &err);
		return;
	}
	now_ns = clock_monotonic_ns(offload->options.clock);
	for (size_t i = 0; i < count; i++) {
		uint32_t id = table_find(worker->table, &worker->counters[i].key);
		struct row *row = id == TABLE_NONE ? NULL : table_row(worker->table, id);

		if (row && row->state == ROW_STATE_PRESENT)
			take_counter(offload, row, &worker->counters[i], now_ns);
		else
			worker->audit_wanted = true;
	}
	for (uint32_t id = 0; id < table_n_rows(worker->table); id++) {
		struct row *row = table_row(worker->table, id);

		if (row->state != ROW_STATE_PRESENT || row->read_round == worker->round)
			continue;
		/* Once may be a card that is slow to show a new rule. */
		if (++row->missing >= 2)
			worker->audit_wanted = true;
	}
}
