/* SPDX-License-Identifier: BSD-2-Clause */
/* See privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <cap-ng.h>

#include "control/fail.h"

#include "thread_privileges.h"

#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1

static const struct {
	unsigned int number;
	const char *name;
} kept[] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON, "CAP_PERFMON" },
};

int privileges_check(struct sluice_err *err)
{
	char missing[64] = "";
	size_t used = 0;

	if (capng_get_caps_process() != 0)
		return fail_with(err, -EIO, "cannot read the capabilities of this process");
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (!capng_have_capability(CAPNG_EFFECTIVE, kept[i].number))
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, " %s",
						 kept[i].name);
	}
	if (used == 0)
		return 0;
	return fail_with(err, -EPERM,
			 "not privileged: missing%s; run it as root, or as a service with these "
			 "capabilities",
			 missing);
}

/* What a socket's frames take: where the limit of locked memory could not be raised, they are above it. */
static bool needs_ipc_lock(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK);
}

int privileges_drop(bool makes_sockets, struct sluice_err *err)
{
	const capng_type_t held = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	bool may_shrink, locks;
	int ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_system(err, -errno, "cannot set no_new_privs");
	if (capng_get_caps_process() != 0)
		return fail_with(err, -EIO, "cannot read the capabilities of this process");
	may_shrink = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	locks = makes_sockets && needs_ipc_lock();
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (capng_update(CAPNG_ADD, held, kept[i].number) != 0)
			return fail_with(err, -EPERM, "cannot keep %s", kept[i].name);
	}
	if (makes_sockets && capng_update(CAPNG_ADD, held, CAP_NET_RAW) != 0)
		return fail_with(err, -EPERM, "cannot keep CAP_NET_RAW");
	if (locks && capng_update(CAPNG_ADD, held, CAP_IPC_LOCK) != 0)
		return fail_with(err, -EPERM, "cannot keep CAP_IPC_LOCK");
	/* Started without CAP_SETPCAP, as a service may be, its bounds are the service manager's. */
	if (may_shrink && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return fail_with(err, -EPERM, "cannot shrink the bounding set of capabilities");
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return fail_with(err, -EPERM, "cannot drop capabilities");
	if (capng_apply(CAPNG_SELECT_AMBIENT) != 0)
		return fail_with(err, -EPERM, "cannot drop ambient capabilities");
	ret = thread_privileges_follow();
	return ret ? fail_system(err, ret, "cannot drop the capabilities of all threads") : 0;
}

int privileges_check_kernel(const char *release, struct sluice_err *err)
{
	unsigned int major, minor;
	struct utsname running;

	if (!release) {
		if (uname(&running) != 0)
			return fail_system(err, -errno, "cannot tell the kernel's version");
		release = running.release;
	}
	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return fail_with(err, -EOPNOTSUPP, "kernel '%s': cannot tell its version", release);
	if (major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR))
		return 0;
	return fail_with(
		err, -EOPNOTSUPP,
		"kernel %s is too old: Sluice needs %d.%d or newer, the first that is "
		"tested with memory-mapped tables and replaceable XDP links; Debian 12 has it",
		release, KERNEL_MAJOR, KERNEL_MINOR);
}
