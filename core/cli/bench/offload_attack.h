/* SPDX-License-Identifier: BSD-2-Clause */
/* The attack that `sluice bench offload` simulates, and what of it can be told it in words. */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_ATTACK_H
#define SLUICE_CLI_BENCH_OFFLOAD_ATTACK_H

#include <sluice/plugin.h>

#include "offload_sim.h"

/* 128K sources, a card of 0.1 ms an update, 150 windows to settle, 150 scored. */
extern const struct sim_case attack_default;

/*
 * "seed=7,spread=0.5": changes what is named.  Keys: sources, settle, windows, seed, spread,
 * exponent, ranks, rates, pulse.  0 or -EINVAL with the reason; then `sim` may be half changed.
 */
int attack_parse(const char *text, struct sim_case *sim, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_OFFLOAD_ATTACK_H */
