/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sources have been seen in the last minutes, roughly: two maps of bits by a keyed hash, of
 * which the older one is emptied when the newer one is an eighth full, or old.  One in four sources
 * that are new may then pass for seen, at worst; none that was seen passes for new before its time.
 */
#ifndef SLUICE_ENGINE_SEEN_H
#define SLUICE_ENGINE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/key.h>

struct address_secret;

/* How long a source is remembered, if there are not too many; at most twice as long. */
#define SEEN_KEEP_NS (300ull * 1000000000ull)

struct seen {
	const struct address_secret *secret;
	uint64_t *bits[2]; /* The newer and the older. */
	uint32_t n_set;	   /* In the newer. */
	uint64_t since_ns; /* Since when the newer is in use. */
};

/* `secret` must outlive it. */
int seen_init(struct seen *seen, const struct address_secret *secret)
	__attribute__((warn_unused_result));
void seen_fini(struct seen *seen);
/* Once a window, before its sources. */
void seen_begin(struct seen *seen, uint64_t now_ns);
/* True if it had been seen; it has been from now on. */
bool seen_note(struct seen *seen, const struct sluice_key *key);

#endif /* SLUICE_ENGINE_SEEN_H */
