/* SPDX-License-Identifier: BSD-2-Clause */
/* What block, unblock and allow have in common: one request for each address given. */
#ifndef SLUICE_CLI_ADDRESS_COMMAND_H
#define SLUICE_CLI_ADDRESS_COMMAND_H

#include <stdbool.h>

struct cli_args;

struct address_command {
	const char *name;
	const char *done;  /* For people: "blocked". */
	const char *extra; /* Its second argument; NULL: none. */
	const char *whole; /* What a prefix of length 0 comes to; NULL: nothing to say. */
	bool takes_rules;  /* What is no address is the name of a rule. */
};

/*
 * Checks every address first, so that a slip in one changes nothing; then sends the command for
 * each in turn.
 */
int address_command_run(const struct cli_args *args, const struct address_command *command);

#endif /* SLUICE_CLI_ADDRESS_COMMAND_H */
