/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When an attack begins and ends.  It begins with a detector's verdict and is then judged on what
 * is offered, dropped packets included: blocking does not make it look finished, and a flood of
 * constant rate is one attack, however long.
 */
#ifndef SLUICE_ENGINE_ATTACK_H
#define SLUICE_ENGINE_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

/* Calm windows in a row that end an attack. */
#define ATTACK_CALM_WINDOWS 5
/* A window is calm when blocked sources send less than 1/n of what they sent at the peak. */
#define ATTACK_CALM_SHARE 10

struct attack {
	bool on;
	uint32_t calm_windows;
	uint64_t peak_blocked_pps;
	uint64_t peak_offered_pps;
	uint64_t started_ns;	      /* Monotonic. */
	uint64_t started_realtime_ns; /* Of the one going on, or the last one. */
	uint64_t windows;	      /* That it has lasted. */
	uint64_t count;		      /* Since start. */
};

struct attack_input {
	bool verdict;	      /* Some detector, enforced or observing, says attack. */
	bool inherited;	      /* Sources that an earlier daemon blocked still flood. */
	uint64_t blocked_pps; /* Of sources blocked automatically, software and hardware. */
	uint64_t offered_pps;
	uint64_t now_ns, realtime_ns;
};

enum attack_change {
	ATTACK_CHANGE_NONE,
	ATTACK_CHANGE_STARTED,
	ATTACK_CHANGE_ENDED,
};

void attack_init(struct attack *attack);
enum attack_change attack_step(struct attack *attack, const struct attack_input *input);

#endif /* SLUICE_ENGINE_ATTACK_H */
