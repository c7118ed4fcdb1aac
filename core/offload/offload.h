/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload manager: keeps the NIC's table filled with the heaviest blocked sources.
 *
 * The engine calls offload_exchange() once a window and gets back at once what the card last
 * said; a worker thread does the waiting.  Nothing here ever blocks the window loop.
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

struct offload_options {
	const struct sluice_backend_ops *ops;
	void *self;                         /* An open back end; offload_free() closes it. */
	struct sluice_backend_caps caps;
	const char *name;                   /* Of the back end, for events. */
	uint32_t capacity;                  /* 0 = what `caps` says. */
	uint32_t updates_per_second;        /* 0 = from the update cost in `caps`. */
	uint64_t max_rate_pps;              /* 0 = the highest total seen, decaying. */
	double threshold_min, threshold_max;
	uint32_t residency_windows;
	bool flush_on_exit;
	uint64_t window_ns;
	const struct clock_source *clock;
	const struct event_sink *events;
};

/* A blocked source as the engine knows it: its software rate.  `handle` is the engine's name. */
struct offload_source {
	struct sluice_key key;
	uint32_t handle;
	uint64_t packets; /* Dropped by XDP in this window. */
};

/* What the card says of one offloaded source. */
struct offload_state {
	struct sluice_key key;
	uint32_t handle;
	uint64_t packets;     /* Dropped by the card since the last exchange. */
	uint64_t age_ns;      /* How old that figure is. */
};

struct offload_status {
	char backend[24];
	bool emulated, counters, healthy;
	uint32_t capacity, used;
	double threshold;                       /* Of the last plan. */
	uint64_t volume_pps, max_volume_pps;
	uint64_t adds, dels, refused, failures; /* Since start. */
	uint64_t update_p50_ns, update_p99_ns;  /* As measured. */
	char last_error[256];                   /* Empty if none. */
};

/*
 * Starts the worker.  Rules that the card already holds (from an earlier daemon) are listed and
 * either kept, when offload_exchange() names their source, or removed.  On failure the back end is
 * not closed.
 */
int offload_new(const struct offload_options *options, struct offload **out, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Once a window, on the engine's thread.  `sources` are all blocked sources; those that are no
 * longer listed leave the table.  On return `*states` points to what the card holds, with packets
 * counted since the last exchange; it is valid until the next call.  Never waits for the card.
 */
int offload_exchange(struct offload *offload, const struct offload_source *sources, size_t n,
		     const struct offload_state **states, size_t *n_states)
	__attribute__((warn_unused_result));

/* Thread-safe copy. */
void offload_status(struct offload *offload, struct offload_status *status);

/* Stops the worker (bounded by one batch), flushes if so configured, closes the back end. */
void offload_free(struct offload *offload);

#endif /* SLUICE_OFFLOAD_OFFLOAD_H */
