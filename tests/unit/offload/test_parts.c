/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small parts of the offload manager by themselves: cost and budget, learned capacity, and the
 * book of rows.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "offload/capacity.h"
#include "offload/cost.h"
#include "offload/table.h"
#include "support/random.h"

#define MS 1000000u
#define SECOND 1000000000u

Test(cost, starts_with_what_the_card_says)
{
	static const struct {
		uint64_t p50, p99, expected_p50, expected_p99;
	} cases[] = {
		{ 1000, 5000, 1000, 5000 }, { 1000, 0, 1000, 1000 },  { 0, 5000, 5000, 5000 },
		{ 7000, 5000, 7000, 7000 }, { 0, 0, 2 * MS, 2 * MS }, /* The paper's card. */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cost_meter meter;

		cost_init(&meter, cases[i].p50, cases[i].p99);
		cr_expect_eq(meter.p50_ns, cases[i].expected_p50, "case %zu", i);
		cr_expect_eq(meter.p99_ns, cases[i].expected_p99, "case %zu", i);
	}
}

Test(cost, percentiles_weigh_updates_not_calls)
{
	struct cost_meter meter;

	cost_init(&meter, 77, 77);
	cost_note(&meter, 98 * 1000, 98);
	cost_note(&meter, 2 * 9000, 2);
	cr_expect_eq(meter.p50_ns, 1000);
	cr_expect_eq(meter.p99_ns, 9000);
	cr_expect_eq(meter.mean_ns, 1160);
	/* Old calls are forgotten. */
	for (int i = 0; i < COST_SAMPLES; i++)
		cost_note(&meter, 3000, 1);
	cr_expect_eq(meter.p50_ns, 3000);
	cr_expect_eq(meter.p99_ns, 3000);
}

Test(cost, a_batch_fits_in_an_eighth_of_the_window)
{
	struct cost_meter meter;

	cost_init(&meter, 2 * MS, 2 * MS);
	cr_expect_eq(cost_batch(&meter, SECOND), 62);
	cr_expect_eq(cost_batch(&meter, 100 * MS), 6);
	cost_init(&meter, SECOND, SECOND);
	cr_expect_eq(cost_batch(&meter, 100 * MS), 1, "never nothing");
	cost_init(&meter, 1, 1);
	cr_expect_eq(cost_batch(&meter, SECOND), COST_BATCH_MAX);
}

Test(budget, configured_rate)
{
	struct cost_meter meter;
	struct budget budget;

	cost_init(&meter, 1, 1);
	budget_init(&budget, 100, SECOND);
	budget_refill(&budget, &meter, SECOND, SECOND);
	cr_expect_eq(budget_left(&budget), 100);
	budget_spend(&budget, 100);
	cr_expect_eq(budget_left(&budget), 0);
	budget_refill(&budget, &meter, SECOND, SECOND + SECOND / 2);
	cr_expect_eq(budget_left(&budget), 50);
	budget_refill(&budget, &meter, SECOND, 60ull * SECOND);
	cr_expect_eq(budget_left(&budget), 100, "silence does not save up");
	budget_spend(&budget, 250);
	cr_expect_eq(budget_left(&budget), 0);
	budget_refill(&budget, &meter, SECOND, 61ull * SECOND);
	cr_expect_eq(budget_left(&budget), 0, "a debt is paid back");
	budget_refill(&budget, &meter, SECOND, 62ull * SECOND);
	cr_expect_eq(budget_left(&budget), 50);
}

Test(budget, less_than_a_swap_a_window_still_gets_there)
{
	struct cost_meter meter;
	struct budget budget;
	uint64_t now_ns = SECOND;

	cost_init(&meter, 1, 1);
	budget_init(&budget, 1, now_ns);
	budget_refill(&budget, &meter, 100 * MS, now_ns);
	budget_spend(&budget, budget_left(&budget));
	for (int i = 0; i < 21; i++)
		budget_refill(&budget, &meter, 100 * MS, now_ns += 100 * MS);
	cr_expect_eq(budget_left(&budget), 2);
}

Test(budget, from_measured_cost)
{
	struct cost_meter meter;
	struct budget budget;

	cost_init(&meter, 2 * MS, 2 * MS);
	budget_init(&budget, 0, SECOND);
	budget_refill(&budget, &meter, SECOND, SECOND);
	cr_expect_eq(budget_left(&budget), 250, "half of the card's time");
}

Test(capacity, the_smaller_bound_counts)
{
	static const struct {
		uint32_t wanted, said, expected;
	} cases[] = { { 0, 512, 512 }, { 100, 512, 100 }, { 1000, 512, 512 }, { 100, 0, 100 } };
	struct capacity capacity;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		capacity_init(&capacity, cases[i].wanted, cases[i].said);
		cr_expect_eq(capacity.learned, cases[i].expected, "case %zu", i);
	}
	capacity_init(&capacity, 0, 0);
	cr_expect_gt(capacity.learned, 1000000, "unknown: found out by -ENOSPC");
}

