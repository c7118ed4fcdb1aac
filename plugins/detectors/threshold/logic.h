/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixed limits on what one source may send: the pure part.  Calls no host, keeps no state.
 */
#ifndef SLUICE_THRESHOLD_LOGIC_H
#define SLUICE_THRESHOLD_LOGIC_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/detector.h>

enum threshold_limit {
	THRESHOLD_LIMIT_SOURCE, /* All packets. */
	THRESHOLD_LIMIT_SYN,
	THRESHOLD_LIMIT_UDP,
	THRESHOLD_LIMIT_ICMP,
	THRESHOLD_LIMIT_FLOWS, /* Destinations that it sends to. */
	THRESHOLD_LIMIT_BITS,  /* Of whole frames. */
	THRESHOLD_N_LIMITS
};

/* Packets (flows, bits) per second; 0 = off. */
struct threshold_limits {
	uint64_t pps[THRESHOLD_N_LIMITS];
};

/* A source over a limit: the one that it exceeds by the greatest factor. */
struct threshold_hit {
	const struct sluice_source *source;
	enum threshold_limit limit;
	double pps;   /* What the limit counts. */
	double ratio; /* pps over the limit */
};
/* Nonzero: no further hits are wanted; they are still counted. */
typedef int (*threshold_hit_fn)(void *ctx, const struct threshold_hit *hit);

struct threshold_result {
	bool attack;
	uint64_t over;	     /* Sources that passed and are over a limit, without known clients. */
	uint64_t known_over; /* Known clients over a limit. */
	uint64_t blocked_over; /* Blocked sources that still send more than the lowest limit. */
	double worst_ratio;    /* Of all three. */
};

/* 0, -EINVAL if the window cannot be read, or -ENOMEM. */
int threshold_observe(const struct threshold_limits *limits, const struct sluice_window *window,
		      threshold_hit_fn hit, void *ctx, struct threshold_result *result)
	__attribute__((warn_unused_result));

/* "packets", "SYNs", "UDP packets", "ICMP packets", "flows", "bits". */
const char *threshold_limit_name(enum threshold_limit limit);

#endif /* SLUICE_THRESHOLD_LOGIC_H */
