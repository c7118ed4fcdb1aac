/* SPDX-License-Identifier: BSD-2-Clause */
/* What a detector may ask of packets, and which match holds which. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <sluice/rule.h>

#include "dataplane/rule.h"
#include "engine/rule_match.h"

#define MATCH(...)                                                    \
	(struct sluice_rule_match)                                    \
	{                                                             \
		.size = sizeof(struct sluice_rule_match), __VA_ARGS__ \
	}
#define V4(a, b, c, d, len)                                                                      \
	{                                                                                        \
		.family = SLUICE_FAMILY_IPV4, .prefix_len = (len), .addr = {(a), (b), (c), (d) } \
	}

static int read_rule(const struct sluice_rule_match *match, struct dataplane_rule *rule)
{
	const struct sluice_rule_proposal proposal = {
		.size = sizeof(proposal),
		.match = match,
		.reason = "test",
	};
	const char *why;

	return rule_match_read(&proposal, rule, &why);
}

static struct dataplane_rule rule_of(struct sluice_rule_match match)
{
	struct dataplane_rule rule;

	cr_assert_eq(read_rule(&match, &rule), 0);
	return rule;
}

Test(rule_match, what_makes_no_sense_is_refused)
{
	const struct {
		const char *what;
		int code;
		struct sluice_rule_match match;
	} rows[] = {
		{ "nothing at all", -EINVAL, MATCH(.fields = 0) },
		{ "a family alone", -EINVAL, MATCH(.family = SLUICE_FAMILY_IPV4) },
		{ "no such family", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 17, .family = 5) },
		{ "a backward range", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_SOURCE_PORT, .source_port = { 2, 1 }) },
		{ "a backward length", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_LENGTH, .length = { 2, 1 }) },
		{ "TTL 256", -EINVAL, MATCH(.fields = SLUICE_RULE_TTL, .ttl = { 1, 256 }) },
		{ "flags outside the mask", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS, .tcp_value = 3, .tcp_mask = 2) },
		{ "flags of UDP", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS | SLUICE_RULE_PROTOCOL, .protocol = 17,
			.tcp_value = 2, .tcp_mask = 2) },
		{ "ports of ICMP", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_DESTINATION_PORT | SLUICE_RULE_PROTOCOL,
			.protocol = 1) },
		{ "ports of later fragments", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_FRAGMENT,
			.fragment = SLUICE_RULE_FRAGMENT_LATER) },
		{ "no such fragment", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_FRAGMENT, .fragment = 4) },
		{ "17 bytes", -EINVAL, MATCH(.payload_size = 17) },
		{ "bits beyond the prefix", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_DESTINATION, .destination = V4(10, 0, 0, 1, 24)) },
		{ "the other family", -EINVAL,
		  MATCH(.fields = SLUICE_RULE_DESTINATION, .family = SLUICE_FAMILY_IPV6,
			.destination = V4(10, 0, 0, 0, 24)) },
		{ "a field from the future", -EOPNOTSUPP, MATCH(.fields = 1u << 31) },
	};
	struct dataplane_rule rule;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(read_rule(&rows[i].match, &rule), rows[i].code, "%s", rows[i].what);
}

Test(rule_match, limits_are_within_what_the_filter_can_reckon)
{
	const struct sluice_rule_match match =
		MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 17);
	const struct {
		const char *what;
		uint32_t action;
		bool is_by_byte;
		uint64_t rate, burst;
		int code;
	} rows[] = {
		{ "no rate", SLUICE_RULE_LIMIT, false, 0, 0, -EINVAL },
		{ "one packet", SLUICE_RULE_LIMIT, false, 1, 0, 0 },
		{ "too many packets", SLUICE_RULE_LIMIT, false, 1000000001, 0, -EINVAL },
		{ "too few bytes", SLUICE_RULE_LIMIT, true, 999, 0, -EINVAL },
		{ "a burst of a day", SLUICE_RULE_LIMIT, false, 10, 864000, -EINVAL },
		{ "a burst under a packet", SLUICE_RULE_LIMIT, true, 10000, 100, -EINVAL },
		{ "no such action", 2, false, 10, 10, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sluice_rule_proposal proposal = {
			.size = sizeof(proposal),
			.match = &match,
			.action = rows[i].action,
			.is_by_byte = rows[i].is_by_byte,
			.rate = rows[i].rate,
			.burst = rows[i].burst,
			.reason = "test",
		};
		struct dataplane_rule rule;
		const char *why = NULL;

		cr_expect_eq(rule_match_read(&proposal, &rule, &why), rows[i].code, "%s",
			     rows[i].what);
		cr_expect_eq(why != NULL, rows[i].code != 0, "%s", rows[i].what);
	}
}

Test(rule_match, what_is_asked_for_stays_as_it_is)
{
	const struct sluice_rule_match match =
		MATCH(.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT |
				SLUICE_RULE_LENGTH | SLUICE_RULE_TTL | SLUICE_RULE_DESTINATION |
				SLUICE_RULE_FRAGMENT,
		      .family = SLUICE_FAMILY_IPV4, .protocol = 17, .source_port = { 53, 53 },
		      .length = { 300, 65535 }, .ttl = { 40, 64 },
		      .fragment = SLUICE_RULE_FRAGMENT_FIRST, .payload_size = 2,
		      .payload_offset = 2, .payload = { 0x80, 1 }, .payload_mask = { 0x80, 0xff },
		      .destination = V4(192, 0, 2, 0, 24));
	struct dataplane_rule rule = rule_of(match);

	cr_expect_eq(memcmp(&rule.match, &match, sizeof(match)), 0);
}

Test(rule_match, which_holds_which)
{
	const struct {
		const char *what;
		struct sluice_rule_match wide, narrow;
		bool covers, back;
	} rows[] = {
		{ "itself", MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 6),
		  MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 6), true, true },
		{ "another protocol", MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 6),
		  MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 17), false, false },
		{ "a range in a range",
		  MATCH(.fields = SLUICE_RULE_SOURCE_PORT, .source_port = { 1, 1023 }),
		  MATCH(.fields = SLUICE_RULE_SOURCE_PORT, .source_port = { 53, 123 }), true,
		  false },
		{ "ranges that overlap", MATCH(.fields = SLUICE_RULE_TTL, .ttl = { 1, 64 }),
		  MATCH(.fields = SLUICE_RULE_TTL, .ttl = { 60, 70 }), false, false },
		{ "a field more", MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 6),
		  MATCH(.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TTL, .protocol = 6,
			.ttl = { 1, 9 }),
		  true, false },
		{ "more flags asked for",
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS, .tcp_value = 2, .tcp_mask = 2),
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS, .tcp_value = 2, .tcp_mask = 0x12), true,
		  false },
		{ "other flags",
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS, .tcp_value = 2, .tcp_mask = 2),
		  MATCH(.fields = SLUICE_RULE_TCP_FLAGS, .tcp_value = 0, .tcp_mask = 2), false,
		  false },
		{ "any fragment holds the first",
		  MATCH(.fields = SLUICE_RULE_FRAGMENT, .fragment = SLUICE_RULE_FRAGMENT_ANY),
		  MATCH(.fields = SLUICE_RULE_FRAGMENT, .fragment = SLUICE_RULE_FRAGMENT_FIRST),
		  true, false },
		{ "any fragment is not none",
		  MATCH(.fields = SLUICE_RULE_FRAGMENT, .fragment = SLUICE_RULE_FRAGMENT_ANY),
		  MATCH(.fields = SLUICE_RULE_FRAGMENT, .fragment = SLUICE_RULE_FRAGMENT_NONE),
		  false, false },
		{ "a prefix in a prefix",
		  MATCH(.fields = SLUICE_RULE_DESTINATION, .destination = V4(10, 0, 0, 0, 8)),
		  MATCH(.fields = SLUICE_RULE_DESTINATION, .destination = V4(10, 1, 2, 3, 32)),
		  true, false },
		{ "both families", MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 17),
		  MATCH(.fields = SLUICE_RULE_PROTOCOL, .protocol = 17,
			.family = SLUICE_FAMILY_IPV6),
		  true, false },
		{ "longer payload",
		  MATCH(.payload_size = 1, .payload = { 1 }, .payload_mask = { 0xff }),
		  MATCH(.payload_size = 2, .payload = { 1, 2 }, .payload_mask = { 0xff, 0xff }),
		  true, false },
		{ "payload elsewhere",
		  MATCH(.payload_size = 1, .payload = { 1 }, .payload_mask = { 0xff }),
		  MATCH(.payload_size = 1, .payload_offset = 1, .payload = { 1 },
			.payload_mask = { 0xff }),
		  false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sluice_rule_match wide = rule_of(rows[i].wide).match;
		struct sluice_rule_match narrow = rule_of(rows[i].narrow).match;

		cr_expect_eq(rule_match_covers(&wide, &narrow), rows[i].covers, "%s", rows[i].what);
		cr_expect_eq(rule_match_covers(&narrow, &wide), rows[i].back, "%s", rows[i].what);
		cr_expect_eq(rule_match_equal(&wide, &narrow), rows[i].covers && rows[i].back, "%s",
			     rows[i].what);
	}
}
