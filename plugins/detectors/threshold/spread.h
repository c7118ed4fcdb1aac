/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To how many destinations a source sends: counted in the window's table of flows, of which each
 * entry is one source with one destination.
 */
#ifndef SLUICE_THRESHOLD_SPREAD_H
#define SLUICE_THRESHOLD_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

struct spread_source {
	struct sluice_key key;
	uint64_t flows;
};

/* By key. */
struct spread {
	struct spread_source *list;
	size_t n;
};

/*
 * Sources with more than `above` flows, which are few or none.  0, or -ENOMEM; a window without
 * flows has none.  The caller frees the list.
 */
int spread_find(const struct sluice_window *window, double above, struct spread *out)
	__attribute__((warn_unused_result));
/* 0 if it is not among them. */
uint64_t spread_of(const struct spread *spread, const struct sluice_key *source);

#endif /* SLUICE_THRESHOLD_SPREAD_H */
