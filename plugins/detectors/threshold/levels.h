/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is normal for each destination, by time of day: mean and deviation of each metric (EWMA), one
 * pair per slot of the day and one for all day, which serves until the slot has seen enough.
 *
 * Learning lags some windows behind, and a jump discards the windows in between, so that the first,
 * partial window of an attack is never taken for peace.
 */
#ifndef SLUICE_THRESHOLD_LEVELS_H
#define SLUICE_THRESHOLD_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

enum threshold_metric {
	THRESHOLD_PACKETS,
	THRESHOLD_BITS,
	THRESHOLD_SYN,
	THRESHOLD_UDP,
	THRESHOLD_ICMP,
	THRESHOLD_FLOWS, /* Sources, in the policy's unit. */
	THRESHOLD_N_METRICS
};

#define LEVELS_SLOTS 24 /* Of a day, counted from the host's start. */
#define LEVELS_LAG 5	/* Windows. */
#define LEVELS_MAX 4096 /* Destinations; the one not seen for longest makes room. */

struct levels;

int levels_new(struct levels **out) __attribute__((warn_unused_result));
void levels_free(struct levels *levels); /* NULL is a no-op. */

/*
 * The rates of one destination in one window of peace, per second.  `now_ns` is the host's clock,
 * `seconds` the window's length.
 */
void levels_learn(struct levels *levels, const struct sluice_key *key,
		  const double rates[THRESHOLD_N_METRICS], uint64_t now_ns, double seconds);
/* An attack on it: what waits to be learned is discarded. */
void levels_freeze(struct levels *levels, const struct sluice_key *key);

/*
 * The higher of mean + k * deviation and growth * mean of a metric now; negative: too little is
 * learned of it to say.
 */
double levels_limit(const struct levels *levels, const struct sluice_key *key,
		    enum threshold_metric metric, uint64_t now_ns, double k, double growth);

#endif /* SLUICE_THRESHOLD_LEVELS_H */
