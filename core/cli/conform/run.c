/* SPDX-License-Identifier: BSD-2-Clause */
/* One case, one child: see conform.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"

#include "conform.h"
#include "leak.h"

#define CASE_LIMIT_MS 60000

static void __attribute__((noreturn)) child(struct conform *conform, const struct conform_case *one)
{
	child_settle();
	/* A sanitizer tells more than the signal would, so its handlers stay. */
	if (!leak_has_sanitizer())
		child_crash_plainly();
	if (one->run(conform) == 0 && conform->result->state == CONFORM_FAILED)
		conform->result->state = CONFORM_PASSED;
	_exit(0);
}

static void await(pid_t pid, struct conform_result *result)
{
	int status = 0;
	int rc = child_await(pid, CASE_LIMIT_MS, &status);

	if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (result->state == CONFORM_FAILED && result->text[0] == '\0')
			snprintf(result->text, sizeof(result->text), "it ended the process");
		return;
	}
	result->state = CONFORM_FAILED;
	if (rc == -ETIMEDOUT)
		snprintf(result->text, sizeof(result->text), "it hangs: not done after %d s",
			 CASE_LIMIT_MS / 1000);
	else if (rc != 0)
		snprintf(result->text, sizeof(result->text), "no way to watch it (%s)",
			 err_name(rc));
	else if (WIFSIGNALED(status))
		snprintf(result->text, sizeof(result->text), "it crashed: signal %d, %s",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(result->text, sizeof(result->text),
			 "it ended the process, status %d (a sanitizer's report is above)",
			 WEXITSTATUS(status));
}

void conform_run(const struct conform *conform, const struct conform_case *one,
		 struct conform_result *result)
{
	struct conform mine = *conform;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	mine.result = mmap(NULL, sizeof(*mine.result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (mine.result == MAP_FAILED) {
		snprintf(result->text, sizeof(result->text), "no memory to run it");
		return;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(&mine, one);
	if (pid < 0)
		snprintf(mine.result->text, sizeof(mine.result->text), "no process to run it (%s)",
			 err_name(errno));
	else
		await(pid, mine.result);
	*result = *mine.result;
	munmap(mine.result, sizeof(*mine.result));
}
