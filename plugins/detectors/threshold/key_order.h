/* SPDX-License-Identifier: BSD-2-Clause */
/* An order of addresses, so that flows of one source or destination can be put side by side. */
#ifndef SLUICE_THRESHOLD_KEY_ORDER_H
#define SLUICE_THRESHOLD_KEY_ORDER_H

#include <string.h>

#include <sluice/key.h>

static inline int key_order(const struct sluice_key *a, const struct sluice_key *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

#endif /* SLUICE_THRESHOLD_KEY_ORDER_H */
