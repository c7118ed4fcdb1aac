/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers with units: what is read, what is refused and why, and that formatting is its inverse.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"

#define S 1000000000ull

static const struct {
	enum quantity_kind kind;
	const char *text;
	uint64_t value;
} good[] = {
	{ QUANTITY_COUNT, "0", 0 },
	{ QUANTITY_COUNT, "20k", 20000 },
	{ QUANTITY_COUNT, "20K", 20000 },
	{ QUANTITY_COUNT, "1M", 1000000 },
	{ QUANTITY_COUNT, "1.5M", 1500000 },
	{ QUANTITY_COUNT, "1.50000k", 1500 },
	{ QUANTITY_COUNT, "64Ki", 65536 },
	{ QUANTITY_COUNT, "0.5Ki", 512 },
	{ QUANTITY_COUNT, "007", 7 },
	{ QUANTITY_COUNT, "3.0", 3 },
	{ QUANTITY_COUNT, "1.001k", 1001 },
	{ QUANTITY_COUNT, "2 M", 2000000 },
	{ QUANTITY_COUNT, "18446744073709551615", UINT64_MAX },
	{ QUANTITY_COUNT, "16777215.9990234375Ti", UINT64_MAX / (1ull << 30) * (1ull << 30) },
	{ QUANTITY_DURATION, "0", 0 },
	{ QUANTITY_DURATION, "1ns", 1 },
	{ QUANTITY_DURATION, "3us", 3000 },
	{ QUANTITY_DURATION, "250ms", 250000000 },
	{ QUANTITY_DURATION, "1.5s", 1500000000 },
	{ QUANTITY_DURATION, "10m", 600 * S },
	{ QUANTITY_DURATION, "10min", 600 * S },
	{ QUANTITY_DURATION, "1h", 3600 * S },
	{ QUANTITY_DURATION, "0.5d", 43200 * S },
	{ QUANTITY_RATE, "500", 500 },
	{ QUANTITY_RATE, "20kpps", 20000 },
	{ QUANTITY_RATE, "20k/s", 20000 },
	{ QUANTITY_RATE, "2Mpps", 2000000 },
	{ QUANTITY_RATE, "7pps", 7 },
	{ QUANTITY_BITS, "1.5Gbit", 1500000000 },
	{ QUANTITY_BITS, "1Gbit/s", 1000000000 },
	{ QUANTITY_BITS, "100Mbps", 100000000 },
	{ QUANTITY_BITS, "10bit", 10 },
	{ QUANTITY_BYTES, "1500", 1500 },
	{ QUANTITY_BYTES, "1500B", 1500 },
	{ QUANTITY_BYTES, "64KiB", 65536 },
	{ QUANTITY_BYTES, "64k", 64000 },
	{ QUANTITY_BYTES, "1MB", 1000000 },
	{ QUANTITY_BYTES, "1GiB", 1073741824 },
};

Test(quantity, reads)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sluice_err err = { 0 };
		uint64_t value = 1;
		int result = quantity_parse(good[i].kind, good[i].text, &value, &err);

		cr_assert_eq(result, 0, "'%s': %s", good[i].text, err.text);
		cr_assert_eq(value, good[i].value, "'%s': %" PRIu64 " for %" PRIu64, good[i].text,
			     value, good[i].value);
	}
}

static const struct {
	enum quantity_kind kind;
	const char *text;
	int result;
	const char *reason; /* Must be part of the message. */
} bad[] = {
	{ QUANTITY_COUNT, "", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, "k", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, "-5", -EINVAL, "negative" },
	{ QUANTITY_COUNT, "+5", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, " 5", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, "5 ", -EINVAL, "no known unit: ' '" },
	{ QUANTITY_COUNT, "5  k", -EINVAL, "no known unit" },
	{ QUANTITY_COUNT, "5m", -EINVAL, "no known unit: 'm'" },
	{ QUANTITY_COUNT, "1.", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, ".5k", -EINVAL, "is not a number" },
	{ QUANTITY_COUNT, "1.5", -EINVAL, "whole" },
	{ QUANTITY_COUNT, "1.0005k", -EINVAL, "whole" },
	{ QUANTITY_COUNT, "1e3", -EINVAL, "no known unit" },
	{ QUANTITY_COUNT, "1,000", -EINVAL, "no known unit" },
	{ QUANTITY_COUNT, "18446744073709551616", -ERANGE, "too large" },
	{ QUANTITY_COUNT, "99999999T", -ERANGE, "too large" },
	{ QUANTITY_COUNT, "0.00000000000000000001", -EINVAL, "whole" },
	{ QUANTITY_COUNT, "9.99999999999999999999", -ERANGE, "too large" },
	{ QUANTITY_DURATION, "10", -EINVAL, "no unit; write 10s or 10ms" },
	{ QUANTITY_DURATION, "10S", -EINVAL, "no known unit" },
	{ QUANTITY_DURATION, "1h30m", -EINVAL, "no known unit" },
	{ QUANTITY_DURATION, "0.5ns", -EINVAL, "whole" },
	{ QUANTITY_DURATION, "300000d", -ERANGE, "too large" },
	{ QUANTITY_RATE, "5kbit", -EINVAL, "no known unit" },
	{ QUANTITY_BITS, "5Gpps", -EINVAL, "no known unit" },
	{ QUANTITY_BYTES, "5kbit", -EINVAL, "no known unit" },
};

