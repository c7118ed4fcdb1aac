/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice detach: takes the filter away.  Needs no daemon, and refuses while one runs. */
#include <errno.h>

#include "dataplane/dataplane.h"
#include "sluiced/lock.h"

#include "cli.h"

#define DEFAULT_PIN_PATH "/sys/fs/bpf/sluice"

static int run(const struct cli_args *args)
{
	const char *pin_path = args->pin_path ? args->pin_path : DEFAULT_PIN_PATH;
	struct sluice_err err = { .text = "" };
	int pid, ret;

	if (lock_is_held(pin_path, &pid)) {
		fprintf(stderr, "sluice: detach: sluiced (pid %d) runs on '%s'; stop it first\n",
			pid, pin_path);
		return CLI_EXIT_REFUSED;
	}
	ret = dataplane_live_detach(pin_path, &err);
	if (ret == -ENOENT) {
		fprintf(stderr, "sluice: detach: nothing of Sluice is pinned under '%s'\n",
			pin_path);
		return CLI_EXIT_REFUSED;
	}
	if (ret) {
		fprintf(stderr, "sluice: detach: '%s': %s\n", pin_path, err.text);
		return CLI_EXIT_FAILED;
	}
	printf("detached; nothing is left under %s\n", pin_path);
	return CLI_EXIT_OK;
}

const struct cli_command cli_detach = {
	.name = "detach",
	.operands = "",
	.summary = "remove the filter and all pinned state; traffic flows unfiltered",
	.help = "Removes the XDP programs, links and maps that outlive the daemon.  The blocklist\n"
		"is lost.  Needs root and no daemon; while one runs it refuses.\n",
	.options = CLI_OPTION_PIN_PATH,
	.run = run,
};
