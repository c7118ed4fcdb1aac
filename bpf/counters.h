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

/*
 * A section of its own is a map of its own, of one page.  As a variable it costs no look-up: its
 * address is a constant in the compiled program.
 */
struct sluice_header_page sluice_page SEC(".data.header");
#define HEADER (&sluice_page.header)

/* One element a CPU; user space sets max_entries and reads it through the mapping. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_cpu_counters);
} sluice_counters SEC(".maps");

/* Returns the packets that this CPU has counted for `reason`, this one included. */
static __always_inline __u64 count(__u32 cpu, enum sluice_reason reason, __u64 bytes)
{
	struct sluice_cpu_counters *counters = bpf_map_lookup_elem(&sluice_counters, &cpu);

	if (!counters || reason >= SLUICE_REASONS_MAX)
		return 0;
	counters->reason[reason].bytes += bytes;
	return ++counters->reason[reason].packets;
}

#endif /* SLUICE_BPF_COUNTERS_H */
