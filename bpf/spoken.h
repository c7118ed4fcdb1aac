/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hosts that this server spoke to first.  The programs at tc write it; the filter looks
 * into it for a sender that a rule would drop, because the answer to a first word comes sooner than
 * the daemon has told the filter of it (known.h).
 */
#ifndef SLUICE_BPF_SPOKEN_H
#define SLUICE_BPF_SPOKEN_H

#include "egress_shared.h"

#include <bpf/bpf_helpers.h>

/* Made at its full size, in which nothing is ever evicted: what finds no room is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct egress_host_key);
	__type(value, struct egress_host);
} sluice_spoken SEC(".maps");

#endif /* SLUICE_BPF_SPOKEN_H */
