/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header page and the counters by reason, shared by filter and feature programs through the
 * maps of the same name.
 */
#ifndef SLUICE_BPF_COUNTERS_H
#define SLUICE_BPF_COUNTERS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "shared.h"

struct sluice_header_page {
	struct sluice_header header;
	__u8 rest[SLUICE_HEADER_SIZE - sizeof(struct sluice_header)];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_header_page);
} sluice_header SEC(".maps");

/* One element a CPU; user space sets max_entries and reads it through the mapping. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_cpu_counters);
} sluice_counters SEC(".maps");

static __always_inline void count(__u32 cpu, enum sluice_reason reason, __u64 bytes)
{
	struct sluice_cpu_counters *counters = bpf_map_lookup_elem(&sluice_counters, &cpu);

	if (counters) {
		counters->reason[reason].packets++;
		counters->reason[reason].bytes += bytes;
	}
}

#endif /* SLUICE_BPF_COUNTERS_H */
