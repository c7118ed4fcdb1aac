// SPDX-License-Identifier: BSD-2-Clause
/*
 * The per-source tables: what the packet path's code counted comes out of the reader, against a
 * plain model of both, evictions included.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "feature_memory.h"
#include "hash.h"
#include "support/random.h"

enum {
	BUCKETS = 64,
	WAYS = 10,
	MAX_CPUS = 5,
	MAX_ROWS = 2 * MAX_CPUS * BUCKETS * WAYS,
};

/* The model: each CPU's buckets as lists of sources. */
struct model_source {
	uint64_t addr[2];
	uint64_t packets, bytes, syn, udp, icmp;
};

struct model_bucket {
	struct model_source way[WAYS];
	unsigned int n;
};

struct model {
	struct model_bucket v4[MAX_CPUS][BUCKETS], v6[MAX_CPUS][BUCKETS];
	struct dataplane_count evicted, total;
};

static struct model_source *model_find(struct model_bucket *bucket, const uint64_t addr[2])
{
	for (unsigned int i = 0; i < bucket->n; i++)
		if (memcmp(bucket->way[i].addr, addr, 16) == 0)
			return &bucket->way[i];
	return NULL;
}

static struct model_source *model_take(struct model *model, struct model_bucket *bucket,
				       const uint64_t addr[2])
{
	struct model_source *taken = &bucket->way[0];

	if (bucket->n < WAYS) {
		taken = &bucket->way[bucket->n++];
	} else {
		for (unsigned int i = 1; i < WAYS; i++)
			if (bucket->way[i].packets < taken->packets)
				taken = &bucket->way[i];
		model->evicted.packets += taken->packets;
		model->evicted.bytes += taken->bytes;
	}
	*taken = (struct model_source){ .addr = { addr[0], addr[1] } };
	return taken;
}

static void model_count(struct model *model, struct model_bucket *bucket, const uint64_t addr[2],
			uint32_t bytes, int kind)
{
	struct model_source *source = model_find(bucket, addr);

	if (!source)
		source = model_take(model, bucket, addr);
	source->packets++;
	source->bytes += bytes;
	source->syn += kind == 0;
	source->udp += kind == 1;
	source->icmp += kind == 2;
	model->total.packets++;
	model->total.bytes += bytes;
}

static void value_count(struct sluice_source_value *value, int kind)
{
	cr_assert_not_null(value);
	value->tcp_syn += kind == 0;
	value->udp += kind == 1;
	value->icmp += kind == 2;
}

/* What all CPUs know of one source. */
static struct model_source model_sum(struct model_bucket table[MAX_CPUS][BUCKETS], uint32_t bucket,
				     const uint64_t addr[2])
{
	struct model_source sum = { .addr = { addr[0], addr[1] } };

	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		const struct model_source *source = model_find(&table[cpu][bucket], addr);

		if (!source)
			continue;
		sum.packets += source->packets;
		sum.bytes += source->bytes;
		sum.syn += source->syn;
		sum.udp += source->udp;
		sum.icmp += source->icmp;
	}
	return sum;
}

/* Distinct sources of one bucket. */
static size_t model_distinct(struct model_bucket table[MAX_CPUS][BUCKETS], uint32_t bucket)
{
	size_t n = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		for (unsigned int i = 0; i < table[cpu][bucket].n; i++) {
			bool seen = false;

			for (int before = 0; before < cpu; before++)
				seen |= model_find(&table[before][bucket],
						   table[cpu][bucket].way[i].addr) != NULL;
			n += !seen;
		}
	}
	return n;
}

struct fixture {
	struct feature_memory memory;
	struct model model;
	struct sluice_source sources[MAX_ROWS];
	size_t n;
	struct dataplane_count untracked;
};

static struct fixture f;

static void begin(uint32_t n_cpus)
{
	memset(&f, 0, sizeof(f));
	feature_memory_init(&f.memory, n_cpus, BUCKETS, BUCKETS, 64);
}

static void read_side(unsigned int side, size_t max)
{
	f.untracked = (struct dataplane_count){ 99, 99 };
	f.n = source_table_read(&f.memory.table, side, f.memory.header.epoch[side], f.sources, max,
				&f.untracked);
	cr_assert_leq(f.n, max);
}

static uint32_t bucket_of(const struct sluice_key *key, uint64_t addr[2])
{
	const __u64 *hash_key = f.memory.header.hash_key;

	memcpy(addr, key->addr, 16);
	return hash_bucket_first(key->family == SLUICE_FAMILY_IPV4
					 ? hash_v4(hash_key, (uint32_t)addr[0])
					 : hash_v6(hash_key, addr[0], addr[1]),
				 BUCKETS);
}

