/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The estimate behind bpf/distinct_registers.h: how many distinct sources raised the registers.
 */
#ifndef SLUICE_DATAPLANE_DISTINCT_H
#define SLUICE_DATAPLANE_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

struct distinct_registers;

/* Relative standard error of an estimate: 1.04 / sqrt(4096). */
#define DISTINCT_STANDARD_ERROR 0.01625

/* What all of `n` CPUs saw together. */
void distinct_merge(struct distinct_registers *merged, const struct distinct_registers *cpus,
		    size_t n);

uint64_t distinct_estimate(const struct distinct_registers *registers);

#endif /* SLUICE_DATAPLANE_DISTINCT_H */
