/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One round: a window's sources and the card's counters become merged rates, the rates a plan, and
 * the plan is carried out.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

/* The remembered maximum loses all but 1/e of itself in this time. */
#define ROUND_MAX_DECAY_NS 3600e9

/* Whether the card can match this source at all. */
static bool is_matchable(const struct offload *offload, const struct sluice_key *key)
{
	uint32_t matches = offload->options.caps.matches;

	if (key->family == SLUICE_FAMILY_IPV4)
		return key->prefix_len == 32 && (matches & SLUICE_BACKEND_MATCH_IPV4);
	if (key->family != SLUICE_FAMILY_IPV6)
		return false;
	if (key->prefix_len == 128 && (matches & SLUICE_BACKEND_MATCH_IPV6))
		return true;
	return matches & SLUICE_BACKEND_MATCH_IPV6_PREFIX;
}

/*
 * A card may accept a rule and still let the packets through: a port that it does not filter, a
 * rule that never reached the hardware.  Such a rule wastes a slot that others need.
 */
static void judge_effect(const struct offload *offload, struct row *row, uint64_t sw_pps)
{
	bool counters = offload->options.caps.counters;
	bool silent = counters ? row->measured && row->hw_pps == 0 : sw_pps >= row->soft_pps / 2;

	/* Without counters, a source that paused looks the same. */
	row->worked |= counters && row->hw_pps > 0;

	if (silent && row->residency >= 2 && sw_pps > 0) {
		row->ineffective++;
		return;
	}
	/* A counter that stands still while nothing arrives proves nothing. */
	if (counters && silent)
		return;
	row->ineffective = 0;
	if (row->hw_pps > 0 || sw_pps == 0)
		row->attempts = 0;
}

/*
 * The merged rate of an offloaded source in this window.  Hardware and software see different
 * packets of one window, unless the hardware's figure is of an earlier one: then both may have seen
 * the same, and nothing new is known, unless the software alone saw more.
 */
static uint64_t offloaded_rate(const struct offload *offload, const struct row *row,
			       uint64_t sw_pps, bool *known)
{
	uint64_t other_pps = row->soft_pps;

	*known = true;
	if (offload->options.caps.counters && row->measured) {
		if (row->measured_round == offload->worker.round)
			return row->hw_pps + sw_pps;
		other_pps = row->hw_pps;
	}
	*known = sw_pps > other_pps;
	return *known ? sw_pps : other_pps;
}

/* Remembers the rate of a source that is not offloaded; a part of a window if it just left. */
static void observe_software(struct worker *worker, struct rate *rate,
			     const struct offload_source *source)
{
	uint64_t length_ns = worker->mail->length_ns;
	uint64_t seen_ns = worker->now_ns - rate->since_ns;

	if (rate->since_ns && seen_ns < length_ns)
		length_ns = seen_ns;
	/* A glimpse says nothing. */
	if (length_ns >= worker->mail->length_ns / 4)
		rate_observe(rate, source->packets, length_ns, worker->round);
}

/* What the plan ranks a source by: see rates.h. */
static void rank_entry(struct worker *worker, const struct offload_source *source, bool known,
		       struct plan_entry *entry)
{
	struct rate *rate = rate_book_get(&worker->rates, source->handle, &source->key);

	if (!rate) {
		entry->rate *= 1000;
		return;
	}
	if (!entry->offloaded)
		observe_software(worker, rate, source);
	else if (known || rate->windows == 0)
		rate_observe(
			rate,
			(uint64_t)((double)entry->rate * (double)worker->mail->length_ns / 1e9 +
				   0.5),
			worker->mail->length_ns, worker->round);
	if (entry->offloaded)
		entry->rate = rate_at_most(rate);
	else /* Who sends nothing now is not worth an update now. */
		entry->rate = source->packets ? rate_at_least(rate) : 0;
}

/* What the plan should know of one source of this window; false if it is not its business. */
static bool make_entry(struct offload *offload, uint32_t index, uint64_t sw_pps,
		       struct plan_entry *entry)
{
	struct worker *worker = &offload->worker;
	const struct offload_source *source = &worker->mail->sources[index];
	uint32_t id = table_find(worker->table, &source->key);
	struct row *row;
	bool known = true;

	*entry = (struct plan_entry){ .rate = sw_pps, .handle = index };
	if (id == TABLE_NONE) {
		worker->volume_pps += entry->rate;
		rank_entry(worker, source, known, entry);
		return is_matchable(offload, &source->key);
	}
	row = table_row(worker->table, id);
	if (row->named_round == worker->round)
		return false;
	row->named_round = worker->round;
	row->handle = source->handle;
	if (row->state != ROW_STATE_PRESENT) {
		worker->volume_pps += entry->rate;
		rank_entry(worker, source, known, entry);
		return row->state == ROW_STATE_DEFERRED && row->retry_ns <= worker->now_ns;
	}

