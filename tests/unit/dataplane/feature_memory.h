/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The per-source feature tables in plain memory, filled by the very code of the packet path
 * (bpf/feature_table.h), compiled for user space.
 */
#ifndef SLUICE_TESTS_UNIT_DATAPLANE_FEATURE_MEMORY_H
#define SLUICE_TESTS_UNIT_DATAPLANE_FEATURE_MEMORY_H

#include <stdint.h>

#include "dataplane/source_table.h"
#include "shared.h"

struct feature_memory {
	struct sluice_header header; /* Its hash key, epochs and side. */
	struct source_table table;
};

/* Empty tables; epochs 1 and 1; side 0 counts. */
void feature_memory_init(struct feature_memory *memory, uint32_t cpus, uint32_t buckets4,
			 uint32_t buckets6, uint8_t v6_prefix_len);
void feature_memory_fini(struct feature_memory *memory);

/* As a packet of that CPU; the value, or NULL if it was not counted. */
struct sluice_source_value *feature_memory_count4(struct feature_memory *memory, uint32_t cpu,
						  uint32_t addr, uint32_t bytes);
struct sluice_source_value *feature_memory_count6(struct feature_memory *memory, uint32_t cpu,
						  const uint64_t addr[2], uint32_t bytes);

/* The bucket within a row. */
uint32_t feature_memory_bucket4(const struct feature_memory *memory, uint32_t addr);

#endif /* SLUICE_TESTS_UNIT_DATAPLANE_FEATURE_MEMORY_H */
