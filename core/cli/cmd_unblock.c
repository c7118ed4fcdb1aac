/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice unblock: releases sources and automatic rules. */
#include "address_command.h"
#include "cli.h"

static int run(const struct cli_args *args)
{
	static const struct address_command unblock = { .name = "unblock",
							.done = "released",
							.takes_rules = true };

	return address_command_run(args, &unblock);
}

const struct cli_command cli_unblock = {
	.name = "unblock",
	.operands = "ADDRESS[/LEN]|RULE...",
	.summary = "release a blocked address or prefix, or an automatic rule",
	.help = "Releases sources, whoever blocked them.  A detector that still finds one guilty\n"
		"blocks it again in the next window: `sluice allow` prevents that.\n"
		"\n"
		"An automatic rule, as `sluice rules` lists it, is taken out of force, and detectors\n"
		"may not have it back for the policy's ttl (10m).\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1024,
	.run = run,
};
