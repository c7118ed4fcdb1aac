/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a packet goes that passed the filter and was measured: to Linux.
 */
#ifndef SLUICE_BPF_DELIVER_H
#define SLUICE_BPF_DELIVER_H

#include "counters.h"

static __always_inline int deliver(__u32 cpu, __u64 bytes)
{
	count(cpu, SLUICE_REASON_PASS, bytes);
	return XDP_PASS;
}

#endif /* SLUICE_BPF_DELIVER_H */
