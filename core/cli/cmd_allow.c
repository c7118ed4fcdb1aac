/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice allow: adds to the allow-list. */
#include "address_command.h"
#include "cli.h"

static int run(const struct cli_args *args)
{
	static const struct address_command allow = {
		.name = "allow",
		.done = "allowed until the next reload",
		.whole = "nobody of that family is blocked any more",
	};

	return address_command_run(args, &allow);
}

const struct cli_command cli_allow = {
	.name = "allow",
	.operands = "ADDRESS[/LEN]...",
	.summary = "never block an address or prefix, until the next reload",
	.help = "Puts sources on the allow-list at once, and releases those that are blocked.  It\n"
		"holds until the next reload or restart: to keep it, add it under `allow:` in the\n"
		"deployment file.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1024,
	.run = run,
};
