/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts of packets are taken to be Poisson: their standard deviation is the root of their mean.
 */
#include "rates.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Among a million sources chance makes none differ by so many standard deviations. */
#define RATES_SURPRISE 6.0
/* Large counts hardly vary by chance, but senders do: so much is no change yet. */
#define RATES_TOLERANCE 0.25
/* What is left, a window later, of a rate that the source no longer has. */
#define RATES_DECAY 0.7

static uint32_t tag_of(const struct sluice_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

struct rate *rate_book_get(struct rate_book *book, uint32_t handle, const struct sluice_key *key)
{
	uint32_t tag = tag_of(key);
	struct rate *rate;

	if (handle >= RATES_HANDLES_MAX)
		return NULL;
	if (handle >= book->capacity) {
		uint32_t capacity = handle + handle / 4 + 1024;
		struct rate *grown = realloc(book->rates, capacity * sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + book->capacity, 0, (capacity - book->capacity) * sizeof(*grown));
		book->rates = grown;
		book->capacity = capacity;
	}
	rate = &book->rates[handle];
	if (rate->tag != tag)
		*rate = (struct rate){ .tag = tag };
	return rate;
}

void rate_book_fini(struct rate_book *book)
{
	free(book->rates);
	*book = (struct rate_book){ 0 };
}

void rate_observe(struct rate *rate, uint64_t packets, uint64_t length_ns, uint64_t round)
{
	double length_s = (double)length_ns / 1e9;
	double pps = (double)packets / length_s;
	double change = pps - rate->pps;
	double chance = RATES_SURPRISE * sqrt(rate->pps * length_s + 1) / length_s;
	double elapsed = (double)(round - rate->round);
	bool changed = fabs(change) > chance && fabs(change) > RATES_TOLERANCE * rate->pps;

	rate->round = round;
	rate->since_ns = 0;
	if (rate->windows == 0 || (changed && change > 0)) {
		rate->pps = pps;
		rate->windows = 1;
		return;
	}
	if (changed) {
		rate->pps = pps - change * pow(RATES_DECAY, elapsed);
		rate->windows = 1;
		return;
	}
	if (rate->windows < RATES_WINDOWS_MAX)
		rate->windows++;
	rate->pps += change / (double)rate->windows;
}

/* How far off the mean may be, as a share of it. */
static double uncertainty(const struct rate *rate)
{
	double packets = rate->pps * (double)rate->windows;

	return 1 / sqrt(packets > 1 ? packets : 1);
}

uint64_t rate_at_least(const struct rate *rate)
{
	double least = rate->pps * 1000 / (1 + uncertainty(rate));

	return rate->pps > 0 && least < 1 ? 1 : (uint64_t)least;
}

uint64_t rate_at_most(const struct rate *rate)
{
	return (uint64_t)(rate->pps * 1000 * (1 + uncertainty(rate)));
}
