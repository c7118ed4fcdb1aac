/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded memory of sources that are not blocked now: those that were released, so that a
 * repeater gets a longer term, and those that observe mode would have blocked, so that `explain`
 * can say so.  A ring: the oldest makes room for the newest.
 */
#ifndef SLUICE_ENGINE_HISTORY_H
#define SLUICE_ENGINE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct address_secret;
struct history;

struct history_entry {
	struct sluice_key key;
	uint64_t at_ns;		/* CLOCK_BOOTTIME: when it was noted. */
	uint64_t first_seen_ns; /* CLOCK_BOOTTIME */
	uint64_t held_until_ns; /* Not to be blocked automatically before; 0 = no such hold. */
	uint64_t pps;
	uint32_t repeats;	   /* How often it has been blocked. */
	uint16_t detector, reason; /* struct name_table */
	char evidence[64];
};

int history_new(size_t capacity, const struct address_secret *secret, struct history **out)
	__attribute__((warn_unused_result));
void history_free(struct history *history);

/* Adds or replaces.  Without memory for it the source is simply not remembered. */
void history_note(struct history *history, const struct history_entry *entry);
/* NULL if not remembered, or noted longer than `max_age_ns` before `now_ns`. */
const struct history_entry *history_find(const struct history *history,
					 const struct sluice_key *key, uint64_t now_ns,
					 uint64_t max_age_ns);

#endif /* SLUICE_ENGINE_HISTORY_H */
