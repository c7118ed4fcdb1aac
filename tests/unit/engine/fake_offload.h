/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for core/offload at link time: tells the engine what the test says that the card
 * holds, and notes what the engine offered.
 */
#ifndef SLUICE_TESTS_UNIT_ENGINE_FAKE_OFFLOAD_H
#define SLUICE_TESTS_UNIT_ENGINE_FAKE_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload/offload.h"

enum { FAKE_CARD = 16, FAKE_OFFERED = 64 };

struct fake_rule {
	struct sluice_key key;
	uint64_t packets, age_ns;
	bool removed;
};

/* The engine only hands its pointer back, so that the fake may be any structure. */
struct offload {
	struct fake_rule rules[FAKE_CARD];
	size_t n_rules;
	struct offload_state states[FAKE_CARD];
	struct offload_source offered[FAKE_OFFERED]; /* The first ones of the last exchange. */
	size_t n_offered;
	int code;
	unsigned int n_exchanges;
};

/* NULL if the last exchange did not offer it. */
const struct offload_source *fake_offload_offered(const struct offload *offload,
						  const struct sluice_key *key);

#endif /* SLUICE_TESTS_UNIT_ENGINE_FAKE_OFFLOAD_H */
