/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child of a trial load; see probe.h.
 *
 * It is a plain fork: glibc makes malloc, stdio and the dynamic linker usable in the child of a
 * process with threads, and only the thread that loads plugins uses the dynamic linker.
 */
#include "probe.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#define PROBE_LIMIT_MS 10000
#define DONE 77 /* What the child ends with; an object that calls exit() gives another status. */

static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP };

static void __attribute__((noreturn)) child(int fd)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;
	char path[32];
	void *handle;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* Why it cannot be loaded is found out once more, and told, by the parent. */
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle)
		dlclose(handle);
	_exit(DONE);
}

static int refuse_status(int status, const char *file, struct sluice_err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return 0;
	if (WIFSIGNALED(status))
		err_set(err, NULL,
			"%s: loading it killed a trial process by signal %d, %s (-ENOEXEC); its "
			"constructors must not fail",
			file, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		err_set(err, NULL,
			"%s: loading it ended a trial process with status %d (-ENOEXEC); its "
			"constructors must not exit",
			file, WEXITSTATUS(status));
	return -ENOEXEC;
}

/* 0 once the child has ended, -ETIMEDOUT, or another errno. */
static int await(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&poll_fd, 1, PROBE_LIMIT_MS);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

int plugin_probe(int fd, const char *file, struct sluice_err *err)
{
	int pidfd, rc, status = 0;
	pid_t pid = fork();

	if (pid == 0)
		child(fd);
	if (pid < 0) {
		rc = -errno;
		err_set(err, NULL, "%s: no process to try it in (%s)", file, err_name(rc));
		return rc;
	}
	pidfd = pidfd_open(pid, 0);
	rc = pidfd < 0 ? -errno : await(pidfd);
	if (rc != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	if (rc == -ETIMEDOUT)
		err_set(err, NULL,
			"%s: loading it took a trial process over %d s (-ETIMEDOUT); its "
			"constructors must not wait",
			file, PROBE_LIMIT_MS / 1000);
	else if (rc != 0)
		err_set(err, NULL, "%s: cannot watch a trial load (%s)", file, err_name(rc));
	return rc != 0 ? rc : refuse_status(status, file, err);
}
