/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of the pinned known clients.  A set is written whole, into the generation that no
 * packet reads, through the mapping, and one word puts it in force: no system call an address.
 */
#ifndef SLUICE_DATAPLANE_KNOWN_MAPS_H
#define SLUICE_DATAPLANE_KNOWN_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>
#include <sluice/plugin.h>

#include "mapped.h"

struct grace;
struct sluice_header;

struct known_maps {
	struct sluice_header *header;
	struct mapped v4, v6;
	bool is_unsettled; /* Some packet may still read the other generation. */
	uint32_t n;	   /* As last written. */
	/* What was last written, by a keyed hash: the same again, and there is nothing to do. */
	bool has_written;
	uint64_t written;
};

/* log2 of the IPv4 buckets that hold so many known clients of each family. */
uint32_t known_maps_bits(uint32_t max_known);

/* Takes over what is pinned, which stays in force.  known_maps_close() in either case. */
int known_maps_open(struct known_maps *maps, int fd4, int fd6, struct sluice_header *header,
		    struct sluice_err *err) __attribute__((warn_unused_result));
void known_maps_close(struct known_maps *maps);

/* How many of `keys` found no room, or a negative errno, upon which nothing has changed. */
int known_maps_set(struct known_maps *maps, struct grace *grace, const struct sluice_key *keys,
		   size_t n, struct sluice_err *err) __attribute__((warn_unused_result));

/* A grace wait is over: no packet reads the old generation any more. */
void known_maps_settled(struct known_maps *maps);

#endif /* SLUICE_DATAPLANE_KNOWN_MAPS_H */
