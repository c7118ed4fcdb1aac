/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice reload: makes the daemon read its deployment file again, or tells what that would change. */
#include <string.h>

#include "cli.h"
#include "document.h"
#include "human.h"

/* Where the rest of a long change goes on. */
#define INDENT 4

static void print_side(const json_t *change, const char *side, char *text, size_t size)
{
	char is_default[24];
	const char *value = document_string(change, side);

	snprintf(is_default, sizeof(is_default), "%s_default", side);
	snprintf(text, size, "%s%s", value, document_bool(change, is_default) ? " (default)" : "");
}

static void print_change(const json_t *change)
{
	const char *what = document_string(change, "change");
	const char *mark = strcmp(what, "added") == 0	  ? "+"
			   : strcmp(what, "removed") == 0 ? "-"
							  : " ";
	char label[224], before[700], after[700], text[1500];

	print_side(change, "before", before, sizeof(before));
	print_side(change, "after", after, sizeof(after));
	snprintf(label, sizeof(label), "%s %s: ", mark, document_string(change, "path"));
	snprintf(text, sizeof(text), "%s%s%s%s%s", strcmp(what, "reordered") == 0 ? "order " : "",
		 before, before[0] && after[0] ? " -> " : "", after,
		 document_bool(change, "needs_restart") ? " (needs a restart)" : "");
	human_print(label, INDENT, text);
}

static void print_detectors(const json_t *detectors)
{
	static const struct {
		const char *fate, *text;
	} fates[] = {
		{ "added", "starts, and learns from the beginning" },
		{ "removed", "ends; what it had blocked stays until it is quiet" },
		{ "reconfigured", "takes its new options; what it learned stays" },
		{ "recreated", "is made anew and learns from the beginning" },
		{ "replaced", "is replaced by a newer build, which learns from the beginning" },
	};
	const json_t *detector;
	size_t i;

	json_array_foreach((json_t *)detectors, i, detector) {
		for (size_t k = 0; k < sizeof(fates) / sizeof(fates[0]); k++) {
			if (strcmp(document_string(detector, "fate"), fates[k].fate) != 0)
				continue;
			printf("detector %s %s\n", document_string(detector, "name"),
			       fates[k].text);
		}
	}
}

static void print_features(const json_t *list, const char *what)
{
	const json_t *name;
	size_t i;

	json_array_foreach((json_t *)list, i, name)
		printf("feature %s %s\n", json_string_value(name), what);
}

static void print_restart(const json_t *keys)
{
	char text[512] = "";
	size_t used = 0, i;
	const json_t *key;

	json_array_foreach((json_t *)keys, i, key) {
		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 i ? ", " : "", json_string_value(key));
	}
	if (i)
		fprintf(stderr,
			"sluice: reload: a change of %s needs a restart, through which the filter "
			"goes on: `systemctl restart sluiced`\n",
			text);
}

static void print_errors(const json_t *errors)
{
	const json_t *error;
	size_t i;

	json_array_foreach((json_t *)errors, i, error)
		fprintf(stderr, "%s\n", json_string_value(error));
}

static void print_plan(const struct cli_args *args, const json_t *plan)
{
	const json_t *changes = json_object_get(plan, "changes"), *change;
	const char *file = document_string(plan, "file");
	uint64_t left_out = document_u64(plan, "left_out");
	uint64_t by_hand = document_u64(plan, "forgets.allowed_by_hand");
	size_t i, n = json_array_size(changes) + left_out;

	json_array_foreach((json_t *)changes, i, change)
		print_change(change);
	if (left_out)
		printf("... and %llu more\n", (unsigned long long)left_out);
	print_detectors(json_object_get(plan, "detectors"));
	print_features(document_get(plan, "measured.begins"), "begins to be measured");
	print_features(document_get(plan, "measured.ends"), "is no longer measured");
	if (by_hand)
		printf("%llu prefix%s allowed by hand %s; to keep, list under `allow`\n",
		       (unsigned long long)by_hand, by_hand == 1 ? "" : "es",
		       args->dry_run ? "would be forgotten" : "forgotten");
	if (!args->dry_run)
		printf("%s is in force (%zu change%s)\n", file, n, human_plural(n));
	else if (!document_bool(plan, "ok"))
		printf("%s: a reload would be refused\n", file);
	else if (n == 0)
		printf("%s: a reload would change nothing%s\n", file, by_hand ? " else" : "");
	else
		printf("%s: a reload would put this in force (%zu change%s)\n", file, n,
		       human_plural(n));
}

static int foresee(const struct cli_args *args)
{
	static const char *const dry_run[] = { "dry-run" };
	json_t *plan;
	int code = cli_call(args, "reload", dry_run, 1, &plan);

	if (code != CLI_EXIT_OK)
		return code;
	if (args->json) {
		code = cli_print_json(plan);
	} else {
		print_plan(args, plan);
		print_errors(json_object_get(plan, "errors"));
		print_restart(json_object_get(plan, "restart"));
	}
	if (code == CLI_EXIT_OK && !document_bool(plan, "ok"))
		code = CLI_EXIT_REFUSED;
	json_decref(plan);
	return code;
}

static int run(const struct cli_args *args)
{
	json_t *plan;
	int code;

	if (args->dry_run)
		return foresee(args);
	code = cli_call(args, "reload", NULL, 0, &plan);
	if (code == CLI_EXIT_REFUSED)
		fputs("sluice: reload: the old settings stay in force; `sluice reload --dry-run` "
		      "lists all that is wrong\n",
		      stderr);
	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(plan);
	else
		print_plan(args, plan);
	json_decref(plan);
	return code;
}

const struct cli_command cli_reload = {
	.name = "reload",
	.operands = "",
	.summary = "read the deployment file again, or tell what that would change",
	.help = "The daemon loads and checks the file and its plugins; only if all is well the new\n"
		"settings take effect, all at once, else the old ones stay in force.  Blocked\n"
		"sources, rules in force and what was learned stay.  Interfaces, attach, pin_path,\n"
		"swap, malformed, on_death, known_clients, table sizes, offload, deliver, stack and\n"
		"control, and with a card window, need a restart, through which the filter goes on\n"
		"dropping.\n"
		"\n"
		"Prints what changed, by key: + added, - removed, else OLD -> NEW; then what became\n"
		"of the detectors.  With --dry-run it is only told, and nothing changes.  Exit code 1:\n"
		"the file is unfit, with FILE:LINE:COLUMN of each error, or needs a restart.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON | CLI_OPTION_DRY_RUN,
	.run = run,
};
