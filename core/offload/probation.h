/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For cards without hit counters: a few entries at a time leave the table for one window, in which
 * the software counts them, and come back ranked by that.  Without it a table would follow nobody
 * who slows down.  Nothing gets through meanwhile: the software blocklist has them all.
 */
#ifndef SLUICE_OFFLOAD_PROBATION_H
#define SLUICE_OFFLOAD_PROBATION_H

#include <stddef.h>
#include <stdint.h>

#include "rates.h"
#include "table.h"

struct probation {
	uint32_t next; /* The row whose turn it is. */
};

/*
 * How many of `n_present` entries may leave now if `budget` updates may be asked for: a lifted
 * entry costs two, and the plan keeps half.  0 for tables of less than OFFLOAD_PROBATION_SHARE entries.
 */
uint32_t probation_quota(uint32_t n_present, uint32_t budget);

/*
 * Chooses at most `quota` rows, in turn, of those PRESENT that were named in `round`, are not
 * waiting for a retry, and were last seen half a turn or longer ago.  `lifted` has room for
 * `quota`; returns how many there are.
 */
size_t probation_choose(struct probation *probation, struct table *table, struct rate_book *book,
			uint64_t round, uint64_t now_ns, uint32_t quota, uint32_t *lifted);

#endif /* SLUICE_OFFLOAD_PROBATION_H */