Test(capacity, learns_down_at_once_and_up_with_patience)
{
	struct capacity capacity;
	uint64_t now_ns = SECOND, waited_ns;

	capacity_init(&capacity, 0, 512);
	capacity_full(&capacity, 512, now_ns);
	cr_expect_eq(capacity.learned, 512, "full at K is no news");
	capacity_full(&capacity, 320, now_ns);
	cr_expect_eq(capacity.learned, 320);
	capacity_probe(&capacity, 320, now_ns + 29ull * SECOND);
	cr_expect_eq(capacity.learned, 320, "too early");
	capacity_probe(&capacity, 300, now_ns + 31ull * SECOND);
	cr_expect_eq(capacity.learned, 320, "room left: nothing to be learned");
	now_ns += 31ull * SECOND;
	capacity_probe(&capacity, 320, now_ns);
	cr_expect_eq(capacity.learned, 341);

	capacity_full(&capacity, 320, now_ns);
	waited_ns = capacity.probe_ns - now_ns;
	cr_expect_eq(waited_ns, 60ull * SECOND, "a failed try doubles the wait");
	for (int i = 0; i < 20; i++) {
		now_ns = capacity.probe_ns;
		capacity_probe(&capacity, 320, now_ns);
		capacity_full(&capacity, 320, now_ns);
	}
	cr_expect_eq(capacity.probe_ns - now_ns, 600ull * SECOND, "within bounds");

	now_ns = capacity.probe_ns;
	for (uint32_t used = 320; used < 512; used = capacity.learned)
		capacity_probe(&capacity, used, now_ns);
	cr_expect_eq(capacity.learned, 512, "room that came back is all found");
}

static struct sluice_key key_of(uint64_t n)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV6, .prefix_len = 64 };

	memcpy(key.addr, &n, 8);
	return key;
}

Test(table, rows_come_and_go)
{
	struct sluice_key a = key_of(1), b = key_of(2);
	struct table *table;
	uint32_t id_a, id_b, id_again, generation;

	cr_assert_eq(table_new(&table), 0);
	cr_expect_eq(table_find(table, &a), TABLE_NONE);
	cr_assert_eq(table_add(table, &a, &id_a), 0);
	cr_assert_eq(table_add(table, &b, &id_b), 0);
	cr_expect_eq(table_find(table, &a), id_a);
	cr_expect_eq(table_row(table, id_a)->state, ROW_STATE_DEFERRED);
	cr_expect_eq(table_n_present(table), 0);
	table_set_state(table, id_a, ROW_STATE_PRESENT);
	table_set_state(table, id_a, ROW_STATE_PRESENT);
	cr_expect_eq(table_n_present(table), 1);
	generation = table_row(table, id_a)->generation;

	table_retire(table, id_a);
	cr_expect_eq(table_n_present(table), 0);
	cr_expect_eq(table_find(table, &a), TABLE_NONE);
	cr_assert_eq(table_add(table, &a, &id_again), 0);
	cr_expect_neq(id_again, id_a, "a retired row keeps its number");
	table_del(table, id_a);
	table_del(table, id_again);
	cr_assert_eq(table_add(table, &a, &id_again), 0);
	cr_expect_neq(table_row(table, id_again)->generation, generation);
	cr_expect_eq(table_find(table, &b), id_b);
	table_free(table);
	table_free(NULL);
}

/* Against an array that is searched from end to end. */
Test(table, random_operations)
{
	enum { KEYS = 300, STEPS = 20000 };
	const uint64_t seed = 0x5eed0003;
	struct random random = { seed };
	uint32_t ids[KEYS];
	struct table *table;
	uint32_t n_present = 0;

	printf("seed %#llx\n", (unsigned long long)seed);
	cr_assert_eq(table_new(&table), 0);
	for (int i = 0; i < KEYS; i++)
		ids[i] = TABLE_NONE;
	for (int i = 0; i < STEPS; i++) {
		uint32_t which = (uint32_t)random_below(&random, KEYS);
		struct sluice_key key = key_of(which);

		cr_assert_eq(table_find(table, &key), ids[which]);
		if (ids[which] == TABLE_NONE) {
			cr_assert_eq(table_add(table, &key, &ids[which]), 0);
			cr_assert_eq(memcmp(&table_row(table, ids[which])->key, &key, sizeof(key)),
				     0);
		} else if (table_row(table, ids[which])->state == ROW_STATE_PRESENT) {
			table_del(table, ids[which]);
			ids[which] = TABLE_NONE;
			n_present--;
		} else {
			table_set_state(table, ids[which], ROW_STATE_PRESENT);
			n_present++;
		}
		cr_assert_eq(table_n_present(table), n_present);
		cr_assert_leq(table_n_rows(table), KEYS);
	}
	table_free(table);
}
