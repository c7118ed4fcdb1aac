/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allow-list: prefixes of the settings, those that the operator adds while we run, and the
 * addresses behind `own`, `gateway` and `resolver`, which change as the system changes.
 *
 * A change goes in two steps, because blocked sources and the allow-list must stay disjoint in the
 * data plane at every moment: allow_prepare() makes the next list, the engine releases what it
 * overlaps, allow_commit() puts it in force.
 */
#ifndef SLUICE_ENGINE_ALLOW_H
#define SLUICE_ENGINE_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dataplane.h"
#include "engine.h"

struct allow;
struct prefix_set;
struct settings;

/* Prefixes that may be added while we run. */
#define ALLOW_ADDED_MAX 4096

/* `addresses` NULL: the system's. */
int allow_new(const struct engine_addresses *addresses, struct allow **out)
	__attribute__((warn_unused_result));
void allow_free(struct allow *allow);

/* Notes a prefix, once, for the next allow_prepare().  -ENOSPC: too many. */
int allow_add(struct allow *allow, const struct sluice_key *prefix)
	__attribute__((warn_unused_result));
/* Forgets the prefixes added while we ran, from index `from` on. */
void allow_forget_added(struct allow *allow, size_t from);
size_t allow_added(const struct allow *allow);
/* Entries in force. */
size_t allow_size(const struct allow *allow);

/*
 * Makes the next list, with or without what was added while we ran.  `*changed` is false if it
 * equals the one in force; then there is nothing to commit.  If the system does not answer, the
 * addresses it last gave stay; if it never did, fails.
 */
int allow_prepare(struct allow *allow, const struct settings *settings, bool with_added,
		  bool *changed, struct sluice_err *err) __attribute__((warn_unused_result));
/* What must not be blocked once the next list is in force. */
const struct prefix_set *allow_next(const struct allow *allow);
/* Hands the next list to the data plane.  On failure the last one stays in force here. */
int allow_commit(struct allow *allow, struct dataplane *dp, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Any of its addresses is allow-listed or our own: it must not be blocked as a source. */
bool allow_overlaps(const struct allow *allow, const struct sluice_key *key);
/* All of its addresses are. */
bool allow_covers(const struct allow *allow, const struct sluice_key *key);
/* The entry that protects `key`, the longest if several do, or NULL. */
const struct dataplane_allow *allow_find(const struct allow *allow, const struct sluice_key *key);

#endif /* SLUICE_ENGINE_ALLOW_H */
