/* SPDX-License-Identifier: BSD-2-Clause */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "control/fail.h"

#include "version.h"

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },    { "check", no_argument, NULL, 'k' },
	{ "log-level", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },	       { NULL, 0, NULL, 0 },
};

static int refuse_option(const char *given, struct sluice_err *err)
{
	static const char *const names[] = { "--config", "--check", "--log-level", "--help",
					     "--version" };
	const char *near = nearest_name(given, names, sizeof(names) / sizeof(names[0]));

	if (near)
		return fail_with(err, -EINVAL, "unknown option '%s'; did you mean %s?", given,
				 near);
	return fail_with(err, -EINVAL, "unknown option '%s'; see sluiced --help", given);
}

int options_parse(int argc, char *const argv[], struct options *options, struct sluice_err *err)
{
	int option;

	*options = (struct options){
		.action = OPTIONS_RUN,
		.config = SLUICE_DEFAULT_CONFIG,
		.log_level = SLUICE_LOG_INFO,
	};
	optind = 0; /* GNU: start anew, for callers that parse more than once. */
	while ((option = getopt_long(argc, argv, ":c:hV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'k':
			options->action = OPTIONS_CHECK;
			break;
		case 'l':
			if (log_level_parse(optarg, &options->log_level) != 0)
				return fail_with(err, -EINVAL,
						 "--log-level '%s': one of error, warning, notice, "
						 "info, debug",
						 optarg);
			break;
		case 'h':
			options->action = OPTIONS_HELP;
			return 0;
		case 'V':
			options->action = OPTIONS_VERSION;
			return 0;
		case ':':
			return fail_with(err, -EINVAL, "option '%s' wants a value",
					 argv[optind - 1]);
		default:
			return refuse_option(argv[optind - 1], err);
		}
	}
	if (optind < argc)
		return fail_with(err, -EINVAL,
				 "unexpected argument '%s'; the deployment file is given by "
				 "--config FILE",
				 argv[optind]);
	return 0;
}

void options_help(FILE *out)
{
	fputs("Usage: sluiced [--config FILE] [--check] [--log-level LEVEL]\n"
	      "\n"
	      "Protects network interfaces from floods: attaches an XDP filter, looks at the\n"
	      "traffic once per window, and blocks the sources that its detectors accuse.\n"
	      "Runs in the foreground; stops cleanly on SIGTERM, reloads FILE on SIGHUP.\n"
	      "The filter goes on dropping when the daemon ends: `sluice detach` removes it.\n"
	      "\n"
	      "  -c, --config FILE   deployment file (" SLUICE_DEFAULT_CONFIG ")\n"
	      "      --check         check FILE and its plugins, attach nothing, and exit;\n"
	      "                      `sluice check FILE` looks at the host as well\n"
	      "      --log-level L   error, warning, notice, info (default) or debug\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       the version\n"
	      "\n"
	      "The shortest valid FILE:\n"
	      "  version: 1\n"
	      "  interfaces:\n"
	      "    - name: eth0\n"
	      "\n"
	      "Then: `sluice status`, `sluice events --follow`, `sluice explain ADDRESS`.\n"
	      "\n"
	      "Exit codes: 0 ended as asked; 1 the file or a plugin is unfit, and nothing was\n"
	      "attached; 2 wrong usage; 3 missing privileges, kernel, interface, or another\n"
	      "daemon; 4 it could not go on.  Manual: sluiced(8), sluice.yaml(5).\n",
	      out);
}
