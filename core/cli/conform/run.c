/* SPDX-License-Identifier: BSD-2-Clause */
/* One case, one child: see conform.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#include "conform.h"
#include "leak.h"

#define CASE_LIMIT_MS 60000

static void say(struct conform *conform, enum conform_state state, const char *fmt, va_list args)
{
	struct conform_result *result = conform->result;

	result->state = state;
	vsnprintf(result->text, sizeof(result->text), fmt, args);
}

int conform_fail(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	/* The first reason is the one to mend. */
	if (conform->result->state == CONFORM_FAILED && conform->result->text[0] != '\0')
		return -EPROTO;
	va_start(args, fmt);
	say(conform, CONFORM_FAILED, fmt, args);
	va_end(args);
	return -EPROTO;
}

int conform_skip(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(conform, CONFORM_SKIPPED, fmt, args);
	va_end(args);
	return 0;
}

int conform_note(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(conform, CONFORM_PASSED, fmt, args);
	va_end(args);
	return 0;
}

static void __attribute__((noreturn)) child(struct conform *conform, const struct conform_case *one)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS };
	const struct rlimit no_core = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	/* A sanitizer tells more than the signal would, so its handlers stay. */
	for (size_t i = 0; !leak_has_sanitizer() && i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
	if (one->run(conform) == 0 && conform->result->state == CONFORM_FAILED)
		conform->result->state = CONFORM_PASSED;
	_exit(0);
}

static void await(pid_t pid, struct conform_result *result)
{
	int pidfd = pidfd_open(pid, 0), status = 0, n = -1;
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	while (pidfd >= 0 && (n = poll(&poll_fd, 1, CASE_LIMIT_MS)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (result->state == CONFORM_FAILED && result->text[0] == '\0')
			snprintf(result->text, sizeof(result->text), "it ended the process");
		return;
	}
	result->state = CONFORM_FAILED;
	if (n <= 0)
		snprintf(result->text, sizeof(result->text), "it hangs: not done after %d s",
			 CASE_LIMIT_MS / 1000);
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
