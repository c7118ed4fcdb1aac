/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the daemon share: daemon.c starts and stops, window.c and reload run in between. */
#ifndef SLUICE_SLUICED_DAEMON_STATE_H
#define SLUICE_SLUICED_DAEMON_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "base/log.h"
#include "base/nic_driver.h"
#include "engine/engine.h"

#include "generation.h"
#include "handlers.h"
#include "snapshot.h"

struct daemon {
	const char *config;
	const struct logger *logger;
	struct generation_services services;
	struct generation *generation; /* The one in force; replaced by a reload. */
	struct lock *lock;
	struct event_log *log;
	struct event_sink sink;	       /* The log below, and lines on the logger. */
	struct log_limit log_limit[2]; /* For notices and worse; for lesser lines. */
	pthread_mutex_t log_lock;      /* Events come from several threads. */
	struct snapshot_board *board;
	struct server *server;
	struct stack_door *door; /* NULL: no stack. */
	struct metrics *metrics;
	struct sluice_instance *backend;
	struct sluice_backend_caps caps;
	char nic_driver[NIC_DRIVER_SIZE]; /* Of the back end's interface. */
	struct dataplane *dataplane;
	bool adopted; /* The filter was there before us. */
	struct offload *offload;
	struct told_clients *told; /* By stacks; NULL: no stack. */
	struct known_clients *known;
	struct engine_known known_interface;
	struct engine *engine;
	struct engine_thread *thread;
	struct handlers_context handlers;
	int signal_fd;
	bool watchdog; /* systemd wants to hear of every window. */

	/* The engine's thread alone, once it runs. */
	struct snapshot snapshot;
	struct dataplane_counters counters;
	uint64_t counters_ns;
};

/* Options for a new or changed engine from a generation. */
struct engine_options daemon_engine_options(struct daemon *daemon,
					    const struct generation *generation);

/* The engine thread's step: one window, then a snapshot. */
void window_step(void *ctx);
uint64_t window_next_ns(void *ctx);
/* Brings the snapshot up to date after a request has changed the blocklist: no new rates. */
void window_refresh(void *ctx);
/* The first snapshot, before any window. */
void window_init(struct daemon *daemon);
/* Of an event that says that an interface lost its program; on the engine's thread. */
void window_note_interface(struct daemon *daemon, const struct event *event);
/* Writes /metrics. */
void window_render(void *ctx, FILE *out);

/*
 * Reads the file again; on failure the old settings stay in force and an event says why.  `*plan`
 * gets what it changed (`plan` may be NULL), or stays as it is if memory is out.
 */
int daemon_reload(void *ctx, json_t **plan, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* What daemon_reload() would do now, in the form of reload_plan.h; changes nothing. */
int daemon_foresee(void *ctx, json_t **plan, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_DAEMON_STATE_H */
