/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload manager: keeps the NIC's table filled with the heaviest blocked sources.
 *
 * The engine calls offload_exchange() once a window and gets back at once what the card last
 * said; a worker thread does the waiting.  Nothing here ever blocks the window loop.
 *
 * What the worker does with one window: it reads the counters, takes out the sources that are no
 * longer blocked (first, and regardless of the budget: a rule too many hurts a client, a rule too
 * few costs speed), plans (see plan.h), and changes the table in batches small enough that stop
 * and a newer window are never far.  A window that arrives while it is at work replaces the rest.
 *
 * A call that does not come back holds up the worker alone: the engine notices in its exchange, and
 * the end waits no longer than offload_stop() says.
 *
 * A card that refuses a rule, is full early, loses rules, says yes and drops nothing, or does not
 * answer is worked around with back-off, and said so by events; a card that comes back is brought
 * in line by list().
 *
 * Sources are ranked by what they sent in many windows (rates.h).  Back ends without hit counters:
 * an offloaded source keeps the rate at which it was last seen in software, and so its rank; a few
 * in turn leave the table for a window to be seen again (probation.h).  One whose rate was never
 * seen (found in the table at start) ranks last.  The engine must not call such a source quiet
 * for want of software packets: age_ns says that nothing is known.
 */
#ifndef SLUICE_OFFLOAD_OFFLOAD_H
#define SLUICE_OFFLOAD_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/backend.h>
#include <sluice/key.h>

struct clock_source;
struct event_sink;
struct offload;

/*
 * Without hit counters one of so many entries at most leaves the table at a time, to be seen in
 * software; none of a table that holds fewer.
 */
#define OFFLOAD_PROBATION_SHARE 50

/* A call of the back end that takes longer than this is said to hang. */
#define OFFLOAD_PATIENCE_NS 10000000000u

/* Nothing was read of this source: the card has no counters, or has not been read yet. */
#define OFFLOAD_AGE_UNKNOWN UINT64_MAX

/*
 * Swaps a second, as a share of the table, when the attack is as large as the maximum; at a tenth
 * of that a tenth.  What was not used is saved up for so many seconds, for an attack that changes
 * all at once.
 */
#define OFFLOAD_CHURN 0.055
#define OFFLOAD_CHURN_SAVED_S 5
/* What the deployment file has by default. */
#define OFFLOAD_THRESHOLD_MIN 1.02
#define OFFLOAD_THRESHOLD_MAX 1.1
#define OFFLOAD_RESIDENCY 2

struct offload_options {
	const struct sluice_backend_ops *ops;
	void *self; /* An open back end; offload_free() closes it. */
	struct sluice_backend_caps caps;
	const char *name;		     /* Of the back end, for events. */
	const char *driver;		     /* Of its interface, for reports; NULL: not known. */
	uint32_t capacity;		     /* 0 = what `caps` says. */
	uint32_t updates_per_second;	     /* 0 = from the update cost in `caps`. */
	uint64_t max_rate_pps;		     /* 0 = the highest total seen, decaying. */
	double threshold_min, threshold_max; /* 1 <= min <= max */
	double churn;			     /* See OFFLOAD_CHURN; INFINITY = no bound. */
	uint32_t residency_windows;	     /* What was added stays at least this long. */
	bool flush_on_exit;
	uint64_t window_ns;
	const struct clock_source *clock;
	const struct event_sink *events;
};

/*
 * A blocked source as the engine knows it: its software rate.  `handle` is the engine's name, from
 * 0 without large gaps: memory of rates is kept by it.
 */
struct offload_source {
	struct sluice_key key;
	uint32_t handle;
	uint64_t packets; /* Dropped by XDP in this window. */
};

/*
 * What the card says of one offloaded source.  `handle` is the one that came with `key` last; the
 * engine may have given it to another source since, so compare the key.  While a card does not
 * answer, what it last held stays listed with a growing age.
 */
struct offload_state {
	struct sluice_key key;
	uint32_t handle;
	bool removed;	  /* No longer in the table; these are its last packets. */
	uint64_t packets; /* Dropped by the card since the last exchange. */
	uint64_t age_ns;  /* How old that figure is, or OFFLOAD_AGE_UNKNOWN. */
};

struct offload_status {
	char backend[24];
	char driver[32]; /* Empty: not known. */
	bool emulated, counters;
	bool healthy;		 /* The card answers. */
	uint32_t capacity, used; /* `capacity` as learned, if the card has less. */
	uint32_t probation;	 /* Entries that are out of the table for a window, to be seen. */
	double threshold;	 /* Of the last plan. */
	uint64_t volume_pps, max_volume_pps;
	uint64_t adds, dels;		       /* Done by the card, since start. */
	uint64_t refused;		       /* Rules that did not fit or could not be matched. */
	uint64_t failures;		       /* Other rules, and calls, that failed. */
	uint64_t update_p50_ns, update_p99_ns; /* As measured; before that, as the card says. */
	char last_error[256];		       /* Empty if none. */
};

/*
 * Starts the worker.  Rules that the card already holds (from an earlier daemon) are listed and
 * either kept, when the first offload_exchange() names their source, or removed.  On failure the
 * back end is not closed.  -EINVAL: options or ops contradict the contract; -ENOMEM; -EAGAIN: no
 * thread.
 */
int offload_new(const struct offload_options *options, struct offload **out, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Once a window, on the engine's thread.  `sources` are all blocked sources, each once; those that
 * are no longer listed leave the table.  On return `*states` points to what the card holds, with
 * packets counted since the last exchange; it is valid until the next call.  Never waits for the
 * card.  -ENOMEM: this window is lost to the card and nothing is returned.
 */
int offload_exchange(struct offload *offload, const struct offload_source *sources, size_t n,
		     const struct offload_state **states, size_t *n_states)
	__attribute__((warn_unused_result));

/* Thread-safe copy. */
void offload_status(struct offload *offload, struct offload_status *status);

/*
 * Tells the worker to stop, which it does after its batch, flush the table if so configured, and
 * close the back end.  Waits for that, in real time: `wait_ns`, and longer for a flush that takes
 * long by what updates cost, a minute at most.  False: a call of the back end does not come back.
 * An event says so; it is the last one from here.
 */
bool offload_stop(struct offload *offload, uint64_t wait_ns) __attribute__((warn_unused_result));

/* Stops the worker, if that was not done, and frees all.  NULL is a no-op. */
void offload_free(struct offload *offload);

/*
 * Instead, after offload_stop() in vain: nobody waits for the call.  Should it come back, the worker
 * ends as it would have, frees all and calls `after` on its thread.  The back end's code must stay
 * loaded, and its instance be retired before.
 */
void offload_leave(struct offload *offload, void (*after)(void *ctx), void *ctx);

/*
 * Waits until the worker has done all that was handed to it.  For tests and simulations, which must
 * not depend on which thread is faster; the engine never calls it.
 */
void offload_drain(struct offload *offload);

#endif /* SLUICE_OFFLOAD_OFFLOAD_H */
