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
#include "deliver_slots.h"
#include "mapped.h"

struct bpf_object;

#define DELIVER_MAPS_N 6

struct deliver_maps {
	int fd[DELIVER_MAPS_N]; /* The filter's, in the order of deliver_maps_names. */
	struct mapped counts, slots;
	uint32_t n_cpus;
	uint32_t anywhere;  /* Rules without a destination, by bit. */
	uint32_t only_slot; /* Of the only interface; DELIVER_MAX_SLOTS: there are several. */
	bool on;
	/* Of each interface, in the order of the options. */
	struct deliver_owner owners[DELIVER_MAX_SLOTS]; /* The names are the options'. */
	uint8_t slot[DELIVER_MAX_SLOTS];
	size_t n_owners;
};

/* Between open and load of any program: whether the stage is in it.  `rodata` is its skeleton's. */
#define deliver_maps_constants(maps, rodata)                     \
	do {                                                     \
		(rodata)->deliver_on = (maps)->on;               \
		(rodata)->deliver_anywhere = (maps)->anywhere;   \
		(rodata)->deliver_only_slot = (maps)->only_slot; \
	} while (0)

/*
 * Between open and load of the filter: sizes its maps for what `options` deliver, by what is pinned in `folder`
 * (NULL: nothing is), and gives each interface its slot.  -EPROTO: what is pinned has no room for them.
 */
int deliver_maps_prepare(struct deliver_maps *maps, struct bpf_object *filter, const char *folder,
			 const struct dataplane_live_options *options, uint32_t n_cpus,
			 struct sluice_err *err) __attribute__((warn_unused_result));

/* After load: writes the rules.  deliver_maps_close() in either case. */
int deliver_maps_open(struct deliver_maps *maps, struct bpf_object *filter,
		      const struct dataplane_deliver *deliver, struct sluice_err *err)
	__attribute__((warn_unused_result));
void deliver_maps_close(struct deliver_maps *maps);

/* Between open and load of a feature program: the filter's maps. */
int deliver_maps_lend(const struct deliver_maps *maps, struct bpf_object *program)
	__attribute__((warn_unused_result));

/* Before the programs are attached: the slots are the interfaces' from here on. */
void deliver_maps_settle(struct deliver_maps *maps);
/* The nth interface has this number now; 0: it is gone. */
void deliver_maps_follow(struct deliver_maps *maps, size_t nth, unsigned int ifindex);
/* -1: nothing is delivered. */
int deliver_maps_slot(const struct deliver_maps *maps, size_t nth);

/* The map of sockets; -1 if nothing is delivered. */
int deliver_maps_sockets(const struct deliver_maps *maps);

void deliver_maps_read(const struct deliver_maps *maps, struct dataplane_deliver_counts *counts);

#endif /* SLUICE_DATAPLANE_DELIVER_MAPS_H */
