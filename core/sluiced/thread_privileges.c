/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel lets a thread change nobody's capabilities but its own, so the change is made in a
 * signal handler of each; what it needs travels in the signal's value.  See thread_privileges.h.
 */
#include "thread_privileges.h"

#include <dirent.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#define WAIT_S 5

struct order {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	sem_t done;
	int error; /* Of the one thread that is at it. */
};

/* Only system calls that a signal handler may make. */
static void obey(int signal, siginfo_t *info, void *context)
{
	struct order *order = info->si_value.sival_ptr;
	struct __user_cap_header_struct header = order->header;
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	int saved = errno;

	(void)signal;
	(void)context;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		order->error = -errno;
	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* As far as it may. */
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	header.pid = 0;
	if (syscall(SYS_capget, &header, sets) != 0)
		order->error = -errno;
	/* A thread that has less already gains nothing. */
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].effective &= order->sets[i].effective;
		sets[i].permitted &= order->sets[i].permitted;
		sets[i].inheritable &= order->sets[i].inheritable;
	}
	if (!order->error && syscall(SYS_capset, &header, sets) != 0)
		order->error = -errno;
	errno = saved;
	sem_post(&order->done);
}

static int wait_done(struct order *order)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	while (sem_timedwait(&order->done, &until) != 0) {
		if (errno != EINTR)
			return -errno;
	}
	return order->error;
}

static int send_order(pid_t thread, int signal, struct order *order)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	info.si_signo = signal;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = order;
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, signal, &info) == 0)
		return wait_done(order);
	return errno == ESRCH ? 0 : -errno; /* It ended in the meantime. */
}

static int send_to_all(int signal, struct order *order)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;
	int ret = 0;

	if (!tasks)
		return -errno;
	while (!ret && (entry = readdir(tasks))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

		if (thread > 0 && thread != gettid())
			ret = send_order(thread, signal, order);
	}
	closedir(tasks);
	return ret;
}

int thread_privileges_follow(void)
{
	struct sigaction action = { .sa_sigaction = obey, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct order *order = calloc(1, sizeof(*order));
	struct sigaction before;
	int signal = SIGRTMIN;
	int ret;

	if (!order)
		return -ENOMEM;
	order->header.version = _LINUX_CAPABILITY_VERSION_3;
	sem_init(&order->done, 0, 0);
	sigemptyset(&action.sa_mask);
	if (syscall(SYS_capget, &order->header, order->sets) != 0 ||
	    sigaction(signal, &action, &before) != 0) {
		ret = -errno;
		goto out;
	}
	ret = send_to_all(signal, order);
	/* A thread that did not answer may still do so: leave it what it then needs. */
	if (ret == -ETIMEDOUT)
		return ret;
	if (sigaction(signal, &before, NULL) != 0 && !ret)
		ret = -errno;
out:
	sem_destroy(&order->done);
	free(order);
	return ret;
}
