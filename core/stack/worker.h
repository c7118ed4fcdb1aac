/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process of one receive queue: gets its socket, gives up all privileges, loads the stack, and
 * runs it until SIGTERM, or until the stack or the interface ends it.
 */
#ifndef SLUICE_STACK_WORKER_H
#define SLUICE_STACK_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include <sluice/plugin.h>

struct logger;
struct settings;
struct settings_stack_interface;

struct worker_options {
	const struct settings *settings;
	const struct settings_stack_interface *interface;
	uint32_t queue;
	uint32_t core; /* Of the CPUs that it may use, counted round. */
	uid_t uid;     /* Who it becomes, if it was root. */
	gid_t gid;
	const struct logger *logger;
};

/* Connects to the daemon's socket.  A descriptor, or a negative errno with its reason. */
int worker_connect(const struct settings *settings, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Returns an exit code: 0 after SIGTERM, 1 otherwise.  SIGTERM is to be blocked by the caller. */
int worker_run(const struct worker_options *options) __attribute__((warn_unused_result));

#endif /* SLUICE_STACK_WORKER_H */
