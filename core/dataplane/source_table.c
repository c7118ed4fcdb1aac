/* SPDX-License-Identifier: BSD-2-Clause */
/* See source_table.h. */
#include "source_table.h"

#include <string.h>

#include "base/address.h"

struct read_context {
	uint32_t epoch;
	uint8_t v6_prefix_len;
	dataplane_source_fn fn;
	void *ctx;
	struct dataplane_count *untracked;
};

static void emit(const struct read_context *read, struct dataplane_source *source, uint32_t packets,
		 const struct sluice_source_details *details)
{
	source->packets = packets;
	source->bytes = details->bytes;
	source->tcp_syn = details->tcp_syn;
	source->udp = details->udp;
	source->icmp = details->icmp;
	read->fn(read->ctx, source);
}

static void read_bucket4(const struct read_context *read, const void *memory)
{
	const struct sluice_source4_bucket *bucket = memory;
	struct dataplane_source source;

	if (bucket->epoch != read->epoch)
		return;
	for (unsigned int way = 0; way < SLUICE_SOURCE_WAYS; way++) {
		if (!bucket->packets[way])
			continue;
		source.key = address_from_ipv4(&bucket->key[way], 32);
		emit(read, &source, bucket->packets[way], &bucket->details[way]);
	}
	read->untracked->packets += bucket->evicted_packets;
	read->untracked->bytes += bucket->evicted_bytes;
}

static void read_bucket6(const struct read_context *read, const void *memory)
{
	const struct sluice_source6_bucket *bucket = memory;
	struct dataplane_source source;

	if (bucket->epoch != read->epoch)
		return;
	for (unsigned int way = 0; way < SLUICE_SOURCE_WAYS; way++) {
		if (!bucket->packets[way])
			continue;
		source.key = address_from_ipv6(bucket->key[way], read->v6_prefix_len);
		emit(read, &source, bucket->packets[way], &bucket->details[way]);
	}
	read->untracked->packets += bucket->evicted_packets;
	read->untracked->bytes += bucket->evicted_bytes;
}

/* Walks the dirty bits; `n_words` of 64 buckets each. */
static void read_dirty(const struct read_context *read, uint64_t *dirty, size_t n_words,
		       const void *buckets, size_t bucket_size,
		       void (*read_bucket)(const struct read_context *, const void *))
{
	for (size_t word = 0; word < n_words; word++) {
		uint64_t bits = dirty[word];

		if (!bits)
			continue;
		dirty[word] = 0;
		for (; bits; bits &= bits - 1) {
			size_t bucket = word * 64 + (size_t)__builtin_ctzll(bits);

			read_bucket(read, (const char *)buckets + bucket * bucket_size);
		}
	}
}

void source_table_read(struct source_table *table, uint32_t epoch, dataplane_source_fn fn,
		       void *ctx, struct dataplane_count *untracked)
{
	struct read_context read = {
		.epoch = epoch,
		.v6_prefix_len = table->v6_prefix_len,
		.fn = fn,
		.ctx = ctx,
		.untracked = untracked,
	};

	memset(untracked, 0, sizeof(*untracked));
	read_dirty(&read, table->dirty4.memory, (size_t)table->n_cpus * table->source4_buckets / 64,
		   table->source4.memory, sizeof(struct sluice_source4_bucket), read_bucket4);
	read_dirty(&read, table->dirty6.memory, (size_t)table->n_cpus * table->source6_buckets / 64,
		   table->source6.memory, sizeof(struct sluice_source6_bucket), read_bucket6);
}

void source_table_close(struct source_table *table)
{
	mapped_close(&table->source4);
	mapped_close(&table->source6);
	mapped_close(&table->dirty4);
	mapped_close(&table->dirty6);
}
