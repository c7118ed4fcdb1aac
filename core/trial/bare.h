/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a replay can cost: the same packets through the same programs, and nothing else.  It
 * takes turns with the replay, so that what else the machine does meets both alike.
 */
#ifndef SLUICE_TRIAL_BARE_H
#define SLUICE_TRIAL_BARE_H

#include <stddef.h>
#include <stdint.h>

/* Packets of one turn, at most. */
#define BARE_TURN_PACKETS 1024u

struct bare;
struct dataplane;
struct mix;

struct bare_sum {
	uint64_t packets, elapsed_ns; /* Of CPU time. */
};

/* `dp` stays the caller's, and must outlive it. */
int bare_new(struct dataplane *dp, struct bare **out) __attribute__((warn_unused_result));
void bare_free(struct bare *bare);

/*
 * Takes the next `n` packets out of `mix`, those toward the protected host through the filter and those
 * from it through the program at tc, one system call each; only the calls are timed.  0 or a negative
 * errno.
 */
int bare_turn(struct bare *bare, struct mix *mix, size_t n) __attribute__((warn_unused_result));
struct bare_sum bare_sum(const struct bare *bare);

#endif /* SLUICE_TRIAL_BARE_H */
