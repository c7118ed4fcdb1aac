/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a blocked source can cost, beside which `sluice bench snapshot` puts Sluice's own:
 * its hash, one bucket read, one word and one record written, in memory of the same kind and size.
 * Nothing is checked and nothing chosen, so no blocklist with a record an entry can be faster.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/err.h"
#include "hash.h"
#include "shared.h"

#include "harness.h"
#include "plane.h"
#include "snapshot_parts.h"
#include "snapshot_report.h"

#define AHEAD 16 /* Keys between a bucket's being fetched and its turn. */
#define LOAD 4u	 /* Sources a bucket: about what the blocklist has at most. */

struct array {
	void *memory;
	size_t size;
};

struct least {
	struct array buckets, records;
	uint32_t bits; /* log2 of the buckets. */
};

static int array_open(struct array *array, size_t item_size, uint32_t n, struct sluice_err *err)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t n_pages = (uint32_t)((n * item_size + page - 1) / page);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bench_least", sizeof(uint32_t), (uint32_t)page,
				n_pages, &options);
	int code = 0;

	array->size = n_pages * page;
	array->memory = fd < 0 ? MAP_FAILED
			       : mmap(NULL, array->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (array->memory == MAP_FAILED) {
		code = -errno;
		array->memory = NULL;
		err_set(err, NULL, "cannot map %zu bytes: %s", array->size, err_name(code));
	}
	if (fd >= 0)
		close(fd);
	return code;
}

static void array_close(struct array *array)
{
	if (array->memory)
		munmap(array->memory, array->size);
}

static uint32_t hash_of(const struct sluice_key *key)
{
	static const uint64_t hash_key[2] = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9 };
	uint32_t addr;

	memcpy(&addr, key->addr, sizeof(addr));
	return hash_permute_v4((const __u64 *)hash_key, addr);
}

/* How many of the buckets held the key already, so that they are read. */
static uint32_t insert_all(const struct least *least, const struct sluice_key *keys, uint32_t n)
{
	struct sluice_block4_bucket *buckets = least->buckets.memory;
	struct sluice_block_record *records = least->records.memory;
	uint32_t shift = 32 - least->bits, found = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t hash = hash_of(&keys[i]);
		uint32_t *words = (uint32_t *)&buckets[hash >> shift];
		struct sluice_block_record record = { .family = keys[i].family, .position = i };

		if (i + AHEAD < n)
			__builtin_prefetch(&buckets[hash_of(&keys[i + AHEAD]) >> shift], 1);
		memcpy(record.addr, keys[i].addr, sizeof(record.addr));
		found += words[0] == hash;
		records[i] = record;
		__atomic_store_n(&words[hash % SLUICE_BLOCK_WAYS], hash, __ATOMIC_RELEASE);
	}
	return found;
}

int snapshot_measure_insert_limit(size_t n_rounds, struct snapshot_series *series,
				  struct sluice_err *err)
{
	struct sluice_key *keys = plane_keys(HARNESS_FIRST_BLOCKED, series->sources);
	struct least least = { .bits = SLUICE_BLOCK_MIN_BITS };
	int code = keys ? 0 : -ENOMEM;

	while (LOAD << least.bits < series->sources)
		least.bits++;
	if (!code)
		code = array_open(&least.buckets, sizeof(struct sluice_block4_bucket),
				  1u << least.bits, err);
	if (!code)
		code = array_open(&least.records, sizeof(struct sluice_block_record),
				  series->sources, err);
	for (size_t round = 0; round < n_rounds && !code; round++) {
		uint64_t start = clock_monotonic_ns(&clock_system);
		uint32_t found = insert_all(&least, keys, series->sources);
		double ms = (double)(clock_monotonic_ns(&clock_system) - start) / 1e6;

		snapshot_note(series, SNAPSHOT_INSERTS, ms);
		snapshot_note(series, SNAPSHOT_TOTAL, ms);
		series->tracked = series->sources - found;
		memset(least.buckets.memory, 0, least.buckets.size);
		memset(least.records.memory, 0, least.records.size);
	}
	array_close(&least.buckets);
	array_close(&least.records);
	free(keys);
	return code;
}
