/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a detector must do when all goes well: come, go, take every option, judge any window, keep
 * its instances apart, and give back its memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "plugin/plugin.h"

#include "conform.h"
#include "detector_faults.h"
#include "host.h"
#include "leak.h"
#include "options.h"
#include "window.h"

#define FUZZ_WINDOWS 400

static const struct window_shape busy = {
	.n_sources = 500,
	.n_blocked = 20,
	.n_flows = 300,
	.n_destinations = 4,
	.n_samples = 50,
	.n_rules = 2,
	.sequence = 1,
	.length_ns = 1000000000,
	.seed = 1,
};

/* The instance that every other case needs. */
static int begin(struct conform *conform, struct sluice_instance **instance)
{
	int refused, rc = host_detector_new(conform, NULL, instance, &refused);

	if (rc == 0 && refused)
		rc = conform_fail(conform,
				  "create refuses these options (%s); give others with --options",
				  err_name(refused));
	return rc;
}

static int observe_shape(struct sluice_instance *instance, const struct window_shape *shape)
{
	struct window_memory memory;
	const struct sluice_window *window = window_new(shape, &memory);
	int rc;

	if (!window)
		return conform_fail(instance->conform, "no memory for the test");
	rc = host_observe(instance, window);
	if (rc == 0 && instance->rc != 0)
		rc = conform_fail(instance->conform,
				  "observe fails (%s) on a well-formed window: %zu sources, %zu "
				  "samples, length %llu ns, %s counters, seed %llu",
				  err_name(instance->rc), shape->n_sources, shape->n_samples,
				  (unsigned long long)shape->length_ns,
				  shape->wild ? "wild" : "plain", (unsigned long long)shape->seed);
	window_free(&memory);
	return rc;
}

static int case_life(struct conform *conform)
{
	for (int i = 0; i < 3; i++) {
		struct sluice_instance *instance = NULL;
		int rc = begin(conform, &instance);

		if (rc != 0)
			return rc;
		rc = i == 0 ? 0 : observe_shape(instance, &busy);
		host_detector_free(instance);
		if (rc != 0)
			return rc;
	}
	plugin_detector_ops(conform->plugin)->destroy(NULL);
	return 0;
}

static int observe_with(struct conform *conform, const struct config_node *options)
{
	struct sluice_instance *instance = NULL;
	int refused, rc = host_detector_new(conform, options, &instance, &refused);

	if (rc == 0 && instance)
		rc = observe_shape(instance, &busy);
	host_detector_free(instance);
	return rc;
}

static int case_options(struct conform *conform)
{
	return options_try(conform, observe_with);
}

static int case_windows(struct conform *conform)
{
	static const struct window_shape shapes[] = {
		{ .sequence = 1, .length_ns = 1000000000 },
		{ .sequence = 1, .length_ns = 0 },
		{ .n_sources = 1, .sequence = 2, .length_ns = 1 },
		{ .n_sources = 1, .sequence = 2, .length_ns = UINT64_MAX / 4 },
		{ .n_sources = 3,
		  .n_samples = 9,
		  .n_destinations = 2,
		  .n_flows = 3,
		  .sequence = 3,
		  .length_ns = 100000000,
		  .wild = true },
		{ .n_sources = 5000, .n_blocked = 5000, .sequence = 4, .length_ns = 100000000 },
		/* From a newer host: longer structures, other strides. */
		{ .n_sources = 50,
		  .n_blocked = 50,
		  .n_flows = 50,
		  .n_destinations = 5,
		  .n_samples = 50,
		  .n_rules = 5,
		  .extra = 24,
		  .sequence = 5,
		  .length_ns = 1000000000 },
	};
	struct sluice_instance *instance = NULL;
	int rc = begin(conform, &instance);

	for (size_t i = 0; rc == 0 && i < sizeof(shapes) / sizeof(shapes[0]); i++)
		rc = observe_shape(instance, &shapes[i]);
	host_detector_free(instance);
	return rc;
}

static struct window_shape random_shape(uint64_t *state, uint64_t sequence)
{
	uint64_t any = window_random(state);

