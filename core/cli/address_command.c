/* SPDX-License-Identifier: BSD-2-Clause */
/* See address_command.h. */
#include "address_command.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"

#include "cli.h"
#include "document.h"
#include "human.h"

static int check_addresses(const struct cli_args *args, const struct address_command *command)
{
	struct sluice_key key;
	struct sluice_err err;

	for (size_t i = 0; i < args->n_operands; i++) {
		if (command->takes_rules && !address_is_meant(args->operands[i]))
			continue;
		if (address_parse_prefix(args->operands[i], ADDRESS_STRICT, &key, &err) != 0) {
			fprintf(stderr, "sluice: %s: %s\n", command->name, err.text);
			return CLI_EXIT_USAGE;
		}
	}
	return CLI_EXIT_OK;
}

/* "198.18.0.1", or "rule udp_flood.3". */
static void print_done(const json_t *result, const struct address_command *command)
{
	const char *rule = document_string(result, "rule");
	const char *source = document_string(result, "source");
	size_t len = strlen(source);
	char held[HUMAN_TEXT_SIZE];
	bool is_whole;

	if (rule[0]) {
		printf("rule %s %s; detectors may not have it back for %s\n", rule, command->done,
		       human_duration(document_u64(result, "held_ns"), held));
		return;
	}
	is_whole = command->whole && len >= 2 && strcmp(source + len - 2, "/0") == 0;
	printf("%s %s%s%s%s%s\n", source, command->done, command->extra ? " for " : "",
	       command->extra ? command->extra : "", is_whole ? ": " : "",
	       is_whole ? command->whole : "");
}

int address_command_run(const struct cli_args *args, const struct address_command *command)
{
	int code = check_addresses(args, command), worst = code;

	/* That one of them is refused is no reason to leave the others out. */
	for (size_t i = 0; i < args->n_operands && worst <= CLI_EXIT_REFUSED; i++) {
		const char *operands[] = { args->operands[i], command->extra };
		json_t *result;

		code = cli_call(args, command->name, operands, command->extra ? 2 : 1, &result);
		worst = code > worst ? code : worst;
		if (code != CLI_EXIT_OK)
			continue;
		if (args->json)
			worst = cli_print_json(result) == CLI_EXIT_OK ? worst : CLI_EXIT_FAILED;
		else
			print_done(result, command);
		json_decref(result);
	}
	return worst;
}
