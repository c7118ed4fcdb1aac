/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configurations that come with Sluice: valid, and each plugin they use takes the options they
 * give it.
 */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

static void check_plugin(const char *file, const char *kind, const struct settings_plugin *plugin)
{
	struct config_errors errors;
	struct sluice_config *config;
	struct manifest *manifest;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/%s/%s.plugin.yaml", PLUGINS_PATH, kind, plugin->name,
		 plugin->name);
	config_errors_init(&errors);
	cr_assert_eq(manifest_load(path, &errors, &manifest), 0, "%s", first_error(&errors));
	cr_assert_str_eq(manifest_name(manifest), plugin->name);
	cr_assert_eq(config_new(manifest, plugin->options, "options", &errors, &config), 0,
		     "%s: %s", file, first_error(&errors));
	config_free(config);
	manifest_free(manifest);
}

Test(configs, are_valid)
{
	DIR *dir = opendir(CONFIGS_PATH);
	struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		struct config_errors errors;
		struct settings *settings;
		char path[512];

		if (!strstr(entry->d_name, ".yaml"))
			continue;
		snprintf(path, sizeof(path), "%s/%.200s", CONFIGS_PATH, entry->d_name);
		config_errors_init(&errors);
		cr_assert_eq(settings_load(path, &errors, &settings), 0, "%s",
			     first_error(&errors));
		for (size_t i = 0; i < settings->n_detectors; i++)
			check_plugin(path, "detectors", &settings->detectors[i]);
		if (settings->offload.enabled)
			check_plugin(path, "backends", &settings->offload.backend);
		settings_free(settings);
		n++;
	}
	closedir(dir);
	cr_assert_geq(n, 3);
}

/* The demonstration proves nothing if its configuration says who is who. */
Test(configs, the_demo_names_no_address)
{
	struct config_errors errors;
	struct settings *settings;

	config_errors_init(&errors);
	cr_assert_eq(settings_load(CONFIGS_PATH "/demo.yaml", &errors, &settings), 0);
	cr_assert_eq(settings->n_allow, 1);
	cr_assert_eq(settings->allow[0].kind, SETTINGS_ALLOW_OWN);
	cr_assert(settings->enforce);
	cr_assert(settings->offload.enabled);
	for (size_t i = 0; i < settings->n_detectors; i++)
		cr_assert(settings->detectors[i].enforce);
	settings_free(settings);
}
