/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network device says of the frames that XDP redirected into it.
 */
#ifndef SLUICE_SUPPORT_LINK_STATS_H
#define SLUICE_SUPPORT_LINK_STATS_H

#include <stdbool.h>
#include <stdint.h>

struct link_stats {
	bool present;	      /* false: the driver does not count them (veth does). */
	uint64_t xmit;	      /* Taken by the link. */
	uint64_t xmit_errors; /* Refused: the receiver's ring was full. */
};

/* Sums all queues of `ifname` in this network namespace.  0, or a negative errno. */
int link_stats_read(const char *ifname, struct link_stats *stats)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SUPPORT_LINK_STATS_H */
