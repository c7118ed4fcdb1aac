/* SPDX-License-Identifier: BSD-2-Clause */
/* See address_command.h. */
#include "address_command.h"

#include <stdio.h>

#include "base/address.h"

#include "cli.h"
#include "document.h"

static int check_addresses(const struct cli_args *args, const char *command)
{
	struct sluice_key key;
	struct sluice_err err;

	for (size_t i = 0; i < args->n_operands; i++) {
		if (address_parse_prefix(args->operands[i], ADDRESS_STRICT, &key, &err) != 0) {
			fprintf(stderr, "sluice: %s: %s\n", command, err.text);
			return CLI_EXIT_USAGE;
		}
	}
	return CLI_EXIT_OK;
}

int address_command_run(const struct cli_args *args, const char *command, const char *extra,
			const char *done)
{
	int code = check_addresses(args, command), worst = code;

	/* That one of them is refused is no reason to leave the others out. */
	for (size_t i = 0; i < args->n_operands && worst <= CLI_EXIT_REFUSED; i++) {
		const char *operands[] = { args->operands[i], extra };
		json_t *result;

		code = cli_call(args, command, operands, extra ? 2 : 1, &result);
		worst = code > worst ? code : worst;
		if (code != CLI_EXIT_OK)
			continue;
		if (args->json)
			worst = cli_print_json(result) == CLI_EXIT_OK ? worst : CLI_EXIT_FAILED;
		else
			printf("%s %s%s%s\n", document_string(result, "source"), done,
			       extra ? " for " : "", extra ? extra : "");
		json_decref(result);
	}
	return worst;
}
