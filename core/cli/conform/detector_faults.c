/* SPDX-License-Identifier: BSD-2-Clause */
/* See detector_faults.h. */
#include "detector_faults.h"

#include <errno.h>
#include <string.h>

#include "config/manifest.h"
#include "plugin/plugin.h"

#include "conform.h"
#include "host.h"
#include "window.h"

#define ROUNDS 20

/* Peace for some windows, then a flood of many sources: nearly any detector proposes something. */
static int run_flood(struct sluice_instance *instance)
{
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct window_shape shape = {
			.n_sources = i < ROUNDS / 2 ? 50 : 20000,
			.n_samples = 100,
			.n_destinations = 2,
			.sequence = i + 1,
			/* A short window makes high rates of the same counts. */
			.length_ns = i < ROUNDS / 2 ? 1000000000 : 100000000,
			.seed = i,
		};
		struct window_memory memory;
		const struct sluice_window *window = window_new(&shape, &memory);
		int rc;

		if (!window)
			return conform_fail(instance->conform, "no memory for the test");
		rc = host_observe(instance, window);
		window_free(&memory);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int with_answer(struct conform *conform, int answer, size_t limit)
{
	struct sluice_instance *instance = NULL;
	int refused, rc = host_detector_new(conform, NULL, &instance, &refused);

	if (rc != 0 || !instance)
		return rc ? rc : conform_fail(conform, "create refuses these options");
	instance->answer = answer;
	instance->limit = limit;
	rc = run_flood(instance);
	host_detector_free(instance);
	return rc;
}

int faults_limits(struct conform *conform)
{
	int rc = with_answer(conform, 0, 10);

	return rc ? rc : with_answer(conform, 0, 1);
}

int faults_refusals(struct conform *conform)
{
	static const int answers[] = { -EINVAL, -ENOSPC, -EOPNOTSUPP, -ENOMEM };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(answers) / sizeof(answers[0]); i++)
		rc = with_answer(conform, answers[i], 0);
	return rc;
}

static int offer(struct sluice_instance *instance, struct sluice_config **config)
{
	struct conform *conform = instance->conform;
	struct sluice_err err = { .text = "" };
	int rc = host_config_new(conform, NULL, config);

	if (rc != 0)
		return rc;
	instance->in_call = true;
	rc = plugin_detector_ops(conform->plugin)->reconfigure(instance->self, *config, &err);
	instance->in_call = false;
	if (rc > 1)
		rc = conform_fail(conform, "reconfigure gave %d; allowed: 1, 0, a negative errno",
				  rc);
	else if (rc < 0 && err.text[0] == '\0')
		rc = conform_fail(conform, "reconfigure refused without a reason in err->text");
	else if (rc < 0)
		rc = conform_fail(conform, "reconfigure refuses the options it runs with: %s",
				  err.text);
	return rc;
}

int faults_reconfigure(struct conform *conform)
{
	struct sluice_instance *instance = NULL;
	struct sluice_config *config = NULL;
	int refused, rc;

	if (!plugin_detector_ops(conform->plugin)->reconfigure)
		return conform_skip(conform, "it has no reconfigure, and is made anew on a reload");
	rc = host_detector_new(conform, NULL, &instance, &refused);
	if (rc != 0 || !instance)
		return rc ? rc : conform_fail(conform, "create refuses these options");
	rc = run_flood(instance);
	rc = rc ? rc : offer(instance, &config);
	if (rc == 1) {
		/* The old options are gone; a plugin that kept a string of them shows now. */
		config_free(instance->config);
		instance->config = config;
		config = NULL;
	}
	rc = rc < 0 ? rc : run_flood(instance);
	host_detector_free(instance);
	config_free(config);
	return rc;
}
