// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hits: eight bits in the entry's word, and a carry when they go round.  Several CPUs count the same
 * entry, and its neighbours in the bucket, at once; nothing is lost, nothing goes next door.
 */
#include <criterion/criterion.h>

#include <pthread.h>

#include "fake_stash.h"
#include "pinned_memory.h"

enum {
	N_THREADS = 4,
	N_SOURCES = 300, /* Homes, second buckets, stash. */
	N_HITS = 30000,	 /* A thread's, of the source that all of them hit most. */
	WIDTH = 32,
};

struct hitter {
	pthread_t thread;
	const struct pinned_memory *memory;
	const struct sluice_key *sources;
	uint32_t hits[N_SOURCES];
	uint32_t missed;
};

static void hit(struct hitter *hitter, uint32_t n)
{
	if (packet_is_blocked(hitter->memory, &hitter->sources[n]))
		hitter->hits[n]++;
	else
		hitter->missed++;
}

static void *hit_all(void *ctx)
{
	struct hitter *hitter = ctx;

	for (uint32_t i = 0; i < N_HITS; i++) {
		hit(hitter, 0);
		hit(hitter, N_SOURCES - 1);
		hit(hitter, i % N_SOURCES);
	}
	return NULL;
}

/* While they hit: a reading is never behind an earlier one by more than one going round. */
static uint32_t watch(const struct blocklist_table *table, const dataplane_slot *slots,
		      uint32_t until)
{
	uint32_t highest[2] = { 0 }, readings = 0;

	while (highest[0] < until || highest[1] < until) {
		for (int i = 0; i < 2; i++) {
			uint32_t now = blocklist_table_packets(table, slots[i ? N_SOURCES - 1 : 0]);

			cr_assert_geq(now + DATAPLANE_BLOCK_PACKETS_LAG, highest[i]);
			highest[i] = now > highest[i] ? now : highest[i];
			readings++;
		}
	}
	return readings;
}

static void count_exactly(uint8_t family)
{
	static struct hitter hitters[N_THREADS];
	struct pinned_memory memory = pinned_memory_new(1000, 51);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key *sources = crowd(&memory, family, WIDTH, N_SOURCES);
	dataplane_slot slots[N_SOURCES];

	for (uint32_t n = 0; n < N_SOURCES; n++) {
		struct dataplane_block_record record = block_of(sources[n]);

		cr_assert_eq(blocklist_table_add(table, &record, &slots[n], NULL), 0);
	}
	cr_assert_gt(fake_stash_count(FAKE_STASH4) + fake_stash_count(FAKE_STASH6), 5);
	for (int i = 0; i < N_THREADS; i++) {
		hitters[i] = (struct hitter){ .memory = &memory, .sources = sources };
		cr_assert_eq(pthread_create(&hitters[i].thread, NULL, hit_all, &hitters[i]), 0);
	}
	cr_assert_gt(watch(table, slots, N_THREADS * N_HITS), 0);
	for (int i = 0; i < N_THREADS; i++) {
		cr_assert_eq(pthread_join(hitters[i].thread, NULL), 0);
		cr_assert_eq(hitters[i].missed, 0);
	}
	for (uint32_t n = 0; n < N_SOURCES; n++) {
		uint32_t sum = 0;

		for (int i = 0; i < N_THREADS; i++)
			sum += hitters[i].hits[n];
		cr_assert_eq(blocklist_table_packets(table, slots[n]), sum, "source %u", n);
	}
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_hits, are_exact_with_several_threads_v4)
{
	count_exactly(SLUICE_FAMILY_IPV4);
}

Test(blocklist_hits, are_exact_with_several_threads_v6)
{
	count_exactly(SLUICE_FAMILY_IPV6);
}

/* The word's highest byte goes round, and nothing else in the bucket changes. */
Test(blocklist_hits, go_round_at_256_into_the_carry)
{
	struct pinned_memory memory = pinned_memory_new(20, 52);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	struct dataplane_block_record record = block_of(source_v4(1));
	uint32_t home = home_bucket(&memory, &record.key);
	dataplane_slot slot;

	cr_assert_eq(blocklist_table_add(table, &record, &slot, NULL), 0);
	const uint32_t word = memory.block4[home].word[0];

	cr_assert_eq(word / SLUICE_BLOCK_HIT, 0);
	for (uint32_t i = 1; i <= 1000; i++) {
		cr_assert(packet_is_blocked(&memory, &record.key));
		cr_assert_eq(memory.block4[home].word[0],
			     word + i % SLUICE_BLOCK_HITS_PER_CARRY * SLUICE_BLOCK_HIT);
		cr_assert_eq(memory.carry4[home].carry[0], i / SLUICE_BLOCK_HITS_PER_CARRY);
		for (int way = 1; way < SLUICE_BLOCK_WAYS; way++)
			cr_assert_eq(memory.block4[home].word[way], 0);
	}
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}
