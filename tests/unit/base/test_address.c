/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and prefixes: text, masks, cover, order, validity, hash.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/address.h"

static struct sluice_key key_of(const char *text)
{
	struct sluice_key key;
	struct sluice_err err;

	cr_assert_eq(address_parse_prefix(text, 0, &key, &err), 0, "'%s': %s", text, err.text);
	return key;
}

static const struct {
	const char *text;
	const char *written; /* NULL: as `text`. */
	uint8_t family, prefix_len;
} good[] = {
	{ "192.0.2.1", NULL, 4, 32 },
	{ "0.0.0.0", NULL, 4, 32 },
	{ "192.0.2.0/24", NULL, 4, 24 },
	{ "192.0.2.1/24", "192.0.2.0/24", 4, 24 },
	{ "192.0.2.1/32", "192.0.2.1", 4, 32 },
	{ "255.255.255.255/0", "0.0.0.0/0", 4, 0 },
	{ "10.0.0.0/007", "10.0.0.0/7", 4, 7 },
	{ "2001:db8::1", NULL, 6, 128 },
	{ "2001:DB8:0::1", "2001:db8::1", 6, 128 },
	{ "2001:db8::/32", NULL, 6, 32 },
	{ "2001:db8:ffff::1/33", "2001:db8:8000::/33", 6, 33 },
	{ "::/0", NULL, 6, 0 },
	{ "::", NULL, 6, 128 },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201", 6, 128 },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", NULL, 6, 127 },
};

Test(address, reads_and_writes)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sluice_key key = key_of(good[i].text);
		char text[ADDRESS_TEXT_SIZE];

		cr_assert_eq(key.family, good[i].family);
		cr_assert_eq(key.prefix_len, good[i].prefix_len, "'%s'", good[i].text);
		cr_assert_str_eq(address_format(&key, text),
				 good[i].written ? good[i].written : good[i].text);
		cr_assert(address_is_valid(&key));
	}
}

static const struct {
	const char *text;
	unsigned int flags;
	const char *reason;
} bad[] = {
	{ "", 0, "is not an address" },
	{ "192.0.2", 0, "is not an address" },
	{ "192.0.2.01", 0, "is not an address" },
	{ "192.0.2.256", 0, "is not an address" },
	{ "0x7f.0.0.1", 0, "is not an address" },
	{ " 192.0.2.1", 0, "is not an address" },
	{ "example.org", 0, "is not an address" },
	{ "fe80::1%eth0", 0, "has a zone" },
	{ "::ffff:192.0.2.1", 0, "write 192.0.2.1" },
	{ "::ffff:192.0.2.1/120", 0, "write 192.0.2.1" },
	{ "192.0.2.0/33", 0, "no length from 0 to 32" },
	{ "2001:db8::/129", 0, "no length from 0 to 128" },
	{ "192.0.2.0/", 0, "no length" },
	{ "192.0.2.0/-1", 0, "no length" },
	{ "192.0.2.0/+8", 0, "no length" },
	{ "192.0.2.0/8/8", 0, "no length" },
	{ "192.0.2.0/0000", 0, "no length" },
	{ "192.0.2.0/24 ", 0, "no length" },
	{ "/24", 0, "is not an address" },
	{ "1111111111111111111111111111111111111111111111111111111111/24", 0, "is not a prefix" },
	{ "192.0.2.1/24", ADDRESS_STRICT, "write 192.0.2.0/24" },
	{ "2001:db8::1/64", ADDRESS_STRICT, "write 2001:db8::/64" },
};

Test(address, refuses)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sluice_err err = { 0 };
		struct sluice_key key;

		cr_assert_eq(address_parse_prefix(bad[i].text, bad[i].flags, &key, &err), -EINVAL,
			     "'%s' was accepted", bad[i].text);
		cr_assert_not_null(strstr(err.text, bad[i].reason), "'%s': %s", bad[i].text,
				   err.text);
		cr_assert_eq(address_parse_prefix(bad[i].text, bad[i].flags, &key, NULL), -EINVAL);
	}
}

Test(address, one_address_is_no_prefix)
{
	struct sluice_err err = { 0 };
	struct sluice_key key;

	cr_assert_eq(address_parse("192.0.2.0/24", &key, &err), -EINVAL);
	cr_assert_str_eq(err.text, "'192.0.2.0/24' is a prefix; expected one address");
	cr_assert_eq(address_parse("192.0.2.7", &key, &err), 0);
	cr_assert(address_is_single(&key));
}

static const struct {
	const char *prefix, *key;
	bool covers;
} covers[] = {
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/24", "192.0.2.0/24", true },
	{ "192.0.2.0/24", "192.0.2.0/23", false },
	{ "192.0.2.0/24", "192.0.2.128/25", true },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "0.0.0.0/0", "255.1.2.3", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "192.0.2.1", false },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
};

