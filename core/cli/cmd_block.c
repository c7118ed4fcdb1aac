/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice block: blocks sources by hand. */
#include "base/quantity.h"

#include "address_command.h"
#include "cli.h"

static int run(const struct cli_args *args)
{
	const struct address_command block = { .name = "block",
					       .done = "blocked",
					       .extra = args->duration };
	struct sluice_err err;
	uint64_t ns;

	if (args->duration && quantity_parse(QUANTITY_DURATION, args->duration, &ns, &err) != 0) {
		fprintf(stderr, "sluice: block: --for: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	return address_command_run(args, &block);
}

const struct cli_command cli_block = {
	.name = "block",
	.operands = "ADDRESS[/LEN]...",
	.summary = "drop all that comes from an address or prefix",
	.help = "Drops every packet of these sources until they are unblocked, or for a time.\n"
		"What the allow-list covers is refused.  A block by hand outlives the daemon.\n"
		"\n"
		"  sluice block 192.0.2.7 --for 10m\n"
		"  sluice block 198.51.100.0/24 2001:db8:1::/64\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON | CLI_OPTION_FOR,
	.min_operands = 1,
	.max_operands = 1024,
	.run = run,
};
