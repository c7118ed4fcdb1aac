/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program at tc on one interface, in one direction, that outlives the daemon: by a pinned tcx link
 * where the kernel has those (6.6), else as a filter of the clsact qdisc, whose program is pinned to
 * tell it from others' filters.  Those are never touched, nor is their qdisc.
 */
#ifndef SLUICE_DATAPLANE_TC_HOOK_H
#define SLUICE_DATAPLANE_TC_HOOK_H

#include <net/if.h>
#include <stdbool.h>

#include <sluice/plugin.h>

#include "dataplane.h"

struct tc_hook {
	const char *folder; /* Where it is pinned. */
	char ifname[IFNAMSIZ];
	unsigned int ifindex;
	bool is_out;
	enum dataplane_egress mode; /* AUTO, TCX or CLSACT. */
	/* What tc_hook_open() found: */
	enum dataplane_egress used; /* TCX or CLSACT. */
	bool fresh;		    /* Attached by this call: no daemon had left a program there. */
};

/* Attaches the program, or puts it in the place of the one that the last daemon left. */
int tc_hook_open(struct tc_hook *hook, int prog_fd, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Takes a fresh program off again; leaves an adopted one. */
void tc_hook_undo(const struct tc_hook *hook);
/* Of the other kind nothing may be left, or packets would be looked at twice. */
void tc_hook_remove_other(const struct tc_hook *hook);

/* Whether a name in the folder is a pin of ours, and taking that program off its interface. */
bool tc_hook_is(const char *name);
int tc_hook_remove(const char *folder, const char *name);

/* Takes the programs off all interfaces but those; n 0: off all. */
void tc_hook_prune(const char *folder, const struct dataplane_interface *kept, size_t n);

#endif /* SLUICE_DATAPLANE_TC_HOOK_H */
