/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy detector in front of made-up traffic: what it names is blocked from the next window
 * on, as the engine would.
 */
#ifndef SLUICE_TESTS_DETECTORS_ENTROPY_BENCH_H
#define SLUICE_TESTS_DETECTORS_ENTROPY_BENCH_H

#include "logic.h"
#include "traffic.h"

struct entropy_bench {
	struct traffic traffic;
	struct entropy *entropy;
	struct entropy_result result; /* Of the last window. */
	uint64_t window_ns;
	bool block;		/* Block what is named. */
	size_t max_blocks;	/* In one window. */
	bool offload;		/* Every other block goes to the card. */
	size_t innocents_named; /* Since start. */
	size_t attack_windows;
	const struct sluice_sample *samples; /* Of every window; NULL: none. */
	size_t n_samples;
};

/* The manifest's defaults. */
struct entropy_params entropy_bench_params(void);

void entropy_bench_init(struct entropy_bench *bench, uint64_t seed, uint64_t window_ns);
void entropy_bench_fini(struct entropy_bench *bench);

/* Runs one window. */
void entropy_bench_step(struct entropy_bench *bench);
void entropy_bench_run(struct entropy_bench *bench, size_t windows);

/* Attackers that were never named. */
size_t entropy_bench_missed(const struct entropy_bench *bench);

/* `n` known HTTP clients at about `pps` each; the first sends 20 times as much. */
void entropy_bench_add_clients(struct entropy_bench *bench, size_t n, double pps);

#endif /* SLUICE_TESTS_DETECTORS_ENTROPY_BENCH_H */