Test(address, cover)
{
	for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++) {
		struct sluice_key prefix = key_of(covers[i].prefix), key = key_of(covers[i].key);

		cr_assert_eq(address_covers(&prefix, &key), covers[i].covers, "%s, %s",
			     covers[i].prefix, covers[i].key);
	}
}

Test(address, mask_shortens_and_never_lengthens)
{
	struct sluice_key key = key_of("2001:db8:1:2:3:4:5:6"), same, masked;

	for (unsigned int len = 0; len <= 128; len++) {
		masked = address_mask(&key, len);
		cr_assert_eq(masked.prefix_len, len);
		cr_assert(address_is_valid(&masked), "/%u", len);
		cr_assert(address_covers(&masked, &key), "/%u", len);
	}
	masked = key_of("10.0.0.0/8");
	same = address_mask(&masked, 24);
	cr_assert(address_equal(&masked, &same));
}

Test(address, keys_from_bytes)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const uint8_t v4[4] = { 192, 0, 2, 9 };
	struct sluice_key key = address_from_ipv4(v4, 99), want = key_of("192.0.2.9");

	cr_assert(address_equal(&key, &want));
	key = address_from_ipv4(v4, 30);
	want = key_of("192.0.2.8/30");
	cr_assert(address_equal(&key, &want));
	key = address_from_ipv6(v6, 64);
	want = key_of("2001:db8:102:304::/64");
	cr_assert(address_equal(&key, &want));
}

Test(address, untrusted_keys_are_examined)
{
	struct sluice_key key = key_of("192.0.2.0/24");

	key.addr[3] = 1;
	cr_assert_not(address_is_valid(&key), "a stray host bit");
	key = key_of("192.0.2.0/24");
	key.addr[9] = 1;
	cr_assert_not(address_is_valid(&key), "a byte beyond IPv4");
	key = key_of("192.0.2.0/24");
	key.prefix_len = 33;
	cr_assert_not(address_is_valid(&key), "a length beyond IPv4");
	key = key_of("::/0");
	key.prefix_len = 200;
	cr_assert_not(address_is_valid(&key), "a length beyond IPv6");
	key = key_of("192.0.2.0/24");
	key.family = 5;
	cr_assert_not(address_is_valid(&key), "an unknown family");
	key = key_of("192.0.2.0/24");
	key.reserved[5] = 1;
	cr_assert_not(address_is_valid(&key), "a reserved byte");
	key = (struct sluice_key){ 0 };
	cr_assert_not(address_is_valid(&key), "no key at all");
	cr_assert_not(address_is_single(&key));
}

Test(address, an_empty_key_is_written_as_a_dash)
{
	struct sluice_key key = { 0 };
	char text[ADDRESS_TEXT_SIZE];

	cr_assert_str_eq(address_format(&key, text), "-");
}

Test(address, order_is_total)
{
	static const char *const sorted[] = { "0.0.0.0/0",  "10.0.0.0/8",	"10.0.0.0/9",
					      "10.0.0.1",   "192.0.2.1",	"::/0",
					      "2001:db8::", "2001:db8:0:1::/64" };

	for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
		for (size_t j = 0; j < sizeof(sorted) / sizeof(sorted[0]); j++) {
			struct sluice_key a = key_of(sorted[i]), b = key_of(sorted[j]);

			cr_assert_eq(address_compare(&a, &b), (i > j) - (i < j), "%s, %s",
				     sorted[i], sorted[j]);
		}
	}
}

Test(address, hash_depends_on_every_part)
{
	const struct address_secret secret = { { 1, 2 } }, other = { { 1, 3 } };
	struct sluice_key a = key_of("192.0.2.1"), b = a;

	cr_assert_eq(address_hash(&a, &secret), address_hash(&b, &secret));
	cr_assert_neq(address_hash(&a, &secret), address_hash(&a, &other));
	b = key_of("192.0.2.2");
	cr_assert_neq(address_hash(&a, &secret), address_hash(&b, &secret));
	b = key_of("192.0.2.1/31");
	cr_assert_neq(address_hash(&a, &secret), address_hash(&b, &secret));
	a = key_of("c000:201::");
	b = key_of("c000:201::1");
	cr_assert_neq(address_hash(&a, &secret), address_hash(&b, &secret));
	b = key_of("192.0.2.1");
	cr_assert_neq(address_hash(&a, &secret), address_hash(&b, &secret));
}

Test(address, hash_spreads_neighbours)
{
	const struct address_secret secret = { { 0x0123456789abcdef, 0xfedcba9876543210 } };
	uint32_t buckets[256] = { 0 };

	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t addr[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
		struct sluice_key key = address_from_ipv4(addr, 32);

		buckets[address_hash(&key, &secret) & 255]++;
	}
	/* 256 expected, standard deviation 16: six of them either way. */
	for (int i = 0; i < 256; i++)
		cr_assert(buckets[i] > 160 && buckets[i] < 352, "bucket %d: %" PRIu32, i,
			  buckets[i]);
}
