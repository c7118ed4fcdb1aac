/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's side: windows go in, reports come out, and only pointers are swapped under the
 * lock.  The newest window and the newest report win.
 */
#include "offload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "internal.h"

/* What a flush may take on top of the wait for anything else. */
#define OFFLOAD_FLUSH_MAX_NS 60e9

static int check_options(const struct offload_options *options, struct sluice_err *err)
{
	const struct sluice_backend_ops *ops = options->ops;

	if (!ops || ops->size < sizeof(*ops) || !ops->add || !ops->del || !ops->list ||
	    !ops->flush || !ops->close) {
		err_set(err, NULL, "the back end lacks a function of the contract");
		return -EINVAL;
	}
	if (options->caps.counters && !ops->read) {
		err_set(err, NULL, "the back end says that it has counters but cannot read them");
		return -EINVAL;
	}
	if (!(options->threshold_min >= 1) || !(options->threshold_max >= options->threshold_min)) {
		err_set(err, "offload.threshold", "bounds must be 1 <= min <= max, not %g and %g",
			options->threshold_min, options->threshold_max);
		return -EINVAL;
	}
	if (!(options->churn > 0)) {
		err_set(err, "offload.churn", "must be above 0, not %g", options->churn);
		return -EINVAL;
	}
	if (options->window_ns == 0 || !options->clock) {
		err_set(err, NULL, "the offload manager needs a clock and a window");
		return -EINVAL;
	}
	return 0;
}

