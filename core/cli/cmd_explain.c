/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice explain: all that is known of one source. */
#include <string.h>

#include "base/address.h"

#include "cli.h"
#include "document.h"
#include "human.h"

static void print_field(const char *label, const char *text)
{
	char start[32];

	snprintf(start, sizeof(start), "  %s", label);
	if (text[0])
		human_print(start, 15, text);
}

static void print_rates(const json_t *what)
{
	char rate[HUMAN_TEXT_SIZE], hw[HUMAN_TEXT_SIZE], age[HUMAN_TEXT_SIZE];
	char count[HUMAN_TEXT_SIZE];

	if (strcmp(document_string(what, "verdict"), "dropped") != 0) {
		printf("  %-12s %s\n", "rate", human_pps(document_u64(what, "passed_pps"), rate));
		return;
	}
	printf("  %-12s %s", "rate", human_pps(document_u64(what, "pps"), rate));
	if (document_u64(what, "hw_pps"))
		printf(", %s of it in the NIC (%s ago)",
		       human_pps(document_u64(what, "hw_pps"), hw),
		       human_duration(document_u64(what, "hw_age_ns"), age));
	printf("\n  %-12s %s packets since it was blocked\n", "dropped",
	       human_count(document_u64(what, "dropped_packets"), count));
}

static void print_flags(const json_t *what)
{
	if (document_bool(what, "allowed"))
		print_field("allowed", "yes: the allow-list covers it");
	if (document_bool(what, "known"))
		print_field("known", "yes: it has an established connection with this host");
	if (document_bool(what, "prefix"))
		print_field("prefix", "yes: a blocked prefix covers it");
}

static void print_page(const json_t *what)
{
	char left[HUMAN_TEXT_SIZE];

	printf("%s is %s (%s)\n", document_string(what, "source"), document_string(what, "verdict"),
	       document_string(what, "state"));
	print_flags(what);
	print_field("detector", document_string(what, "detector"));
	print_field("reason", document_string(what, "reason"));
	print_field("evidence", document_string(what, "evidence"));
	print_rates(what);
	print_field("first seen", document_string(what, "first_seen"));
	print_field("last seen", document_string(what, "last_seen"));
	if (document_u64(what, "repeats"))
		printf("  %-12s blocked %llu time%s before\n", "repeats",
		       (unsigned long long)document_u64(what, "repeats"),
		       human_plural(document_u64(what, "repeats")));
	if (document_u64(what, "quiet_windows"))
		printf("  %-12s %llu window%s\n", "quiet for",
		       (unsigned long long)document_u64(what, "quiet_windows"),
		       human_plural(document_u64(what, "quiet_windows")));
	if (document_u64(what, "ttl_left_ns"))
		printf("  %-12s in %s\n", "expires",
		       human_duration(document_u64(what, "ttl_left_ns"), left));
	print_field("release", document_string(what, "release"));
}

static int run(const struct cli_args *args)
{
	struct sluice_key key;
	struct sluice_err err;
	json_t *what;
	int code;

	if (address_parse_prefix(args->operands[0], ADDRESS_STRICT, &key, &err) != 0) {
		fprintf(stderr, "sluice: explain: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	code = cli_call(args, "explain", (const char *const *)args->operands, 1, &what);
	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(what);
	else
		print_page(what);
	json_decref(what);
	return code;
}

const struct cli_command cli_explain = {
	.name = "explain",
	.operands = "ADDRESS[/LEN]",
	.summary = "why a source is blocked or not, its rates, what would release it",
	.help = "Tells a source's state, the detector that accused it with its evidence, what it\n"
		"sends now, and what would release it.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
