/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice reload: makes the daemon read its deployment file again. */
#include "cli.h"

static int run(const struct cli_args *args)
{
	json_t *result;
	int code = cli_call(args, "reload", NULL, 0, &result);

	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(result);
	else
		puts("the new settings are in force");
	json_decref(result);
	return code;
}

const struct cli_command cli_reload = {
	.name = "reload",
	.operands = "",
	.summary = "read the deployment file again",
	.help = "The daemon loads and checks the file and its plugins; only if all is well the new\n"
		"settings take effect, else the old ones stay in force.  Blocked sources and what\n"
		"was learned stay.  Interfaces, pin_path, table sizes, offload and control need a\n"
		"restart, through which the filter goes on dropping.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.run = run,
};
