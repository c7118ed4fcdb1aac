/* SPDX-License-Identifier: BSD-2-Clause */
/* See plugins_test.h. */
#include "plugins_test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/nic_driver.h"
#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "conform/conform.h"
#include "plugin/plugin.h"

#include "cli.h"

/* "dir/name.so" and "dir/name.plugin.yaml" are plugin `name` in folder `dir`. */
static int split(const char *path, char folder[PATH_MAX], char name[NAME_MAX + 1])
{
	static const char *const suffixes[] = { ".so", ".plugin.yaml" };
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t len = strlen(file), suffix_len = strlen(suffixes[i]);

		if (len <= suffix_len || strcmp(file + len - suffix_len, suffixes[i]) != 0)
			continue;
		if (len > NAME_MAX || (size_t)(file - path) >= PATH_MAX)
			return -ENAMETOOLONG;
		snprintf(name, NAME_MAX + 1, "%.*s", (int)(len - suffix_len), file);
		snprintf(folder, PATH_MAX, "%.*s", slash ? (int)(slash - path) : 1,
			 slash ? path : ".");
		if (slash == path)
			strcpy(folder, "/");
		return 0;
	}
	return -EINVAL;
}

static int load(const char *folder, const char *name, struct plugin **plugin,
		struct sluice_err *err)
{
	struct manifest *manifest;
	enum sluice_plugin_kind kind;
	int rc = plugin_manifest_load(folder, name, 0, NULL, &manifest, err);

	if (rc != 0)
		return rc;
	kind = manifest_kind(manifest);
	manifest_free(manifest);
	return plugin_open(folder, name, kind, NULL, plugin, err);
}

static const char *const words[] = { "FAILED", "ok", "skipped" };

/* A back end that does not open, as without its card, fails once and not in every case. */
static void run_case(const struct conform *conform, const struct conform_case *one, bool opened,
		     struct conform_result *result)
{
	if (opened) {
		conform_run(conform, one, result);
		return;
	}
	result->state = CONFORM_SKIPPED;
	snprintf(result->text, sizeof(result->text), "it did not open");
}

struct tally {
	size_t failures;
	bool opened;
};

static struct tally run_cases(const struct conform *conform, const struct conform_case *one,
			      bool quiet, json_t *list)
{
	struct tally tally = { .opened = true };

	for (; one->name; one++) {
		struct conform_result result;

		run_case(conform, one, tally.opened, &result);
		tally.failures += result.state == CONFORM_FAILED;
		if (result.state == CONFORM_FAILED && strcmp(one->name, "open") == 0)
			tally.opened = false;
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "case", one->name,
						      "what", one->what, "result",
						      words[result.state], "text", result.text));
		if (quiet)
			continue;
		printf("%-8s %-12s %s%s%s\n", words[result.state], one->name, one->what,
		       result.text[0] ? ": " : "", result.text);
		fflush(stdout);
	}
	return tally;
}

/* Says whose card it was, where it is about one: in `json`, or as a line if that is NULL. */
static void name_card(const struct conform *conform, json_t *json)
{
	char driver[NIC_DRIVER_SIZE];
	bool simulation;

	if (!plugin_backend_ops(conform->plugin))
		return;
	nic_driver_name(conform->ifname, driver);
	simulation = nic_driver_is_simulation(driver);
	if (!json) {
		printf("interface '%s': driver %s%s\n", conform->ifname,
		       driver[0] ? driver : "unknown",
		       simulation ? ", a simulation: nothing here is of a real card" : "");
		fflush(stdout);
		return;
	}
	json_object_set_new(json, "interface", json_string(conform->ifname));
	json_object_set_new(json, "driver", json_string(driver));
	json_object_set_new(json, "simulation", json_boolean(simulation));
}

static void print_verdict(const struct plugin *plugin, const struct tally *tally)
{
	if (!tally->opened)
		printf("plugin '%s' does not conform, or has no device here: name it by --interface "
		       "and --options\n",
		       plugin_name(plugin));
	else if (tally->failures)
		printf("plugin '%s' does not conform: %zu cases failed\n", plugin_name(plugin),
		       tally->failures);
	else
		printf("plugin '%s' conforms\n", plugin_name(plugin));
}

static int report(const struct cli_args *args, const struct conform *conform,
		  const struct tally *tally, json_t *list)
{
	const struct plugin *plugin = conform->plugin;
	json_t *json;
	int code = tally->failures ? CLI_EXIT_REFUSED : CLI_EXIT_OK;

	if (!args->json) {
		print_verdict(plugin, tally);
		return code;
	}
	json = json_pack("{s:s, s:b, s:O}", "name", plugin_name(plugin), "conforms",
			 tally->failures == 0, "cases", list);
	if (json)
		name_card(conform, json);
	if (!json || cli_print_json(json) != CLI_EXIT_OK)
		code = CLI_EXIT_FAILED;
	json_decref(json);
	return code;
}

static int read_options(const char *path, struct config_node **options)
{
	struct config_errors errors;
	char text[CONFIG_ERROR_TEXT_SIZE];

	*options = NULL;
	if (!path)
		return 0;
	config_errors_init(&errors);
	if (config_node_load(path, &errors, options) == 0)
		return 0;
	fprintf(stderr, "sluice: %s\n",
		errors.count ? config_error_format(&errors.list[0], text) : path);
	return -EINVAL;
}

static const struct conform_case *cases_for(const struct plugin *plugin)
{
	switch (manifest_kind(plugin_manifest(plugin))) {
	case SLUICE_PLUGIN_BACKEND:
		return conform_backend_cases;
	case SLUICE_PLUGIN_STACK:
		return conform_stack_cases;
	default:
		return conform_detector_cases;
	}
}

int plugins_test(const struct cli_args *args)
{
	struct conform conform = { .ifname = args->interface ? args->interface : "lo" };
	char folder[PATH_MAX], name[NAME_MAX + 1];
	struct config_node *options = NULL;
	struct sluice_err err;
	json_t *list;
	struct tally tally;
	int code;

	if (args->n_operands != 2 || split(args->operands[1], folder, name) != 0) {
		fputs("sluice: plugins: test wants the PATH of a NAME.so or NAME.plugin.yaml\n",
		      stderr);
		return CLI_EXIT_USAGE;
	}
	if (read_options(args->options, &options) != 0)
		return CLI_EXIT_REFUSED;
	err_init(&err);
	if (load(folder, name, &conform.plugin, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		config_node_free(options);
		return CLI_EXIT_REFUSED;
	}
	conform.options = options;
	conform.seed = args->seed ? strtoull(args->seed, NULL, 0) : 1;
	list = json_array();
	if (!args->json)
		name_card(&conform, NULL);
	tally = run_cases(&conform, cases_for(conform.plugin), args->json, list);
	code = report(args, &conform, &tally, list);
	json_decref(list);
	plugin_close(conform.plugin);
	config_node_free(options);
	return code;
}
