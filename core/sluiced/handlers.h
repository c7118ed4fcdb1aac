/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon answers on its control socket. */
#ifndef SLUICE_SLUICED_HANDLERS_H
#define SLUICE_SLUICED_HANDLERS_H

#include <stddef.h>
#include <stdint.h>

#include "control/server.h"

#include "status.h"

struct dataplane;
struct engine;
struct engine_thread;
struct snapshot_board;

/* The handlers' context; filled in before the first request is read. */
struct handlers_context {
	struct engine_thread *thread;
	struct engine *engine;		   /* Touched on its thread alone... */
	const struct dataplane *dataplane; /* ... and so is this. */
	struct snapshot_board *board;
	struct status_context status; /* Its uptime is filled in for each request. */
	uint64_t started_ns;	      /* Monotonic */
	/* After a change, on the engine's thread: `status` shows it at once. */
	void (*refresh)(void *ctx);
	void *refresh_ctx;
	/* 0 with what changed, or why the old settings stay in force. */
	int (*reload)(void *ctx, json_t **plan, struct sluice_err *err);
	/* 0 with what a reload would change, or whether it would be refused. */
	int (*foresee)(void *ctx, json_t **plan, struct sluice_err *err);
	void *reload_ctx;
};

const struct server_handler *handlers_list(size_t *n);

#endif /* SLUICE_SLUICED_HANDLERS_H */
