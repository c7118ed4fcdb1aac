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
/* What counts are low windows in a row, two and a second: one may be a hiccup of the clients. */
#define MIN_PASS_LOW_WINDOWS 2
#define MIN_PASS_LOW_NS 1000000000ull
/* Where more of the windows of peace are as low as that, a low one says nothing of the blocks. */
#define MIN_PASS_ORDINARY 0.02

struct min_pass {
	double level_pps;
	double low_share; /* Of the windows of peace. */
	uint32_t peace_windows;
	uint32_t since_blocks; /* Windows since the last new automatic blocks. */
	uint32_t low_windows, wanted_windows;
	bool fired; /* Until enough passes again. */
};

struct min_pass_window {
	double share; /* Of the level of peace; 0 = off. */
	bool peace;   /* Learn from it. */
	uint64_t passed_pps;
	uint64_t length_ns;
};

void min_pass_init(struct min_pass *min_pass);
/* True: the alarm goes, once until enough passes again. */
bool min_pass_step(struct min_pass *min_pass, const struct min_pass_window *window);
/* Automatic blocks were made in this window, after its step. */
void min_pass_blocked(struct min_pass *min_pass);
/* Blocks at most so many windows old are those that an alarm in this window lays it to. */
uint32_t min_pass_reach(const struct min_pass *min_pass);

#endif /* SLUICE_ENGINE_MIN_PASS_H */
