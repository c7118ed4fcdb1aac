/* SPDX-License-Identifier: BSD-2-Clause */
/* See flow_table.h. */
#include "flow_table.h"

#include "base/address.h"

#define LAYOUT4 FEATURE_LAYOUT(sluice_flow4_bucket)
#define LAYOUT6 FEATURE_LAYOUT(sluice_flow6_bucket)

const struct feature_layout flow_table_layout4 = LAYOUT4;
const struct feature_layout flow_table_layout6 = LAYOUT6;

struct list {
	struct sluice_flow *flows;
	size_t n, max;
	struct dataplane_count *untracked;
	uint8_t v6_prefix_len;
};

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

static void add(void *ctx, uint32_t row, const struct feature_counts *counts, const void *counted)
{
	struct list *list = ctx;
	struct sluice_flow *flow = &list->flows[row];
	const struct sluice_flow_value *value = counted;

	flow->packets += counts->packets;
	flow->bytes += counts->bytes;
	flow->tcp_syn = add_saturated(flow->tcp_syn, value->tcp_syn);
	flow->udp = add_saturated(flow->udp, value->udp);
	flow->icmp = add_saturated(flow->icmp, value->icmp);
}

/* A new flow with these counts; FEATURE_NO_ROW, and counted, if the list is full. */
static uint32_t begin(struct list *list, const struct sluice_key *source,
		      const struct sluice_key *destination, const struct feature_counts *counts,
		      const void *value)
{
	uint32_t row = (uint32_t)list->n;

	if (list->n == list->max) {
		list->untracked->packets += counts->packets;
		list->untracked->bytes += counts->bytes;
		return FEATURE_NO_ROW;
	}
	list->flows[list->n++] =
		(struct sluice_flow){ .source = *source, .destination = *destination };
	add(list, row, counts, value);
	return row;
}

static uint32_t begin4(void *ctx, const uint32_t *key, const struct feature_counts *counts,
		       const void *value)
{
	struct sluice_key source = address_from_ipv4(&key[0], 32);
	struct sluice_key destination = address_from_ipv4(&key[1], 32);

	return begin(ctx, &source, &destination, counts, value);
}

static uint32_t begin6(void *ctx, const uint32_t *key, const struct feature_counts *counts,
		       const void *value)
{
	const struct list *list = ctx;
	struct sluice_key source = address_from_ipv6(&key[0], list->v6_prefix_len);
	struct sluice_key destination = address_from_ipv6(&key[4], 128);

	return begin(ctx, &source, &destination, counts, value);
}

size_t flow_table_read(struct flow_table *table, uint32_t epoch, struct sluice_flow *flows,
		       size_t max, struct dataplane_count *untracked)
{
	struct list list = {
		.flows = flows,
		.max = max < FEATURE_NO_ROW ? max : FEATURE_NO_ROW,
		.untracked = untracked,
		.v6_prefix_len = table->v6_prefix_len,
	};
	struct dataplane_count v4 = feature_reader_other(&table->v4, 0, epoch);
	struct dataplane_count v6 = feature_reader_other(&table->v6, 0, epoch);

	untracked->packets = v4.packets + v6.packets;
	untracked->bytes = v4.bytes + v6.bytes;
	feature_merge(&table->v4, (struct feature_layout)LAYOUT4, 0, epoch, begin4, add, &list);
	feature_merge(&table->v6, (struct feature_layout)LAYOUT6, 0, epoch, begin6, add, &list);
	return list.n;
}
