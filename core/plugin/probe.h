/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial in a child process: what a shared object does while it is loaded (constructors,
 * resolvers), and what its descriptor points to, is met there first, so that one that crashes, ends
 * the process or hangs is refused instead of taking the daemon with it.
 */
#ifndef SLUICE_PLUGIN_PROBE_H
#define SLUICE_PLUGIN_PROBE_H

#include <sluice/plugin.h>

/* How far a trial has come. */
enum probe_step {
	PROBE_STEP_LOAD,
	PROBE_STEP_READ, /* Its descriptor. */
	PROBE_STEP_UNLOAD,
};

/* Does in the child what the parent is going to do; says in `*step` what comes next. */
typedef void (*probe_fn)(void *ctx, volatile enum probe_step *step);

/*
 * Runs `trial` in a child.  0: nothing happened to the child, which says nothing about what the
 * trial found; -ENOEXEC it died, -ETIMEDOUT it did not get done, or what kept the child from
 * running.  `file` is what the message calls the object.
 */
int probe_run(probe_fn trial, void *ctx, const char *file, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_PROBE_H */
