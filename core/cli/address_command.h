/* SPDX-License-Identifier: BSD-2-Clause */
/* What block, unblock and allow have in common: one request for each address given. */
#ifndef SLUICE_CLI_ADDRESS_COMMAND_H
#define SLUICE_CLI_ADDRESS_COMMAND_H

struct cli_args;

/*
 * Checks every address first, so that a slip in one changes nothing; then sends `command` for each
 * in turn, with `extra` (NULL: none) as second argument.  `done` is the word for people: "blocked".
 */
int address_command_run(const struct cli_args *args, const char *command, const char *extra,
			const char *done);

#endif /* SLUICE_CLI_ADDRESS_COMMAND_H */
