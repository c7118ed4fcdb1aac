/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice plugins: what is there, what each takes, and whether one keeps to the contract. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/manifest.h"
#include "config/settings.h"
#include "plugin/plugin.h"

#include "cli.h"
#include "plugins_test.h"

static json_t *names_json(size_t n, const char *(*name)(const struct manifest *, size_t),
			  const struct manifest *manifest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(name(manifest, i)));
	return list;
}

static json_t *manifest_json(const struct manifest *manifest)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:o, s:o, s:s?}}", "name",
			 manifest_name(manifest), "kind", plugin_kind_name(manifest_kind(manifest)),
			 "version", manifest_version(manifest), "license",
			 manifest_license(manifest), "description", manifest_description(manifest),
			 "file", manifest_file(manifest), "needs", "features",
			 names_json(manifest_n_features(manifest), manifest_feature, manifest),
			 "capabilities",
			 names_json(manifest_n_capabilities(manifest), manifest_capability,
				    manifest),
			 "kernel", manifest_kernel(manifest));
}

static json_t *options_json(const struct manifest *manifest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < manifest_n_options(manifest); i++) {
		struct manifest_option option;

		manifest_option(manifest, i, &option);
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:b}",
				  "name", option.name, "type", option.type, "items", option.items,
				  "items_help", option.items_help, "help", option.help, "unit",
				  option.unit, "default", option.fallback, "minimum",
				  option.minimum, "maximum", option.maximum, "values",
				  option.values[0] ? option.values : NULL, "required",
				  option.required));
	}
	return list;
}

static void show_option(const struct manifest_option *option)
{
	const char *each = option->items ? "each " : "";

	printf("  %s (%s%s%s%s%s)", option->name, option->type, option->items ? " of " : "",
	       option->items ? option->items : "", option->unit ? ", " : "",
	       option->unit ? option->unit : "");
	if (option->required)
		fputs(" required", stdout);
	else if (option->fallback)
		printf(" default %s", option->fallback[0] ? option->fallback : "\"\"");
	if (option->minimum)
		printf(", %sat least %s", each, option->minimum);
	if (option->maximum)
		printf(", %sat most %s", each, option->maximum);
	if (option->values[0])
		printf(", %sone of %s", each, option->values);
	printf("\n      %s\n", option->help);
	if (option->items_help)
		printf("      Each: %s\n", option->items_help);
}

static void show(const struct manifest *manifest)
{
	printf("%s %s: %s, ABI %u.%u, %s\n%s\n", manifest_name(manifest),
	       manifest_version(manifest), plugin_kind_name(manifest_kind(manifest)),
	       manifest_abi_major(manifest), manifest_abi_minor(manifest),
	       manifest_license(manifest), manifest_description(manifest));
	if (manifest_n_features(manifest)) {
		fputs("Needs features:", stdout);
		for (size_t i = 0; i < manifest_n_features(manifest); i++)
			printf(" %s", manifest_feature(manifest, i));
		putchar('\n');
	}
	if (manifest_n_capabilities(manifest)) {
		fputs("Needs capabilities:", stdout);
		for (size_t i = 0; i < manifest_n_capabilities(manifest); i++)
			printf(" %s", manifest_capability(manifest, i));
		putchar('\n');
	}
	printf("Manifest: %s\n%s\n", manifest_file(manifest),
	       manifest_n_options(manifest) ? "Options:" : "It has no options.");
	for (size_t i = 0; i < manifest_n_options(manifest); i++) {
		struct manifest_option option;

		manifest_option(manifest, i, &option);
		show_option(&option);
	}
}

static int run_show(const struct cli_args *args, const char *folder)
{
	struct manifest *manifest;
	struct sluice_err err;
	int code = CLI_EXIT_OK;
	json_t *json;

	if (args->n_operands != 2) {
		fputs("sluice: plugins: show wants the NAME of a plugin\n", stderr);
		return CLI_EXIT_USAGE;
	}
	err_init(&err);
	if (plugin_manifest_load(folder, args->operands[1], 0, NULL, &manifest, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		return CLI_EXIT_REFUSED;
	}
	if (args->json) {
		json = manifest_json(manifest);
		json_object_set_new(json, "options", options_json(manifest));
		code = cli_print_json(json);
		json_decref(json);
	} else {
		show(manifest);
	}
	manifest_free(manifest);
	return code;
}

/* One line, or one object.  An unfit manifest is told of and makes the command fail, at the end. */
static int list_one(const struct cli_args *args, const char *folder, const char *name, json_t *list)
{
	struct manifest *manifest;
	struct sluice_err err;

	err_init(&err);
	if (plugin_manifest_load(folder, name, 0, NULL, &manifest, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		return CLI_EXIT_REFUSED;
	}
	if (args->json)
		json_array_append_new(list, manifest_json(manifest));
	else
		printf("%-15s %-9s %-8s %s\n", name, plugin_kind_name(manifest_kind(manifest)),
		       manifest_version(manifest), manifest_description(manifest));
	manifest_free(manifest);
	return CLI_EXIT_OK;
}

static int run_list(const struct cli_args *args, const char *folder)
{
	char names[PLUGIN_LIST_MAX][32];
	json_t *list = args->json ? json_array() : NULL;
	int code = CLI_EXIT_OK;
	struct sluice_err err;
	size_t n;

	err_init(&err);
	if (plugin_list(folder, names, &n, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		json_decref(list);
		return CLI_EXIT_REFUSED;
	}
	for (size_t i = 0; i < n; i++) {
		int one = list_one(args, folder, names[i], list);

		code = code ? code : one;
	}
	if (args->json && cli_print_json(list) != CLI_EXIT_OK)
		code = CLI_EXIT_FAILED;
	json_decref(list);
	return code;
}

static int run(const struct cli_args *args)
{
	char folder[PATH_MAX];

	settings_plugin_path(folder, sizeof(folder));
	if (args->plugin_path)
		snprintf(folder, sizeof(folder), "%s", args->plugin_path);
	if (strcmp(args->operands[0], "list") == 0 && args->n_operands == 1)
		return run_list(args, folder);
	if (strcmp(args->operands[0], "show") == 0)
		return run_show(args, folder);
	if (strcmp(args->operands[0], "test") == 0)
		return plugins_test(args);
	fprintf(stderr, "sluice: plugins: '%s': allowed: list; show NAME; test PATH\n",
		args->operands[0]);
	return CLI_EXIT_USAGE;
}

const struct cli_command cli_plugins = {
	.name = "plugins",
	.operands = "list | show NAME | test PATH",
	.summary = "list plugins, show one's options, or test one",
	.help = "list: the plugins of the folder.  show NAME: what it needs, and its options with\n"
		"their defaults.  Both read manifests only.\n"
		"test PATH: loads the plugin (NAME.so or NAME.plugin.yaml) and checks that it keeps\n"
		"to the contract: life cycle, limits, faults, fuzzed windows, leaks; of a back end\n"
		"also capacity, duplicates, unknown rules, counters, list and flush.  A back end's\n"
		"table must be empty; test it on a card that nobody uses.  The plugin's code runs,\n"
		"with your rights.  Exit code 0: it conforms; 1: it does not, or cannot be loaded.\n",
	.options = CLI_OPTION_JSON | CLI_OPTION_PLUGIN_PATH | CLI_OPTION_OPTIONS |
		   CLI_OPTION_INTERFACE | CLI_OPTION_SEED,
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
