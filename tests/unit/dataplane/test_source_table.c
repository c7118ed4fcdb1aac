// SPDX-License-Identifier: BSD-2-Clause
/* Reading one side of the feature tables, on memory laid out by hand as a feature program would. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "dataplane/source_table.h"
#include "shared.h"

enum {
	N_CPUS = 2,
	BUCKETS4 = 128, /* Per CPU. */
	BUCKETS6 = 64,
	EPOCH = 7,
};

struct fixture {
	struct source_table table;
	struct sluice_source4_bucket *v4;
	struct sluice_source6_bucket *v6;
	uint64_t *dirty4, *dirty6;
	struct dataplane_source seen[64];
	size_t n_seen;
	struct dataplane_count untracked;
};

static struct fixture fixture_new(void)
{
	struct fixture f = {
		.v4 = calloc(N_CPUS * BUCKETS4, sizeof(*f.v4)),
		.v6 = calloc(N_CPUS * BUCKETS6, sizeof(*f.v6)),
		.dirty4 = calloc(N_CPUS * BUCKETS4 / 64, sizeof(*f.dirty4)),
		.dirty6 = calloc(N_CPUS * BUCKETS6 / 64, sizeof(*f.dirty6)),
	};

	cr_assert(f.v4 && f.v6 && f.dirty4 && f.dirty6);
	f.table = (struct source_table){
		.source4 = { .memory = f.v4 },
		.source6 = { .memory = f.v6 },
		.dirty4 = { .memory = f.dirty4 },
		.dirty6 = { .memory = f.dirty6 },
		.source4_buckets = BUCKETS4,
		.source6_buckets = BUCKETS6,
		.n_cpus = N_CPUS,
		.v6_prefix_len = 64,
	};
	return f;
}

static void fixture_free(struct fixture *f)
{
	free(f->v4);
	free(f->v6);
	free(f->dirty4);
	free(f->dirty6);
}

static void note(void *ctx, const struct dataplane_source *source)
{
	struct fixture *f = ctx;

	cr_assert_lt(f->n_seen, sizeof(f->seen) / sizeof(f->seen[0]));
	f->seen[f->n_seen++] = *source;
}

static void read_all(struct fixture *f, uint32_t epoch)
{
	f->n_seen = 0;
	f->untracked = (struct dataplane_count){ 99, 99 };
	source_table_read(&f->table, epoch, note, f, &f->untracked);
}

/* One IPv4 source of `packets` packets of 100 bytes. */
static void put4(struct fixture *f, uint32_t bucket, unsigned int way, uint32_t epoch,
		 uint32_t packets)
{
	const uint8_t addr[4] = { 192, 0, 2, (uint8_t)way };

	f->dirty4[bucket / 64] |= 1ull << bucket % 64;
	f->v4[bucket].epoch = epoch;
	memcpy(&f->v4[bucket].key[way], addr, sizeof(addr));
	f->v4[bucket].packets[way] = packets;
	f->v4[bucket].details[way] = (struct sluice_source_details){
		.bytes = packets * 100ull,
		.tcp_syn = 1,
		.udp = 2,
		.icmp = 3,
	};
}

Test(source_table, nothing_counted)
{
	struct fixture f = fixture_new();

	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 0);
	cr_assert_eq(f.untracked.packets, 0);
	cr_assert_eq(f.untracked.bytes, 0);
	fixture_free(&f);
}

Test(source_table, every_cpu_and_edge_is_read_once)
{
	static const uint32_t buckets[] = { 0, 63, 64, 127, 128, 191, 255 };
	const size_t n = sizeof(buckets) / sizeof(buckets[0]);
	struct fixture f = fixture_new();

	for (size_t i = 0; i < n; i++)
		put4(&f, buckets[i], (unsigned int)i % SLUICE_SOURCE_WAYS, EPOCH, 10 + (uint32_t)i);
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, n);
	for (size_t i = 0; i < n; i++) {
		const struct sluice_key key = {
			.family = SLUICE_FAMILY_IPV4,
			.prefix_len = 32,
			.addr = { 192, 0, 2, (uint8_t)(i % SLUICE_SOURCE_WAYS) },
		};

		cr_assert_eq(memcmp(&f.seen[i].key, &key, sizeof(key)), 0, "source %zu", i);
		cr_assert_eq(f.seen[i].packets, 10 + i);
		cr_assert_eq(f.seen[i].bytes, (10 + i) * 100);
		cr_assert_eq(f.seen[i].tcp_syn, 1);
		cr_assert_eq(f.seen[i].udp, 2);
		cr_assert_eq(f.seen[i].icmp, 3);
	}
	/* The dirty bits are gone, so nothing comes twice. */
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 0);
	fixture_free(&f);
}

Test(source_table, another_epoch_is_empty)
{
	struct fixture f = fixture_new();

	put4(&f, 5, 0, EPOCH - 1, 10);
	f.v4[5].evicted_packets = 4;
	f.v4[5].evicted_bytes = 400;
	put4(&f, 6, 0, EPOCH, 20);
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 1);
	cr_assert_eq(f.seen[0].packets, 20);
	cr_assert_eq(f.untracked.packets, 0);
	fixture_free(&f);
}

Test(source_table, clean_buckets_are_not_looked_at)
{
	struct fixture f = fixture_new();

	put4(&f, 5, 0, EPOCH, 10);
	f.dirty4[0] = 0;
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 0);
	fixture_free(&f);
}

Test(source_table, empty_ways_are_no_sources)
{
	struct fixture f = fixture_new();

	put4(&f, 5, 3, EPOCH, 0);
	put4(&f, 5, 4, EPOCH, 1);
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 1);
	cr_assert_eq(f.seen[0].key.addr[3], 4);
	fixture_free(&f);
}

Test(source_table, v6_comes_by_unit_and_evictions_add_up)
{
	struct fixture f = fixture_new();
	const uint8_t unit[16] = { 0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4 };

	for (uint32_t cpu = 0; cpu < N_CPUS; cpu++) {
		struct sluice_source6_bucket *bucket = &f.v6[cpu * BUCKETS6 + 63];

		f.dirty6[cpu] = 1ull << 63;
		bucket->epoch = EPOCH;
		memcpy(bucket->key[6], unit, sizeof(unit));
		bucket->packets[6] = 8 + cpu;
		bucket->details[6].bytes = 1000;
		bucket->evicted_packets = 3;
		bucket->evicted_bytes = 333;
	}
	put4(&f, 1, 1, EPOCH, 1);
	f.v4[1].evicted_packets = 10;
	f.v4[1].evicted_bytes = 1 << 20;
	read_all(&f, EPOCH);
	cr_assert_eq(f.n_seen, 3);
	for (size_t i = 1; i < 3; i++) {
		cr_assert_eq(f.seen[i].key.family, SLUICE_FAMILY_IPV6);
		cr_assert_eq(f.seen[i].key.prefix_len, 64);
		cr_assert_eq(memcmp(f.seen[i].key.addr, unit, sizeof(unit)), 0);
		cr_assert_eq(f.seen[i].packets, 7 + i);
	}
	cr_assert_eq(f.untracked.packets, 16);
	cr_assert_eq(f.untracked.bytes, (1 << 20) + 666);
	fixture_free(&f);
}

Test(source_table, close_of_nothing_is_fine)
{
	struct source_table table = { 0 };

	source_table_close(&table);
	source_table_close(&table);
}
