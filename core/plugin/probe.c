/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child of a trial; see probe.h.
 *
 * It is a plain fork: glibc makes malloc, stdio and the dynamic linker usable in the child of a
 * process with threads, and only the thread that loads plugins uses the dynamic linker.
 */
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"

#define PROBE_LIMIT_MS 10000
#define DONE 77 /* What the child ends with; an object that calls exit() gives another status. */

static const struct {
	const char *doing, *next;
} steps[] = {
	[PROBE_STEP_LOAD] = { "loading it", "its constructors must not crash, exit or wait" },
	[PROBE_STEP_READ] = { "reading its descriptor",
			      "name, version and ops must point to constants of its own" },
	[PROBE_STEP_UNLOAD] = { "unloading it", "its destructors must not crash, exit or wait" },
};

static void __attribute__((noreturn))
child(probe_fn trial, void *ctx, volatile enum probe_step *step)
{
	sigset_t none;

	child_settle();
	child_crash_plainly();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* What the trial finds is found out once more, and told, by the parent. */
	trial(ctx, step);
	_exit(DONE);
}

static int refuse(int rc, int status, enum probe_step step, const char *file,
		  struct sluice_err *err)
{
	const char *doing = steps[step].doing, *next = steps[step].next;

	if (rc == -ETIMEDOUT) {
		err_set(err, NULL, "%s: %s took a trial process over %d s (-ETIMEDOUT); %s", file,
			doing, PROBE_LIMIT_MS / 1000, next);
		return rc;
	}
	if (rc != 0) {
		err_set(err, NULL, "%s: cannot watch a trial load (%s)", file, err_name(rc));
		return rc;
	}
	if (WIFSIGNALED(status))
		err_set(err, NULL, "%s: %s killed a trial process by signal %d, %s (-ENOEXEC); %s",
			file, doing, WTERMSIG(status), strsignal(WTERMSIG(status)), next);
	else
		err_set(err, NULL, "%s: %s ended a trial process with status %d (-ENOEXEC); %s",
			file, doing, WEXITSTATUS(status), next);
	return -ENOEXEC;
}

static int run(probe_fn trial, void *ctx, volatile enum probe_step *step, const char *file,
	       struct sluice_err *err)
{
	int rc, status = 0;
	pid_t pid = fork();

	if (pid == 0)
		child(trial, ctx, step);
	if (pid < 0) {
		rc = -errno;
		err_set(err, NULL, "%s: no process to try it in (%s); see the limits of tasks",
			file, err_name(rc));
		return rc;
	}
	rc = child_await(pid, PROBE_LIMIT_MS, &status);
	if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return 0;
	return refuse(rc, status, *step, file, err);
}

int probe_run(probe_fn trial, void *ctx, const char *file, struct sluice_err *err)
{
	/* Shared, so that the last step outlives the child. */
	enum probe_step *step = mmap(NULL, sizeof(*step), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (step == MAP_FAILED) {
		rc = -errno;
		err_set(err, NULL, "%s: no memory to try it in (%s)", file, err_name(rc));
		return rc;
	}
	*step = PROBE_STEP_LOAD;
	rc = run(trial, ctx, step, file, err);
	munmap(step, sizeof(*step));
	return rc;
}
