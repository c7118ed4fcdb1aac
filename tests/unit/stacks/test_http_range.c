/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

#include "http_range.h"

static const struct range_case {
	const char *value;
	size_t size;
	enum http_ranges_outcome outcome;
	struct http_ranges ranges; /* If HTTP_RANGES_SOME. */
} cases[] = {
	{ "bytes=0-0", 64, HTTP_RANGES_SOME, { 1, { { 0, 1 } } } },
	{ "bytes=0-63", 64, HTTP_RANGES_SOME, { 1, { { 0, 64 } } } },
	{ "bytes=60-99", 64, HTTP_RANGES_SOME, { 1, { { 60, 64 } } } },
	{ "BYTES=5-", 64, HTTP_RANGES_SOME, { 1, { { 5, 64 } } } },
	{ "bytes=-3", 64, HTTP_RANGES_SOME, { 1, { { 61, 64 } } } },
	{ "bytes=-99", 64, HTTP_RANGES_SOME, { 1, { { 0, 64 } } } },
	{ "bytes= 1 - 2 , -1", 64, HTTP_RANGES_SOME, { 2, { { 1, 3 }, { 63, 64 } } } },
	{ "bytes=70-80,1-2", 64, HTTP_RANGES_SOME, { 1, { { 1, 3 } } } },
	{ "bytes=-0,1-2", 64, HTTP_RANGES_SOME, { 1, { { 1, 3 } } } },
	{ "bytes=0-31,32-63", 64, HTTP_RANGES_SOME, { 2, { { 0, 32 }, { 32, 64 } } } },
	{ "bytes=0-63,0-0", 64, HTTP_RANGES_WHOLE, { 0 } },
	{ "bytes=", 64, HTTP_RANGES_WHOLE, { 0 } },
	{ "lines=1-2", 64, HTTP_RANGES_WHOLE, { 0 } },
	{ "bytes=0-0", 0, HTTP_RANGES_WHOLE, { 0 } },
	{ "bytes=-1", 0, HTTP_RANGES_WHOLE, { 0 } },
	{ "bytes=1-1", 0, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=64-", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=-0", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=20-10", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=-", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=1-2,", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=,1-2", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=1", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=1-2x", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=18446744073709551617-", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=1-18446744073709551617", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=0-9223372036854775807", 64, HTTP_RANGES_SOME, { 1, { { 0, 64 } } } },
	{ "bytes=0-9223372036854775808", 64, HTTP_RANGES_UNSATISFIABLE, { 0 } },
	{ "bytes=1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2",
	  64,
	  HTTP_RANGES_WHOLE,
	  { 0 } },
};

Test(http_range, each_case)
{
	struct http_ranges ranges;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct range_case *row = &cases[i];
		enum http_ranges_outcome outcome =
			http_ranges_parse(row->value, row->size, &ranges);

		cr_assert_eq(outcome, row->outcome, "%s: %d", row->value, outcome);
		if (outcome != HTTP_RANGES_SOME)
			continue;
		cr_assert_eq(ranges.n, row->ranges.n, "%s", row->value);
		for (unsigned int j = 0; j < ranges.n; j++) {
			cr_assert_eq(ranges.of[j].start, row->ranges.of[j].start, "%s", row->value);
			cr_assert_eq(ranges.of[j].end, row->ranges.of[j].end, "%s", row->value);
		}
	}
}
