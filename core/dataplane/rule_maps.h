/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of the pinned signature rules.  A new set is written into the generation that no packet
 * reads, and one word puts it in force.  Counters and buckets lie in slots that keep their rule's
 * name, so that they outlive a change of the rules and a restart.
 */
#ifndef SLUICE_DATAPLANE_RULE_MAPS_H
#define SLUICE_DATAPLANE_RULE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "mapped.h"
#include "rule.h"

struct grace;
struct rules_generation;
struct sluice_header;

struct rule_maps {
	struct sluice_header *header;
	struct mapped generations, counters, limits, names;
	struct rules_generation *compiled; /* Where the next one is made ready. */
	struct dataplane_rule *set;	   /* Those in force as they were stated; room for all. */
	size_t n_set;			   /* 0 until the first rule_maps_set(). */
	uint32_t n_cpus;
	bool is_unsettled; /* Some packet may still read the other generation. */
};

struct rule_maps_fds {
	int generations, counters, limits, names;
};

/* Takes over what is pinned.  rule_maps_close() in either case. */
int rule_maps_open(struct rule_maps *maps, const struct rule_maps_fds *fds,
		   struct sluice_header *header, uint32_t n_cpus, struct sluice_err *err)
	__attribute__((warn_unused_result));
void rule_maps_close(struct rule_maps *maps);

/* Replaces all rules at once; when it returns, no packet is judged by the old ones. */
int rule_maps_set(struct rule_maps *maps, struct grace *grace, const struct dataplane_rule *rules,
		  size_t n, struct sluice_err *err) __attribute__((warn_unused_result));

/* The automatic ones that an earlier daemon left in force, as far as they are sound. */
void rule_maps_inherit(const struct rule_maps *maps, dataplane_rule_inherit_fn fn, void *ctx);

/* Those in force, in order. */
void rule_maps_read(const struct rule_maps *maps, dataplane_rule_fn fn, void *ctx);

#endif /* SLUICE_DATAPLANE_RULE_MAPS_H */
