/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs of senders who never come back, however ordinary they look: a client that is answered sends
 * more, a forged address nothing.  No rule can tell the one from the other beforehand, so that what
 * is asked for is a limit.
 */
#ifndef SLUICE_ENTROPY_FORGED_H
#define SLUICE_ENTROPY_FORGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>
#include <sluice/learn.h>

struct learned;

#define FORGED_MAX_ASKED 2048
#define FORGED_FILTER_BITS 65536

struct forged_params {
	double min_pps;	      /* Of SYNs over peace. */
	double growth;	      /* The same, over the mean of peace. */
	uint32_t min_sources; /* Fewer say nothing. */
};

/* Who sent SYNs and nothing else in the window before. */
struct forged_asked {
	uint64_t hash[FORGED_MAX_ASKED]; /* Sorted. */
	size_t n;
	uint64_t filter[FORGED_FILTER_BITS /
			64]; /* By the lowest bits: most others need no search. */
};

/* One address family. */
struct forged {
	struct forged_asked asked;
	struct sluice_usual peace; /* SYNs of strangers a second. */
	bool active;
	uint32_t quiet; /* Windows in a row with few. */
	/* This window. */
	double passed_pps, offered_pps;
	uint64_t limit_pps; /* What is to pass; fixed while active. */
	uint32_t returned, n_asked;
};

/* What the rule asks for: a SYN that is no answer. */
void forged_match(uint8_t family, struct sluice_rule_match *match);

/*
 * Looks at the next window; `hold`: there is an attack, nothing is learned.  `learned` only makes
 * hashes.
 */
void forged_observe(struct forged *forged, const struct forged_params *params, uint8_t family,
		    const struct learned *learned, const struct sluice_window *window, bool hold);

#endif /* SLUICE_ENTROPY_FORGED_H */
