/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice unblock: releases sources. */
#include "address_command.h"
#include "cli.h"

static int run(const struct cli_args *args)
{
	return address_command_run(args, "unblock", NULL, "released");
}

const struct cli_command cli_unblock = {
	.name = "unblock",
	.operands = "ADDRESS[/LEN]...",
	.summary = "release a blocked address or prefix",
	.help = "Releases sources, whoever blocked them.  A detector that still finds one guilty\n"
		"blocks it again in the next window: `sluice allow` prevents that.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1024,
	.run = run,
};
