/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on trial: a deployment file's detectors, policy and rules, with the engine and the filter,
 * as sluiced has them, but on a virtual clock and without a network.
 */
#ifndef SLUICE_TRIAL_DEFENCE_H
#define SLUICE_TRIAL_DEFENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>
#include <sluice/plugin.h>

#include "dataplane/replay.h"
#include "engine/engine.h"

struct config_errors;
struct engine_known;
struct event_sink;
struct generation_override;
struct virtual_clock;

struct defence_options {
	const char *config;
	const char *only;   /* This detector alone; NULL: all. */
	uint64_t window_ns; /* 0: the file's. */
	const struct generation_override *overrides;
	size_t n_overrides;
	uint64_t seed;
	struct virtual_clock *clock;
	const struct event_sink *events;
	const struct dataplane_replay_observer *observer;
	size_t n_peers; /* The most hosts that can become known. */
	/* Never blocked; those that are whole addresses are also the host's own. */
	const struct sluice_key *protect;
	size_t n_protect;
};

struct defence {
	struct dataplane *dp;
	struct engine *engine;
	const struct engine_detector *detectors; /* Those that take part. */
	size_t n_detectors;
	uint64_t window_ns;
	uint8_t v6_prefix_len;
	bool enforces;
	struct defence_parts *parts;
};

/*
 * Loads all of it; what is wrong with the file is added to `errors`, and anything else is said in
 * `err`.  -EINVAL the file, a plugin or `only` is unfit; -EPERM missing privileges.
 */
int defence_load(const struct defence_options *options, struct config_errors *errors,
		 struct defence *defence, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* The data plane and the engine; the observer is told of the file's rules meanwhile. */
int defence_start(struct defence *defence, const struct engine_known *known, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Zeroed memory is fit for it. */
void defence_fini(struct defence *defence);

/* The same programs once more, without blocks or rules, to measure what they cost. */
int defence_open_bare(const struct defence *defence, struct dataplane **out, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_TRIAL_DEFENCE_H */
