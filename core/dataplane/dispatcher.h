/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing an interface with other XDP programs through libxdp's dispatcher.  Our component there is
 * a jump (bpf/join.bpf.c) through a pinned array of one place into the filter: a new daemon stores
 * its filter in that place, and no packet meets a moment without one.  libxdp keeps component and
 * dispatcher under its own folder of the bpffs, so both outlive the daemon.
 */
#ifndef SLUICE_DATAPLANE_DISPATCHER_H
#define SLUICE_DATAPLANE_DISPATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

/* What a pinned component is called: this, and the interface. */
#define DISPATCHER_PREFIX "join_"

struct dispatcher_options {
	const char *folder; /* Of the data plane's pins. */
	const char *pin;    /* Of this interface's component. */
	const char *ifname;
	unsigned int ifindex;
	enum dataplane_mode mode;
	uint32_t priority; /* Lower ones run first. */
	int prog_fd;	   /* The filter. */
};

/*
 * Finds our component on the interface or adds it, then stores the filter in its place.  `fresh`
 * tells which; `id` is the component's.  -EOPNOTSUPP: this kernel has no dispatcher, and nothing is
 * left attached; -EBUSY: a program that does not use the dispatcher holds the interface.
 */
int dispatcher_open(const struct dispatcher_options *options, uint32_t *id, bool *fresh,
		    struct sluice_err *err) __attribute__((warn_unused_result));

/* The XDP program that the host runs, whatever runs on the card before it; 0: none, or not known. */
uint32_t dispatcher_host_program(unsigned int ifindex);

/*
 * Whether the dispatcher that the interface has now holds component `id`.  Needs no capability that
 * a running daemon gives up, as asking libxdp would.
 */
bool dispatcher_holds(unsigned int ifindex, uint32_t id);

/* Takes the pinned component off whichever interface has it, others stay; removes the pin. */
int dispatcher_release(const char *pin, struct sluice_err *err);

#endif /* SLUICE_DATAPLANE_DISPATCHER_H */
