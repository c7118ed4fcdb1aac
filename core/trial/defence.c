/* SPDX-License-Identifier: BSD-2-Clause */
/* See defence.h. */
#include "defence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "base/nearest.h"
#include "config/settings.h"
#include "engine/system_addresses.h"
#include "sluiced/generation.h"
#include "sluiced/plugin_shelf.h"

#include "virtual_clock.h"

/* Known clients: as many as there can be, for the tables are walked and wiped in each window. */
#define MIN_KNOWN 1024u
#define MAX_KNOWN 65536u

struct defence_parts {
	struct defence_options options;
	struct plugin_shelf *shelf;
	struct generation *generation;
	struct settings settings; /* The file's, with what a replay changes. */
	struct engine_detector *detectors;
	struct engine_addresses addresses;
	struct engine *engine; /* Where proposals go. */
};

static int propose(void *ctx, struct sluice_instance *instance,
		   const struct sluice_proposal *proposal)
{
	struct defence_parts *parts = ctx;

	return engine_propose(parts->engine, instance, proposal);
}

static int propose_rule(void *ctx, struct sluice_instance *instance,
			const struct sluice_rule_proposal *proposal)
{
	struct defence_parts *parts = ctx;

	return engine_propose_rule(parts->engine, instance, proposal);
}

/* `own` are the protected addresses; there is neither gateway nor resolver. */
static int resolve(void *ctx, struct system_addresses *list)
{
	const struct defence_parts *parts = ctx;
	int ret = 0;

	for (size_t i = 0; !ret && i < parts->options.n_protect; i++)
		if (address_is_single(&parts->options.protect[i]))
			ret = system_addresses_add(list, SYSTEM_ADDRESS_OWN,
						   &parts->options.protect[i]);
	return ret;
}

static int pick_detectors(struct defence *defence, struct sluice_err *err)
{
	struct defence_parts *parts = defence->parts;
	const char *only = parts->options.only, *near;
	size_t n;
	const struct engine_detector *all = generation_detectors(parts->generation, &n);
	const char **names = calloc(n + 1, sizeof(*names));

	parts->detectors = calloc(n + 1, sizeof(*parts->detectors));
	if (!parts->detectors || !names) {
		free(names);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		names[i] = all[i].name;
		if (!only || strcmp(all[i].name, only) == 0)
			parts->detectors[defence->n_detectors++] = all[i];
	}
	defence->detectors = parts->detectors;
	near = only ? nearest_name(only, names, n) : NULL;
	free(names);
	if (!only || defence->n_detectors)
		return 0;
	if (near)
		err_set(err, "only", "%s has no detector '%s'; did you mean '%s'?",
			parts->options.config, only, near);
	else
		err_set(err, "only", "%s has no detector '%s'", parts->options.config, only);
	return -EINVAL;
}

int defence_load(const struct defence_options *options, struct config_errors *errors,
		 struct defence *defence, struct sluice_err *err)
{
	struct defence_parts *parts = calloc(1, sizeof(*parts));
	struct generation_services services = {
		.clock = &options->clock->source,
		.propose = propose,
		.propose_rule = propose_rule,
		.propose_ctx = parts,
		.overrides = options->overrides,
		.n_overrides = options->n_overrides,
	};
	int ret;

	memset(defence, 0, sizeof(*defence));
	if (!parts)
		return -ENOMEM;
	defence->parts = parts;
	parts->options = *options;
	parts->addresses = (struct engine_addresses){ .resolve = resolve, .ctx = parts };
	ret = plugin_shelf_new(&parts->shelf);
	services.shelf = parts->shelf;
	if (!ret)
		ret = generation_load(options->config, &services, errors, &parts->generation);
	if (ret)
		return ret;
	parts->settings = *generation_settings(parts->generation);
	/* No card takes part, and no time passes for one. */
	parts->settings.offload.enabled = false;
	if (options->window_ns)
		parts->settings.window_ns = options->window_ns;
	defence->window_ns = parts->settings.window_ns;
	defence->v6_prefix_len = parts->settings.policy.v6_prefix_len;
	defence->enforces = parts->settings.enforce;
	return pick_detectors(defence, err);
}