static int start_worker(struct offload *offload, struct sluice_err *err)
{
	sigset_t all, before;
	int rc;

	/* Signals are for the thread that reads the signalfd. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&offload->thread, NULL, worker_main, offload);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		err_set(err, NULL, "cannot start the offload thread: %s", strerror(rc));
		return -rc;
	}
	pthread_setname_np(offload->thread, "sluice-offload");
	return 0;
}

/* Holding the lock, so that nothing is on its way when the worker is left. */
static void forward(void *ctx, const struct event *event)
{
	struct offload *offload = ctx;

	pthread_mutex_lock(&offload->lock);
	if (offload->events && !offload->left)
		offload->events->emit(offload->events->ctx, event);
	pthread_mutex_unlock(&offload->lock);
}

static int init_locks(struct offload *offload)
{
	int rc = clock_cond_init(&offload->end);

	if (rc)
		return rc;
	pthread_mutex_init(&offload->lock, NULL);
	pthread_cond_init(&offload->wake, NULL);
	pthread_cond_init(&offload->idle, NULL);
	return 0;
}

void offload_destroy(struct offload *offload)
{
	worker_fini(offload);
	for (size_t i = 0; i < 2; i++)
		free(offload->mails[i].sources);
	free(offload->filling.sources);
	for (size_t i = 0; i < 3; i++)
		free(offload->reports[i].rows);
	free(offload->states);
	free(offload->seen);
	pthread_cond_destroy(&offload->end);
	pthread_cond_destroy(&offload->idle);
	pthread_cond_destroy(&offload->wake);
	pthread_mutex_destroy(&offload->lock);
	free(offload);
}

int offload_new(const struct offload_options *options, struct offload **out, struct sluice_err *err)
{
	struct offload *offload;
	int rc;

	rc = check_options(options, err);
	if (rc)
		return rc;
	offload = calloc(1, sizeof(*offload));
	if (!offload || init_locks(offload)) {
		free(offload);
		err_set(err, NULL, "out of memory");
		return -ENOMEM;
	}
	offload->options = *options;
	snprintf(offload->name, sizeof(offload->name), "%s", options->name ? options->name : "");
	snprintf(offload->driver, sizeof(offload->driver), "%s",
		 options->driver ? options->driver : "");
	offload->options.name = offload->name;
	offload->events = options->events;
	offload->sink = (struct event_sink){ forward, offload };
	offload->options.events = &offload->sink;
	offload->posted = &offload->mails[0];
	offload->published = &offload->reports[0];
	offload->writing = &offload->reports[1];
	offload->reading = &offload->reports[2];
	offload->busy = true;
	offload->began_ns = clock_monotonic_ns(options->clock);

	rc = worker_init(offload);
	if (rc)
		err_set(err, NULL, "cannot prepare the offload thread: %s", strerror(-rc));
	else
		rc = start_worker(offload, err);
	if (rc) {
		offload_destroy(offload);
		return rc;
	}
	*out = offload;
	return 0;
}

/* How long the end may take; with the lock. */
static struct timespec last_moment(const struct offload *offload, uint64_t wait_ns)
{
	const struct offload_status *status = &offload->status;
	double flush_ns = 2.0 * status->used * (double)status->update_p99_ns;

	if (offload->options.flush_on_exit)
		wait_ns += (uint64_t)(flush_ns < OFFLOAD_FLUSH_MAX_NS ? flush_ns
								      : OFFLOAD_FLUSH_MAX_NS);
	return clock_deadline(wait_ns);
}

/* With the lock. */
static void ask_to_stop(struct offload *offload)
{
	offload->stop = true;
	pthread_cond_signal(&offload->wake);
}

bool offload_stop(struct offload *offload, uint64_t wait_ns)
{
	struct timespec until;
	bool ended;
	int rc = 0;

	pthread_mutex_lock(&offload->lock);
	until = last_moment(offload, wait_ns);
	ask_to_stop(offload);
	while (!offload->ended && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&offload->end, &offload->lock, &until);
	ended = offload->ended;
	pthread_mutex_unlock(&offload->lock);
	if (!ended)
		event_emit(offload->options.events, EVENT_KIND_OFFLOAD_FAILED, SLUICE_LOG_ERROR,
			   NULL, 1, offload->name,
			   "backend '%s': a call into it does not come back, and the end does not "
			   "wait for it: the card's table stays as it is, until the next start",
			   offload->name);
	return ended;
}

void offload_free(struct offload *offload)
{
	if (!offload)
		return;
	pthread_mutex_lock(&offload->lock);
	ask_to_stop(offload);
	pthread_mutex_unlock(&offload->lock);
	pthread_join(offload->thread, NULL);
	offload_destroy(offload);
}

void offload_leave(struct offload *offload, void (*after)(void *ctx), void *ctx)
{
	bool ended;

	pthread_mutex_lock(&offload->lock);
	ended = offload->ended;
	offload->left = !ended;
	offload->after = after;
	offload->after_ctx = ctx;
	if (!ended)
		pthread_detach(offload->thread);
	pthread_mutex_unlock(&offload->lock);
	/* It came back at the last moment. */
	if (ended) {
		offload_free(offload);
		after(ctx);
	}
}

static int reserve(void **array, size_t *capacity, size_t n, size_t size)
{
	size_t larger = n + n / 4 + 16;
	void *grown;

	if (n <= *capacity)
		return 0;
	grown = realloc(*array, larger * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = larger;
	return 0;
}

/* The length of the window that `sources` were counted in. */
static uint64_t window_length(struct offload *offload, uint64_t now_ns)
{
	uint64_t length = now_ns - offload->exchanged_ns;
	bool odd = offload->exchanged_ns == 0 || now_ns < offload->exchanged_ns ||
		   length < offload->options.window_ns / 2;

	offload->exchanged_ns = now_ns;
	return odd ? offload->options.window_ns : length;
}

static int fill_mail(struct offload *offload, const struct offload_source *sources, size_t n)
{
	struct mail *mail = &offload->filling;
	void *memory = mail->sources;
	int rc;

	if (n >= PLAN_NONE)
		return -ENOMEM;
	rc = reserve(&memory, &mail->capacity, n, sizeof(*sources));
	mail->sources = memory;
	if (rc)
		return rc;
	if (n > 0)
		memcpy(mail->sources, sources, n * sizeof(*sources));
	mail->n = n;
	return 0;
}

/*
 * Trades both mailboxes; what the worker has to say is in `reading` then.  True if what the worker
 * is at has become too long.
 */
static bool trade(struct offload *offload, uint64_t now_ns)
{
	struct mail filled = offload->filling;
	bool hangs;

	pthread_mutex_lock(&offload->lock);
	offload->filling = *offload->posted;
	*offload->posted = filled;
	offload->mail_posted = true;
	if (offload->report_fresh) {
		struct report *old = offload->reading;

		offload->reading = offload->published;
		offload->published = old;
		offload->report_fresh = false;
	}
	hangs = offload->busy && !offload->hanging &&
		now_ns > offload->began_ns + OFFLOAD_PATIENCE_NS;
	offload->hanging |= hangs;
	pthread_cond_signal(&offload->wake);
	pthread_mutex_unlock(&offload->lock);
	return hangs;
}

static void say_hanging(const struct offload *offload)
{
	event_emit(offload->options.events, EVENT_KIND_OFFLOAD_FAILED, SLUICE_LOG_ERROR, NULL, 1,
		   offload->name,
		   "backend '%s': a call into it has not come back for %u s; all sources stay "
		   "blocked in software, the card's table stays as it is",
		   offload->name, (unsigned int)(OFFLOAD_PATIENCE_NS / 1000000000));
}

/* The packets of a row that the engine has not been told of yet. */
static uint64_t take_delta(struct offload *offload, const struct report_row *row)
{
	struct seen *seen = &offload->seen[row->id];
	uint64_t delta;

	if (seen->generation != row->generation)
		*seen = (struct seen){ .generation = row->generation };
	delta = row->total - seen->total;
	seen->total = row->total;
	return delta;
}

/* Room for an answer of any length that this exchange may bring. */
static int reserve_answer(struct offload *offload)
{
	const struct report *report = offload->reading;
	void *states = offload->states, *seen = offload->seen;
	size_t n_seen = offload->n_seen, highest = 0;
	int rc;

	for (size_t i = 0; i < report->n; i++) {
		if (report->rows[i].id >= highest)
			highest = report->rows[i].id + (size_t)1;
	}
	rc = reserve(&states, &offload->states_capacity, report->n, sizeof(*offload->states));
	offload->states = states;
	if (rc)
		return rc;
	rc = reserve(&seen, &n_seen, highest, sizeof(*offload->seen));
	offload->seen = seen;
	if (rc)
		return rc;
	if (n_seen > offload->n_seen)
		memset(&offload->seen[offload->n_seen], 0,
		       (n_seen - offload->n_seen) * sizeof(*offload->seen));
	offload->n_seen = n_seen;
	return 0;
}

static size_t answer(struct offload *offload, uint64_t now_ns)
{
	const struct report *report = offload->reading;
	size_t n = 0;

	for (size_t i = 0; i < report->n; i++) {
		const struct report_row *row = &report->rows[i];
		uint64_t packets = take_delta(offload, row);
		uint64_t age_ns = OFFLOAD_AGE_UNKNOWN;

		if (row->removed && packets == 0)
			continue;
		if (row->counter_ns)
			age_ns = now_ns > row->counter_ns ? now_ns - row->counter_ns : 0;
		offload->states[n++] = (struct offload_state){
			.key = row->key,
			.handle = row->handle,
			.removed = row->removed,
			.packets = packets,
			.age_ns = age_ns,
		};
	}
	return n;
}

int offload_exchange(struct offload *offload, const struct offload_source *sources, size_t n,
		     const struct offload_state **states, size_t *n_states)
{
	uint64_t now_ns = clock_monotonic_ns(offload->options.clock);
	int rc;

	rc = fill_mail(offload, sources, n);
	if (rc)
		return rc;
	offload->filling.length_ns = window_length(offload, now_ns);
	if (trade(offload, now_ns))
		say_hanging(offload);
	/* Totals, not deltas, are what is traded: a failure here loses nothing. */
	rc = reserve_answer(offload);
	if (rc)
		return rc;
	*n_states = answer(offload, now_ns);
	*states = offload->states;
	return 0;
}

void offload_status(struct offload *offload, struct offload_status *status)
{
	pthread_mutex_lock(&offload->lock);
	*status = offload->status;
	status->healthy = status->healthy && !offload->hanging;
	pthread_mutex_unlock(&offload->lock);
}

void offload_drain(struct offload *offload)
{
	pthread_mutex_lock(&offload->lock);
	while (offload->busy || offload->mail_posted)
		pthread_cond_wait(&offload->idle, &offload->lock);
	pthread_mutex_unlock(&offload->lock);
}
