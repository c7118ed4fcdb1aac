/* SPDX-License-Identifier: BSD-2-Clause */
/* See source_table.h. */
#include "source_table.h"

#include <string.h>

#include "base/address.h"
#include "hash.h"

#define LAYOUT4 FEATURE_LAYOUT(sluice_source4_bucket)
#define LAYOUT6 FEATURE_LAYOUT(sluice_source6_bucket)

const struct feature_layout source_table_layout4 = LAYOUT4;
const struct feature_layout source_table_layout6 = LAYOUT6;

struct list {
	struct sluice_source *sources;
	size_t n, max;
	struct dataplane_count *untracked;
	uint8_t v6_prefix_len;
};

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

/* The row for a new source, all but its key; NULL, and counted, if the list is full. */
static inline struct sluice_source *begin(struct list *list, const struct feature_counts *counts,
					  const struct sluice_source_value *value)
{
	struct sluice_source *source;

	if (list->n == list->max) {
		list->untracked->packets += counts->packets;
		list->untracked->bytes += counts->bytes;
		return NULL;
	}
	source = &list->sources[list->n];
	source->packets = counts->packets;
	source->bytes = counts->bytes;
	source->tcp_syn = value->tcp_syn;
	source->udp = value->udp;
	source->icmp = value->icmp;
	source->flags = 0;
	return source;
}

static inline uint32_t begin4(void *ctx, const uint32_t *key, const struct feature_counts *counts,
			      const void *value)
{
	struct list *list = ctx;
	struct sluice_source *source = begin(list, counts, value);

	if (!source)
		return FEATURE_NO_ROW;
	source->key = (struct sluice_key){ .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };
	memcpy(source->key.addr, key, 4);
	return (uint32_t)list->n++;
}

static inline uint32_t begin6(void *ctx, const uint32_t *key, const struct feature_counts *counts,
			      const void *value)
{
	struct list *list = ctx;
	struct sluice_source *source = begin(list, counts, value);

	if (!source)
		return FEATURE_NO_ROW;
	source->key = address_from_ipv6(key, list->v6_prefix_len);
	return (uint32_t)list->n++;
}

static inline void add(void *ctx, uint32_t row, const struct feature_counts *counts,
		       const void *counted)
{
	struct list *list = ctx;
	struct sluice_source *source = &list->sources[row];
	const struct sluice_source_value *value = counted;

	source->packets += counts->packets;
	source->bytes += counts->bytes;
	source->tcp_syn = add_saturated(source->tcp_syn, value->tcp_syn);
	source->udp = add_saturated(source->udp, value->udp);
	source->icmp = add_saturated(source->icmp, value->icmp);
}

static void add_other(struct dataplane_count *untracked, const struct feature_reader *reader,
		      unsigned int side, uint32_t epoch)
{
	struct dataplane_count other = feature_reader_other(reader, side, epoch);

	untracked->packets += other.packets;
	untracked->bytes += other.bytes;
}

size_t source_table_read(struct source_table *table, unsigned int side, uint32_t epoch,
			 struct sluice_source *sources, size_t max,
			 struct dataplane_count *untracked)
{
	struct list list = {
		.sources = sources,
		/* Rows are numbered in 32 bits. */
		.max = max < FEATURE_NO_ROW ? max : FEATURE_NO_ROW,
		.untracked = untracked,
		.v6_prefix_len = table->v6_prefix_len,
	};

	*untracked = (struct dataplane_count){ 0 };
	add_other(untracked, &table->v4, side, epoch);
	add_other(untracked, &table->v6, side, epoch);
	feature_merge(&table->v4, (struct feature_layout)LAYOUT4, side, epoch, begin4, add, &list);
	feature_merge(&table->v6, (struct feature_layout)LAYOUT6, side, epoch, begin6, add, &list);
	return list.n;
}

/* A list is ordered by this: IPv4 first, and in each family by bucket. */
static uint64_t place_of(const struct source_table *table, const __u64 hash_key[2],
			 const struct sluice_key *key)
{
	uint64_t address[2];

	memcpy(address, key->addr, sizeof(address));
	if (key->family == SLUICE_FAMILY_IPV4)
		return hash_bucket_first(hash_v4(hash_key, (uint32_t)address[0]),
					 table->v4.n_buckets);
	return 1ull << 32 |
	       hash_bucket_first(hash_v6(hash_key, address[0], address[1]), table->v6.n_buckets);
}

const struct sluice_source *source_table_find(const struct source_table *table,
					      const __u64 hash_key[2],
					      const struct sluice_source *sources, size_t n,
					      const struct sluice_key *key)
{
	uint64_t place = place_of(table, hash_key, key);
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (place_of(table, hash_key, &sources[middle].key) < place)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && place_of(table, hash_key, &sources[low].key) == place; low++)
		if (address_equal(&sources[low].key, key))
			return &sources[low];
	return NULL;
}

void source_table_wipe(struct source_table *table, unsigned int side)
{
	feature_reader_wipe(&table->v4, side);
	feature_reader_wipe(&table->v6, side);
}

void source_table_close(struct source_table *table)
{
	feature_reader_close(&table->v4);
	feature_reader_close(&table->v6);
}
