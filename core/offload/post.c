/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What passes between the engine's thread and the worker, on the worker's side.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

bool post_is_waiting(struct offload *offload)
{
	bool interrupted;

	pthread_mutex_lock(&offload->lock);
	interrupted = offload->stop || offload->mail_posted;
	pthread_mutex_unlock(&offload->lock);
	return interrupted;
}

static void fill_status(const struct offload *offload, struct offload_status *status)
{
	const struct worker *worker = &offload->worker;

	*status = (struct offload_status){
		.emulated = offload->options.caps.emulated,
		.counters = offload->options.caps.counters,
		.healthy = worker->healthy,
		.capacity = worker->capacity.learned,
		.used = table_n_present(worker->table),
		.probation = worker->on_probation,
		.threshold = worker->threshold,
		.volume_pps = worker->volume_pps,
		.max_volume_pps = worker->max_volume_pps,
		.adds = worker->adds,
		.dels = worker->dels,
		.refused = worker->refused,
		.failures = worker->failures,
		.update_p50_ns = worker->cost.p50_ns,
		.update_p99_ns = worker->cost.p99_ns,
	};
	memcpy(status->backend, offload->name, sizeof(status->backend));
	memcpy(status->driver, offload->driver, sizeof(status->driver));
	memcpy(status->last_error, worker->last_error, sizeof(status->last_error));
}

/* Retired rows that the engine has been told of are done with. */
static void drop_retired(struct offload *offload)
{
	struct table *table = offload->worker.table;
	bool taken;

	pthread_mutex_lock(&offload->lock);
	taken = !offload->report_fresh;
	pthread_mutex_unlock(&offload->lock);
	if (!taken)
		return;
	for (uint32_t id = 0; id < table_n_rows(table); id++) {
		const struct row *row = table_row(table, id);

		if (row->state == ROW_STATE_RETIRED && row->published)
			table_del(table, id);
	}
}

static int fill_report(struct offload *offload, struct report *report)
{
	struct table *table = offload->worker.table;

	report->n = 0;
	if (table_n_rows(table) > report->capacity) {
		size_t capacity = table_n_rows(table) + table_n_rows(table) / 4 + 16;
		struct report_row *rows = realloc(report->rows, capacity * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		report->rows = rows;
		report->capacity = capacity;
	}
	for (uint32_t id = 0; id < table_n_rows(table); id++) {
		struct row *row = table_row(table, id);

		if ((row->state != ROW_STATE_PRESENT && row->state != ROW_STATE_RETIRED) ||
		    row->handle == TABLE_NONE)
			continue;
		row->published = true;
		report->rows[report->n++] = (struct report_row){
			.key = row->key,
			.handle = row->handle,
			.id = id,
			.generation = row->generation,
			.removed = row->state == ROW_STATE_RETIRED,
			.total = row->total,
			.counter_ns = row->counter_ns,
		};
	}
	return 0;
}

void post_report(struct offload *offload)
{
	struct offload_status status;
	int rc;

	drop_retired(offload);
	rc = fill_report(offload, offload->writing);
	fill_status(offload, &status);

	pthread_mutex_lock(&offload->lock);
	if (rc == 0) {
		struct report *old = offload->published;

		offload->published = offload->writing;
		offload->writing = old;
		offload->report_fresh = true;
	}
	offload->status = status;
	pthread_mutex_unlock(&offload->lock);
}
