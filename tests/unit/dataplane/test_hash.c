// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the blocklist takes for granted of its hash, for any key that may be drawn and for any
 * addresses that an attacker or a provider may choose.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "shared.h"
#include "support/random.h"

#define N_KEYS 200
#define BITS 14u
#define N_BUCKETS (1u << BITS)
#define N_ADDRS (N_BUCKETS * SLUICE_BLOCK_WAYS / 2) /* Half of the ways. */

static const __u64 weak_keys[][2] = {
	{ 0, 0 },
	{ UINT64_MAX, UINT64_MAX },
	{ 0, UINT64_MAX },
	{ 0x0000000100000001, 0x0000000100000001 },
	{ 0xffffffff00000000, 0x00000000ffffffff },
	{ 0x8000000080000000, 0x8000000080000000 },
};

#define N_WEAK (sizeof(weak_keys) / sizeof(weak_keys[0]))

/* x * inverse_of(x) == 1 mod 2^32, by Newton's iteration. */
static uint32_t inverse_of(uint32_t odd)
{
	uint32_t inverse = odd;

	for (int i = 0; i < 5; i++)
		inverse *= 2 - odd * inverse;
	return inverse;
}

static uint32_t permute_back(const __u64 key[2], uint32_t h)
{
	h ^= h >> 16;
	h *= inverse_of((uint32_t)key[1] | 1);
	h ^= h >> 15 ^ h >> 30;
	h *= inverse_of(0x7feb352du);
	h ^= h >> 16;
	h *= inverse_of((uint32_t)(key[0] >> 32) | 1);
	return h ^ (uint32_t)key[0];
}

static void check_permutation(struct random *random, const __u64 key[2])
{
	const uint32_t edges[] = { 0, 1, 0x80000000, 0xffffffff, 0xffff, 0xffff0000 };

	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t addr = i < 6 ? edges[i] : (uint32_t)random_next(random);

		cr_assert_eq(permute_back(key, hash_permute_v4(key, addr)), addr,
			     "key %llx %llx, address %x", key[0], key[1], addr);
	}
}

/* What has an inverse maps no two addresses to one. */
Test(hash, v4_is_a_permutation)
{
	struct random random = { 41 };

	for (size_t i = 0; i < N_WEAK; i++)
		check_permutation(&random, weak_keys[i]);
	for (int i = 0; i < N_KEYS; i++) {
		__u64 key[2] = { random_next(&random), random_next(&random) };

		check_permutation(&random, key);
	}
}

struct pattern {
	const char *what;
	uint32_t stride; /* 0 = random */
	uint32_t first;
};

static const struct pattern patterns[] = {
	{ "neighbours in a /8", 1, 0x0a000000 },
	{ "one in each /24", 256, 0x0a000000 },
	{ "one in each /16", 65536, 1 },
	{ "anywhere", 0, 0 },
};

static uint32_t pattern_addr(const struct pattern *pattern, struct random *random, uint32_t n)
{
	return pattern->stride ? htonl(pattern->first + n * pattern->stride)
			       : (uint32_t)random_next(random);
}

/* Of all addresses, those that find no way in their home bucket. */
static double overflow_share(const __u64 key[2], const struct pattern *pattern,
			     struct random *random)
{
	static uint32_t in_bucket[N_BUCKETS];
	uint32_t overflow = 0;

	memset(in_bucket, 0, sizeof(in_bucket));
	for (uint32_t n = 0; n < N_ADDRS; n++) {
		uint32_t hash = hash_permute_v4(key, pattern_addr(pattern, random, n));

		overflow += ++in_bucket[hash >> (32 - BITS)] > SLUICE_BLOCK_WAYS;
	}
	return (double)overflow / N_ADDRS;
}

/* Poisson's distribution, that is perfect chance, gives 0.84 %. */
Test(hash, v4_spreads_whatever_addresses_come)
{
	struct random random = { 42 };

	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		double worst = 0;

		for (int i = 0; i < N_KEYS; i++) {
			__u64 key[2] = { random_next(&random), random_next(&random) };
			double share = overflow_share(key, &patterns[p], &random);

			worst = share > worst ? share : worst;
			cr_assert_lt(share, 0.013, "%s: %.2f %% overflow, key %llx %llx",
				     patterns[p].what, share * 100, key[0], key[1]);
		}
		cr_log_info("%s: at most %.2f %% overflow", patterns[p].what, worst * 100);
	}
}

/* And those that overflow do not meet again in one second bucket. */
Test(hash, second_buckets_of_one_bucket_are_spread)
{
	struct random random = { 43 };

	for (int i = 0; i < N_KEYS; i++) {
		__u64 key[2] = { random_next(&random), random_next(&random) };
		static uint8_t met[N_BUCKETS];
		uint32_t home = (uint32_t)random_below(&random, N_BUCKETS), found = 0, distinct = 0;

		memset(met, 0, sizeof(met));
		for (uint32_t n = 0; found < 64; n++) {
			uint32_t hash = hash_permute_v4(key, htonl(0x0a000000 + n));
			uint32_t tag = hash & (~0u >> BITS);

			if (hash >> (32 - BITS) != home)
				continue;
			found++;
			distinct += !met[hash_other_bucket(home, tag, BITS)]++;
		}
		/* Half of the offsets are even numbers, which the fixed lowest bit leaves out. */
		cr_assert_geq(distinct, 58u, "key %llx %llx: %u of 64", key[0], key[1], distinct);
	}
}

Test(hash, other_bucket_leads_back_and_is_never_the_same)
{
	struct random random = { 44 };

	for (uint32_t bits = SLUICE_BLOCK_MIN_BITS; bits <= SLUICE_BLOCK_MAX_BITS; bits++) {
		for (uint32_t i = 0; i < 100000; i++) {
			uint32_t bucket = (uint32_t)random_next(&random) >> (32 - bits);
			uint32_t tag = i < 2 ? i * (~0u >> bits)
					     : (uint32_t)random_next(&random) & (~0u >> bits);
			uint32_t other = hash_other_bucket(bucket, tag, bits);

			cr_assert_lt(other, 1u << bits);
			cr_assert_neq(other, bucket, "tag %x of %u bits", tag, bits);
			cr_assert_eq(hash_other_bucket(other, tag, bits), bucket);
		}
	}
}
