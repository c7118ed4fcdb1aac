/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a reply goes while Linux keeps ARP and ND for itself: to the MAC address that the host's own
 * packets came from.  A server only ever answers, so that is known in time.  Hosts of the local
 * network have an entry each; all others share the gateway's, so that a flood from outside with
 * forged addresses pushes nobody out.
 */
#ifndef SLUICE_LWIP_NEIGHBOUR_H
#define SLUICE_LWIP_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NEIGHBOUR_MAC_SIZE = 6,
	NEIGHBOUR_ENTRIES = 1024, /* Of each table, a power of two. */
};

/* An address as 16 bytes; of IPv4 the first four, the others zero. */
struct neighbour_address {
	uint8_t bytes[16];
};

struct neighbour_entry {
	struct neighbour_address address;
	uint8_t mac[NEIGHBOUR_MAC_SIZE];
	bool known;
};

/* One family's neighbours. */
struct neighbour_table {
	struct neighbour_address own;
	unsigned int prefix; /* Bits of `own` that the local network shares. */
	uint64_t key;	     /* Random: nobody may aim at one entry. */
	struct neighbour_entry gateway;
	struct neighbour_entry entries[NEIGHBOUR_ENTRIES];
};

void neighbour_init(struct neighbour_table *table, const struct neighbour_address *own,
		    unsigned int prefix, uint64_t key);

/* A packet with this source came in from `mac`. */
void neighbour_learn(struct neighbour_table *table, const struct neighbour_address *source,
		     const uint8_t *mac);

/* NULL if nothing has come from there, or another host has its entry. */
const uint8_t *neighbour_find(const struct neighbour_table *table,
			      const struct neighbour_address *destination);

#endif /* SLUICE_LWIP_NEIGHBOUR_H */
