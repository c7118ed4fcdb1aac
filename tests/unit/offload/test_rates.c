/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates over many windows, and who goes on probation. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "offload/probation.h"
#include "offload/rates.h"

#define SECOND 1000000000u

static struct sluice_key key_of(uint32_t n)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	key.addr[0] = 10;
	key.addr[2] = (uint8_t)(n >> 8);
	key.addr[3] = (uint8_t)n;
	return key;
}

static void observe(struct rate *rate, uint64_t packets, uint64_t *round)
{
	rate_observe(rate, packets, SECOND, ++*round);
}

Test(rates, chance_is_averaged_out)
{
	static const uint64_t counts[] = { 7, 12, 5, 9, 8, 7, 10, 6 };
	struct rate rate = { 0 };
	uint64_t round = 0, first_width;

	observe(&rate, counts[0], &round);
	first_width = rate_at_most(&rate) - rate_at_least(&rate);
	for (size_t i = 1; i < 8; i++)
		observe(&rate, counts[i], &round);
	cr_expect_float_eq(rate.pps, 8, 1e-9, "the mean of all eight is 8, not %g", rate.pps);
	cr_expect_lt(rate_at_least(&rate), 8000);
	cr_expect_gt(rate_at_most(&rate), 8000);
	cr_expect_lt(rate_at_most(&rate) - rate_at_least(&rate), first_width / 2);
}

Test(rates, a_rise_is_believed_at_once_and_a_pause_is_not)
{
	struct rate rate = { 0 };
	uint64_t round = 0;

	for (int i = 0; i < 20; i++)
		observe(&rate, 100, &round);
	observe(&rate, 1000, &round);
	cr_expect_float_eq(rate.pps, 1000, 1e-9);
	observe(&rate, 0, &round);
	cr_expect_float_eq(rate.pps, 700, 1e-9, "one silent window");
	observe(&rate, 1000, &round);
	cr_expect_float_eq(rate.pps, 1000, 1e-9);
	for (int i = 0; i < 10; i++)
		observe(&rate, 0, &round);
	cr_expect_lt(rate.pps, 30, "ten silent windows");
}

Test(rates, after_a_long_time_a_fall_is_believed_at_once)
{
	struct rate rate = { 0 };

	rate_observe(&rate, 1000, SECOND, 1);
	rate_observe(&rate, 10, SECOND, 51);
	cr_expect_float_eq(rate.pps, 10, 0.1);
}

/* Without a length a part of a window would look like a fall. */
Test(rates, a_part_of_a_window_is_a_rate_too)
{
	struct rate rate = { 0 };

	rate_observe(&rate, 1000, SECOND, 1);
	rate_observe(&rate, 500, SECOND / 2, 2);
	cr_expect_float_eq(rate.pps, 1000, 1e-9);
	cr_expect_float_eq(rate.windows, 2, 1e-9);
}

Test(rates, slow_sources_can_be_told_apart)
{
	struct rate slow = { 0 }, slower = { 0 };

	rate_observe(&slow, 3, 10ull * SECOND, 1);
	rate_observe(&slower, 1, 10ull * SECOND, 1);
	cr_expect_gt(rate_at_least(&slower), 0);
	cr_expect_gt(rate_at_least(&slow), rate_at_least(&slower));
}

Test(rates, a_handle_of_another_source_is_forgotten)
{
	struct rate_book book = { 0 };
	struct sluice_key one = key_of(1), other = key_of(2);
	struct rate *rate = rate_book_get(&book, 5000, &one);

	cr_assert_not_null(rate);
	rate_observe(rate, 100, SECOND, 1);
	cr_expect_float_eq(rate_book_get(&book, 5000, &one)->pps, 100, 1e-9);
	cr_expect_float_eq(rate_book_get(&book, 5000, &other)->pps, 0, 1e-9);
	cr_expect_float_eq(rate_book_get(&book, 5000, &one)->pps, 0, 1e-9);
	cr_expect_null(rate_book_get(&book, UINT32_MAX, &one), "memory has a bound");
	rate_book_fini(&book);
}

Test(probation, two_percent_at_most_and_no_more_than_the_card_can_do)
{
	cr_expect_eq(probation_quota(49, 1000), 0);
	cr_expect_eq(probation_quota(512, 1000), 10);
	cr_expect_eq(probation_quota(16384, UINT32_MAX), 327);
	cr_expect_eq(probation_quota(16384, 250), 62);
}

/* Each row has its turn before one has a second, and those just seen are left alone. */
Test(probation, all_in_turn)
{
	enum { N = 200, QUOTA = 4 };
	struct rate_book book = { 0 };
	struct probation probation = { 0 };
	unsigned int turns[N] = { 0 };
	struct table *table;
	uint32_t lifted[QUOTA];

	cr_assert_eq(table_new(&table), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct sluice_key key = key_of(i);
		uint32_t id;

		cr_assert_eq(table_add(table, &key, &id), 0);
		table_set_state(table, id, ROW_STATE_PRESENT);
		table_row(table, id)->handle = i;
	}
	for (uint64_t round = 100; round < 150; round++) {
		size_t n;

		for (uint32_t i = 0; i < N; i++)
			table_row(table, i)->named_round = round;
		n = probation_choose(&probation, table, &book, round, 0, QUOTA, lifted);
		cr_assert_eq(n, QUOTA);
		for (size_t i = 0; i < n; i++) {
			struct sluice_key key = key_of(lifted[i]);

			turns[lifted[i]]++;
			rate_observe(rate_book_get(&book, lifted[i], &key), 10, SECOND, round);
		}
	}
	for (uint32_t i = 0; i < N; i++)
		cr_expect_eq(turns[i], 1, "row %u had %u turns", i, turns[i]);
	/* Row 99 was seen 25 rounds ago or longer, row 100 was not. */
	for (uint32_t i = 0; i < N; i++)
		table_row(table, i)->named_round = 149;
	probation.next = 100;
	cr_assert_eq(probation_choose(&probation, table, &book, 149, 0, QUOTA, lifted), QUOTA);
	cr_expect_lt(lifted[0], 100, "row %u was seen a moment ago", lifted[0]);
	table_free(table);
	rate_book_fini(&book);
}
