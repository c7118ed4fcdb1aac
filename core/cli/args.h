/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the command line of one subcommand. */
#ifndef SLUICE_CLI_ARGS_H
#define SLUICE_CLI_ARGS_H

#include <stdio.h>

#include <sluice/plugin.h>

struct cli_args;
struct cli_command;

/*
 * `argv[0]` is the subcommand's name; options may stand anywhere behind it.  `args` holds defaults
 * or what was given before the subcommand.  0, or -EINVAL with the reason.  Prints nothing.
 */
int args_parse(const struct cli_command *command, int argc, char *argv[], struct cli_args *args,
	       struct sluice_err *err) __attribute__((warn_unused_result));

void args_help(const struct cli_command *command, FILE *out);

#endif /* SLUICE_CLI_ARGS_H */
