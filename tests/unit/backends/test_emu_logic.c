/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pure parts of the emulated NIC's back end.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "logic.h"

static struct emu_card_info card_of(unsigned int v6_prefix_len)
{
	struct emu_card_info card = {
		.magic = EMU_CARD_MAGIC,
		.layout = EMU_CARD_LAYOUT,
		.capacity = 512,
		.n_buckets = 256,
		.v6_prefix_len = v6_prefix_len,
		.counters = 1,
	};

	logic_v6_mask(v6_prefix_len, card.v6_mask);
	return card;
}

static struct sluice_key source(const char *text, uint8_t prefix_len)
{
	struct sluice_key key = { .prefix_len = prefix_len };

	key.family = strchr(text, ':') ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	cr_assert_eq(inet_pton(key.family == SLUICE_FAMILY_IPV6 ? AF_INET6 : AF_INET, text,
			       key.addr),
		     1);
	return key;
}

Test(emu_logic, masks)
{
	static const struct {
		unsigned int prefix_len;
		const char *mask;
	} cases[] = {
		{ 1, "8000::" },
		{ 8, "ff00::" },
		{ 31, "ffff:fffe::" },
		{ 32, "ffff:ffff::" },
		{ 56, "ffff:ffff:ffff:ff00::" },
		{ 64, "ffff:ffff:ffff:ffff::" },
		{ 127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe" },
		{ 128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__be32 mask[4];
		uint8_t expected[16];

		logic_v6_mask(cases[i].prefix_len, mask);
		cr_assert_eq(inet_pton(AF_INET6, cases[i].mask, expected), 1);
		cr_expect_eq(memcmp(mask, expected, 16), 0, "/%u", cases[i].prefix_len);
	}
}

Test(emu_logic, keys_there_and_back)
{
	static const struct {
		const char *text;
		uint8_t prefix_len;
		unsigned int card_prefix_len;
		int rc;
	} cases[] = {
		{ "192.0.2.1", 32, 64, 0 },
		{ "0.0.0.0", 32, 64, 0 },
		{ "192.0.2.0", 24, 64, -EOPNOTSUPP },
		{ "2001:db8:1:2::", 64, 64, 0 },
		{ "2001:db8:1:2::", 64, 128, -EOPNOTSUPP },
		{ "2001:db8::1", 128, 128, 0 },
		{ "2001:db8::1", 128, 64, -EOPNOTSUPP },
		{ "2001:db8::", 32, 64, -EOPNOTSUPP },
		{ "2001:db8::1", 64, 64, -EOPNOTSUPP }, /* Bits beyond its own length. */
		{ "2001:db8:0:100::", 56, 56, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct emu_card_info card = card_of(cases[i].card_prefix_len);
		struct sluice_key key = source(cases[i].text, cases[i].prefix_len), back;
		struct emu_card_key emu_card_key;

		cr_expect_eq(logic_key_to_card(&card, &key, &emu_card_key), cases[i].rc, "case %zu",
			     i);
		if (cases[i].rc)
			continue;
		cr_expect(logic_key_from_card(&card, &emu_card_key, &back), "case %zu", i);
		cr_expect_eq(memcmp(&key, &back, sizeof(key)), 0, "case %zu", i);
	}
}

Test(emu_logic, no_family)
{
	struct emu_card_info card = card_of(64);
	struct sluice_key key = { .family = 0, .prefix_len = 32 };
	struct emu_card_key emu_card_key;

	cr_expect_eq(logic_key_to_card(&card, &key, &emu_card_key), -EOPNOTSUPP);
}

Test(emu_logic, what_a_map_holds_is_not_trusted)
{
	static const struct emu_card_key bad[] = {
		{ { 1, 0, 0, 0 }, 0 },	 { { 1, 0, 0, 0 }, 5 }, { { 1, 1, 0, 0 }, 4 },
		{ { 1, 0, 0, 1 }, 4 },	 { { 1, 2, 3, 0 }, 6 }, { { 1, 2, 0, 4 }, 6 },
		{ { 0, 0, 0, 0 }, ~0u },
	};
	struct emu_card_info card = card_of(64);
	struct sluice_key key;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(logic_key_from_card(&card, &bad[i], &key), "case %zu", i);
}

Test(emu_logic, descriptions_that_contradict_themselves)
{
	struct emu_card_info good = card_of(64), bad;

	cr_expect_null(logic_card_fault(&good));
#define EXPECT_FAULT(statement)                                         \
	do {                                                            \
		bad = good;                                             \
		statement;                                              \
		cr_expect_not_null(logic_card_fault(&bad), #statement); \
	} while (0)
	EXPECT_FAULT(bad.magic++);
	EXPECT_FAULT(bad.layout++);
	EXPECT_FAULT(bad.capacity = 0);
	EXPECT_FAULT(bad.capacity += 2);
	EXPECT_FAULT(bad.n_buckets = 0);
	EXPECT_FAULT(bad.n_buckets++);
	EXPECT_FAULT(bad.n_buckets = ~0u);
	EXPECT_FAULT(bad.v6_prefix_len = 0);
	EXPECT_FAULT(bad.v6_prefix_len = 129);
	EXPECT_FAULT(bad.v6_prefix_len = 63);
	EXPECT_FAULT(bad.counters = 2);
	EXPECT_FAULT(bad.v6_mask[3] = 1);
}

Test(emu_logic, capabilities)
{
	static const struct {
		unsigned int v6_prefix_len, card_counters;
		bool option_counters;
		uint64_t cost_ns;
		uint32_t v6_match;
		bool counters;
	} cases[] = {
		{ 64, 1, true, 0, SLUICE_BACKEND_MATCH_IPV6_PREFIX, true },
		{ 128, 1, true, 2000000, SLUICE_BACKEND_MATCH_IPV6, true },
		{ 64, 0, true, 0, SLUICE_BACKEND_MATCH_IPV6_PREFIX, false },
		{ 64, 1, false, 0, SLUICE_BACKEND_MATCH_IPV6_PREFIX, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_backend_caps caps = { .size = sizeof(caps) };
		struct emu_card_info card = card_of(cases[i].v6_prefix_len);

		card.counters = cases[i].card_counters;
		logic_caps(&card, cases[i].option_counters, cases[i].cost_ns, &caps);
		cr_expect(caps.emulated, "always said");
		cr_expect_eq(caps.capacity, 512);
		cr_expect_eq(caps.matches, SLUICE_BACKEND_MATCH_IPV4 | cases[i].v6_match);
		cr_expect_eq(caps.counters, cases[i].counters, "case %zu", i);
		cr_expect_geq(caps.update_p50_ns, cases[i].cost_ns);
		cr_expect_geq(caps.update_p99_ns, caps.update_p50_ns);
		cr_expect_eq(caps.size, sizeof(caps));
	}
}

Test(emu_logic, results)
{
	cr_expect_eq(logic_result(0), 0);
	cr_expect_eq(logic_result(-E2BIG), -ENOSPC);
	cr_expect_eq(logic_result(-EEXIST), -EEXIST);
	cr_expect_eq(logic_result(-ENOENT), -ENOENT);
}
