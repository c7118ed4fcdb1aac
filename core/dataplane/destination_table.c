/* SPDX-License-Identifier: BSD-2-Clause */
/* See destination_table.h. */
#include "destination_table.h"

#include "base/address.h"

#define LAYOUT4 FEATURE_LAYOUT(sluice_destination4_bucket)
#define LAYOUT6 FEATURE_LAYOUT(sluice_destination6_bucket)

const struct feature_layout destination_table_layout4 = LAYOUT4;
const struct feature_layout destination_table_layout6 = LAYOUT6;

_Static_assert((int)FEATURE_N_PROTOCOLS == (int)SLUICE_N_PROTOCOLS, "as plugins see it");
_Static_assert(FEATURE_N_TCP_FLAGS == SLUICE_N_TCP_FLAGS, "as plugins see it");
_Static_assert(FEATURE_N_LENGTHS == SLUICE_N_LENGTHS, "as plugins see it");
_Static_assert(FEATURE_LENGTH_STEP == SLUICE_LENGTH_STEP, "as plugins see it");
_Static_assert(FEATURE_N_PORT_BINS == SLUICE_N_PORT_BINS, "as plugins see it");

struct list {
	struct sluice_destination *destinations;
	size_t n, max;
	struct dataplane_count *untracked;
};

static void add_bins(uint32_t *bins, const uint32_t *more, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bins[i] = bins[i] + more[i] < bins[i] ? UINT32_MAX : bins[i] + more[i];
}

static void add(void *ctx, uint32_t row, const struct feature_counts *counts, const void *counted)
{
	struct list *list = ctx;
	struct sluice_destination *to = &list->destinations[row];
	const struct sluice_destination_value *value = counted;

	to->packets += counts->packets;
	to->bytes += counts->bytes;
	add_bins(&to->fragments, &value->fragments, 1);
	add_bins(to->protocol, value->protocol, FEATURE_N_PROTOCOLS);
	add_bins(to->tcp_flags, value->tcp_flags, FEATURE_N_TCP_FLAGS);
	add_bins(to->length, value->length, FEATURE_N_LENGTHS);
	add_bins(to->source_port, value->source_port, FEATURE_N_PORT_BINS);
	add_bins(to->destination_port, value->destination_port, FEATURE_N_PORT_BINS);
}

/* A new destination with these counts; FEATURE_NO_ROW, and counted, if the list is full. */
static uint32_t begin(struct list *list, const struct sluice_key *key,
		      const struct feature_counts *counts, const void *value)
{
	uint32_t row = (uint32_t)list->n;

	if (list->n == list->max) {
		list->untracked->packets += counts->packets;
		list->untracked->bytes += counts->bytes;
		return FEATURE_NO_ROW;
	}
	list->destinations[list->n++] = (struct sluice_destination){ .key = *key };
	add(list, row, counts, value);
	return row;
}

static uint32_t begin4(void *ctx, const uint32_t *key, const struct feature_counts *counts,
		       const void *value)
{
	struct sluice_key to = address_from_ipv4(key, 32);

	return begin(ctx, &to, counts, value);
}

static uint32_t begin6(void *ctx, const uint32_t *key, const struct feature_counts *counts,
		       const void *value)
{
	struct sluice_key to = address_from_ipv6(key, 128);

	return begin(ctx, &to, counts, value);
}

size_t destination_table_read(struct destination_table *table, uint32_t epoch,
			      struct sluice_destination *destinations, size_t max,
			      struct dataplane_count *untracked)
{
	struct list list = {
		.destinations = destinations,
		.max = max < FEATURE_NO_ROW ? max : FEATURE_NO_ROW,
		.untracked = untracked,
	};
	struct dataplane_count v4 = feature_reader_other(&table->v4, 0, epoch);
	struct dataplane_count v6 = feature_reader_other(&table->v6, 0, epoch);

	untracked->packets = v4.packets + v6.packets;
	untracked->bytes = v4.bytes + v6.bytes;
	feature_merge(&table->v4, (struct feature_layout)LAYOUT4, 0, epoch, begin4, add, &list);
	feature_merge(&table->v6, (struct feature_layout)LAYOUT6, 0, epoch, begin6, add, &list);
	return list.n;
}
