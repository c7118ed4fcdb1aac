// SPDX-License-Identifier: BSD-2-Clause
/* See feature_memory.h. */
#include "feature_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_helpers.h>

/* Maps are found by the addresses that the packet path gives, as in the kernel. */
static void *find_element(void *map, const void *key);
#define bpf_map_lookup_elem find_element
/* After all else: its globals have names that others use for parameters. */
#include "feature_table.h"

FEATURE_TABLE(source4);
FEATURE_TABLE(source6);

static struct feature_memory *current;

static void *find_element(void *map, const void *key)
{
	struct source_table *table = &current->table;
	const struct {
		void *map;
		const struct feature_reader *reader;
		const struct mapped *mapped;
		size_t size;
	} maps[] = {
		{ &sluice_source4, &table->v4, &table->v4.buckets,
		  sizeof(struct sluice_source4_bucket) },
		{ &sluice_source4_dirty, &table->v4, &table->v4.dirty, 8 },
		{ &sluice_source4_other, &table->v4, &table->v4.other,
		  sizeof(struct feature_other) },
		{ &sluice_source6, &table->v6, &table->v6.buckets,
		  sizeof(struct sluice_source6_bucket) },
		{ &sluice_source6_dirty, &table->v6, &table->v6.dirty, 8 },
		{ &sluice_source6_other, &table->v6, &table->v6.other,
		  sizeof(struct feature_other) },
	};
	size_t at = *(const uint32_t *)key;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (maps[i].map == map)
			return (at + 1) * maps[i].size <= maps[i].mapped->size
				       ? (char *)maps[i].mapped->memory + at * maps[i].size
				       : NULL;
	cr_assert_fail("no such map");
	return NULL;
}

static struct mapped allocate(size_t size)
{
	struct mapped mapped = { .memory = aligned_alloc(64, (size + 63) / 64 * 64), .size = size };

	cr_assert(mapped.memory);
	memset(mapped.memory, 0, size);
	return mapped;
}

static void reader_init(struct feature_reader *reader, const struct feature_layout *layout,
			uint32_t cpus, uint32_t buckets)
{
	const struct feature_sizes sizes = feature_sizes(cpus, buckets);

	*reader = (struct feature_reader){
		.layout = *layout,
		.n_cpus = cpus,
		.n_buckets = buckets,
		.buckets = allocate((size_t)sizes.buckets * layout->bucket_size),
		.dirty = allocate(sizes.dirty * sizeof(uint64_t)),
		.other = allocate(sizes.other * sizeof(struct feature_other)),
	};
	cr_assert_eq(feature_reader_prepare(reader), 0);
}

static void reader_fini(struct feature_reader *reader)
{
	free(reader->buckets.memory);
	free(reader->dirty.memory);
	free(reader->other.memory);
	reader->buckets.memory = reader->dirty.memory = reader->other.memory = NULL;
	feature_reader_close(reader);
}

void feature_memory_init(struct feature_memory *memory, uint32_t cpus, uint32_t buckets4,
			 uint32_t buckets6, uint8_t v6_prefix_len)
{
	*memory = (struct feature_memory){
		.header = { .hash_key = { 0x0123456789abcdefull, 0xfedcba9876543210ull },
			    .epoch = { 1, 1 } },
		.table.v6_prefix_len = v6_prefix_len,
	};
	reader_init(&memory->table.v4, &source_table_layout4, cpus, buckets4);
	reader_init(&memory->table.v6, &source_table_layout6, cpus, buckets6);
}

void feature_memory_fini(struct feature_memory *memory)
{
	reader_fini(&memory->table.v4);
	reader_fini(&memory->table.v6);
}

static struct feature_row row_of(struct feature_memory *memory, uint32_t cpu)
{
	uint32_t now = memory->header.side & 1;

	current = memory;
	return (struct feature_row){
		.number = now * memory->table.v4.n_cpus + cpu,
		.epoch = memory->header.epoch[now],
	};
}

/* FEATURE_COUNT(), whose number of buckets is a constant of the program. */
#define COUNT(name, reader, row, key, hash, bytes)                                         \
	feature_table_count((struct feature_layout)FEATURE_LAYOUT(sluice_##name##_bucket), \
			    (struct feature_maps){ &sluice_##name, &sluice_##name##_dirty, \
						   &sluice_##name##_other },               \
			    row, (reader)->n_buckets, key, hash, bytes)

struct sluice_source_value *feature_memory_count4(struct feature_memory *memory, uint32_t cpu,
						  uint32_t addr, uint32_t bytes)
{
	struct feature_row row = row_of(memory, cpu);
	const uint32_t key[1] = { addr };

	return COUNT(source4, &memory->table.v4, &row, key, hash_v4(memory->header.hash_key, addr),
		     bytes);
}

struct sluice_source_value *feature_memory_count6(struct feature_memory *memory, uint32_t cpu,
						  const uint64_t addr[2], uint32_t bytes)
{
	struct feature_row row = row_of(memory, cpu);
	uint32_t key[4];

	memcpy(key, addr, sizeof(key));
	return COUNT(source6, &memory->table.v6, &row, key,
		     hash_v6(memory->header.hash_key, addr[0], addr[1]), bytes);
}

uint32_t feature_memory_bucket4(const struct feature_memory *memory, uint32_t addr)
{
	return hash_bucket_first(hash_v4(memory->header.hash_key, addr),
				 memory->table.v4.n_buckets);
}
