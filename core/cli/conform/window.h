/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows for detectors under test: well formed, in memory that cannot be written to and that ends
 * where the data ends, with contents from plain to absurd.
 */
#ifndef SLUICE_CLI_CONFORM_WINDOW_H
#define SLUICE_CLI_CONFORM_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

struct window_shape {
	size_t n_sources, n_blocked, n_flows, n_destinations, n_samples, n_rules;
	/* Bytes by which a newer host's structures are longer; a multiple of 8. */
	size_t extra;
	bool wild;	    /* Counters may have any value, else those of a busy server. */
	uint64_t sequence;  /* Of the window. */
	uint64_t length_ns; /* Of the window; 0 too. */
	uint64_t seed;
};

struct window_memory {
	void *map[8];
	size_t map_size[8];
	size_t n;
};

uint64_t window_random(uint64_t *state);

/* NULL without memory.  Free with window_free(). */
const struct sluice_window *window_new(const struct window_shape *shape,
				       struct window_memory *memory);
void window_free(struct window_memory *memory);

#endif /* SLUICE_CLI_CONFORM_WINDOW_H */