	return (struct window_shape){
		.n_sources = any % 300,
		.n_blocked = (any >> 10) % 40,
		.n_flows = (any >> 16) % 100,
		.n_destinations = (any >> 24) % 5,
		.n_samples = (any >> 28) % 60,
		.n_rules = (any >> 36) % 4,
		.extra = (any >> 40) % 3 * 8,
		.wild = (any >> 44) % 2,
		/* Now and then windows are lost, and once in a while time seems to stand. */
		.sequence = sequence + (any >> 48) % 3,
		.length_ns = (any >> 52) % 8 ? 1000000000 : (any >> 55) % 3,
		.seed = window_random(state),
	};
}

static int case_fuzz(struct conform *conform)
{
	struct sluice_instance *instance = NULL;
	uint64_t state = conform->seed;
	int rc = begin(conform, &instance);

	for (uint64_t i = 0; rc == 0 && i < FUZZ_WINDOWS; i++) {
		struct window_shape shape = random_shape(&state, 3 * i + 1);

		rc = observe_shape(instance, &shape);
	}
	host_detector_free(instance);
	return rc;
}

/* What one instance says must not depend on what another one sees. */
static int case_isolation(struct conform *conform)
{
	struct sluice_instance *alone = NULL, *paired = NULL, *other = NULL;
	uint64_t state = conform->seed, noise = ~conform->seed;
	int rc = begin(conform, &alone);

	for (uint64_t i = 1; rc == 0 && i <= 30; i++) {
		struct window_shape shape = random_shape(&state, i);

		rc = observe_shape(alone, &shape);
	}
	state = conform->seed;
	rc = rc ? rc : begin(conform, &paired);
	rc = rc ? rc : begin(conform, &other);
	for (uint64_t i = 1; rc == 0 && i <= 30; i++) {
		struct window_shape shape = random_shape(&noise, i);

		rc = observe_shape(other, &shape);
		shape = random_shape(&state, i);
		rc = rc ? rc : observe_shape(paired, &shape);
	}
	if (rc == 0 && alone->digest != paired->digest)
		rc = conform_fail(
			conform, "it says something else of the same windows when another instance "
				 "runs beside it, or by chance: state must be an instance's own");
	host_detector_free(alone);
	host_detector_free(paired);
	host_detector_free(other);
	return rc;
}

static int one_round(struct conform *conform)
{
	struct sluice_instance *instance = NULL;
	int rc = begin(conform, &instance);

	rc = rc ? rc : observe_shape(instance, &busy);
	host_detector_free(instance);
	return rc;
}

static int case_leaks(struct conform *conform)
{
	return leak_check(conform, one_round);
}

/* Told, not judged: how fast this machine is decides. */
static int case_speed(struct conform *conform)
{
	struct window_shape shape = busy;
	struct sluice_instance *instance = NULL;
	struct window_memory memory;
	const struct sluice_window *window;
	uint64_t from, took;
	int rc = begin(conform, &instance);

	shape.n_sources = 100000;
	window = rc == 0 ? window_new(&shape, &memory) : NULL;
	if (!window) {
		host_detector_free(instance);
		return rc ? rc : conform_fail(conform, "no memory for the test");
	}
	rc = host_observe(instance, window);
	from = clock_monotonic_ns(&clock_system);
	rc = rc ? rc : host_observe(instance, window);
	took = clock_monotonic_ns(&clock_system) - from;
	window_free(&memory);
	host_detector_free(instance);
	return rc ? rc
		  : conform_note(conform, "%.1f ms for a window of 100000 sources",
				 (double)took / 1e6);
}

const struct conform_case conform_detector_cases[] = {
	{ "life", "is created, observes and is destroyed", case_life },
	{ "options", "takes or refuses, with a reason, each bound and value", case_options },
	{ "windows", "judges empty, huge, absurd and newer windows", case_windows },
	{ "fuzz", "judges 400 random windows", case_fuzz },
	{ "limits", "stops proposing when there is no more room", faults_limits },
	{ "faults", "bears it that every proposal is refused", faults_refusals },
	{ "reconfigure", "takes new options live, or asks to be made anew", faults_reconfigure },
	{ "isolation", "keeps its instances apart", case_isolation },
	{ "leaks", "gives back its memory", case_leaks },
	{ "speed", "how long a large window takes", case_speed },
	{ NULL, NULL, NULL },
};
