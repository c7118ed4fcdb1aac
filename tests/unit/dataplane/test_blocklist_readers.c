// SPDX-License-Identifier: BSD-2-Clause
/*
 * The packet path's look-up on other threads while the writer blocks and unblocks without pause:
 * a source that stays blocked is always found, one that was never blocked never, and no hit is
 * counted for another source.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "pinned_memory.h"
#include "support/random.h"

enum {
	N_STEADY = 300, /* Of each family: blocked all the time, and as many never. */
	N_CHURN = 600,	/* Of each family. */
	N_READERS = 2,
	MIN_STEPS = 50000,
	MAX_STEPS = 3000000,
	GRACE_EVERY = 1024,
};

struct reader {
	pthread_t thread;
	struct pinned_memory memory;
	const struct sluice_key *sources; /* Present, absent, churned ones. */
	bool *stop;
	uint64_t rounds; /* Packets begun; a quiescent point each. */
	uint64_t passed_wrongly, dropped_wrongly;
	uint32_t hits[N_STEADY];
};

static void *read_packets(void *ctx)
{
	struct reader *reader = ctx;

	for (uint32_t i = 0; !__atomic_load_n(reader->stop, __ATOMIC_RELAXED); i++) {
		uint32_t n = i % N_STEADY;
		const struct sluice_key *present = &reader->sources[n];
		const struct sluice_key *absent = &reader->sources[N_STEADY + n];
		const struct sluice_key *any = &reader->sources[2 * N_STEADY + i % N_CHURN];

		if (packet_is_blocked(&reader->memory, present))
			reader->hits[n]++;
		else
			reader->passed_wrongly++;
		reader->dropped_wrongly += packet_is_blocked(&reader->memory, absent);
		(void)packet_is_blocked(&reader->memory, any);
		__atomic_fetch_add(&reader->rounds, 1, __ATOMIC_RELEASE);
		if (i % 1024 == 0)
			sched_yield(); /* Three threads may share one CPU. */
	}
	return NULL;
}

/* What the grace wait gives the daemon: every reader has ended what it was at. */
static void grace(struct reader readers[N_READERS])
{
	for (int i = 0; i < N_READERS; i++) {
		uint64_t round = __atomic_load_n(&readers[i].rounds, __ATOMIC_ACQUIRE);

		while (__atomic_load_n(&readers[i].rounds, __ATOMIC_ACQUIRE) == round)
			sched_yield();
	}
}

static bool time_is_up(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec >= 2;
}

static uint32_t churn(struct blocklist_table *table, struct reader readers[N_READERS],
		      uint64_t seed)
{
	static bool blocked[N_CHURN];
	static dataplane_slot slots[N_CHURN];
	struct random random = { seed };
	struct timespec start;
	uint32_t step;

	memset(blocked, 0, sizeof(blocked));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (step = 0; step < MAX_STEPS; step++) {
		uint32_t n = (uint32_t)random_below(&random, N_CHURN);
		struct dataplane_block_record record =
			block_of(readers[0].sources[2 * N_STEADY + n]);

		if (blocked[n])
			blocklist_table_del(table, slots[n]);
		else
			cr_assert_eq(blocklist_table_add(table, &record, &slots[n], NULL), 0);
		blocked[n] = !blocked[n];
		if (step % GRACE_EVERY == 0) {
			grace(readers);
			blocklist_table_release(table);
		}
		if (step >= MIN_STEPS && step % 4096 == 0 && time_is_up(&start))
			break;
	}
	return step;
}

static void run(uint8_t family, uint32_t width, uint64_t seed)
{
	static struct reader readers[N_READERS];
	struct pinned_memory memory = pinned_memory_new(4000, seed);
	struct blocklist_adoption adoption;
	struct blocklist_table *table = pinned_memory_adopt(&memory, &adoption);
	const struct sluice_key *sources = crowd(&memory, family, width, 2 * N_STEADY + N_CHURN);
	dataplane_slot slots[N_STEADY];
	bool stop = false;

	for (uint32_t n = 0; n < N_STEADY; n++) {
		struct dataplane_block_record record = block_of(sources[n]);

		cr_assert_eq(blocklist_table_add(table, &record, &slots[n], NULL), 0);
	}
	memset(readers, 0, sizeof(readers));
	for (int i = 0; i < N_READERS; i++) {
		readers[i].memory = memory;
		readers[i].sources = sources;
		readers[i].stop = &stop;
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_packets, &readers[i]),
			     0);
	}
	uint32_t steps = churn(table, readers, seed);

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < N_READERS; i++) {
		cr_assert_eq(pthread_join(readers[i].thread, NULL), 0);
		cr_assert_eq(readers[i].passed_wrongly, 0, "seed %lu", seed);
		cr_assert_eq(readers[i].dropped_wrongly, 0, "seed %lu", seed);
		cr_assert_gt(readers[i].rounds, 100);
	}
	cr_log_info("seed %lu: %u steps, %lu and %lu packets", seed, steps, readers[0].rounds,
		    readers[1].rounds);
	for (uint32_t n = 0; n < N_STEADY; n++)
		cr_assert_eq(blocklist_table_packets(table, slots[n]),
			     readers[0].hits[n] + readers[1].hits[n],
			     "source %u was given another one's packets", n);
	blocklist_table_free(table);
	pinned_memory_free(&memory);
}

Test(blocklist_readers, never_err_v4)
{
	run(SLUICE_FAMILY_IPV4, 128, 31); /* Load 0.6: first and second buckets. */
}

Test(blocklist_readers, never_err_v6)
{
	run(SLUICE_FAMILY_IPV6, 128, 32);
}

Test(blocklist_readers, never_err_through_the_stash_v4)
{
	run(SLUICE_FAMILY_IPV4, 40, 33);
}

Test(blocklist_readers, never_err_through_the_stash_v6)
{
	run(SLUICE_FAMILY_IPV6, 40, 34);
}
