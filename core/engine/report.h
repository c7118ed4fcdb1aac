/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gathers what happened to sources in one window, so that 10,000 blocks make one event and not
 * 10,000: a few of one kind are told singly, more as one event with a count and an example.
 */
#ifndef SLUICE_ENGINE_REPORT_H
#define SLUICE_ENGINE_REPORT_H

#include <stdint.h>

#include "base/event.h"

/* Up to this many of one kind, origin and reason are told singly. */
#define REPORT_SINGLES 5
#define REPORT_GROUPS 32
/* Refusals and late swaps repeat while their cause lasts: one event in this time, with a count. */
#define REPORT_REPEAT_NS (30ull * 1000000000ull)

struct report_group {
	enum event_kind kind;
	enum sluice_log_level level;
	uint32_t count;
	char origin[24];
	const char *verb; /* A literal; NULL: what the kind says. */
	char why[64];	  /* Same for all of a group. */
	struct sluice_key keys[REPORT_SINGLES];
	char details[REPORT_SINGLES][96];
};

struct report {
	uint32_t n;
	struct report_group groups[REPORT_GROUPS]; /* The last one takes what finds no room. */
	uint64_t quiet_until_ns[EVENT_N_KINDS];	   /* Of kinds that repeat. */
};

void report_init(struct report *report);
/*
 * Notes one happening.  `key` NULL: about no source in particular.  `why` and `detail` become
 * "<what happened>: <why> (<detail>)"; `detail` may be NULL.
 */
void report_add(struct report *report, enum event_kind kind, enum sluice_log_level level,
		const struct sluice_key *key, const char *origin, const char *why,
		const char *detail);
/* Of a source that somebody would have blocked. */
void report_add_candidate(struct report *report, const struct sluice_key *key, const char *origin,
			  const char *why, const char *detail);
/* Emits and forgets. */
void report_flush(struct report *report, const struct event_sink *sink, uint64_t now_ns);

#endif /* SLUICE_ENGINE_REPORT_H */
