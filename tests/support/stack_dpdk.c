/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-stack-dpdk: runs a stack plugin on DPDK's net_af_packet, one process for each queue, which spins
 * on the CPU of its number.  At SIGTERM each prints what its stack says of itself, and it fails if a frame is missing.
 *
 *   sluice-stack-dpdk FOLDER PLUGIN OPTIONS.yaml INTERFACE QUEUES
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "dpdk_io.h"
#include "stack_run.h"

enum {
	QUEUES_MAX = 64,
};

struct team {
	struct stack_run *run;
	const char *interface;
	uint16_t n_queues, n_others;
	pid_t others[QUEUES_MAX]; /* Queue 0 is this process's. */
	int ready[2];		  /* A pipe whose writing end all of them hold until they serve. */
};

static int wait_dpdk(void *ctx, struct pollfd others[2], int timeout_ms)
{
	(void)timeout_ms;
	return dpdk_io_wait(ctx, others);
}

static unsigned int kept_dpdk(const void *ctx)
{
	return dpdk_io_kept(ctx);
}

static void pin(uint16_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("sluice-stack-dpdk: pin");
}

/* Queue 0 answers for all that they serve. */
static void say_ready(struct team *team, uint16_t queue)
{
	char byte;

	close(team->ready[1]);
	if (queue == 0 && read(team->ready[0], &byte, 1) == 0)
		sd_notify(0, "READY=1");
}

static int serve(struct team *team, uint16_t queue)
{
	struct sluice_err err = { .text = "" };
	struct sluice_io *io = NULL;
	int rc = dpdk_io_open(team->interface, queue, &io, &err);

	if (rc)
		stack_run_complain(team->run, err.text);
	if (!rc) {
		const struct stack_run_io kind = { &dpdk_io_ops, io, io, wait_dpdk, kept_dpdk };

		rc = stack_run_open(team->run, &kind);
	}
	if (!rc) {
		say_ready(team, queue);
		rc = stack_run_serve(team->run);
	}
	if (!rc)
		rc = stack_run_report(team->run);
	stack_run_free(team->run);
	dpdk_io_close(io);
	return rc;
}

/* It dies with this process, however that ends. */
static int start_other(struct team *team, uint16_t queue)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(queue);
		exit(serve(team, queue) ? 1 : 0);
	}
	team->others[team->n_others++] = pid;
	return 0;
}

static bool end_others(const struct team *team)
{
	bool well = true;

	for (uint16_t i = 0; i < team->n_others; i++) {
		int status;

		kill(team->others[i], SIGTERM);
		well &= waitpid(team->others[i], &status, 0) == team->others[i] && status == 0;
	}
	return well;
}

static int run_team(struct team *team)
{
	struct sluice_err err = { .text = "" };
	int rc = dpdk_io_start(team->interface, team->n_queues, &err);

	if (rc)
		stack_run_complain(team->run, err.text);
	if (!rc)
		rc = stack_run_watch_children(team->run);
	if (!rc && pipe(team->ready))
		rc = -errno;
	for (uint16_t queue = 1; !rc && queue < team->n_queues; queue++)
		rc = start_other(team, queue);
	if (!rc)
		rc = serve(team, 0);
	else
		stack_run_free(team->run);
	if (!end_others(team) && !rc)
		rc = -EIO;
	dpdk_io_stop();
	return rc;
}

int main(int argc, char *argv[])
{
	int n_queues = argc == 6 ? atoi(argv[5]) : 0;
	struct team team = { .n_others = 0 };
	int rc;

	if (n_queues < 1 || n_queues > QUEUES_MAX) {
		fprintf(stderr, "Usage: sluice-stack-dpdk FOLDER PLUGIN OPTIONS.yaml INTERFACE "
				"QUEUES\n");
		return 2;
	}
	team.interface = argv[4];
	team.n_queues = (uint16_t)n_queues;
	rc = stack_run_new("sluice-stack-dpdk", &team.run);
	if (!rc)
		rc = stack_run_load(team.run, argv[1], argv[2], argv[3]);
	if (rc)
		stack_run_free(team.run);
	else
		rc = run_team(&team);
	return rc ? 1 : 0;
}
