/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guard against blocking the wrong ones: when, right after new blocks, less passes than a set
 * share of what passes in peace, something is wrong.  (A cap on the share that is dropped would
 * say nothing: real floods are far over 99 % of all packets.)  Silent until peace has been seen.
 */
#ifndef SLUICE_ENGINE_MIN_PASS_H
#define SLUICE_ENGINE_MIN_PASS_H

#include <stdbool.h>
#include <stdint.h>

/* Peaceful windows before there is a level to speak of. */
#define MIN_PASS_WARM_WINDOWS 10
/* How long after new blocks a drop is laid to them. */
#define MIN_PASS_AFTER_WINDOWS 3
/* Low windows in a row that count: one may be a hiccup of the clients. */
#define MIN_PASS_LOW_WINDOWS 2

struct min_pass {
	double level_pps;
	uint32_t peace_windows;
	uint32_t since_blocks; /* Windows since the last new automatic blocks. */
	uint32_t low_windows;
	bool fired; /* Until enough passes again. */
};

void min_pass_init(struct min_pass *min_pass);
/* Learns when `peace`.  True: the alarm goes, once until enough passes again. */
bool min_pass_step(struct min_pass *min_pass, double share, bool peace, uint64_t passed_pps);
/* Automatic blocks were made in this window, after its step. */
void min_pass_blocked(struct min_pass *min_pass);

#endif /* SLUICE_ENGINE_MIN_PASS_H */
