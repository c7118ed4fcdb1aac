/* SPDX-License-Identifier: BSD-2-Clause */
/* The fastest sources of the last window, blocked or not. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Keeps `list` sorted, the fastest first, and no longer than `max`. */
static void keep(struct engine_top_source *list, size_t *n, size_t max,
		 const struct engine_top_source *source)
{
	size_t at = *n;

	if (max == 0 || (*n == max && source->pps <= list[max - 1].pps))
		return;
	if (*n < max)
		(*n)++;
	else
		at--;
	for (; at > 0 && list[at - 1].pps < source->pps; at--)
		list[at] = list[at - 1];
	list[at] = *source;
}

static void name_it(const struct engine *engine, struct engine_top_source *source)
{
	const struct blocklist_entry *entry = blocklist_find(engine->blocklist, &source->key);
	const struct blocklist_detail *detail;

	source->known = engine_is_known(engine, &source->key);
	if (!entry)
		return;
	detail = blocklist_detail(engine->blocklist, entry);
	snprintf(source->detector, sizeof(source->detector), "%s",
		 name_table_get(&engine->names, detail->detector));
	snprintf(source->reason, sizeof(source->reason), "%s",
		 name_table_get(&engine->names, detail->reason));
}

size_t engine_top(struct engine *engine, struct engine_top_source *list, size_t max, size_t *total)
{
	uint64_t length_ns = engine->window.length_ns;
	const struct blocklist_entry *entries = blocklist_entries(engine->blocklist);
	size_t n = 0, n_blocked = blocklist_size(engine->blocklist), n_passed;
	const struct sluice_source *passed = aggregate_sources(engine->aggregate, &n_passed);
	struct engine_top_source source;

	*total = n_blocked;
	for (size_t i = 0; i < n_blocked; i++) {
		const struct sluice_blocked_source *view = &entries[i].view;

		source = (struct engine_top_source){
			.key = view->key,
			.state = (enum engine_state)entries[i].state,
			.dropped = engine->settings->enforce,
			.pps = measure_pps(view->packets + view->hw_packets, length_ns),
			.hw_pps = measure_pps(view->hw_packets, length_ns),
		};
		keep(list, &n, max, &source);
	}
	for (size_t i = 0; i < n_passed; i++) {
		/* In observe mode a blocked source passes, and is listed as what it is. */
		if (!engine->settings->enforce && blocklist_find(engine->blocklist, &passed[i].key))
			continue;
		(*total)++;
		source = (struct engine_top_source){
			.key = passed[i].key,
			.pps = measure_pps(passed[i].packets, length_ns),
		};
		keep(list, &n, max, &source);
	}
	for (size_t i = 0; i < n; i++)
		name_it(engine, &list[i]);
	return n;
}
