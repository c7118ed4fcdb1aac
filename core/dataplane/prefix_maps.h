/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists that need more than an exact look-up: blocked prefixes, the allow-list and our own
 * addresses.  Small, rarely written, by system calls.
 */
#ifndef SLUICE_DATAPLANE_PREFIX_MAPS_H
#define SLUICE_DATAPLANE_PREFIX_MAPS_H

#include "dataplane.h"
#include "shared.h"

struct prefix_maps {
	struct sluice_header *header;
	int prefix4_fd, prefix6_fd, allow4_fd, allow6_fd, own_fd;
	uint32_t n_prefixes;
};

/* Counts what is pinned already and sets the header's flags to match. */
int prefix_maps_init(struct prefix_maps *maps, struct sluice_err *err)
	__attribute__((warn_unused_result));

int prefix_maps_set(struct prefix_maps *maps, const struct sluice_key *prefix, uint64_t expires_ns,
		    struct sluice_err *err) __attribute__((warn_unused_result));
int prefix_maps_del(struct prefix_maps *maps, const struct sluice_key *prefix,
		    struct sluice_err *err) __attribute__((warn_unused_result));
int prefix_maps_foreach(const struct prefix_maps *maps, dataplane_prefix_fn fn, void *ctx,
			struct sluice_err *err) __attribute__((warn_unused_result));
int prefix_maps_allow_set(struct prefix_maps *maps, const struct dataplane_allow *allow, size_t n,
			  struct sluice_err *err) __attribute__((warn_unused_result));
int prefix_maps_own_set(struct prefix_maps *maps, const struct sluice_key *own, size_t n,
			struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_DATAPLANE_PREFIX_MAPS_H */
