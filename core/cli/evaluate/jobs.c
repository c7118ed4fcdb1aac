/* SPDX-License-Identifier: BSD-2-Clause */
/* See jobs.h. */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_AT_ONCE 64
#define READ_SIZE 65536u
#define WAIT_MS 1000

struct job {
	pid_t pid;
	int fd; /* -1: it has ended, or not begun. */
	bool ended;
	int code;
	char *result;
	size_t size, room;
};

struct jobs {
	const struct jobs_plan *plan;
	struct job *jobs;
	size_t n_begun, n_ended, n_told;
	size_t running[MAX_AT_ONCE]; /* By the place that a job runs in. */
	bool busy[MAX_AT_ONCE];
	unsigned int at_once;
};

int jobs_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* The `place`-th CPU that this process may use, so that children do not meet on one. */
static void take_cpu(unsigned int place)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all) || CPU_COUNT(&all) < 2)
		return;
	place %= (unsigned int)CPU_COUNT(&all);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && place-- == 0)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

/* Exit codes are a byte: an errno fits. */
static void __attribute__((noreturn))
be_child(const struct jobs_plan *plan, size_t i, unsigned int place, pid_t parent, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EPIPE);
	take_cpu(place);
	_exit(-plan->work(plan->ctx, i, fd));
}

static int begin(struct jobs *jobs, unsigned int place)
{
	size_t i = jobs->n_begun;
	struct job *job = &jobs->jobs[i];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	/* Else the child would write it once more. */
	fflush(NULL);
	job->pid = fork();
	if (job->pid == 0)
		be_child(jobs->plan, i, place, parent, ends[1]);
	close(ends[1]);
	if (job->pid < 0) {
		int code = -errno;

		close(ends[0]);
		return code;
	}
	job->fd = ends[0];
	jobs->n_begun++;
	jobs->running[place] = i;
	jobs->busy[place] = true;
	return 0;
}

static void reap(struct jobs *jobs, unsigned int place)
{
	struct job *job = &jobs->jobs[jobs->running[place]];
	int status = 0;

	close(job->fd);
	job->fd = -1;
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	job->code = WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
	if (WIFSIGNALED(status))
		fprintf(stderr, "sluice: replay: a child process was ended by signal %d\n",
			WTERMSIG(status));
	job->ended = true;
	jobs->busy[place] = false;
	jobs->n_ended++;
}

/* Reads what is there; at its end the child is over. */
static int take_result(struct jobs *jobs, unsigned int place)
{
	struct job *job = &jobs->jobs[jobs->running[place]];
	ssize_t n;

	if (job->room - job->size < READ_SIZE) {
		char *bigger = realloc(job->result, job->room + 2 * READ_SIZE);

		if (!bigger)
			return -ENOMEM;
		job->result = bigger;
		job->room += 2 * READ_SIZE;
	}
	n = read(job->fd, job->result + job->size, READ_SIZE);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	job->size += (size_t)n;
	if (n == 0)
		reap(jobs, place);
	return 0;
}

static int wait_for_some(struct jobs *jobs)
{
	struct pollfd fds[MAX_AT_ONCE];
	unsigned int places[MAX_AT_ONCE], n = 0;
	int ret = 0;

	for (unsigned int place = 0; place < jobs->at_once; place++) {
		if (!jobs->busy[place])
			continue;
		fds[n] = (struct pollfd){ jobs->jobs[jobs->running[place]].fd, POLLIN, 0 };
		places[n++] = place;
	}
	if (poll(fds, n, WAIT_MS) < 0 && errno != EINTR)
		return -errno;
	for (unsigned int i = 0; !ret && i < n; i++)
		if (fds[i].revents)
			ret = take_result(jobs, places[i]);
	if (jobs->plan->waiting)
		jobs->plan->waiting(jobs->plan->ctx, jobs->n_ended);
	return ret;
}

/* Those that have ended and whose turn it is. */
static int tell_done(struct jobs *jobs)
{
	const struct jobs_plan *plan = jobs->plan;
	int ret = 0;

	while (!ret && jobs->n_told < jobs->n_begun && jobs->jobs[jobs->n_told].ended) {
		struct job *job = &jobs->jobs[jobs->n_told];

		ret = plan->done(plan->ctx, jobs->n_told, job->code, job->result, job->size);
		free(job->result);
		job->result = NULL;
		jobs->n_told++;
	}
	return ret;
}

static int begin_some(struct jobs *jobs)
{
	int ret = 0;

	for (unsigned int place = 0; !ret && place < jobs->at_once; place++)
		if (!jobs->busy[place] && jobs->n_begun < jobs->plan->n)
			ret = begin(jobs, place);
	return ret;
}

static void end_all(struct jobs *jobs)
{
	for (unsigned int place = 0; place < jobs->at_once; place++) {
		if (!jobs->busy[place])
			continue;
		kill(jobs->jobs[jobs->running[place]].pid, SIGKILL);
		reap(jobs, place);
	}
	for (size_t i = 0; i < jobs->n_begun; i++)
		free(jobs->jobs[i].result);
	free(jobs->jobs);
}

int jobs_run(const struct jobs_plan *plan)
{
	struct jobs jobs = {
		.plan = plan,
		.jobs = calloc(plan->n + 1, sizeof(struct job)),
		.at_once = plan->at_once < MAX_AT_ONCE ? plan->at_once : MAX_AT_ONCE,
	};
	int ret = 0;

	if (!jobs.jobs)
		return -ENOMEM;
	while (!ret && jobs.n_told < plan->n) {
		ret = begin_some(&jobs);
		if (!ret)
			ret = wait_for_some(&jobs);
		if (!ret)
			ret = tell_done(&jobs);
	}
	end_all(&jobs);
	return ret;
}
