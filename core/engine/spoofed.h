/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells a flood of forged senders from one of real ones.  Forged ones are many, they have not been
 * seen before, they send a packet or two each, and in the next window there are new ones again: of
 * real ones, all have been seen by then.
 *
 * A list of forged sources would stop nothing, and would hold addresses of people who sent nothing.
 */
#ifndef SLUICE_ENGINE_SPOOFED_H
#define SLUICE_ENGINE_SPOOFED_H

#include <stdbool.h>
#include <stdint.h>

/* Sources in a window are many beyond this many times what is usual, and this many in all. */
#define SPOOFED_FACTOR 4
#define SPOOFED_MIN 64
/* Peaceful windows before it is known what is usual. */
#define SPOOFED_WARM_WINDOWS 10
/* What a forged source sends in a window, on average, at most. */
#define SPOOFED_PACKETS 2.5
/* Calm windows that end it. */
#define SPOOFED_CALM_WINDOWS 10

struct spoofed {
	double level; /* Sources in a window of peace. */
	uint32_t peace_windows, calm_windows;
	bool suspected; /* The last window that showed anything looked like it. */
	bool on;
};

struct spoofed_input {
	bool peace;		       /* No attack is going on. */
	bool dropping;		       /* A rule that detectors asked for is stopping something. */
	uint64_t distinct;	       /* Sources that passed. */
	uint64_t tracked;	       /* Of them, */
	uint64_t fresh, fresh_packets; /* how many had not been seen, and what they sent. */
};

enum spoofed_change {
	SPOOFED_CHANGE_NONE,
	SPOOFED_CHANGE_STARTED,
	SPOOFED_CHANGE_ENDED,
};

void spoofed_init(struct spoofed *spoofed);
enum spoofed_change spoofed_step(struct spoofed *spoofed, const struct spoofed_input *input);
/* Sources are not to be trusted: it is going on, or may be beginning. */
bool spoofed_distrusts(const struct spoofed *spoofed);

#endif /* SLUICE_ENGINE_SPOOFED_H */
