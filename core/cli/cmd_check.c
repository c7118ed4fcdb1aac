/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice check: is this deployment file fit to run, here? */
#include <stdlib.h>

#include "base/clock.h"
#include "config/errors.h"
#include "sluiced/generation.h"
#include "sluiced/plugin_shelf.h"
#include "sluiced/preflight.h"

#include "cli.h"

struct verdict {
	const char *file;
	bool json;
	json_t *errors, *warnings;
	size_t n_errors, n_warnings;
	bool whole; /* All was looked at. */
};

static void add(struct verdict *verdict, enum preflight_severity severity, const char *prefix,
		const char *text)
{
	bool error = severity == PREFLIGHT_ERROR;

	if (error)
		verdict->n_errors++;
	else
		verdict->n_warnings++;
	if (verdict->json)
		json_array_append_new(error ? verdict->errors : verdict->warnings,
				      json_sprintf("%s%s", prefix, text));
	else
		fprintf(stderr, "%s%s%s\n", prefix, error ? "" : "warning: ", text);
}

static void report(void *ctx, enum preflight_severity severity, unsigned int line,
		   unsigned int column, const char *text)
{
	struct verdict *verdict = ctx;
	char prefix[300];

	if (line)
		snprintf(prefix, sizeof(prefix), "%s:%u:%u: ", verdict->file, line, column);
	else
		snprintf(prefix, sizeof(prefix), "%s: ", verdict->file);
	add(verdict, severity, prefix, text);
}

static void add_errors(struct verdict *verdict, const struct config_errors *errors)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	for (size_t i = 0; i < config_errors_kept(errors); i++)
		add(verdict, PREFLIGHT_ERROR, "", config_error_format(&errors->list[i], text));
}

static void check(struct verdict *verdict, struct plugin_shelf *shelf)
{
	const struct generation_services services = { .shelf = shelf, .clock = &clock_system };
	struct generation *generation = NULL;
	struct config_errors errors;
	size_t n_errors;

	config_errors_init(&errors);
	if (generation_load(verdict->file, &services, &errors, &generation) != 0) {
		add_errors(verdict, &errors);
		return;
	}
	if (generation_check_host(generation, &errors) != 0)
		add_errors(verdict, &errors);
	if (preflight_run(generation_settings(generation), false, report, verdict, &n_errors) != 0)
		report(verdict, PREFLIGHT_ERROR, 0, 0, "no memory to look at the host");
	verdict->whole = true;
	generation_free(generation);
}

static int run(const struct cli_args *args)
{
	struct verdict verdict = { .file = args->operands[0], .json = args->json };
	struct plugin_shelf *shelf;
	int code = CLI_EXIT_OK;

	if (plugin_shelf_new(&shelf) != 0) {
		fprintf(stderr, "sluice: check: no memory\n");
		return CLI_EXIT_FAILED;
	}
	if (args->json) {
		verdict.errors = json_array();
		verdict.warnings = json_array();
	}
	check(&verdict, shelf);
	plugin_shelf_free(shelf);
	if (args->json) {
		json_t *json = json_pack("{s:s, s:b, s:b, s:o, s:o}", "file", verdict.file, "ok",
					 verdict.n_errors == 0, "whole", verdict.whole, "errors",
					 verdict.errors, "warnings", verdict.warnings);

		code = json ? cli_print_json(json) : CLI_EXIT_FAILED;
		json_decref(json);
	} else {
		printf("%s: %s (%zu error%s, %zu warning%s%s)\n", verdict.file,
		       verdict.n_errors ? "not fit to run" : "fit to run", verdict.n_errors,
		       verdict.n_errors == 1 ? "" : "s", verdict.n_warnings,
		       verdict.n_warnings == 1 ? "" : "s",
		       verdict.whole ? "" : "; once mended, check again: more may follow");
	}
	return verdict.n_errors ? CLI_EXIT_REFUSED : code;
}

const struct cli_command cli_check = {
	.name = "check",
	.operands = "FILE",
	.summary = "check a deployment file, its plugins, and this host",
	.help = "Reports what is wrong with FILE, each with line and column, then with its plugins\n"
		"and their options, then what in this host speaks against it: interfaces that do\n"
		"not exist, an MTU that needs XDP fragments, LRO, a single RX queue, VLANs and\n"
		"bonds, PREEMPT_RT, exempt entries, a metrics address of others, a kernel without\n"
		"dispatchers (which root alone can try).  What is wrong at one step keeps it from\n"
		"the next.  Changes nothing, and opens no card.  Exit code 1 if sluiced would\n"
		"refuse FILE.\n",
	.options = CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
