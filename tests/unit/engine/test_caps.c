/* SPDX-License-Identifier: BSD-2-Clause */
/* The caps on blocks, and what is said of proposals that found no room. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(caps, .init = setup, .fini = teardown);

/* Sources first..first + n - 1, the later the faster. */
static void wish_many(uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct sluice_key key = key_number(i);

		rig_wish_of(rig, 0, &key, 1000 + i);
	}
}

static bool blocked(uint32_t n)
{
	struct sluice_key key = key_number(n);

	return fake_dataplane_blocked(&rig->dp, &key) != NULL;
}

/* Those of 0..n - 1 that are blocked are exactly `from`.. */
static void expect_from(uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		cr_expect_eq(blocked(i), i >= from, "source %u", i);
}

Test(caps, new_blocks_of_a_window_the_fastest_first)
{
	rig->settings.policy.max_new_per_window = 30;
	wish_many(0, 100);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 30);
	expect_from(70, 100);
	cr_expect_eq(rig_status(rig).refused_total, 70);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCK_REFUSED), 1);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_BLOCK_REFUSED), 70);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED), "max_new_per_window"));
}

Test(caps, the_next_window_has_its_own)
{
	rig->settings.policy.max_new_per_window = 30;
	wish_many(0, 100);
	rig_window(rig);
	wish_many(0, 100);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 60);
	expect_from(40, 100);
}

Test(caps, all_blocks_the_fastest_first)
{
	rig->settings.policy.max_blocked = 30;
	wish_many(0, 100);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 30);
	expect_from(70, 100);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_BLOCK_REFUSED), 70);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED), "max_blocked"));
}

Test(caps, nothing_that_is_blocked_makes_room_for_another)
{
	rig->settings.policy.max_blocked = 30;
	wish_many(0, 30);
	rig_window(rig);
	wish_many(30, 30);
	rig_window(rig);
	for (uint32_t i = 0; i < 60; i++)
		cr_expect_eq(blocked(i), i < 30);
}

Test(caps, room_that_comes_free_is_used)
{
	struct sluice_key key = key_number(3);

	rig->settings.policy.max_blocked = 10;
	wish_many(0, 10);
	rig_window(rig);
	cr_assert_eq(engine_unblock(rig->engine, &key, NULL), 0);
	wish_many(10, 5);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 10);
	cr_expect(blocked(14));
}

Test(caps, a_full_table_refuses_and_says_so_once)
{
	rig->dp.capacity = 20;
	for (unsigned int i = 0; i < 10; i++) {
		wish_many(0, 100);
		rig_window(rig);
	}
	cr_expect_eq(fake_dataplane_size(&rig->dp), 20);
	cr_expect_eq(rig_status(rig).blocked, 20);
	cr_expect_eq(rig_status(rig).refused_total, 800);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCK_REFUSED), 1, "not every window");
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED), "table is full"));
	rig_advance(rig, 31 * RIG_WINDOW_NS);
	rig_window(rig);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCK_REFUSED), 2);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_BLOCK_REFUSED), 800);
}

Test(caps, refused_sources_leave_no_trace)
{
	rig->dp.block_code = -ENOSPC;
	wish_many(0, 50);
	rig_window(rig);
	cr_expect_eq(rig_status(rig).blocked, 0);
	cr_expect_eq(rig_status(rig).blocks_total, 0);
	cr_expect_eq(rig_state(rig, "10.0.0.7"), ENGINE_STATE_NONE);
	rig->dp.block_code = 0;
	wish_many(0, 50);
	rig_window(rig);
	cr_expect_eq(rig_status(rig).blocked, 50);
	cr_expect_eq(rig_explain(rig, "10.0.0.7").repeats, 0);
}

Test(caps, another_failure_of_the_data_plane_is_named)
{
	rig->dp.block_code = -EIO;
	wish_many(0, 1);
	rig_window(rig);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED), "-EIO"), "%s",
		  rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED));
}

Test(caps, one_detector_may_propose_so_many_a_window)
{
	rig->settings.policy.max_new_per_window = 10;
	wish_many(0, 65536);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].last_propose, 0);
	wish_many(0, 65537);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].last_propose, -ENOSPC);
	cr_expect_eq(rig_status(rig).detectors[0].proposals, 2 * 65536);
}

Test(caps, ten_thousand_blocks_are_one_event)
{
	wish_many(0, 10000);
	rig_window(rig);
	cr_expect_eq(rig_status(rig).blocked, 10000);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_BLOCKED), 10000);
	rig_windows(rig, 5);
	cr_expect_eq(rig_status(rig).blocked, 0);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 1);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_RELEASED), 10000);
}
