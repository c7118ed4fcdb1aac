/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which part of the pinned map of sockets is whose: a slot of the map for each interface.  An interface keeps its
 * slot over reloads and daemons, made again or renamed, for as long as the deployment has it, so that sockets in the
 * map stay where they are looked for.
 */
#ifndef SLUICE_DATAPLANE_DELIVER_SLOTS_H
#define SLUICE_DATAPLANE_DELIVER_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "deliver_shared.h"

struct deliver_owner {
	const char *name;     /* Of an interface; shorter than 16 bytes. */
	unsigned int ifindex; /* Not 0. */
};

/*
 * Gives each of `n` interfaces, DELIVER_MAX_SLOTS at most, its slot: the one that has its name, else the one that
 * has its number, else the lowest that none of the others keeps.  `slots` is what is pinned, and may hold anything.
 */
void deliver_slots_assign(const struct deliver_slots *slots, const struct deliver_owner *owners,
			  size_t n, uint8_t slot[]);

/*
 * Writes down who has what.  `vacate` is called for a slot before it goes to another interface: no socket of the
 * last one may stay there.
 */
void deliver_slots_settle(struct deliver_slots *slots, const struct deliver_owner *owners, size_t n,
			  const uint8_t slot[], void (*vacate)(void *ctx, uint8_t slot), void *ctx);

/* The interface of `slot` has this number now; 0: there is none. */
void deliver_slots_follow(struct deliver_slots *slots, uint8_t slot, unsigned int ifindex);

#endif /* SLUICE_DATAPLANE_DELIVER_SLOTS_H */
