/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a packet goes that passed the filter and was measured: to Linux.
 */
#ifndef SLUICE_BPF_DELIVER_H
#define SLUICE_BPF_DELIVER_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

static __always_inline int deliver(void)
{
	return XDP_PASS;
}

#endif /* SLUICE_BPF_DELIVER_H */
