/* SPDX-License-Identifier: BSD-2-Clause */
/* See grace.h. */
#include "grace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"

/* Above what traffic generators and real-time users take; the thread runs for microseconds. */
#define GRACE_PRIORITY 95

struct grace {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int wanted, done; /* Rounds asked for and finished. */
	bool stop, started;
	bool visits; /* The visiting thread works; else RCU. */
	int n_cpus;
	int outer_fd, inner_fd;
};

static bool kernel_is_rt(void)
{
	int fd = open("/sys/kernel/realtime", O_RDONLY | O_CLOEXEC);
	char flag = '0';

	if (fd < 0)
		return false;
	if (read(fd, &flag, 1) != 1)
		flag = '0';
	close(fd);
	return flag == '1';
}

static bool cpu_is_offline(int cpu)
{
	char path[64], flag = '1';

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	/* CPU 0 often has no such file and is always on; a CPU that is only possible has none. */
	if (fd < 0) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
		return access(path, F_OK) != 0;
	}
	if (read(fd, &flag, 1) != 1)
		flag = '1';
	close(fd);
	return flag == '0';
}

/* Runs the calling thread once on every CPU that is on.  False if one is out of reach. */
static bool visit_all(int n_cpus)
{
	size_t size = CPU_ALLOC_SIZE(n_cpus);
	cpu_set_t *set = CPU_ALLOC(n_cpus);
	bool ok = set != NULL;

	for (int cpu = 0; ok && cpu < n_cpus; cpu++) {
		CPU_ZERO_S(size, set);
		CPU_SET_S(cpu, size, set);
		if (sched_setaffinity(0, size, set) == 0)
			ok = sched_getcpu() == cpu;
		else
			ok = cpu_is_offline(cpu);
	}
	CPU_FREE(set);
	return ok;
}

/*
 * Capabilities are each thread's own: what the daemon drops later this thread would keep.  Moving
 * itself from CPU to CPU needs none.
 */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* The bounds first: without capabilities they could no longer be shrunk. */
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	syscall(SYS_capset, &header, none);
}

static void *visitor(void *ctx)
{
	struct grace *grace = ctx;
	struct sched_param param = { .sched_priority = GRACE_PRIORITY };
	bool ok = !kernel_is_rt() && sched_setscheduler(0, SCHED_FIFO, &param) == 0;

	drop_capabilities();
	ok = ok && visit_all(grace->n_cpus);

	pthread_mutex_lock(&grace->lock);
	grace->visits = ok;
	grace->started = true;
	pthread_cond_broadcast(&grace->changed);
	while (grace->visits && !grace->stop) {
		if (grace->done == grace->wanted) {
			pthread_cond_wait(&grace->changed, &grace->lock);
			continue;
		}
		unsigned int round = grace->wanted;

		pthread_mutex_unlock(&grace->lock);
		ok = visit_all(grace->n_cpus);
		pthread_mutex_lock(&grace->lock);
		if (ok)
			grace->done = round;
		else
			grace->visits = false;
		pthread_cond_broadcast(&grace->changed);
	}
	pthread_mutex_unlock(&grace->lock);
	return NULL;
}

/* An update of a map of maps returns only after an RCU grace period; programs run inside one. */
static int rcu_open(struct grace *grace)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	grace->inner_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sluice_grace", 4, 4, 1, NULL);
	if (grace->inner_fd < 0)
		return -errno;
	opts.inner_map_fd = (__u32)grace->inner_fd;
	grace->outer_fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "sluice_graces", 4, 4, 1, &opts);
	return grace->outer_fd < 0 ? -errno : 0;
}

static int rcu_wait(struct grace *grace, struct sluice_err *err)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(grace->outer_fd, &zero, &grace->inner_fd, BPF_ANY) == 0)
		return 0;
	int code = -errno;

	err_set(err, "grace", "cannot update the map of maps: %s", err_name(code));
	return code;
}

int grace_new(struct grace **out, struct sluice_err *err)
{
	struct grace *grace = calloc(1, sizeof(*grace));
	int code;

	if (!grace)
		return -ENOMEM;
	grace->outer_fd = grace->inner_fd = -1;
	grace->n_cpus = libbpf_num_possible_cpus();
	pthread_mutex_init(&grace->lock, NULL);
	pthread_cond_init(&grace->changed, NULL);
	code = grace->n_cpus > 0 ? rcu_open(grace) : grace->n_cpus;
	if (code) {
		err_set(err, "grace", "cannot create its maps: %s", err_name(code));
		goto fail;
	}
	code = -pthread_create(&grace->thread, NULL, visitor, grace);
	if (code) {
		err_set(err, "grace", "cannot start its thread: %s", err_name(code));
		goto fail;
	}
	pthread_mutex_lock(&grace->lock);
	while (!grace->started)
		pthread_cond_wait(&grace->changed, &grace->lock);
	pthread_mutex_unlock(&grace->lock);
	*out = grace;
	return 0;
fail:
	if (grace->inner_fd >= 0)
		close(grace->inner_fd);
	if (grace->outer_fd >= 0)
		close(grace->outer_fd);
	pthread_cond_destroy(&grace->changed);
	pthread_mutex_destroy(&grace->lock);
	free(grace);
	return code;
}

void grace_free(struct grace *grace)
{
	if (!grace)
		return;
	pthread_mutex_lock(&grace->lock);
	grace->stop = true;
	pthread_cond_broadcast(&grace->changed);
	pthread_mutex_unlock(&grace->lock);
	pthread_join(grace->thread, NULL);
	close(grace->inner_fd);
	close(grace->outer_fd);
	pthread_cond_destroy(&grace->changed);
	pthread_mutex_destroy(&grace->lock);
	free(grace);
}

int grace_wait(struct grace *grace, struct sluice_err *err)
{
	bool visited;

	if (!grace)
		return 0;
	pthread_mutex_lock(&grace->lock);
	unsigned int round = ++grace->wanted;

	pthread_cond_broadcast(&grace->changed);
	while (grace->visits && grace->done != round)
		pthread_cond_wait(&grace->changed, &grace->lock);
	visited = grace->done == round;
	pthread_mutex_unlock(&grace->lock);
	return visited ? 0 : rcu_wait(grace, err);
}

const char *grace_mechanism(const struct grace *grace)
{
	return grace->visits ? "visit" : "rcu";
}