static void send4(uint32_t cpu, uint32_t addr, uint32_t bytes, int kind)
{
	const uint64_t wide[2] = { addr, 0 };

	value_count(feature_memory_count4(&f.memory, cpu, addr, bytes), kind);
	model_count(&f.model, &f.model.v4[cpu][feature_memory_bucket4(&f.memory, addr)], wide,
		    bytes, kind);
}

static void send6(uint32_t cpu, uint64_t high, uint32_t bytes, int kind)
{
	const uint64_t addr[2] = { high, 0 };
	uint32_t bucket = hash_bucket_first(hash_v6(f.memory.header.hash_key, high, 0), BUCKETS);

	value_count(feature_memory_count6(&f.memory, cpu, addr, bytes), kind);
	model_count(&f.model, &f.model.v6[cpu][bucket], addr, bytes, kind);
}

/* Every row as the model has it, each source once, and all of them. */
static void check_against_model(uint64_t seed)
{
	size_t expected = 0;
	struct dataplane_count total = f.untracked;

	for (uint32_t bucket = 0; bucket < BUCKETS; bucket++)
		expected += model_distinct(f.model.v4, bucket) + model_distinct(f.model.v6, bucket);
	cr_assert_eq(f.n, expected, "seed %lu: %zu rows, not %zu", seed, f.n, expected);
	for (size_t i = 0; i < f.n; i++) {
		const struct sluice_source *got = &f.sources[i];
		bool v4 = got->key.family == SLUICE_FAMILY_IPV4;
		uint64_t addr[2];
		uint32_t bucket = bucket_of(&got->key, addr);
		struct model_source want = model_sum(v4 ? f.model.v4 : f.model.v6, bucket, addr);

		cr_assert(address_is_valid(&got->key));
		cr_assert_eq(got->key.prefix_len, v4 ? 32 : 64);
		cr_assert_gt(want.packets, 0, "seed %lu: a source that never sent", seed);
		cr_assert_eq(got->packets, want.packets, "seed %lu row %zu", seed, i);
		cr_assert_eq(got->bytes, want.bytes, "seed %lu row %zu", seed, i);
		cr_assert_eq(got->tcp_syn, want.syn);
		cr_assert_eq(got->udp, want.udp);
		cr_assert_eq(got->icmp, want.icmp);
		cr_assert_eq(got->flags, 0);
		cr_assert_eq(source_table_find(&f.memory.table, f.memory.header.hash_key, f.sources,
					       f.n, &got->key),
			     got, "seed %lu row %zu: two rows of one source, or none", seed, i);
		total.packets += got->packets;
		total.bytes += got->bytes;
	}
	cr_assert_eq(f.untracked.packets, f.model.evicted.packets);
	cr_assert_eq(f.untracked.bytes, f.model.evicted.bytes);
	cr_assert_eq(total.packets, f.model.total.packets);
	cr_assert_eq(total.bytes, f.model.total.bytes);
}

/* Few sources leave room, many overflow; each on some CPUs, some much heavier than others. */
static void send_random(struct random *random, uint32_t n_cpus, uint32_t n_sources,
			uint32_t n_packets)
{
	for (uint32_t i = 0; i < n_packets; i++) {
		uint32_t cpu = (uint32_t)random_below(random, n_cpus);
		uint32_t below = 1 + (uint32_t)random_below(random, n_sources);
		uint32_t source = (uint32_t)random_below(random, below);
		uint32_t bytes = 60 + (uint32_t)random_below(random, 9000);
		int kind = (int)random_below(random, 4);

		if (random_next(random) & 1)
			send4(cpu, source, bytes, kind);
		else
			send6(cpu, (uint64_t)source << 20, bytes, kind);
	}
}

Test(source_table, any_table_reads_as_the_model_counts)
{
	static const uint32_t n_cpus[] = { 1, 2, 3, MAX_CPUS };
	static const uint32_t n_sources[] = { 1, 10, 300, 600, 2000, 20000 };

	for (uint64_t seed = 1; seed <= 96; seed++) {
		struct random random = { seed };
		uint32_t cpus = n_cpus[seed % 4];

		begin(cpus);
		send_random(&random, cpus, n_sources[seed % 6], 20000);
		read_side(0, MAX_ROWS);
		check_against_model(seed);
		if (n_sources[seed % 6] >= 2000)
			cr_assert_gt(f.untracked.packets, 0, "seed %lu evicted nobody", seed);
		feature_memory_fini(&f.memory);
	}
}

Test(source_table, nothing_counted)
{
	begin(2);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 0);
	cr_assert_eq(f.untracked.packets, 0);
	cr_assert_eq(f.untracked.bytes, 0);
	feature_memory_fini(&f.memory);
}

