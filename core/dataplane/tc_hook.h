/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program at tc on one interface, in one direction, that outlives the daemon: by a pinned tcx link
 * where the kernel has those (6.6), else as a filter of the clsact qdisc, whose program is pinned to
 * tell it from others' filters.  Those are never touched, nor is their qdisc.
 */
#ifndef SLUICE_DATAPLANE_TC_HOOK_H
#define SLUICE_DATAPLANE_TC_HOOK_H

#include <stdbool.h>

#include <sluice/plugin.h>

#include "dataplane.h"

struct tc_hook {
	const char *folder; /* Where it is pinned. */
	const char *ifname;
	unsigned int ifindex;
	bool is_out;
	enum dataplane_egress mode; /* AUTO, TCX or CLSACT. */
};

/*
 * Attaches the program, or puts it in the place of the one that the last daemon left.  `used` gets
 * TCX or CLSACT.
 */
int tc_hook_open(const struct tc_hook *hook, int prog_fd, enum dataplane_egress *used,
		 struct sluice_err *err) __attribute__((warn_unused_result));

/* Whether a name in the folder is a pin of ours, and taking that program off its interface. */
bool tc_hook_is(const char *name);
int tc_hook_remove(const char *folder, const char *name);

/* Takes the programs off all interfaces but those; n 0: off all. */
void tc_hook_prune(const char *folder, const struct dataplane_interface *kept, size_t n);

#endif /* SLUICE_DATAPLANE_TC_HOOK_H */
