/* SPDX-License-Identifier: BSD-2-Clause */
/* How rules are written: what is read, what is not, and that names lead there and back. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/rule_words.h"

Test(rule_words, protocols)
{
	static const char *const wrong[] = { "",    "256",  "-1", "1k",
					     "TCP", "tcp ", "6x", "0000000006" };
	uint8_t protocol = 0;

	for (unsigned int number = 0; number < 256; number++) {
		const char *name = rule_words_protocol_name((uint8_t)number);

		if (!name)
			continue;
		cr_assert(rule_words_protocol(name, &protocol));
		cr_expect_eq(protocol, number, "%s", name);
	}
	cr_expect(rule_words_protocol("47", &protocol));
	cr_expect_eq(protocol, 47);
	cr_expect(rule_words_protocol("255", &protocol));
	cr_expect_eq(protocol, 255);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(rule_words_protocol(wrong[i], &protocol), "'%s'", wrong[i]);
}

Test(rule_words, ranges)
{
	static const char *const wrong[] = {
		"",
		"-",
		"1-",
		"-1",
		"2-1",
		"65536",
		"1-65536",
		"1-2-3",
		"1 - 2",
		"0x10",
		"1k",
		"99999999999999999999",
		"1-99999999999999999999",
	};
	struct sluice_rule_range range;

	cr_expect(rule_words_range("53", 65535, &range));
	cr_expect(range.from == 53 && range.to == 53);
	cr_expect(rule_words_range("0-65535", 65535, &range));
	cr_expect(range.from == 0 && range.to == 65535);
	cr_expect(rule_words_range("255", 255, &range));
	cr_expect_not(rule_words_range("256", 255, &range));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(rule_words_range(wrong[i], 65535, &range), "'%s'", wrong[i]);
}

Test(rule_words, fragments)
{
	uint8_t fragment;

	for (uint8_t i = 0; i <= SLUICE_RULE_FRAGMENT_ANY; i++) {
		cr_assert(rule_words_fragment(rule_words_fragment_name(i), &fragment));
		cr_expect_eq(fragment, i);
	}
	cr_expect_not(rule_words_fragment("", &fragment));
	cr_expect_not(rule_words_fragment("last", &fragment));
}

Test(rule_words, tcp_flags)
{
	static const struct {
		const char *text;
		int wrong_at; /* -1: well written. */
		uint8_t value, mask;
	} rows[] = {
		{ "syn", -1, 0x02, 0x02 },
		{ "syn,!ack", -1, 0x02, 0x12 },
		{ "!fin,!syn,!rst,!psh,!ack,!urg,!ece,!cwr", -1, 0x00, 0xff },
		{ "fin,psh,urg", -1, 0x29, 0x29 },
		{ "", 0, 0, 0 },
		{ "!", 1, 0, 0 },
		{ "syn,", 4, 0, 0 },
		{ "syn,,ack", 4, 0, 0 },
		{ "syn, ack", 4, 0, 0 },
		{ "syn,!!ack", 5, 0, 0 },
		{ "syn,!syn", 5, 0, 0 },
		{ "synack", 0, 0, 0 },
		{ "SYN", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t value, mask;
		const char *wrong = rule_words_tcp_flags(rows[i].text, &value, &mask);

		cr_expect_eq(wrong ? (int)(wrong - rows[i].text) : -1, rows[i].wrong_at, "'%s'",
			     rows[i].text);
		if (wrong)
			continue;
		cr_expect_eq(value, rows[i].value, "'%s'", rows[i].text);
		cr_expect_eq(mask, rows[i].mask, "'%s'", rows[i].text);
	}
	for (unsigned int bit = 0; bit < 8; bit++) {
		const char *name = rule_words_tcp_flag_name(bit);

		cr_expect_eq(rule_words_tcp_flag(name, strlen(name)), 1u << bit);
	}
}

Test(rule_words, bytes)
{
	static const char *const wrong[] = {
		"", " ", "1", "17 0", "17 0g", "1 7", "00112233445566778899aabbccddeeff00"
	};
	uint8_t bytes[SLUICE_RULE_PAYLOAD_MAX];

	cr_expect_eq(rule_words_bytes("17 00 03 2A", bytes), 4);
	cr_expect_eq(memcmp(bytes, "\x17\x00\x03\x2a", 4), 0);
	cr_expect_eq(rule_words_bytes("1700032a", bytes), 4);
	cr_expect_eq(rule_words_bytes("00112233445566778899aabbccddeeff", bytes), 16);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(rule_words_bytes(wrong[i], bytes), 0, "'%s'", wrong[i]);
}

Test(rule_words, ports)
{
	unsigned int n = 0;

	for (unsigned int protocol = 0; protocol < 256; protocol++)
		n += rule_words_has_ports((uint8_t)protocol);
	cr_expect_eq(n, 5);
	cr_expect(rule_words_has_ports(6));
	cr_expect(rule_words_has_ports(17));
	cr_expect_not(rule_words_has_ports(1));
}
