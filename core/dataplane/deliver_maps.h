/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps of the deliver stage: which ports go to AF_XDP, the pinned sockets, and what became of
 * packets.  The filter's skeleton makes them; the feature programs borrow them by name.
 */
#ifndef SLUICE_DATAPLANE_DELIVER_MAPS_H
#define SLUICE_DATAPLANE_DELIVER_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"
#include "mapped.h"

struct bpf_object;

#define DELIVER_MAPS_N 5

struct deliver_maps {
	int fd[DELIVER_MAPS_N]; /* The filter's, in the order of deliver_maps_names. */
	struct mapped counts;
	uint32_t n_cpus;
	uint32_t anywhere; /* Rules without a destination, by bit. */
	bool on;
};

/* Between open and load of any program: whether the stage is in it.  `rodata` is its skeleton's. */
#define deliver_maps_constants(maps, rodata)                   \
	do {                                                   \
		(rodata)->deliver_on = (maps)->on;             \
		(rodata)->deliver_anywhere = (maps)->anywhere; \
	} while (0)

/* Between open and load of the filter: sizes its maps for `deliver`, sets `on` and `anywhere`. */
int deliver_maps_prepare(struct deliver_maps *maps, struct bpf_object *filter,
			 const struct dataplane_deliver *deliver, uint32_t n_cpus)
	__attribute__((warn_unused_result));

/* After load: writes the rules.  deliver_maps_close() in either case. */
int deliver_maps_open(struct deliver_maps *maps, struct bpf_object *filter,
		      const struct dataplane_deliver *deliver, struct sluice_err *err)
	__attribute__((warn_unused_result));
void deliver_maps_close(struct deliver_maps *maps);

/* Between open and load of a feature program: the filter's maps. */
int deliver_maps_lend(const struct deliver_maps *maps, struct bpf_object *program)
	__attribute__((warn_unused_result));

/* The map of sockets; -1 if nothing is delivered. */
int deliver_maps_sockets(const struct deliver_maps *maps);

void deliver_maps_read(const struct deliver_maps *maps, struct dataplane_deliver_counts *counts);

#endif /* SLUICE_DATAPLANE_DELIVER_MAPS_H */
