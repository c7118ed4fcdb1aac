/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reload, and a look at what one would do: everything is loaded and checked beside what runs, and only then changes places with
 * it, on the engine's thread between two windows.
 */
#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/errors.h"
#include "control/fail.h"

#include "daemon_state.h"
#include "engine_thread.h"
#include "reload.h"
#include "reload_plan.h"

struct exchange {
	struct daemon *daemon;
	struct generation *next;
	bool returned; /* It was refused, and is no longer the caller's. */
};

static int exchange(void *ctx, struct sluice_err *err)
{
	struct exchange *exchange = ctx;
	struct daemon *daemon = exchange->daemon;
	struct dataplane *dataplane = daemon->dataplane;
	struct dataplane_features features = generation_features(exchange->next);
	struct dataplane_features before = dataplane->features;
	struct engine_options options;
	int ret;

	ret = dataplane->ops->features_set(dataplane, &features, err);
	if (ret)
		return ret;
	generation_inherit(exchange->next, daemon->generation);
	options = daemon_engine_options(daemon, exchange->next);
	ret = engine_reconfigure(daemon->engine, &options, err);
	if (ret) {
		/* If even that fails, more is measured than the old detectors look at. */
		(void)!dataplane->ops->features_set(dataplane, &before, NULL);
		generation_return(exchange->next, daemon->generation);
		exchange->returned = true;
	} else {
		window_refresh(daemon);
	}
	return ret;
}

/* As of the last window or request. */
static uint64_t allowed_by_hand(const struct daemon *daemon)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	uint64_t n = 0;

	if (snapshot) {
		snapshot_board_get(daemon->board, snapshot);
		n = snapshot->engine.allowed_by_hand;
	}
	free(snapshot);
	return n;
}

static int reload(struct daemon *daemon, json_t **plan, struct sluice_err *err)
{
	struct exchange change = { .daemon = daemon };
	struct generation *old = daemon->generation;
	struct config_errors errors;
	int ret;

	err_init(err);
	config_errors_init(&errors);
	ret = generation_load(daemon->config, &daemon->services, &errors, &change.next);
	if (ret) {
		config_errors_to_err(&errors, err);
		return ret;
	}
	ret = reload_check(old, change.next, err);
	/* Before the exchange, while both are whole. */
	if (!ret && plan)
		*plan = reload_plan_json(daemon->config, old, change.next, allowed_by_hand(daemon),
					 &errors);
	if (!ret)
		ret = engine_thread_call(daemon->thread, exchange, &change, err);
	if (ret) {
		if (plan) {
			json_decref(*plan);
			*plan = NULL;
		}
		if (!change.returned)
			generation_free(change.next);
		return ret;
	}
	daemon->generation = change.next;
	generation_free(old);
	return 0;
}

int daemon_reload(void *ctx, json_t **plan, struct sluice_err *err)
{
	struct daemon *daemon = ctx;
	int ret;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(clock_monotonic_ns(&clock_system) / 1000));
	ret = reload(daemon, plan, err);
	if (ret)
		event_emit(&daemon->sink, EVENT_KIND_CONFIG_REFUSED, SLUICE_LOG_ERROR, NULL, 1,
			   "sluiced", "%s", err->text);
	else
		event_emit(&daemon->sink, EVENT_KIND_RELOADED, SLUICE_LOG_NOTICE, NULL, 1,
			   "sluiced", "the settings of %s are in force", daemon->config);
	sd_notify(0, "READY=1");
	return ret;
}

int daemon_foresee(void *ctx, json_t **plan, struct sluice_err *err)
{
	struct daemon *daemon = ctx;
	struct generation_services services = daemon->services;
	struct generation *next = NULL;
	struct config_errors errors;
	const char *fixed[RELOAD_FIXED_MAX];

	services.logger = NULL;
	config_errors_init(&errors);
	/* What a restart would stumble over is told as well, if it takes one. */
	if (generation_load(daemon->config, &services, &errors, &next) == 0 &&
	    reload_fixed_changes(daemon->generation, next, fixed))
		(void)!generation_check_host(next, &errors);
	*plan = reload_plan_json(daemon->config, daemon->generation, next, allowed_by_hand(daemon),
				 &errors);
	generation_free(next);
	return *plan ? 0 : fail_system(err, -ENOMEM, "reload");
}
