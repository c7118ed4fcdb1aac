/* SPDX-License-Identifier: BSD-2-Clause */
/* See child.h. */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void child_settle(void)
{
	const struct rlimit no_core = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
}

void child_crash_plainly(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
}

/* 0 once the child has ended. */
static int wait_for(int pidfd, int limit_ms)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&poll_fd, 1, limit_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

int child_await(pid_t pid, int limit_ms, int *status)
{
	int pidfd = pidfd_open(pid, 0);
	int rc = pidfd < 0 ? -errno : wait_for(pidfd, limit_ms);

	if (rc != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	return rc;
}
