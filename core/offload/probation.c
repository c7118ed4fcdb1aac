/* SPDX-License-Identifier: BSD-2-Clause */
/* One walk over the rows after the other, a few steps a window. */
#include "probation.h"

#include <stdbool.h>

#include "offload.h"

uint32_t probation_quota(uint32_t n_present, uint32_t budget)
{
	uint32_t quota = n_present / OFFLOAD_PROBATION_SHARE;

	return quota < budget / 4 ? quota : budget / 4;
}

/* What was seen in software a moment ago, before it was added, need not be looked at again. */
static bool is_due(const struct row *row, struct rate_book *book, uint64_t round, uint64_t now_ns)
{
	const struct rate *rate;

	if (row->state != ROW_STATE_PRESENT || row->named_round != round || row->retry_ns > now_ns)
		return false;
	rate = rate_book_get(book, row->handle, &row->key);
	return rate && rate->round + OFFLOAD_PROBATION_SHARE / 2 <= round;
}

size_t probation_choose(struct probation *probation, struct table *table, struct rate_book *book,
			uint64_t round, uint64_t now_ns, uint32_t quota, uint32_t *lifted)
{
	uint32_t n_rows = table_n_rows(table);
	size_t n = 0;

	for (uint32_t i = 0; i < n_rows && n < quota; i++) {
		uint32_t id = probation->next < n_rows ? probation->next : 0;

		probation->next = id + 1;
		if (is_due(table_row(table, id), book, round, now_ns))
			lifted[n++] = id;
	}
	return n;
}
