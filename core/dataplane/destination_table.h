/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables per destination of one side (bpf/features_destination.bpf.c), merged over all CPUs into
 * a list of destinations with their histograms.
 */
#ifndef SLUICE_DATAPLANE_DESTINATION_TABLE_H
#define SLUICE_DATAPLANE_DESTINATION_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "feature_reader.h"

extern const struct feature_layout destination_table_layout4, destination_table_layout6;

struct destination_table {
	struct feature_reader v4, v6; /* Their rows are those of this side alone. */
};

/* As source_table_read(). */
size_t destination_table_read(struct destination_table *table, uint32_t epoch,
			      struct sluice_destination *destinations, size_t max,
			      struct dataplane_count *untracked);

#endif /* SLUICE_DATAPLANE_DESTINATION_TABLE_H */
