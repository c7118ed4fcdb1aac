/* SPDX-License-Identifier: BSD-2-Clause */
/* See levels.h. */
#include "levels.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/learn.h>

#define DAY_NS 86400000000000ull
#define ALL_DAY LEVELS_SLOTS
#define MEMORY_SECONDS 600.0 /* Of a slot. */
#define FASTEST 0.1
#define ENOUGH_SECONDS 60.0 /* Learned so long, a slot speaks for itself. */
#define PROBES 8
#define JUMP_FLOOR 1000.0 /* Packets per second; less is no jump. */

struct slot {
	float seconds; /* Learned from, at most ENOUGH_SECONDS. */
	float mean[THRESHOLD_N_METRICS], variance[THRESHOLD_N_METRICS];
};

struct place {
	struct sluice_key key; /* Family 0: free. */
	uint64_t seen_ns;
	struct sluice_lag lag;
	float waiting[LEVELS_LAG][THRESHOLD_N_METRICS];
	struct slot slots[LEVELS_SLOTS + 1];
};

struct levels {
	struct place places[LEVELS_MAX];
};

int levels_new(struct levels **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void levels_free(struct levels *levels)
{
	free(levels);
}

static uint32_t home_of(const struct sluice_key *key)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(key->addr); i++)
		hash = (hash ^ key->addr[i]) * 0x100000001b3ull;
	return (uint32_t)((hash ^ hash >> 32) % LEVELS_MAX);
}

static bool is_of(const struct place *place, const struct sluice_key *key)
{
	return place->key.family == key->family &&
	       memcmp(place->key.addr, key->addr, sizeof(key->addr)) == 0;
}

static const struct place *find(const struct levels *levels, const struct sluice_key *key)
{
	uint32_t home = home_of(key);

	for (uint32_t i = 0; i < PROBES; i++) {
		const struct place *place = &levels->places[(home + i) % LEVELS_MAX];

		if (is_of(place, key))
			return place;
	}
	return NULL;
}

/* The place of a destination, taken from the one not seen for longest if it has none. */
static struct place *claim(struct levels *levels, const struct sluice_key *key)
{
	uint32_t home = home_of(key);
	struct place *oldest = &levels->places[home];

	for (uint32_t i = 0; i < PROBES; i++) {
		struct place *place = &levels->places[(home + i) % LEVELS_MAX];

		if (is_of(place, key))
			return place;
		if (!place->key.family || (oldest->key.family && place->seen_ns < oldest->seen_ns))
			oldest = place;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->key = *key;
	return oldest;
}

static void slot_learn(struct slot *slot, const float rates[THRESHOLD_N_METRICS], double seconds)
{
	/* By time, as windows are as long as the operator says.  At first each counts alike. */
	double weight = fmin(FASTEST, seconds / MEMORY_SECONDS);

	if (slot->seconds < ENOUGH_SECONDS) {
		weight = fmax(weight, seconds / (slot->seconds + seconds));
		slot->seconds = (float)fmin(slot->seconds + seconds, ENOUGH_SECONDS);
	}
	/* Floats in memory: there are 4096 destinations with 25 slots each. */
	for (int i = 0; i < THRESHOLD_N_METRICS; i++) {
		double mean = (double)slot->mean[i], variance = (double)slot->variance[i];

		sluice_learn_variance(&mean, &variance, (double)rates[i], weight);
		slot->mean[i] = (float)mean;
		slot->variance[i] = (float)variance;
	}
}

static uint32_t slot_now(uint64_t now_ns)
{
	return (uint32_t)(now_ns % DAY_NS / (DAY_NS / LEVELS_SLOTS));
}

static bool is_jump(const struct place *place, const double rates[THRESHOLD_N_METRICS])
{
	double before = 0;

	if (place->lag.n == 0)
		return false;
	for (uint32_t i = 0; i < place->lag.n; i++) {
		uint32_t at = sluice_lag_at(&place->lag, LEVELS_LAG, i);

		before += (double)place->waiting[at][THRESHOLD_PACKETS] / place->lag.n;
	}
	/* Downward too: what was before it was out of the ordinary then. */
	return rates[THRESHOLD_PACKETS] > 2 * before + JUMP_FLOOR ||
	       before > 2 * rates[THRESHOLD_PACKETS] + JUMP_FLOOR;
}

void levels_learn(struct levels *levels, const struct sluice_key *key,
		  const double rates[THRESHOLD_N_METRICS], uint64_t now_ns, double seconds)
{
	struct place *place = claim(levels, key);
	float *newest;

	place->seen_ns = now_ns;
	if (is_jump(place, rates))
		sluice_lag_discard(&place->lag);
	if (place->lag.n == LEVELS_LAG) {
		const float *oldest = place->waiting[sluice_lag_take(&place->lag, LEVELS_LAG)];

		slot_learn(&place->slots[slot_now(now_ns)], oldest, seconds);
		slot_learn(&place->slots[ALL_DAY], oldest, seconds);
	}
	newest = place->waiting[sluice_lag_add(&place->lag, LEVELS_LAG)];
	for (int i = 0; i < THRESHOLD_N_METRICS; i++)
		newest[i] = (float)rates[i];
}

void levels_freeze(struct levels *levels, const struct sluice_key *key)
{
	sluice_lag_discard(&claim(levels, key)->lag);
}

double levels_limit(const struct levels *levels, const struct sluice_key *key,
		    enum threshold_metric metric, uint64_t now_ns, double k, double growth)
{
	const struct place *place = find(levels, key);
	const struct slot *slot;

	if (!place)
		return -1;
	slot = &place->slots[slot_now(now_ns)];
	if ((double)slot->seconds < ENOUGH_SECONDS)
		slot = &place->slots[ALL_DAY];
	if ((double)slot->seconds < ENOUGH_SECONDS)
		return -1;
	return fmax((double)slot->mean[metric] + k * sqrt((double)slot->variance[metric]),
		    growth * (double)slot->mean[metric]);
}
