/* SPDX-License-Identifier: BSD-2-Clause */
/* The fastest sources, blocked or not. */
#include <criterion/criterion.h>

#include "base/address.h"
#include "rig.h"
#include "support/random.h"

enum { MAX = 8 };

static struct rig *rig;
static struct engine_top_source list[MAX];
static size_t total;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(top, .init = setup, .fini = teardown);

static void expect(size_t i, const char *source, uint64_t pps, enum engine_state state)
{
	struct sluice_key key = key_of(source);

	cr_expect(address_equal(&list[i].key, &key), "place %zu", i);
	cr_expect_eq(list[i].pps, pps, "%s: %llu", source, (unsigned long long)list[i].pps);
	cr_expect_eq(list[i].state, state, "%s", source);
}

Test(top, blocked_and_others_by_rate)
{
	rig_use_known(rig);
	rig_know(rig, "192.0.2.3");
	rig_start(rig);
	rig_block(rig, "192.0.2.1", 500);
	rig_send(rig, "192.0.2.1", 300);
	rig_send(rig, "192.0.2.2", 100);
	rig_send(rig, "192.0.2.3", 400);
	rig_send(rig, "2001:db8::7", 200);
	rig_window(rig);
	cr_assert_eq(engine_top(rig->engine, list, MAX, &total), 4);
	cr_expect_eq(total, 4);
	expect(0, "192.0.2.3", 400, ENGINE_STATE_NONE);
	cr_expect(list[0].known && !list[0].dropped);
	expect(1, "192.0.2.1", 300, ENGINE_STATE_BLOCKED);
	cr_expect(list[1].dropped);
	cr_expect_str_eq(list[1].detector, "limit");
	cr_expect_str_eq(list[1].reason, "source_rate");
	expect(2, "2001:db8::/64", 200, ENGINE_STATE_NONE);
	expect(3, "192.0.2.2", 100, ENGINE_STATE_NONE);
	cr_expect_str_eq(list[3].detector, "");
	cr_assert_eq(engine_top(rig->engine, list, 2, &total), 2);
	cr_expect_eq(total, 4);
	expect(1, "192.0.2.1", 300, ENGINE_STATE_BLOCKED);
	cr_assert_eq(engine_top(rig->engine, list, 0, &total), 0);
}

Test(top, in_observe_mode_nobody_is_listed_twice)
{
	rig->settings.enforce = false;
	rig_start(rig);
	rig_wish(rig, "192.0.2.1", 500);
	rig_window(rig);
	rig_send(rig, "192.0.2.1", 300);
	rig_window(rig);
	cr_assert_eq(engine_top(rig->engine, list, MAX, &total), 1);
	cr_expect_not(list[0].dropped);
	cr_expect_eq(list[0].pps, 300);
	cr_expect_eq(total, 1);
}

Test(top, of_thousands_the_first_few)
{
	struct random random = { 7 };
	uint64_t before = UINT64_MAX, highest = 0;

	rig_start(rig);
	for (uint32_t i = 0; i < 5000; i++) {
		struct sluice_key key = key_number(i);
		uint64_t packets = 1 + random_below(&random, 1000000);

		highest = packets > highest ? packets : highest;
		fake_dataplane_send(&rig->dp, &key, packets);
	}
	rig_window(rig);
	cr_assert_eq(engine_top(rig->engine, list, MAX, &total), MAX);
	cr_expect_eq(total, 5000);
	cr_expect_eq(list[0].pps, highest);
	for (size_t i = 0; i < MAX; i++) {
		cr_expect_leq(list[i].pps, before);
		before = list[i].pps;
	}
}
