/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated NIC's bucket table in ordinary memory.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "buckets.h"

enum { N_BUCKETS = 8 };

static struct emu_card_bucket memory[N_BUCKETS];

static struct buckets fresh(void)
{
	memset(memory, 0, sizeof(memory));
	return (struct buckets){
		.at = memory,
		.n = N_BUCKETS,
		.hash_key = { 0x243f6a8885a308d3, 0x13198a2e03707344 },
	};
}

/* The next source after `addr` that belongs into the same bucket, or into another. */
static __be32 next_source(const struct buckets *buckets, __be32 addr, bool same)
{
	const struct emu_card_bucket *own = buckets_of(buckets, addr);
	__be32 next = addr;

	do {
		next++;
	} while ((buckets_of(buckets, next) == own) != same);
	return next;
}

Test(emu_buckets, enough_for_every_capacity)
{
	static const uint32_t cases[][2] = {
		{ 1, 1 }, { 2, 1 }, { 3, 2 }, { 512, 256 }, { 4095, 2048 }, { ~0u, 1u << 31 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(buckets_needed(cases[i][0]), cases[i][1], "%u", cases[i][0]);
}

Test(emu_buckets, a_bucket_fills_up_and_has_room_again)
{
	struct buckets buckets = fresh();
	__be32 addrs[EMU_CARD_WAYS + 1] = { 7 };
	struct emu_card_bucket *bucket = buckets_of(&buckets, addrs[0]);

	for (int i = 0; i < EMU_CARD_WAYS; i++) {
		addrs[i + 1] = next_source(&buckets, addrs[i], true);
		cr_expect_eq(bucket_find(bucket, addrs[i]), -1);
		cr_assert(bucket_add(bucket, addrs[i]));
		cr_expect_eq(bucket_find(bucket, addrs[i]), i);
	}
	cr_expect_not(bucket_add(bucket, addrs[EMU_CARD_WAYS]), "it is full");
	bucket->hits[3].packets = 5;
	bucket_del(bucket, 3);
	cr_expect_eq(bucket_find(bucket, addrs[3]), -1);
	cr_assert(bucket_add(bucket, addrs[EMU_CARD_WAYS]));
	cr_expect_eq(bucket_find(bucket, addrs[EMU_CARD_WAYS]), 3);
	cr_expect_eq(bucket->hits[3].packets, 0, "hits of the rule before");
	cr_expect_eq(buckets_repair(&buckets), EMU_CARD_WAYS);
}

Test(emu_buckets, the_key_of_an_empty_way_is_no_rule)
{
	struct buckets buckets = fresh();
	struct emu_card_bucket *bucket = buckets_of(&buckets, 0);

	cr_expect_eq(bucket_find(bucket, 0), -1);
	cr_expect_not(bucket_add(bucket, 0));
	cr_expect_eq(buckets_repair(&buckets), 0);
}

/* What cannot be a rule is neither shown nor kept, and real rules are. */
Test(emu_buckets, strays_and_doubles)
{
	struct buckets buckets = fresh();
	__be32 good = 9, stray = next_source(&buckets, good, false), addr;
	struct emu_card_bucket *bucket = buckets_of(&buckets, good);
	uint32_t index = (uint32_t)(bucket - memory);
	struct emu_card_hits hits;

	bucket->key[1] = good;
	bucket->hits[1] = (struct emu_card_hits){ 3, 180 };
	bucket->key[2] = stray;
	bucket->key[5] = good;
	cr_expect_not(buckets_rule(&buckets, index, 0, &addr, &hits), "empty");
	cr_assert(buckets_rule(&buckets, index, 1, &addr, &hits));
	cr_expect_eq(addr, good);
	cr_expect_eq(hits.packets, 3);
	cr_expect_eq(hits.bytes, 180);
	cr_expect_not(buckets_rule(&buckets, index, 2, &addr, &hits), "of another bucket");
	cr_expect_eq(buckets_repair(&buckets), 1);
	cr_expect_eq(bucket->key[1], good);
	cr_expect_eq(bucket->key[2], 0);
	cr_expect_eq(bucket->key[5], 0);
	cr_expect_eq(bucket->hits[1].packets, 3, "the counters of what is left stay");
}

/* Any bytes: nothing is read or written beyond the table, and what is left is consistent. */
Test(emu_buckets, garbage)
{
	struct buckets buckets = fresh();
	unsigned int seed = 4711;
	size_t n, left = 0;

	for (size_t i = 0; i < sizeof(memory); i++)
		((uint8_t *)memory)[i] = (uint8_t)rand_r(&seed);
	n = buckets_repair(&buckets);
	for (uint32_t i = 0; i < N_BUCKETS; i++) {
		for (int way = 0; way < EMU_CARD_WAYS; way++) {
			struct emu_card_hits hits;
			__be32 addr;

			if (!buckets_rule(&buckets, i, way, &addr, &hits))
				continue;
			cr_expect_eq(bucket_find(buckets_of(&buckets, addr), addr), way);
			left++;
		}
	}
	cr_expect_eq(left, n);
	cr_expect_eq(buckets_repair(&buckets), n, "nothing more to repair");
}
