/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of senders who never come back, however ordinary they look: a client that is answered sends
 * more, a forged address nothing.  No rule can tell the one from the other beforehand, so that what
 * is asked for is a limit.
 *
 * That holds for SYNs; for packets as of an open connection (ACK, FIN, data) where the host knows whose
 * connections are open; and for UDP to ports all over the place, where no service of many users is.
 */
#ifndef SLUICE_ENTROPY_FORGED_H
#define SLUICE_ENTROPY_FORGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>
#include <sluice/learn.h>

#include "shape.h"

struct learned;

#define FORGED_MAX_ASKED 2048
#define FORGED_FILTER_BITS 65536

enum forged_kind {
	FORGED_SYN,
	FORGED_OPEN, /* TCP without SYN; with SYN and ACK or RST only counted. */
	FORGED_UDP,
	FORGED_N_KINDS
};

struct forged_params {
	double min_pps;	      /* Over peace. */
	double growth;	      /* The same, over the mean of peace. */
	uint32_t min_sources; /* Fewer say nothing. */
};

/* Who sent such packets and nothing else in the window before. */
struct forged_asked {
	uint64_t hash[FORGED_MAX_ASKED]; /* Sorted. */
	size_t n;
	uint64_t filter[FORGED_FILTER_BITS /
			64]; /* By the lowest bits: most others need no search. */
};

/* One kind of one address family. */
struct forged {
	enum forged_kind kind;
	uint8_t family;
	struct forged_asked asked;
	struct sluice_usual peace; /* Such packets of strangers a second. */
	struct sluice_usual known; /* TCP of known clients a second. */
	uint64_t syns_before;	   /* Of strangers, in the window before. */
	bool active;
	uint32_t quiet; /* Windows in a row with few. */
	struct sluice_rule_match
		match[SHAPE_MAX_MATCHES]; /* What the limits are for, while active. */
	size_t n_matches;
	/* This window. */
	double passed_pps, offered_pps;
	uint64_t limit_pps; /* What is to pass of each match. */
	uint32_t returned, n_asked;
};

void forged_init(struct forged *forged, enum forged_kind kind, uint8_t family);

/*
 * Looks at the next window; `hold`: there is an attack, nothing is learned.  `learned` only makes
 * hashes; `shape` is what samples of the kind and family have in common.
 */
void forged_observe(struct forged *forged, const struct forged_params *params,
		    const struct learned *learned, const struct sluice_window *window,
		    const struct shape *shape, bool hold);

#endif /* SLUICE_ENTROPY_FORGED_H */