Test(quantity, refuses)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sluice_err err = { 0 };
		uint64_t value = 4711;
		int result = quantity_parse(bad[i].kind, bad[i].text, &value, &err);

		cr_assert_eq(result, bad[i].result, "'%s': %d", bad[i].text, result);
		cr_assert_eq(value, 4711, "'%s' wrote a value", bad[i].text);
		cr_assert_not_null(strstr(err.text, bad[i].reason), "'%s': %s", bad[i].text,
				   err.text);
		cr_assert_eq(quantity_parse(bad[i].kind, bad[i].text, &value, NULL), result);
	}
}

Test(quantity, range)
{
	struct sluice_err err = { 0 };
	uint64_t value = 4711;

	cr_assert_eq(quantity_parse_range(QUANTITY_DURATION, "100ms", S / 10, 60 * S, &value, &err),
		     0);
	cr_assert_eq(value, S / 10);
	cr_assert_eq(quantity_parse_range(QUANTITY_DURATION, "1m", S / 10, 60 * S, &value, &err),
		     0);
	cr_assert_eq(quantity_parse_range(QUANTITY_DURATION, "99ms", S / 10, 60 * S, &value, &err),
		     -ERANGE);
	cr_assert_str_eq(err.text, "99ms is out of range; allowed: 100ms to 1m");
	cr_assert_eq(quantity_parse_range(QUANTITY_DURATION, "9999999999d", 0, 60 * S, &value,
					  &err),
		     -ERANGE);
	cr_assert_str_eq(err.text, "9999999999d is out of range; allowed: 0ns to 1m");
	cr_assert_eq(quantity_parse_range(QUANTITY_DURATION, "x", 0, 60 * S, &value, &err),
		     -EINVAL);
	cr_assert_eq(value, 60 * S);
}

static const struct {
	enum quantity_kind kind;
	uint64_t value;
	const char *text;
} formatted[] = {
	{ QUANTITY_COUNT, 0, "0" },
	{ QUANTITY_COUNT, 1500, "1500" },
	{ QUANTITY_COUNT, 20000, "20k" },
	{ QUANTITY_COUNT, 65536, "64Ki" },
	{ QUANTITY_COUNT, 4000000, "4M" },
	{ QUANTITY_DURATION, 1500000000, "1500ms" },
	{ QUANTITY_DURATION, 3600 * S, "1h" },
	{ QUANTITY_RATE, 20000, "20k" },
	{ QUANTITY_BITS, 1500000000, "1500Mbit" },
	{ QUANTITY_BYTES, 1048576, "1MiB" },
	{ QUANTITY_BYTES, 0, "0B" },
};

Test(quantity, writes)
{
	char text[QUANTITY_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(formatted) / sizeof(formatted[0]); i++)
		cr_assert_str_eq(quantity_format(formatted[i].kind, formatted[i].value, text),
				 formatted[i].text);
}

/* xorshift64 with a fixed seed, so that a failure can be repeated. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(quantity, what_is_written_is_read_back)
{
	const uint64_t seed = 0x51a1ce;
	uint64_t state = seed;

	for (int i = 0; i < 20000; i++) {
		uint64_t random = next_random(&state) >> (next_random(&state) % 64);
		enum quantity_kind kind = (enum quantity_kind)(i % QUANTITY_N_KINDS);
		char text[QUANTITY_TEXT_SIZE];
		uint64_t value;

		cr_assert_eq(quantity_parse(kind, quantity_format(kind, random, text), &value,
					    NULL),
			     0, "seed %" PRIu64 ": '%s'", seed, text);
		cr_assert_eq(value, random, "seed %" PRIu64 ": '%s'", seed, text);
	}
}
