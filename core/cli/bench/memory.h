/* SPDX-License-Identifier: BSD-2-Clause */
/* What the data plane occupies, as the kernel counts it. */
#ifndef SLUICE_CLI_BENCH_MEMORY_H
#define SLUICE_CLI_BENCH_MEMORY_H

#include <stdint.h>

struct memory_use {
	uint64_t map_bytes;	/* BPF maps that this process has open, each once. */
	uint64_t process_bytes; /* Its own resident memory; what it maps of others' is not in it. */
};

/* -errno if /proc does not say. */
int memory_read(struct memory_use *use) __attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_MEMORY_H */
