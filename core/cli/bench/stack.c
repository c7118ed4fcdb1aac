/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the script of `sluice bench stack`: see bench.h. */
#include "bench.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#include "options.h"

enum {
	SKIPPED = 77, /* What the script says if the machine cannot do it. */
};

/* In a child: becomes the script. */
static void run(const struct bench_options *options)
{
	const char *argv[6] = { "sh", SLUICE_BENCH_SCRIPTS "/stack.sh" };
	size_t n = 2;

	if (options->json)
		argv[n++] = "--json";
	if (options->svg) {
		argv[n++] = "--svg";
		argv[n++] = options->svg;
	}
	setenv("SLUICE_BUILD", SLUICE_BENCH_BUILD, 0);
	execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(EXIT_FAILURE);
}

int bench_stack(const struct bench_options *options, struct sluice_err *err)
{
	int status;
	pid_t child;

	if (access(SLUICE_BENCH_SCRIPTS "/stack.sh", R_OK) != 0) {
		err_set(err, NULL,
			"%s/stack.sh is not there: this benchmark runs from a clone with its build",
			SLUICE_BENCH_SCRIPTS);
		return -ENOENT;
	}
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0)
		run(options);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	err_set(err, NULL,
		WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED
			? "this machine cannot do it, for the reason above"
			: "it broke off, for the reason above");
	return -EIO;
}