/* Zeros mark a way that holds no key; the zero key is one like any other. */
Test(source_table, zero_is_a_source)
{
	uint32_t bucket, others = 0;

	begin(1);
	bucket = feature_memory_bucket4(&f.memory, 0);
	for (uint32_t addr = 1; others < WAYS + 3; addr++) {
		if (feature_memory_bucket4(&f.memory, addr) != bucket)
			continue;
		send4(0, 0, 100, 1);
		send4(0, 0, 100, 1);
		send4(0, addr, 100, 0);
		others++;
	}
	send6(0, 0, 100, 2);
	send6(0, 1, 100, 2);
	send6(0, 0, 100, 2);
	read_side(0, MAX_ROWS);
	check_against_model(0);
	feature_memory_fini(&f.memory);
}

Test(source_table, bytes_are_wider_than_32_bits)
{
	begin(2);
	for (int i = 0; i < 500; i++) {
		send4((uint32_t)i % 2, 7, UINT32_MAX - (uint32_t)i, 1);
		send6((uint32_t)i % 2, 7, UINT32_MAX, 1);
	}
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 2);
	check_against_model(0);
	feature_memory_fini(&f.memory);
}

/* A heavy source that has to make room takes its high bytes to the remainder. */
Test(source_table, evicted_bytes_are_whole)
{
	struct model_bucket *bucket;
	uint32_t addr = 0;

	begin(1);
	for (unsigned int n = 0; n < WAYS + 5; addr++) {
		bucket = &f.model.v4[0][feature_memory_bucket4(&f.memory, addr)];
		if (feature_memory_bucket4(&f.memory, addr) != 3)
			continue;
		n++;
		for (unsigned int i = 0; i < 3 && bucket->n <= WAYS; i++)
			send4(0, addr, UINT32_MAX, 1);
	}
	read_side(0, MAX_ROWS);
	cr_assert_gt(f.untracked.bytes, (uint64_t)UINT32_MAX);
	check_against_model(0);
	feature_memory_fini(&f.memory);
}

Test(source_table, a_side_is_read_once)
{
	begin(2);
	send4(0, 1, 100, 1);
	send4(1, 1, 100, 1);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 1);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 0);
	feature_memory_fini(&f.memory);
}

Test(source_table, sides_are_apart)
{
	begin(2);
	send4(0, 1, 100, 1);
	f.memory.header.side = 1;
	send4(0, 1, 100, 1);
	send4(1, 2, 100, 1);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 1);
	cr_assert_eq(f.sources[0].packets, 1);
	read_side(1, MAX_ROWS);
	cr_assert_eq(f.n, 2);
	feature_memory_fini(&f.memory);
}

Test(source_table, another_epoch_is_empty)
{
	begin(2);
	for (uint32_t addr = 0; addr < 3000; addr++)
		send4(addr % 2, addr, 100, 1);
	/* A window that nobody read: its dirty bits and remainders are still there. */
	f.memory.header.epoch[0]++;
	memset(&f.model, 0, sizeof(f.model));
	for (uint32_t addr = 0; addr < 50; addr++)
		send4(addr % 2, addr * 7, 100, 1);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.untracked.packets, 0);
	check_against_model(0);
	feature_memory_fini(&f.memory);
}

Test(source_table, wiped_is_empty_even_for_the_same_epoch)
{
	begin(2);
	for (unsigned int side = 0; side < 2; side++) {
		f.memory.header.side = side;
		for (uint32_t addr = 0; addr < 3000; addr++) {
			send4(addr % 2, addr, 100, 1);
			send6(addr % 2, addr, 100, 1);
		}
	}
	source_table_wipe(&f.memory.table, 0);
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 0);
	cr_assert_eq(f.untracked.packets, 0);
	read_side(1, MAX_ROWS);
	cr_assert_gt(f.n, 1000);
	cr_assert_gt(f.untracked.packets, 0);

	struct dataplane_count total = f.untracked;

	for (size_t i = 0; i < f.n; i++)
		total.packets += f.sources[i].packets;
	cr_assert_eq(total.packets, 6000);
	/* Counted again in the wiped side, with the epoch that its old buckets had. */
	f.memory.header.side = 0;
	memset(&f.model, 0, sizeof(f.model));
	send4(0, 1, 100, 1);
	send6(1, 2, 100, 1);
	read_side(0, MAX_ROWS);
	check_against_model(0);
	feature_memory_fini(&f.memory);
}

Test(source_table, clean_buckets_are_not_looked_at)
{
	begin(1);
	send4(0, 1, 100, 1);
	((uint64_t *)f.memory.table.v4.dirty.memory)[0] = 0;
	read_side(0, MAX_ROWS);
	cr_assert_eq(f.n, 0);
	feature_memory_fini(&f.memory);
}

