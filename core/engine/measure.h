/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the filter's cumulative counters to one window's totals of offered traffic.
 */
#ifndef SLUICE_ENGINE_MEASURE_H
#define SLUICE_ENGINE_MEASURE_H

#include <stdint.h>

#include <sluice/detector.h>

#include "dataplane/dataplane.h"

/*
 * Fills in the totals of `window` from two readings.  `hw_packets` were dropped by the card and
 * never reached the filter.
 */
void measure_totals(const struct dataplane_counters *before, const struct dataplane_counters *now,
		    uint64_t hw_packets, struct sluice_window *window);

/* Fills in all that is neither a source nor a total.  `window` has its sources already. */
void measure_features(const struct dataplane_features_read *read, struct sluice_window *window);

/* Packets in a time as packets per second. */
uint64_t measure_pps(uint64_t packets, uint64_t length_ns);

#endif /* SLUICE_ENGINE_MEASURE_H */
