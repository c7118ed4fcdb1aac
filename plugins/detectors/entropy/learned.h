/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources seen in peace, with the rate they had: a set of fixed size that forgets the one not seen
 * for longest.  An entry counts only once it is ENTROPY_LAG windows old.
 */
#ifndef SLUICE_ENTROPY_LEARNED_H
#define SLUICE_ENTROPY_LEARNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct learned;

/* Room for at least `capacity` sources.  NULL when memory is out. */
struct learned *learned_new(uint32_t capacity, uint64_t seed);
void learned_free(struct learned *learned);

/* A source seen in window `now` of a peaceful time. */
void learned_note(struct learned *learned, const struct sluice_key *key, double pps, uint32_t now);
/* A source that proved to be real; counts at once, whatever the times are. */
void learned_vouch(struct learned *learned, const struct sluice_key *key, double pps, uint32_t now);

/* True if peace knows this source at a rate of more than pps/growth. */
bool learned_accepts(struct learned *learned, const struct sluice_key *key, double pps,
		     double growth, uint32_t now);

/* True if peace knows this source at any rate. */
bool learned_has(struct learned *learned, const struct sluice_key *key, uint32_t now);
/* Tells sources apart; keyed. */
uint64_t learned_hash(const struct learned *learned, const struct sluice_key *key);

/* Peace is over: forgets what is too young to count. */
void learned_drop_young(struct learned *learned, uint32_t now);

/* How many are remembered; for tests, reads the whole table. */
size_t learned_count(const struct learned *learned);

#endif /* SLUICE_ENTROPY_LEARNED_H */
