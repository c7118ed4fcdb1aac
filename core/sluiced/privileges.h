/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon must be allowed to do: much while it loads and attaches, little afterwards.
 */
#ifndef SLUICE_SLUICED_PRIVILEGES_H
#define SLUICE_SLUICED_PRIVILEGES_H

#include <stdbool.h>

#include <sluice/plugin.h>

/* -EPERM: names the capabilities that are missing. */
int privileges_check(struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Gives up all capabilities but CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, in every set, the bounding set
 * included, and the right to gain any by exec (no_new_privs); in every thread.  If the daemon makes
 * AF_XDP sockets, it keeps CAP_NET_RAW, and where locked memory is limited, CAP_IPC_LOCK.
 */
int privileges_drop(bool makes_sockets, struct sluice_err *err) __attribute__((warn_unused_result));

/* -EOPNOTSUPP if `release`, as uname() gives it, is older than 6.1.  NULL: the running kernel. */
int privileges_check_kernel(const char *release, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_PRIVILEGES_H */
