/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window's list of sources, in memory that is kept from window to window: the data plane merges
 * what each CPU counted straight into it.
 */
#ifndef SLUICE_ENGINE_AGGREGATE_H
#define SLUICE_ENGINE_AGGREGATE_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

struct aggregate;
struct dataplane;

/* `max_sources` bounds the list; more distinct sources than that are counted as untracked. */
int aggregate_new(size_t max_sources, struct aggregate **out) __attribute__((warn_unused_result));
void aggregate_free(struct aggregate *aggregate);

/* Forgets the last window and reads the idle side. */
void aggregate_read(struct aggregate *aggregate, struct dataplane *dp);

/* Valid until the next read.  Writable, for flags. */
struct sluice_source *aggregate_sources(struct aggregate *aggregate, size_t *n);
/* `dp` as of the last read. */
const struct sluice_source *aggregate_find(const struct aggregate *aggregate,
					   const struct dataplane *dp,
					   const struct sluice_key *key);
/* Packets that passed and belong to no source of the list. */
uint64_t aggregate_untracked(const struct aggregate *aggregate);
uint64_t aggregate_untracked_bytes(const struct aggregate *aggregate);

#endif /* SLUICE_ENGINE_AGGREGATE_H */
