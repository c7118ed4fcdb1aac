/* SPDX-License-Identifier: BSD-2-Clause */
/* See sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <sys/mount.h>

#include "base/err.h"

static int fail(struct sluice_err *err, const char *what)
{
	int code = -errno;

	err_set(err, NULL, "cannot make %s: %s%s", what, err_name(code),
		code == -EPERM ? "; it needs root" : "");
	return code;
}

int sandbox_enter(struct sandbox *sandbox, struct sluice_err *err)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		return fail(err, "namespaces of its own");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail(err, "its mounts private");
	if (mount("sluice-bench", "/sys/fs/bpf", "bpf", 0, NULL))
		return fail(err, "a bpffs of its own on /sys/fs/bpf");
	if (sched_getaffinity(0, sizeof(sandbox->cpus), &sandbox->cpus))
		return fail(err, "a list of CPUs");
	sandbox->n_cpus = (unsigned int)CPU_COUNT(&sandbox->cpus);
	return 0;
}

int sandbox_pin_cpu(const struct sandbox *sandbox, unsigned int nth)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &sandbox->cpus) || nth--)
			continue;
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
	}
	return -EINVAL;
}
