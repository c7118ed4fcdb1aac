/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card of `sluice bench offload`: a back end whose table is memory and whose updates take time
 * on a clock of its own.  Sources are numbers; a rule counts for the part of a window that it was
 * there.  All of it is a simulation.
 */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_CARD_H
#define SLUICE_CLI_BENCH_OFFLOAD_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/backend.h>

#include "base/clock.h"

struct sim_rule {
	bool present;
	uint64_t since_ns;   /* In this window, or its beginning. */
	uint64_t covered_ns; /* Of this window, before `since_ns`. */
	uint64_t packets;    /* Since it was added. */
};

struct sim_card {
	struct sim_rule *rules; /* By source. */
	uint32_t n_sources, n_present, capacity;
	uint64_t update_ns;
	uint64_t now_ns, window_ns, start_ns; /* `start_ns`: of this window. */
	uint64_t updates;		      /* Ever. */
	struct clock_source clock;
};

extern const struct sluice_backend_ops sim_card_ops;

/* 0 or -ENOMEM. */
int sim_card_init(struct sim_card *card, uint32_t n_sources, uint32_t capacity, uint64_t update_ns,
		  uint64_t window_ns) __attribute__((warn_unused_result));
void sim_card_fini(struct sim_card *card);

/* The source's name. */
struct sluice_key sim_card_key(uint32_t source);

/* Which share of this window the source's packets were dropped by the card. */
double sim_card_coverage(const struct sim_card *card, uint32_t source);
/* At the end of a window: its hits, and on to the next. */
void sim_card_hit(struct sim_card *card, uint32_t source, uint64_t packets);
void sim_card_end_window(struct sim_card *card);

#endif /* SLUICE_CLI_BENCH_OFFLOAD_CARD_H */
