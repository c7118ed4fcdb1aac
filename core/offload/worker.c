/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that drives the card: takes windows, runs a round for each (round.c), and publishes
 * and says what came of it.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "internal.h"

/* A failure that goes on is said again this often. */
#define WORKER_REPEAT_NS 60000000000u

int worker_init(struct offload *offload)
{
	const struct offload_options *options = &offload->options;
	struct worker *worker = &offload->worker;
	uint64_t now_ns = clock_monotonic_ns(options->clock);
	int rc;

	rc = table_new(&worker->table);
	if (rc)
		return rc;
	worker->mail = &offload->mails[1];
	worker->healthy = true;
	worker->audit_wanted = true;
	worker->max_volume_ns = now_ns;
	worker->now_ns = now_ns;
	worker->swaps = INFINITY;
	worker->swaps_ns = now_ns;
	worker->threshold = options->threshold_max;
	cost_init(&worker->cost, options->caps.update_p50_ns, options->caps.update_p99_ns);
	budget_init(&worker->budget, options->updates_per_second, now_ns);
	capacity_init(&worker->capacity, options->capacity, options->caps.capacity);
	post_report(offload);
	return 0;
}

void worker_fini(struct offload *offload)
{
	struct worker *worker = &offload->worker;

	table_free(worker->table);
	rate_book_fini(&worker->rates);
	free(worker->entries);
	free(worker->steps);
	free(worker->doomed);
	free(worker->counters);
	free(worker->listed);
}

static void say(const struct offload *offload, struct tally *tally, enum event_kind kind,
		enum sluice_log_level level, const char *what)
{
	const char *card = offload->options.caps.emulated ? "the emulated NIC's table"
							  : "the NIC's table";

	event_emit(offload->options.events, kind, level, tally->n == 1 ? &tally->first : NULL,
		   tally->n, offload->name, "%u source%s %s %s; it holds %u of %u%s%s", tally->n,
		   tally->n == 1 ? "" : "s", what, card, table_n_present(offload->worker.table),
		   offload->worker.capacity.learned, tally->text[0] ? ": " : "", tally->text);
	tally->n = 0;
}

/* A failure that goes on for the same reason goes on being counted, and is said now and then. */
static void say_failure(const struct offload *offload, struct tally *tally, const char *what)
{
	uint64_t now_ns = offload->worker.now_ns;

	if (tally->code == tally->said_code && now_ns - tally->said_ns < WORKER_REPEAT_NS)
		return;
	tally->said_code = tally->code;
	tally->said_ns = now_ns;
	say(offload, tally, EVENT_KIND_OFFLOAD_FAILED, SLUICE_LOG_WARNING, what);
}

/* One event for each kind of thing that happened in this round. */
static void say_tallies(struct offload *offload)
{
	struct worker *worker = &offload->worker;

	if (worker->added.n > 0)
		say(offload, &worker->added, EVENT_KIND_OFFLOADED, SLUICE_LOG_INFO, "moved into");
	if (worker->withdrawn.n > 0)
		say(offload, &worker->withdrawn, EVENT_KIND_OFFLOAD_WITHDRAWN, SLUICE_LOG_INFO,
		    "left");
	if (worker->not_added.n > 0)
		say_failure(offload, &worker->not_added, "could not be added to");
	if (worker->stopped.n > 0)
		say_failure(offload, &worker->stopped, "came through");
	if (worker->not_removed.n > 0)
		say_failure(offload, &worker->not_removed, "could not be removed from");
}

static void finish(struct offload *offload)
{
	const struct offload_options *options = &offload->options;
	struct worker *worker = &offload->worker;
	struct sluice_err err = { .text = "" };
	uint32_t n = table_n_present(worker->table);
	int rc;

	if (options->flush_on_exit) {
		rc = options->ops->flush(options->self, &err);
		if (rc)
			event_emit(options->events, EVENT_KIND_OFFLOAD_FAILED, SLUICE_LOG_WARNING,
				   NULL, n > 0 ? n : 1, offload->name,
				   "backend '%s': cannot empty the table at exit: %s (%s)",
				   offload->name, err.text, err_name(rc));
		else if (n > 0)
			event_emit(options->events, EVENT_KIND_OFFLOAD_WITHDRAWN, SLUICE_LOG_INFO,
				   NULL, n, offload->name, "the table was emptied at exit");
	}
	options->ops->close(options->self);
}

/* A call that was said to hang is over. */
static void say_back(struct offload *offload)
{
	bool hung;

	pthread_mutex_lock(&offload->lock);
	hung = offload->hanging;
	offload->hanging = false;
	pthread_mutex_unlock(&offload->lock);
	if (!hung)
		return;
	event_emit(offload->options.events, EVENT_KIND_OFFLOADED, SLUICE_LOG_NOTICE, NULL, 1,
		   offload->name, "backend '%s': the call that took so long has come back",
		   offload->name);
}

/* Waits for a window; false at the end. */
static bool next_mail(struct offload *offload)
{
	bool more;

	pthread_mutex_lock(&offload->lock);
	offload->busy = false;
	while (!offload->stop && !offload->mail_posted) {
		pthread_cond_broadcast(&offload->idle);
		pthread_cond_wait(&offload->wake, &offload->lock);
	}
	more = !offload->stop;
	if (more) {
		struct mail *done = offload->worker.mail;

		offload->worker.mail = offload->posted;
		offload->posted = done;
		offload->mail_posted = false;
		offload->busy = true;
		offload->began_ns = clock_monotonic_ns(offload->options.clock);
	}
	pthread_mutex_unlock(&offload->lock);
	return more;
}

/* All but the memory is done with. */
static void end(struct offload *offload)
{
	void (*after)(void *ctx);
	void *ctx;
	bool left;

	pthread_mutex_lock(&offload->lock);
	offload->ended = true;
	left = offload->left;
	after = offload->after;
	ctx = offload->after_ctx;
	pthread_cond_broadcast(&offload->end);
	pthread_mutex_unlock(&offload->lock);
	if (!left)
		return;
	offload_destroy(offload);
	after(ctx);
}

void *worker_main(void *arg)
{
	struct offload *offload = arg;

	reconcile_audit(offload);
	say_tallies(offload);
	post_report(offload);
	say_back(offload);
	while (next_mail(offload)) {
		round_run(offload);
		say_tallies(offload);
		post_report(offload);
		say_back(offload);
	}
	finish(offload);
	end(offload);
	return NULL;
}
