/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who fills one card's table in a simulation: the daemon's own offload manager on the card's clock,
 * or a control.  Several play against the same attack, packet for packet.
 */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_PLAYER_H
#define SLUICE_CLI_BENCH_OFFLOAD_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "offload/offload.h"

#include "offload_card.h"
#include "offload_sim.h"

struct player {
	const struct sim_case *options;
	struct sim_card card;
	struct offload *offload;	/* NULL for a control. */
	struct offload_source *sources; /* What software saw of each in the last window. */
	bool *fixed;			/* A control's table. */
	uint64_t random;
	double probation; /* The most that were lifted at a time, as a share of K. */
};

/* 0, -ENOMEM, or what the manager said; player_close() in any case. */
int player_open(struct player *player, const struct sim_case *options, struct sluice_err *err)
	__attribute__((warn_unused_result));
void player_close(struct player *player);

/*
 * A window's packets meet the card: `counts[i]` are those of source i, `pps[i]` its true rate.
 * Returns the packets per second, by true rates, that the card dropped.
 */
double player_send(struct player *player, const uint64_t *counts, const double *pps);
/* The window has ended.  A manager goes to work; player_wait() until it has done it. */
int player_react(struct player *player) __attribute__((warn_unused_result));
void player_wait(struct player *player);
/* A control's table, of the sources of the highest `weights`; a manager has its own ways. */
int player_fill(struct player *player, const uint64_t *weights) __attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_OFFLOAD_PLAYER_H */
