/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial load in a child process: what a shared object does while it is loaded (constructors,
 * resolvers) runs there first, so that one that crashes, ends the process or hangs is refused
 * instead of taking the daemon with it.
 */
#ifndef SLUICE_PLUGIN_PROBE_H
#define SLUICE_PLUGIN_PROBE_H

#include <sluice/plugin.h>

/*
 * Loads and unloads the object behind `fd`, in a child.  0: nothing happened to the child, which
 * says nothing about whether the object can be loaded; -ENOEXEC it died, -ETIMEDOUT it did not get
 * done, or what kept the child from running.  `file` is what the message calls the object.
 */
int plugin_probe(int fd, const char *file, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_PROBE_H */
