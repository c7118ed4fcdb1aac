/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which known attacks a window shows.  Pure: no clock, no I/O.
 *
 * Samples are drawn with one chance per packet, so of `n` samples, `m` of which fit a signature, the
 * signature's packets are estimated as passed * m / n; what a rule that it caused dropped is added
 * exactly.  Its rate is an attack when it reaches the signature's `pps`, and `deviation` deviations and
 * `growth` times above what peace has shown (an EWMA that lags, and stands still while anything jumps).
 */
#ifndef SIGNATURE_LOGIC_H
#define SIGNATURE_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "set.h"

struct logic_params {
	uint64_t pps;	       /* For signatures without a `pps` of their own. */
	double deviation;      /* Above the mean of peace. */
	double growth;	       /* And so many times the mean. */
	uint32_t min_samples;  /* Fewer that fit prove nothing. */
	uint32_t lag;	       /* Windows that wait before they are learned from. */
	uint32_t calm_windows; /* Below the limit so long, and it is over. */
};

/* What is known of one signature. */
struct logic_finding {
	bool active; /* The attack goes on: its rule is wanted. */
	double pps;  /* Offered in this window, known clients left out. */
	double limit;
	uint32_t samples; /* That fitted, of strangers. */
};

struct logic;
struct packet;

int logic_new(const struct logic_params *params, const struct signature_set *set,
	      struct logic **out) __attribute__((warn_unused_result));
void logic_free(struct logic *logic); /* NULL is a no-op. */
/* New limits; what was learned stays. */
void logic_set_params(struct logic *logic, const struct logic_params *params);

/* Looks at one window: 0, or -ENOMEM.  Then ask for each signature by its place in the set. */
int logic_observe(struct logic *logic, const struct sluice_window *window)
	__attribute__((warn_unused_result));
const struct logic_finding *logic_finding(const struct logic *logic, size_t i);
/* The signature that sample `i` of the last window fitted, by its place, or -1: known or none. */
int logic_sample_signature(const struct logic *logic, size_t i);
/* What that sample is; valid until the next window. */
const struct packet *logic_sample_packet(const struct logic *logic, size_t i);

#endif /* SIGNATURE_LOGIC_H */
