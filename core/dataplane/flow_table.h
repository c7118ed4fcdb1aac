/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables per source and destination of one side (bpf/features_flow.bpf.c), merged over all CPUs
 * into a list of flows.
 */
#ifndef SLUICE_DATAPLANE_FLOW_TABLE_H
#define SLUICE_DATAPLANE_FLOW_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "feature_reader.h"

extern const struct feature_layout flow_table_layout4, flow_table_layout6;

struct flow_table {
	struct feature_reader v4, v6; /* Their rows are those of this side alone. */
	uint8_t v6_prefix_len;
};

/* As source_table_read(). */
size_t flow_table_read(struct flow_table *table, uint32_t epoch, struct sluice_flow *flows,
		       size_t max, struct dataplane_count *untracked);

#endif /* SLUICE_DATAPLANE_FLOW_TABLE_H */
