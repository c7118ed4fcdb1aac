/* SPDX-License-Identifier: BSD-2-Clause */
/* When the daemon has been gone for too long: what it put in force by itself lapses. */
#ifndef SLUICE_BPF_LAPSE_H
#define SLUICE_BPF_LAPSE_H

#include "counters.h"
#include "parse.h"

/*
 * The daemon moves expires_ns ahead while it lives.  The clock is read on every sixteenth packet that
 * a CPU drops by what may lapse; once the time has passed, `expired` tells all of them.
 */
static __always_inline void lapse_look_at_clock(__u64 n_dropped)
{
	if (unlikely(!(n_dropped & 15)) && HEADER->expires_ns && !HEADER->expired &&
	    bpf_ktime_get_coarse_ns() > HEADER->expires_ns)
		HEADER->expired = 1;
}

#endif /* SLUICE_BPF_LAPSE_H */
