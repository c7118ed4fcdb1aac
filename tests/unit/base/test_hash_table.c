/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table against a plain array as an oracle, at random and at its edges.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"

#define N_KEYS 3000

static const struct address_secret secret = { { 0x5151, 0x1ce } };

static struct sluice_key key_number(uint32_t i)
{
	uint8_t addr[16] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };

	return i % 3 ? address_from_ipv4(addr, 32) : address_from_ipv6(addr, 64);
}

static struct hash_table *table_of(size_t capacity)
{
	struct hash_table *table;

	cr_assert_eq(hash_table_new(capacity, &secret, &table), 0);
	return table;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What the table should hold: -1 for nothing. */
struct oracle {
	int64_t values[N_KEYS];
	size_t size;
};

static void step(struct hash_table *table, struct oracle *oracle, uint64_t random)
{
	uint32_t i = (uint32_t)(random % N_KEYS), value = (uint32_t)(random >> 32), got = 0;
	struct sluice_key key = key_number(i);
	int64_t *want = &oracle->values[i];

	switch (random >> 20 & 3) {
	case 0:
		cr_assert_eq(hash_table_set(table, &key, value), *want < 0);
		oracle->size += *want < 0;
		*want = value;
		break;
	case 1:
		cr_assert_eq(hash_table_add(table, &key, value, &got), *want < 0);
		oracle->size += *want < 0;
		*want = *want < 0 ? value : *want;
		cr_assert_eq(got, *want);
		break;
	case 2:
		cr_assert_eq(hash_table_del(table, &key, &got), *want >= 0);
		cr_assert(*want < 0 || got == *want);
		oracle->size -= *want >= 0;
		*want = -1;
		break;
	default:
		cr_assert_eq(hash_table_get(table, &key, &got), *want >= 0);
		cr_assert(*want < 0 || got == *want);
	}
	cr_assert_eq(hash_table_size(table), oracle->size);
}

static void compare_all(const struct hash_table *table, const struct oracle *oracle)
{
	struct sluice_key key;
	size_t cursor = 0, n = 0;
	uint32_t value;

	for (uint32_t i = 0; i < N_KEYS; i++) {
		key = key_number(i);
		cr_assert_eq(hash_table_get(table, &key, &value), oracle->values[i] >= 0);
		cr_assert(oracle->values[i] < 0 || value == oracle->values[i]);
	}
	while (hash_table_next(table, &cursor, &key, &value))
		n++;
	cr_assert_eq(n, oracle->size);
}

Test(hash_table, agrees_with_an_array)
{
	static const uint64_t seeds[] = { 1, 0x51a1ce, 0xdeadbeefcafe };

	for (size_t s = 0; s < sizeof(seeds) / sizeof(seeds[0]); s++) {
		struct hash_table *table = table_of(0);
		static struct oracle oracle;
		uint64_t state = seeds[s];

		cr_log_info("seed %" PRIu64, seeds[s]);
		memset(oracle.values, 0xff, sizeof(oracle.values));
		oracle.size = 0;
		for (int i = 0; i < 100000; i++)
			step(table, &oracle, next_random(&state));
		compare_all(table, &oracle);
		hash_table_free(table);
	}
}

Test(hash_table, holds_a_million)
{
	struct hash_table *table = table_of(100);
	uint32_t value;

	for (uint32_t i = 0; i < 1000000; i++) {
		struct sluice_key key = key_number(i);

		cr_assert_eq(hash_table_add(table, &key, i, NULL), 1);
	}
	cr_assert_eq(hash_table_size(table), 1000000);
	for (uint32_t i = 0; i < 1000000; i += 7) {
		struct sluice_key key = key_number(i);

		cr_assert(hash_table_get(table, &key, &value) && value == i);
	}
	hash_table_free(table);
}

Test(hash_table, each_entry_is_walked_once)
{
	struct hash_table *table = table_of(N_KEYS);
	bool seen[N_KEYS] = { 0 };
	struct sluice_key key;
	size_t cursor = 0, n = 0;
	uint32_t value;

	for (uint32_t i = 0; i < N_KEYS; i++) {
		key = key_number(i);
		cr_assert_eq(hash_table_set(table, &key, i), 1);
	}
	while (hash_table_next(table, &cursor, &key, &value)) {
		struct sluice_key want = key_number(value);

		cr_assert(address_equal(&key, &want));
		cr_assert_not(seen[value]);
		seen[value] = true;
		n++;
	}
	cr_assert_eq(n, N_KEYS);
	hash_table_free(table);
}

Test(hash_table, clear_forgets_all)
{
	struct hash_table *table = table_of(0);
	struct sluice_key key = key_number(1);
	size_t cursor = 0;
	uint32_t value;

	cr_assert_eq(hash_table_set(table, &key, 1), 1);
	hash_table_clear(table);
	cr_assert_eq(hash_table_size(table), 0);
	cr_assert_not(hash_table_get(table, &key, NULL));
	cr_assert_not(hash_table_next(table, &cursor, &key, &value));
	cr_assert_not(hash_table_del(table, &key, NULL));
	cr_assert_eq(hash_table_set(table, &key, 2), 1);
	hash_table_free(table);
}

Test(hash_table, draws_its_own_secret)
{
	struct hash_table *table;
	struct sluice_key key = key_number(1);

	cr_assert_eq(hash_table_new(0, NULL, &table), 0);
	cr_assert_eq(hash_table_set(table, &key, 9), 1);
	cr_assert(hash_table_get(table, &key, NULL));
	hash_table_free(table);
	hash_table_free(NULL);
}

Test(hash_table, an_impossible_capacity_is_refused)
{
	struct hash_table *table;

	cr_assert_eq(hash_table_new(SIZE_MAX / 2, &secret, &table), -ENOMEM);
}
