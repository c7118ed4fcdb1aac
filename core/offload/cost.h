/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one update costs the card, as measured, and how many updates may therefore be asked of it:
 * in one call, so that stop and newer windows are never far, and in one window.
 */
#ifndef SLUICE_OFFLOAD_COST_H
#define SLUICE_OFFLOAD_COST_H

#include <stddef.h>
#include <stdint.h>

enum {
	COST_SAMPLES = 256,    /* Calls remembered. */
	COST_BATCH_MAX = 1024, /* Rules in one call. */
};

struct cost_meter {
	uint64_t p50_ns, p99_ns; /* Of one update. */
	uint64_t mean_ns;
	struct cost_sample {
		uint64_t ns; /* One update's share of the call. */
		uint32_t n;  /* Updates in the call. */
	} samples[COST_SAMPLES];
	uint32_t next, n_samples;
};

/* `p50_ns` and `p99_ns` as the card says them; 0 = unknown. */
void cost_init(struct cost_meter *meter, uint64_t p50_ns, uint64_t p99_ns);
/* A call for `n` > 0 updates took `ns`. */
void cost_note(struct cost_meter *meter, uint64_t ns, uint32_t n);
/* Updates in one call: what fits in an eighth of the window, at least 1. */
uint32_t cost_batch(const struct cost_meter *meter, uint64_t window_ns);

/* Updates that may be asked for: earned with time, spent by updates; may be in debt. */
struct budget {
	double tokens;
	double per_second; /* 0 = half of what the measured cost allows. */
	uint64_t refilled_ns;
};

void budget_init(struct budget *budget, uint32_t per_second, uint64_t now_ns);
void budget_refill(struct budget *budget, const struct cost_meter *meter, uint64_t window_ns,
		   uint64_t now_ns);
void budget_spend(struct budget *budget, uint32_t n);
uint32_t budget_left(const struct budget *budget);

#endif /* SLUICE_OFFLOAD_COST_H */
