/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What peace looks like: its rate, and a sample of its packets.  A window counts only when those
 * after it were peaceful too; packets of a jump wait apart until it is known what it was.
 */
#ifndef SLUICE_ENTROPY_PEACE_H
#define SLUICE_ENTROPY_PEACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/learn.h>

#include "mine.h"
#include "params.h"

#define PEACE_WINDOW_PACKETS 64 /* At most so many of one window. */
#define PEACE_ASIDE_PACKETS 256
#define PEACE_KINDS 256 /* Of packets: eight kinds by 32 lengths. */

struct peace_window {
	struct mine_packet packets[PEACE_WINDOW_PACKETS];
	size_t n;
	double pps, seconds;
};

struct peace {
	struct mine_packet packets[MINE_MAX_PEACE];
	size_t n;
	uint32_t kinds[PEACE_KINDS]; /* How many of them are of each. */
	uint64_t offered;	     /* Packets that were ever to be remembered. */
	struct sluice_usual pps;
	double seconds; /* Learned. */
	struct peace_window late[ENTROPY_LAG];
	struct sluice_lag lag;
	struct mine_packet aside[PEACE_ASIDE_PACKETS];
	uint64_t n_aside;      /* Packets of the jump; more than fit. */
	uint32_t jump_windows; /* In a row. */
	uint32_t calm_windows; /* Since the jump. */
	uint64_t random;
};

/* Below PEACE_KINDS: what the packets of a window and of peace are compared by. */
unsigned int peace_kind(const struct packet *packet);
void peace_init(struct peace *peace, uint64_t seed);
/* Far over what is known. */
bool peace_is_jump(const struct peace *peace, double pps);
/* A window that is no attack as far as is known; the strangers' samples in it. */
void peace_learn(struct peace *peace, const struct mine_packet *packets, size_t n, double pps,
		 double seconds, bool is_jump);
/* An attack: what was seen just before it is not learned. */
void peace_freeze(struct peace *peace);

#endif /* SLUICE_ENTROPY_PEACE_H */
