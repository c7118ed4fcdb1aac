/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice top: the fastest sources of the last window, blocked or not. */
#include <string.h>

#include "base/quantity.h"

#include "cli.h"
#include "document.h"
#include "human.h"

/* What the daemon gives at most. */
#define TOP_MAX 1000

static void print_source(const json_t *source)
{
	const char *state = document_string(source, "state");
	const char *detector = document_string(source, "detector");
	bool is_free = strcmp(state, "none") == 0;
	char rate[HUMAN_TEXT_SIZE], why[64] = "";

	if (detector[0])
		snprintf(why, sizeof(why), "%s: %s", detector, document_string(source, "reason"));
	if (is_free)
		state = document_bool(source, "known") ? "known" : "passed";
	printf("%-24s %10s  ", document_string(source, "source"),
	       human_pps(document_u64(source, "pps"), rate));
	if (why[0])
		printf("%-9s %.34s\n", state, why);
	else
		puts(state);
}

static void print_page(const json_t *top)
{
	const json_t *sources = json_object_get(top, "sources"), *source;
	uint64_t total = document_u64(top, "total");
	char shown[HUMAN_TEXT_SIZE], all[HUMAN_TEXT_SIZE];
	size_t i;

	if (total == 0) {
		puts("no sources in the last window; `sluice rules` tells what rules drop");
		return;
	}
	printf("%-24s %10s  %-9s %s\n", "SOURCE", "NOW", "STATE", "WHY");
	json_array_foreach((json_t *)sources, i, source)
		print_source(source);
	printf("%s of %s source%s; `sluice explain ADDRESS` tells more\n", human_count(i, shown),
	       human_count(total, all), human_plural(total));
}

static int run(const struct cli_args *args)
{
	struct sluice_err err;
	uint64_t n;
	json_t *top;
	int code;

	if (args->n_operands &&
	    quantity_parse_range(QUANTITY_COUNT, args->operands[0], 1, TOP_MAX, &n, &err) != 0) {
		fprintf(stderr, "sluice: top: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	code = cli_call(args, "top", (const char *const *)args->operands, args->n_operands, &top);
	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(top);
	else
		print_page(top);
	json_decref(top);
	return code;
}

const struct cli_command cli_top = {
	.name = "top",
	.operands = "[N]",
	.summary = "the fastest sources, blocked or not",
	.help = "Lists the N (20) sources that sent most in the last window, what the NIC dropped\n"
		"included.  STATE is that of the blocklist; `known` is a client with an established\n"
		"connection, or one that this host spoke to first.  What rules drop is counted by\n"
		"rule and not by source: `sluice rules`.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.max_operands = 1,
	.run = run,
};