/* What does not fit the list is untracked, to the packet; a source that is in it gets all CPUs'. */
Test(source_table, a_full_list_loses_nothing)
{
	struct random random = { 77 };

	for (size_t max = 0; max < 900; max += 100) {
		begin(3);
		send_random(&random, 3, 500, 10000);
		read_side(0, max);
		cr_assert_eq(f.n, max < 500 ? max : f.n);

		struct dataplane_count total = f.untracked;

		for (size_t i = 0; i < f.n; i++) {
			uint64_t addr[2];
			uint32_t bucket = bucket_of(&f.sources[i].key, addr);
			bool v4 = f.sources[i].key.family == SLUICE_FAMILY_IPV4;

			cr_assert_eq(f.sources[i].packets,
				     model_sum(v4 ? f.model.v4 : f.model.v6, bucket, addr).packets);
			total.packets += f.sources[i].packets;
			total.bytes += f.sources[i].bytes;
		}
		cr_assert_eq(total.packets, f.model.total.packets);
		cr_assert_eq(total.bytes, f.model.total.bytes);
		feature_memory_fini(&f.memory);
	}
}

Test(source_table, finds_no_source_that_is_not_there)
{
	struct random random = { 78 };
	struct sluice_key key;
	unsigned int found = 0;

	begin(2);
	send_random(&random, 2, 400, 10000);
	read_side(0, MAX_ROWS);
	for (uint32_t addr = 0; addr < 2000; addr++) {
		const struct sluice_source *source;
		uint64_t wide[2];

		key = address_from_ipv4(&addr, 32);
		source = source_table_find(&f.memory.table, f.memory.header.hash_key, f.sources,
					   f.n, &key);
		cr_assert_eq(source != NULL, model_sum(f.model.v4, bucket_of(&key, wide),
						       (const uint64_t[2]){ addr, 0 })
							     .packets > 0);
		found += source != NULL;
	}
	cr_assert_gt(found, 100);
	cr_assert_null(
		source_table_find(&f.memory.table, f.memory.header.hash_key, f.sources, 0, &key));
	feature_memory_fini(&f.memory);
}

/* Whatever the memory holds: the reader stays within it and the list. */
Test(source_table, damaged_memory_is_survived)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct random random = { seed };
		struct feature_reader *readers[2];

		begin(3);
		readers[0] = &f.memory.table.v4;
		readers[1] = &f.memory.table.v6;
		for (int i = 0; i < 2; i++) {
			const struct mapped *parts[] = { &readers[i]->buckets, &readers[i]->dirty,
							 &readers[i]->other };

			for (int part = 0; part < 3; part++)
				for (size_t at = 0; at < parts[part]->size / 8; at++)
					((uint64_t *)parts[part]->memory)[at] =
						random_next(&random);
		}
		/* Half of the buckets pass for this window's. */
		for (uint32_t row = 0; row < 6; row++) {
			for (uint32_t bucket = 0; bucket < BUCKETS; bucket += 2) {
				struct sluice_source4_bucket *v4 = readers[0]->buckets.memory;
				struct sluice_source6_bucket *v6 = readers[1]->buckets.memory;

				v4[row * BUCKETS + bucket].epoch = 1;
				v6[row * BUCKETS + bucket].epoch = 1;
			}
		}
		/* The packet path's code meets it, too. */
		for (uint32_t addr = 0; addr < 500; addr++)
			(void)feature_memory_count4(&f.memory, addr % 3, addr, 100);
		read_side(0, MAX_ROWS);
		cr_assert_gt(f.n, 0);
		for (size_t i = 0; i < f.n; i++)
			cr_assert(address_is_valid(&f.sources[i].key));
		read_side(1, 5);
		feature_memory_fini(&f.memory);
	}
}

Test(source_table, sizes_hold_what_they_promise)
{
	const struct feature_layout *layouts[] = { &source_table_layout4, &source_table_layout6 };
	static const uint32_t n_keys[] = { 1, 64, 1000, 256000, 1000000, 4000000 };

	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < sizeof(n_keys) / sizeof(n_keys[0]); k++) {
			uint32_t n = feature_buckets(layouts[i], n_keys[k]);
			struct feature_sizes sizes = feature_sizes(3, n);

			cr_assert_eq(n % 64, 0);
			cr_assert_geq((double)n * WAYS, n_keys[k] / 0.7);
			cr_assert_lt((double)n * WAYS, n_keys[k] / 0.7 + 65 * WAYS);
			cr_assert_eq(sizes.buckets, 6 * n);
			cr_assert_eq(sizes.dirty, 6 * n / 64);
			cr_assert_eq(sizes.other, 6);
		}
	}
}

Test(source_table, close_of_nothing_is_fine)
{
	struct source_table table = { 0 };

	source_table_close(&table);
	source_table_close(&table);
}
