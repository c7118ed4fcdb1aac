/* SPDX-License-Identifier: BSD-2-Clause */
/* sluiced: the command line of the daemon. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#include "daemon.h"
#include "options.h"
#include "version.h"

int main(int argc, char *argv[])
{
	struct options options;
	struct logger logger;
	struct sluice_err err;
	int code;

	if (options_parse(argc, argv, &options, &err) != 0) {
		fprintf(stderr, "sluiced: %s\n", err.text);
		return SLUICED_EXIT_USAGE;
	}
	logger_init(&logger, options.log_level, &clock_system);
	switch (options.action) {
	case OPTIONS_HELP:
		options_help(stdout);
		return SLUICED_EXIT_OK;
	case OPTIONS_VERSION:
		puts("sluiced " SLUICE_VERSION);
		return SLUICED_EXIT_OK;
	case OPTIONS_CHECK:
		code = daemon_check(options.config, &logger);
		if (code == SLUICED_EXIT_OK)
			printf("%s: fit to run; `sluice check` looks at the host as well\n",
			       options.config);
		return code;
	case OPTIONS_RUN:
		break;
	}
	return daemon_run(options.config, &logger);
}
