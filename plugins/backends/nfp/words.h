/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel and the driver mean by their refusals, in words for an operator.
 */
#ifndef SLUICE_BACKENDS_NFP_WORDS_H
#define SLUICE_BACKENDS_NFP_WORDS_H

#include <sluice/plugin.h>

enum words_step {
	WORDS_STEP_FIND,    /* The interface. */
	WORDS_STEP_QUERY,   /* Its card's hook, or what is in it. */
	WORDS_STEP_MAP,	    /* Making the map. */
	WORDS_STEP_PROGRAM, /* Loading the program. */
	WORDS_STEP_ATTACH,
	WORDS_STEP_DETACH,
	WORDS_STEP_CHANGE, /* Adding or deleting a rule. */
	WORDS_STEP_READ,   /* Listing rules, or their counters. */
};

/* Which object, what failed, why, what to do.  `why` is the driver's own words, or "". */
void words_explain(enum words_step step, int rc, const char *ifname, const char *why,
		   struct sluice_err *err);

/* The line of a verifier's log that says why: the last one before its statistics; "" if none. */
void words_last(const char *log, char *why, size_t size);

#endif /* SLUICE_BACKENDS_NFP_WORDS_H */
