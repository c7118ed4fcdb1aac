/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Edit distance and suggestions.
 */
#include <criterion/criterion.h>
#include <stdint.h>

#include "base/nearest.h"

static const struct {
	const char *a, *b;
	size_t distance;
} distances[] = {
	{ "", "", 0 },
	{ "abc", "abc", 0 },
	{ "abc", "ABC", 0 },
	{ "", "abc", 3 },
	{ "abc", "ab", 1 },
	{ "abc", "abxc", 1 },
	{ "abc", "axc", 1 },
	{ "abc", "acb", 1 },
	{ "ca", "abc", 3 },
	{ "kitten", "sitting", 3 },
	{ "widnow", "window", 1 },
};

Test(nearest, distance)
{
	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		cr_assert_eq(nearest_distance(distances[i].a, distances[i].b),
			     distances[i].distance, "%s, %s", distances[i].a, distances[i].b);
		cr_assert_eq(nearest_distance(distances[i].b, distances[i].a),
			     distances[i].distance, "%s, %s", distances[i].b, distances[i].a);
	}
}

static const struct {
	const char *name, *meant;
} names[] = {
	{ "max_blockd", "max_blocked" },
	{ "maxblocked", "max_blocked" },
	{ "MAX_BLOCKED", "max_blocked" },
	{ "tll", "ttl" },
	{ "tl", "ttl" },
	{ "back_off", "backoff" },
	{ "windows", NULL },
	{ "x", NULL },
	{ "", NULL },
	{ "an_absurdly_long_name_that_goes_on_and_on_and_on_and_on_and_on_and_on_and_on", NULL },
};

Test(nearest, name)
{
	static const char *const candidates[] = { "max_blocked", "ttl", "backoff", "min_pass" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *nearest = nearest_name(names[i].name, candidates, 4);

		if (names[i].meant)
			cr_assert_str_eq(nearest ? nearest : "(none)", names[i].meant);
		else
			cr_assert_null(nearest, "'%s' suggests '%s'", names[i].name, nearest);
	}
	cr_assert_null(nearest_name("ttl", NULL, 0));
}

Test(nearest, one_character_has_nothing_in_common_with_another)
{
	static const char *const candidates[] = { "1" };

	cr_assert_null(nearest_name("2", candidates, 1));
}

Test(nearest, too_long_has_no_distance)
{
	static const char name[] =
		"0123456789012345678901234567890123456789012345678901234567890123";

	cr_assert_eq(nearest_distance(name, "a"), SIZE_MAX);
	cr_assert_eq(nearest_distance("a", name), SIZE_MAX);
	cr_assert_eq(nearest_distance(name + 1, name + 1), 0);
}
