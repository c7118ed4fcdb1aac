/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rebuilds the blocklist from what an earlier daemon left pinned in the data plane.  That memory
 * is untrusted: strings may lack their NUL, numbers may be anything.
 */
#ifndef SLUICE_ENGINE_ADOPT_H
#define SLUICE_ENGINE_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "dataplane/dataplane.h"

struct blocklist;
struct prefix_list;

struct adopt_options {
	struct dataplane *dp;
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	uint64_t ttl_ns; /* Given to an automatic block that has no sane term. */
	uint8_t v6_prefix_len;
	bool lapsed; /* Automatic blocks ended while no daemon was there: they are not kept. */
};

struct adopt_result {
	uint32_t sources, prefixes;
	uint32_t repaired; /* Kept, with a string or number put right. */
	uint32_t dropped;  /* Not kept and unblocked: nobody could have named or released them. */
	uint32_t lapsed;   /* Not kept and unblocked: automatic, and `lapsed` was set. */
};

/* Puts strings and numbers of a record right; true if anything had to be. */
bool adopt_repair(struct dataplane_block_record *record, uint64_t now_ns, uint64_t ttl_ns);

/*
 * Fills both lists.  A record whose key is no source in the policy's unit, or comes twice, is
 * unblocked, since an entry that nobody knows could never be released.  So are automatic blocks that
 * the filter itself had let lapse: to enforce them again would surprise everybody.
 */
int adopt_all(const struct adopt_options *options, struct blocklist *list,
	      struct prefix_list *prefixes, struct adopt_result *result, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_ENGINE_ADOPT_H */
