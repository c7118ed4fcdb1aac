/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening Unix socket and who may use it.  The caller holds a lock that keeps a second daemon
 * away, so that a socket nobody answers is a leftover and may be replaced.
 */
#ifndef SLUICE_CONTROL_LISTENER_H
#define SLUICE_CONTROL_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include <sluice/plugin.h>

#define LISTENER_NO_GROUP ((gid_t)-1)

/* The group's number; LISTENER_NO_GROUP if `name` is NULL; -ENOENT. */
int listener_find_group(const char *name, gid_t *gid, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* `*gid` gets the group's number, LISTENER_NO_GROUP if `group` is NULL. */
int listener_open(const char *path, const char *group, int *fd, gid_t *gid, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Root, ourselves, and members of `gid`, supplementary groups included. */
bool listener_admits(int fd, gid_t gid);

#endif /* SLUICE_CONTROL_LISTENER_H */
