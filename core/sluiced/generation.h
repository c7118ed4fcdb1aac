/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that one deployment file brings to life: its settings, its detectors, and its back end's
 * plugin with checked options.  Loading attaches nothing and opens no device, so a file is either
 * fit as a whole or leaves no trace.  `sluice check` loads one, the daemon runs one, and a reload
 * replaces one by the next.
 */
#ifndef SLUICE_SLUICED_GENERATION_H
#define SLUICE_SLUICED_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

#include <sluice/plugin.h>

#include "dataplane/dataplane.h"
#include "engine/engine.h"
#include "plugin/plugin.h"

struct clock_source;
struct config_node;
struct config_errors;
struct generation;
struct logger;
struct plugin_shelf;
struct settings;
struct sluice_config;

/* Options of one detector that count in place of the file's. */
struct generation_override {
	const char *detector;
	const struct config_node *options; /* A mapping. */
};

/* Lent to plugins; must outlive the generation. */
struct generation_services {
	struct plugin_shelf *shelf;
	const struct clock_source *clock;
	const struct logger *logger;	     /* NULL: silent */
	plugin_propose_fn propose;	     /* NULL: proposals are refused, as in a check. */
	plugin_propose_rule_fn propose_rule; /* The same. */
	void *propose_ctx;
	const struct generation_override *overrides; /* Only used while loading. */
	size_t n_overrides;
	bool isolate; /* Each detector is called on a thread of its own, as a daemon needs it. */
};

/* All that is wrong is added to `errors`.  0 or a negative errno, with nothing left behind. */
int generation_load(const char *path, const struct generation_services *services,
		    struct config_errors *errors, struct generation **out)
	__attribute__((warn_unused_result));
/*
 * NULL is a no-op.  A detector that hangs in a call keeps what it may still use until the call
 * comes back.
 */
void generation_free(struct generation *generation);

/*
 * Adds an error, with its place, for each interface that does not exist, and if the group that may
 * use the control socket does not.  -ENODEV or -ENOENT if there is one.
 */
int generation_check_host(const struct generation *generation, struct config_errors *errors)
	__attribute__((warn_unused_result));

const struct settings *generation_settings(const struct generation *generation);
/* As engine_options wants them; valid as long as the generation. */
const struct engine_detector *generation_detectors(const struct generation *generation, size_t *n);

/* What the detectors' manifests need to be measured, within the file's bounds. */
struct dataplane_features generation_features(const struct generation *generation);

/* The back end's plugin and options; NULL if the file names none. */
struct plugin *generation_backend(const struct generation *generation);
const struct sluice_config *generation_backend_config(const struct generation *generation);
/* What plugin_backend_open() wants. */
const struct plugin_use *generation_backend_use(const struct generation *generation);

enum generation_fate_kind {
	GENERATION_ADDED,
	GENERATION_REMOVED,
	GENERATION_KEPT,	 /* With the same options. */
	GENERATION_RECONFIGURED, /* It takes the new options live: what it learned stays. */
	GENERATION_RECREATED,	 /* It learns anew. */
	GENERATION_REPLACED,	 /* By a newer build, which learns anew. */
};

/* What becomes of one detector. */
struct generation_fate {
	const char *name;
	enum generation_fate_kind what;
	const struct sluice_config *before, *after; /* Its options; NULL: it is not there. */
};

const char *generation_fate_name(enum generation_fate_kind what);
/*
 * Tells what generation_inherit() would do, without doing it: a detector with other options is asked
 * by means of an instance of its own.  One that hangs then is not waited for again: generation_inherit()
 * has a new one take its place at once.
 */
void generation_foresee(struct generation *generation, const struct generation *old,
			void (*tell)(void *ctx, const struct generation_fate *fate), void *ctx);

/*
 * Hands running detectors of `old` on to `generation`, where both have the same plugin and its
 * options are the same or it takes the new ones live: what it learned is kept.  One that hangs in a
 * call is left behind, and a new one takes its place.  On the engine's thread.
 */
void generation_inherit(struct generation *generation, struct generation *old);
/* Undoes generation_inherit() and frees `generation`.  On the engine's thread. */
void generation_return(struct generation *generation, struct generation *old);

#endif /* SLUICE_SLUICED_GENERATION_H */