static struct dataplane_features features_of(const struct defence_parts *parts)
{
	struct dataplane_features features = generation_features(parts->generation);
	double samples = (double)parts->settings.features.samples_per_second *
			 (double)parts->settings.window_ns / 1e9;

	features.samples_per_window = samples < 1 ? 1 : (uint32_t)samples;
	return features;
}

/* Twice as many: a table that is nearly full makes room, which is not what is on trial. */
static uint32_t most_known(const struct defence_parts *parts)
{
	size_t n = 2 * parts->options.n_peers;

	if (n < MIN_KNOWN)
		return MIN_KNOWN;
	return n < MAX_KNOWN ? (uint32_t)n : MAX_KNOWN;
}

static int open_plane(const struct defence_parts *parts,
		      const struct dataplane_replay_observer *observer, struct dataplane **out,
		      struct sluice_err *err)
{
	const struct settings *settings = &parts->settings;
	const struct dataplane_replay_options options = {
		.plane = {
			.max_blocked = settings->policy.max_blocked,
			.max_sources = settings->max_sources,
			.max_known = most_known(parts),
			/* Loaded; there is no interface to attach to, by whichever way. */
			.egress = settings->known.egress == SETTINGS_EGRESS_OFF
					  ? DATAPLANE_EGRESS_OFF
					  : DATAPLANE_EGRESS_CLSACT,
			.max_sources_v6 = settings->max_sources_v6,
			/*
			 * Whatever the file says: both ways count alike, and this one flips by a
			 * store, where the other makes the kernel rewrite a running program.
			 */
			.swap = DATAPLANE_SWAP_DUAL_MAP,
			.features = features_of(parts),
			.v6_prefix_len = settings->policy.v6_prefix_len,
			.pass_malformed = settings->pass_malformed,
			.enforce = settings->enforce,
		},
		.seed = parts->options.seed,
		.observer = observer ? *observer : (struct dataplane_replay_observer){ 0 },
	};

	return dataplane_replay_open(&options, out, err);
}

/* A protected address is never blocked, and neither is a prefix that covers one. */
static int protect(const struct defence *defence, struct sluice_err *err)
{
	const struct defence_options *options = &defence->parts->options;
	int ret = 0;

	for (size_t i = 0; !ret && i < options->n_protect; i++)
		ret = engine_allow(defence->engine, &options->protect[i], err);
	return ret;
}

int defence_start(struct defence *defence, const struct engine_known *known, struct sluice_err *err)
{
	struct defence_parts *parts = defence->parts;
	struct engine_options options = {
		.settings = &parts->settings,
		.known = known,
		.addresses = &parts->addresses,
		.clock = &parts->options.clock->source,
		.events = parts->options.events,
		.detectors = defence->detectors,
		.n_detectors = defence->n_detectors,
	};
	int ret = open_plane(parts, parts->options.observer, &defence->dp, err);

	options.dataplane = defence->dp;
	if (!ret)
		ret = engine_new(&options, &defence->engine, err);
	parts->engine = defence->engine;
	if (!ret)
		ret = protect(defence, err);
	return ret;
}

int defence_open_bare(const struct defence *defence, struct dataplane **out, struct sluice_err *err)
{
	return open_plane(defence->parts, NULL, out, err);
}

void defence_fini(struct defence *defence)
{
	struct defence_parts *parts = defence->parts;

	engine_free(defence->engine);
	dataplane_close(defence->dp);
	if (parts) {
		generation_free(parts->generation);
		plugin_shelf_free(parts->shelf);
		free(parts->detectors);
	}
	free(parts);
	memset(defence, 0, sizeof(*defence));
}