	judge_effect(offload, row, sw_pps);
	row->residency += row->residency < PLAN_RESIDENCY_MAX;
	entry->offloaded = true;
	entry->residency = row->residency;
	entry->rate = offloaded_rate(offload, row, sw_pps, &known);
	worker->volume_pps += entry->rate;
	rank_entry(worker, source, known, entry);
	/* What would not leave the table a moment ago is left alone for a while. */
	return row->retry_ns <= worker->now_ns;
}

static int reserve_entries(struct worker *worker, size_t n)
{
	struct plan_entry *entries;

	if (n <= worker->entries_capacity)
		return 0;
	entries = realloc(worker->entries, (n + n / 4) * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	worker->entries = entries;
	worker->entries_capacity = n + n / 4;
	return 0;
}

static uint64_t per_second(uint64_t packets, uint64_t length_ns)
{
	return (uint64_t)((double)packets * 1e9 / (double)length_ns);
}

static int gather_entries(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	const struct mail *mail = worker->mail;
	int rc;

	rc = reserve_entries(worker, mail->n);
	if (rc)
		return rc;
	worker->n_entries = 0;
	worker->volume_pps = 0;
	for (size_t i = 0; i < mail->n; i++) {
		uint64_t sw_pps = per_second(mail->sources[i].packets, mail->length_ns);
		struct plan_entry *entry = &worker->entries[worker->n_entries];

		worker->n_entries += make_entry(offload, (uint32_t)i, sw_pps, entry);
	}
	return 0;
}

/* The most that was ever seen, fading, so that one odd hour does not rule the next year. */
static void track_maximum(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	double fade = (double)(worker->now_ns - worker->max_volume_ns) / ROUND_MAX_DECAY_NS;

	worker->max_volume_ns = worker->now_ns;
	if (offload->options.max_rate_pps) {
		worker->max_volume_pps = offload->options.max_rate_pps;
		return;
	}
	if (fade > 1)
		fade = 1;
	worker->max_volume_pps -= (uint64_t)((double)worker->max_volume_pps * fade);
	if (worker->volume_pps > worker->max_volume_pps)
		worker->max_volume_pps = worker->volume_pps;
}

/* Rows whose source is no longer blocked, or whose rule does nothing. */
static int gather_doomed(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	struct table *table = worker->table;

	worker->n_doomed = 0;
	if (table_n_present(table) > worker->doomed_capacity) {
		size_t capacity = table_n_present(table) + table_n_present(table) / 4;
		uint32_t *doomed = realloc(worker->doomed, capacity * sizeof(*doomed));

		if (!doomed)
			return -ENOMEM;
		worker->doomed = doomed;
		worker->doomed_capacity = capacity;
	}
	for (uint32_t id = 0; id < table_n_rows(table); id++) {
		const struct row *row = table_row(table, id);
		bool named = row->named_round == worker->round;

		if (row->state == ROW_STATE_PRESENT) {
			if (row->retry_ns <= worker->now_ns && (!named || row->ineffective >= 3))
				worker->doomed[worker->n_doomed++] = id;
		} else if (row->state != ROW_STATE_FREE && row->state != ROW_STATE_RETIRED &&
			   !named) {
			table_del(table, id);
		}
	}
	return 0;
}

/*
 * Leaves out the entries whose rows left the table, or failed to, since they were gathered.
 * Returns how many slots of the table the plan must do without.
 */
static uint32_t refresh_entries(struct worker *worker)
{
	uint32_t movable = 0;
	size_t n = 0;

	for (size_t i = 0; i < worker->n_entries; i++) {
		const struct plan_entry *entry = &worker->entries[i];
		const struct row *row = NULL;
		uint32_t id;

		if (entry->offloaded) {
			id = table_find(worker->table, &worker->mail->sources[entry->handle].key);
			row = id == TABLE_NONE ? NULL : table_row(worker->table, id);
			if (!row || row->state != ROW_STATE_PRESENT ||
			    row->retry_ns > worker->now_ns)
				continue;
			movable++;
		}
		worker->entries[n++] = *entry;
	}
	worker->n_entries = n;
	return table_n_present(worker->table) - movable;
}

/* Entries on probation go last among those to take out.  Their slots are kept for them. */
static void gather_lifted(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	uint32_t quota;

	worker->n_lifted = 0;
	worker->on_probation = 0;
	if (offload->options.caps.counters)
		return;
	quota = probation_quota(table_n_present(worker->table), budget_left(&worker->budget));
	/* `doomed` has room for each that is present, and those without effect are in it already. */
	if (quota > worker->doomed_capacity - worker->n_doomed)
		quota = (uint32_t)(worker->doomed_capacity - worker->n_doomed);
	worker->n_lifted = probation_choose(&worker->probation, worker->table, &worker->rates,
					    worker->round, worker->now_ns, quota,
					    worker->doomed + worker->n_doomed);
	worker->n_doomed += worker->n_lifted;
}

/* Slots are kept for those that did leave.  Software sees them from now. */
static void note_lifted(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	uint64_t now_ns = clock_monotonic_ns(offload->options.clock);

	for (size_t i = worker->n_doomed - worker->n_lifted; i < worker->n_doomed; i++) {
		const struct row *row = table_row(worker->table, worker->doomed[i]);
		struct rate *rate;

		if (row->state == ROW_STATE_PRESENT)
			continue;
		worker->on_probation++;
		rate = rate_book_get(&worker->rates, row->handle, &row->key);
		if (rate)
			rate->since_ns = now_ns;
	}
}

/* What the passing time allows in swaps; see OFFLOAD_CHURN. */
static void refill_swaps(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	double elapsed_s = (double)(worker->now_ns - worker->swaps_ns) / 1e9;
	double load = 1, per_second;

	if (worker->max_volume_pps > worker->volume_pps)
		load = (double)worker->volume_pps / (double)worker->max_volume_pps;
	per_second = offload->options.churn * load * worker->capacity.learned;
	worker->swaps += per_second * elapsed_s;
	worker->swaps_ns = worker->now_ns;
	if (worker->swaps > OFFLOAD_CHURN_SAVED_S * per_second + 1)
		worker->swaps = OFFLOAD_CHURN_SAVED_S * per_second + 1;
}

static void spend_swaps(struct worker *worker, size_t n_steps)
{
	for (size_t i = 0; i < n_steps; i++)
		worker->swaps -= worker->steps[i].removes && worker->steps[i].add != PLAN_NONE;
}

static int make_plan(struct offload *offload, uint32_t n_taken, size_t *n_steps)
{
	const struct offload_options *options = &offload->options;
	struct worker *worker = &offload->worker;
	uint32_t used = table_n_present(worker->table);
	struct plan_limits limits = {
		.min_residency = options->residency_windows,
		.volume = worker->volume_pps,
		.max_volume = worker->max_volume_pps,
		.threshold_min = options->threshold_min,
		.threshold_max = options->threshold_max,
	};
	size_t room;
	int rc;

	refill_swaps(offload);
	limits.max_swaps = worker->swaps < UINT32_MAX ? (uint32_t)worker->swaps : UINT32_MAX;
	capacity_probe(&worker->capacity, used, worker->now_ns);
	if (worker->capacity.learned > n_taken)
		limits.capacity = worker->capacity.learned - n_taken;
	limits.budget = budget_left(&worker->budget);
	worker->threshold = plan_threshold(&limits);

	room = worker->n_entries < limits.budget ? worker->n_entries : limits.budget;
	if (room > worker->steps_capacity) {
		struct plan_step *steps = realloc(worker->steps, room * sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		worker->steps = steps;
		worker->steps_capacity = room;
	}
	rc = plan_offload(worker->entries, worker->n_entries, &limits, worker->steps,
			  worker->steps_capacity, n_steps);
	if (!rc)
		spend_swaps(worker, *n_steps);
	return rc;
}

static void note_no_memory(struct worker *worker)
{
	worker->failures++;
	snprintf(worker->last_error, sizeof(worker->last_error),
		 "out of memory (-ENOMEM); the table stays as it is for a window");
}

void round_run(struct offload *offload)
{
	struct worker *worker = &offload->worker;
	size_t n_steps;

	worker->round++;
	worker->now_ns = clock_monotonic_ns(offload->options.clock);
	budget_refill(&worker->budget, &worker->cost, offload->options.window_ns, worker->now_ns);
	reconcile_audit(offload);
	reconcile_read(offload);
	if (gather_entries(offload) || gather_doomed(offload)) {
		note_no_memory(worker);
		return;
	}
	gather_lifted(offload);
	track_maximum(offload);
	/* The engine gets the new counts now, not after a slow card has done its work. */
	post_report(offload);
	if (!worker->healthy || !apply_withdrawals(offload))
		return;
	note_lifted(offload);
	if (make_plan(offload, refresh_entries(worker) + worker->on_probation, &n_steps)) {
		note_no_memory(worker);
		return;
	}
	apply_plan(offload, n_steps);
}
