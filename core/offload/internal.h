/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share.  Two threads meet in `struct offload`: the engine's, which
 * only swaps buffers under the lock, and the worker, which owns `struct worker` and the back end.
 */
#ifndef SLUICE_OFFLOAD_INTERNAL_H
#define SLUICE_OFFLOAD_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"
#include "capacity.h"
#include "cost.h"
#include "offload.h"
#include "plan.h"
#include "probation.h"
#include "rates.h"
#include "table.h"

/* One window on its way from the engine to the worker. */
struct mail {
	struct offload_source *sources;
	size_t n, capacity;
	uint64_t length_ns; /* The time that the sources' packets were counted in. */
};

/* What the worker tells the engine of one row.  Totals, so that a skipped report loses nothing. */
struct report_row {
	struct sluice_key key;
	uint32_t handle, id, generation;
	bool removed;
	uint64_t total;
	uint64_t counter_ns; /* 0 = never read */
};

struct report {
	struct report_row *rows;
	size_t n, capacity;
};

/* Something that happened to some sources in one round; becomes one event. */
struct tally {
	uint32_t n;
	struct sluice_key first;
	int code;	/* Of the first. */
	char text[256]; /* Why, of the first; may be empty. */
	int said_code;	/* Of the last event made of it, and when: failures repeat themselves. */
	uint64_t said_ns;
};

/* Rules on their way to the card in one call. */
struct batch {
	struct sluice_backend_rule rules[COST_BATCH_MAX];
	int results[COST_BATCH_MAX];
	uint32_t ids[COST_BATCH_MAX];	   /* Rows, or TABLE_NONE for a source without one. */
	uint64_t soft_pps[COST_BATCH_MAX]; /* Of those to be added. */
	uint32_t handles[COST_BATCH_MAX];
	uint32_t n;
};

/* The worker's own. */
struct worker {
	struct table *table;
	struct cost_meter cost;
	struct budget budget;
	struct rate_book rates;
	struct probation probation;
	size_t n_lifted;       /* At the end of `doomed`: those chosen for probation. */
	uint32_t on_probation; /* Those that did leave for it; their slots are kept. */
	double swaps;	       /* That may be planned now; see OFFLOAD_CHURN. */
	uint64_t swaps_ns;
	struct capacity capacity;
	struct batch batch;
	struct mail *mail; /* The window being worked on. */
	uint64_t round;	   /* From 1. */
	uint64_t now_ns;   /* When it began. */

	struct plan_entry *entries;
	size_t n_entries, entries_capacity;
	struct plan_step *steps;
	size_t steps_capacity;
	uint32_t *doomed; /* Rows to take out before the plan. */
	size_t n_doomed, doomed_capacity;
	struct sluice_backend_counter *counters;
	size_t counters_capacity;
	struct sluice_backend_rule *listed;
	size_t listed_capacity;

	uint64_t volume_pps, max_volume_pps;
	uint64_t max_volume_ns; /* When it was last looked at. */
	double threshold;

	bool healthy;
	bool audit_wanted;	  /* The book and the card may differ. */
	uint64_t audit_ns;	  /* No audit before. */
	uint64_t routine_ns;	  /* Without counters to notice by: an audit then, in any case. */
	uint32_t idle_audits;	  /* In a row, that found nothing amiss. */
	uint32_t device_failures; /* In a row. */

	uint64_t adds, dels, refused, failures;
	struct tally added, withdrawn;
	struct tally not_added;	  /* Failed to enter the table. */
	struct tally not_removed; /* Failed to leave it. */
	struct tally stopped;	  /* Their rules had dropped, and did no more. */
	char last_error[256];
};

struct offload {
	struct offload_options options;
	char name[24];
	char driver[32];
	pthread_t thread;

	pthread_mutex_t lock; /* Held for pointer swaps and copies only. */
	pthread_cond_t wake;  /* Mail or stop. */
	pthread_cond_t idle;  /* Neither mail nor work. */
	pthread_cond_t end;   /* `ended`; on the monotonic clock. */
	bool stop, busy, mail_posted, report_fresh;
	uint64_t began_ns; /* When what it is busy with began. */
	bool hanging;	   /* That was too long ago, and was said. */
	bool ended;	   /* The thread only has to be joined. */
	bool left;	   /* Nobody waits for it: it frees all this, then calls `after`. */
	void (*after)(void *ctx);
	void *after_ctx;
	struct event_sink sink; /* To `options.events`, until it is left. */
	const struct event_sink *events;
	struct mail mails[2];
	struct mail *posted; /* The other one is the worker's. */
	struct report reports[3];
	struct report *published, *writing, *reading;
	struct offload_status status;

	/* The engine thread's own. */
	struct mail filling; /* Trades memory with `posted`. */
	struct offload_state *states;
	size_t states_capacity;
	struct seen {
		uint32_t generation;
		uint64_t total;
	} * seen; /* By row number. */
	size_t n_seen;
	uint64_t exchanged_ns; /* 0 = never */

	struct worker worker;
};

/* The thread. */
void *worker_main(void *arg);

/* The calling thread is the last one that knows of it. */
void offload_destroy(struct offload *offload);

int worker_init(struct offload *offload) __attribute__((warn_unused_result));
void worker_fini(struct offload *offload);

/* post.c: what passes between the engine's thread and the worker. */

/* Whether the round should end early: stop, or a newer window. */
bool post_is_waiting(struct offload *offload);
/* Makes the table and the counters visible to offload_exchange() and offload_status(). */
void post_report(struct offload *offload);

/* round.c: all that one window brings about. */
void round_run(struct offload *offload);

/* apply.c: changes the card's table. */

/* Takes out `doomed` rows, in batches.  False if interrupted or the device failed. */
bool apply_withdrawals(struct offload *offload);
/* Carries out the steps of a plan, in batches, until interrupted or the device fails. */
void apply_plan(struct offload *offload, size_t n_steps);
/* The call as a whole failed with `rc`: nothing is known of the table until list() answers. */
void apply_device_failed(struct offload *offload, const char *call, int rc,
			 const struct sluice_err *err);
/* How long to wait after so many failures in a row. */
uint64_t apply_backoff_ns(const struct offload *offload, uint32_t failures);
/* Notes one more source in a tally. */
void tally_add(struct tally *tally, const struct sluice_key *key, int code, const char *text);

/* reconcile.c: what the card says of itself. */

/* list(), when it is due; brings the book in line with it. */
void reconcile_audit(struct offload *offload);
/* read(), if the card has counters. */
void reconcile_read(struct offload *offload);

#endif /* SLUICE_OFFLOAD_INTERNAL_H */
