/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Percentiles over the last calls, weighted by their updates, and a token bucket fed by them.
 */
#include "cost.h"

#include <stdlib.h>
#include <string.h>

/* A card that says nothing of its cost is taken to be as slow as the paper's, 2 ms a rule. */
#define COST_UNKNOWN_NS 2000000u

void cost_init(struct cost_meter *meter, uint64_t p50_ns, uint64_t p99_ns)
{
	*meter = (struct cost_meter){ 0 };
	meter->p50_ns = p50_ns ? p50_ns : p99_ns ? p99_ns : COST_UNKNOWN_NS;
	meter->p99_ns = p99_ns > meter->p50_ns ? p99_ns : meter->p50_ns;
	meter->mean_ns = meter->p50_ns;
}

static int by_cost(const void *a, const void *b)
{
	const struct cost_sample *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void summarize(struct cost_meter *meter)
{
	struct cost_sample sorted[COST_SAMPLES];
	uint64_t n_updates = 0, below = 0;
	double sum_ns = 0;

	memcpy(sorted, meter->samples, meter->n_samples * sizeof(sorted[0]));
	qsort(sorted, meter->n_samples, sizeof(sorted[0]), by_cost);
	for (uint32_t i = 0; i < meter->n_samples; i++) {
		n_updates += sorted[i].n;
		sum_ns += (double)sorted[i].ns * sorted[i].n;
	}
	meter->mean_ns = (uint64_t)(sum_ns / (double)n_updates);
	for (uint32_t i = 0; i < meter->n_samples; i++) {
		if (below * 2 < n_updates)
			meter->p50_ns = sorted[i].ns;
		if (below * 100 < n_updates * 99)
			meter->p99_ns = sorted[i].ns;
		below += sorted[i].n;
	}
}

void cost_note(struct cost_meter *meter, uint64_t ns, uint32_t n)
{
	meter->samples[meter->next] = (struct cost_sample){ .ns = ns / n, .n = n };
	meter->next = (meter->next + 1) % COST_SAMPLES;
	if (meter->n_samples < COST_SAMPLES)
		meter->n_samples++;
	summarize(meter);
}

uint32_t cost_batch(const struct cost_meter *meter, uint64_t window_ns)
{
	uint64_t n = window_ns / 8 / (meter->p99_ns ? meter->p99_ns : 1);

	if (n == 0)
		return 1;
	return n < COST_BATCH_MAX ? (uint32_t)n : COST_BATCH_MAX;
}

void budget_init(struct budget *budget, uint32_t per_second, uint64_t now_ns)
{
	/* The first refill brings a full window's worth. */
	*budget = (struct budget){ .per_second = per_second };
	budget->refilled_ns = now_ns;
	budget->tokens = per_second ? per_second : UINT32_MAX;
}

void budget_refill(struct budget *budget, const struct cost_meter *meter, uint64_t window_ns,
		   uint64_t now_ns)
{
	double per_ns = budget->per_second / 1e9;
	double most;

	/* Half of the card's time is left for reading counters and for what the plan cannot see. */
	if (budget->per_second == 0)
		per_ns = 0.5 / (double)(meter->mean_ns ? meter->mean_ns : 1);
	most = per_ns * (double)window_ns;
	if (most < 2)
		most = 2; /* A swap must be possible in the end. */
	if (now_ns > budget->refilled_ns)
		budget->tokens += per_ns * (double)(now_ns - budget->refilled_ns);
	budget->refilled_ns = now_ns;
	if (budget->tokens > most)
		budget->tokens = most;
}

void budget_spend(struct budget *budget, uint32_t n)
{
	budget->tokens -= n;
}

uint32_t budget_left(const struct budget *budget)
{
	if (budget->tokens <= 0)
		return 0;
	return budget->tokens < UINT32_MAX ? (uint32_t)budget->tokens : UINT32_MAX;
}
