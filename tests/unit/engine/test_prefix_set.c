/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes as ranges: named cases, and random sets against plain comparison. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/address.h"
#include "engine/prefix_set.h"
#include "support/random.h"

static struct sluice_key key_of(const char *text)
{
	struct sluice_key key;

	cr_assert_eq(address_parse_prefix(text, 0, &key, NULL), 0, "%s", text);
	return key;
}

struct row {
	const char *key;
	bool covers, overlaps;
};

static const struct row rows[] = {
	{ "192.0.2.0/24", true, true },	   { "192.0.2.255", true, true },
	{ "192.0.3.0", true, true },	   { "192.0.2.0/23", true, true },
	{ "192.0.1.255", false, false },   { "192.0.4.0", false, false },
	{ "192.0.0.0/22", false, true },   { "0.0.0.0/0", false, true },
	{ "255.255.255.255", true, true }, { "255.255.255.254", false, false },
	{ "2001:db8::/64", false, true },  { "2001:db8::1", true, true },
	{ "2001:db8::2", false, false },   { "::/0", false, true },
	{ "c000:200::", false, false },
};

Test(prefix_set, named_cases)
{
	struct sluice_key keys[] = { key_of("192.0.2.0/24"), key_of("192.0.3.0/24"),
				     key_of("192.0.2.128/25"), key_of("255.255.255.255"),
				     key_of("2001:db8::1") };
	struct prefix_set *set;

	cr_assert_eq(prefix_set_new(keys, 5, &set), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_key key = key_of(rows[i].key);

		cr_expect_eq(prefix_set_covers(set, &key), rows[i].covers, "%s", rows[i].key);
		cr_expect_eq(prefix_set_overlaps(set, &key), rows[i].overlaps, "%s", rows[i].key);
	}
	prefix_set_free(set);
}

Test(prefix_set, an_empty_set_holds_nothing)
{
	struct sluice_key all = key_of("0.0.0.0/0");
	struct prefix_set *set;

	cr_assert_eq(prefix_set_new(NULL, 0, &set), 0);
	cr_expect_not(prefix_set_overlaps(set, &all));
	cr_expect_not(prefix_set_covers(NULL, &all));
	cr_expect_not(prefix_set_overlaps(NULL, &all));
	prefix_set_free(set);
}

/* Few bits, so that prefixes meet, nest and touch. */
static struct sluice_key random_prefix(struct random *random)
{
	uint8_t addr[16] = { 0 };

	if (random_below(random, 2)) {
		addr[3] = (uint8_t)random_next(random);
		return address_from_ipv4(addr, 24 + (unsigned int)random_below(random, 9));
	}
	addr[15] = (uint8_t)random_next(random);
	return address_from_ipv6(addr, 120 + (unsigned int)random_below(random, 9));
}

static bool naive_has(const struct sluice_key *keys, size_t n, const struct sluice_key *address)
{
	for (size_t i = 0; i < n; i++)
		if (address_covers(&keys[i], address))
			return true;
	return false;
}

/* Looks at every single address of the prefix. */
static void naive(const struct sluice_key *keys, size_t n, const struct sluice_key *prefix,
		  bool *covers, bool *overlaps)
{
	unsigned int width = address_width(prefix->family);
	unsigned int last = width / 8 - 1, count = 1u << (width - prefix->prefix_len);

	*covers = true;
	*overlaps = false;
	for (unsigned int i = 0; i < count; i++) {
		struct sluice_key one = *prefix;

		one.addr[last] = (uint8_t)(one.addr[last] + i);
		one.prefix_len = (uint8_t)width;
		if (naive_has(keys, n, &one))
			*overlaps = true;
		else
			*covers = false;
	}
}

Test(prefix_set, agrees_with_plain_comparison)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct random random = { seed };
		struct sluice_key keys[12];
		size_t n = random_below(&random, 13);
		struct prefix_set *set;

		for (size_t i = 0; i < n; i++)
			keys[i] = random_prefix(&random);
		cr_assert_eq(prefix_set_new(keys, n, &set), 0);
		for (unsigned int i = 0; i < 100; i++) {
			struct sluice_key key = random_prefix(&random);
			char text[ADDRESS_TEXT_SIZE];
			bool covers, overlaps;

			naive(keys, n, &key, &covers, &overlaps);
			cr_expect_eq(prefix_set_covers(set, &key), covers, "seed %llu: %s",
				     (unsigned long long)seed, address_format(&key, text));
			cr_expect_eq(prefix_set_overlaps(set, &key), overlaps, "seed %llu: %s",
				     (unsigned long long)seed, address_format(&key, text));
		}
		prefix_set_free(set);
	}
}
