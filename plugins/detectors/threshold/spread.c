/* SPDX-License-Identifier: BSD-2-Clause */
/* See spread.h. */
#include "spread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "key_order.h"

static int compare_sources(const void *left, const void *right)
{
	return key_order(&(*(const struct sluice_flow *const *)left)->source,
			 &(*(const struct sluice_flow *const *)right)->source);
}

static int compare_spreads(const void *left, const void *right)
{
	return key_order(&((const struct spread_source *)left)->key,
			 &((const struct spread_source *)right)->key);
}

static bool has_flows(const struct sluice_window *window)
{
	return SLUICE_HAS(window, flow_size) && window->n_flows > 0 && window->flows &&
	       window->flow_size >= sizeof(struct sluice_flow);
}

/* Of the sorted flows; without a list only counts. */
static size_t collect(const struct sluice_flow *const *flows, size_t n, double above,
		      struct spread_source *list)
{
	size_t found = 0;

	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1;
		     to < n && key_order(&flows[to]->source, &flows[from]->source) == 0; to++)
			;
		if ((double)(to - from) <= above)
			continue;
		if (list)
			list[found] = (struct spread_source){ flows[from]->source, to - from };
		found++;
	}
	return found;
}

int spread_find(const struct sluice_window *window, double above, struct spread *out)
{
	const struct sluice_flow **flows;
	size_t n;

	*out = (struct spread){ 0 };
	if (!has_flows(window))
		return 0;
	n = window->n_flows;
	flows = malloc(n * sizeof(const struct sluice_flow *));
	if (!flows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		flows[i] = sluice_window_flow(window, i);
	qsort(flows, n, sizeof(const struct sluice_flow *), compare_sources);
	out->n = collect(flows, n, above, NULL);
	if (out->n)
		out->list = calloc(out->n, sizeof(*out->list));
	if (out->list)
		collect(flows, n, above, out->list);
	free(flows);
	return out->n && !out->list ? -ENOMEM : 0;
}

uint64_t spread_of(const struct spread *spread, const struct sluice_key *source)
{
	const struct spread_source wanted = { .key = *source };
	const struct spread_source *found = NULL;

	if (spread->n)
		found = bsearch(&wanted, spread->list, spread->n, sizeof(*spread->list),
				compare_spreads);
	return found ? found->flows : 0;
}
