/* SPDX-License-Identifier: BSD-2-Clause */
/* Very many sources in one window: right, whatever it takes. */
#include <criterion/criterion.h>

#include "base/address.h"
#include "rig.h"

enum { MANY = 100000, BLOCKED_FROM = 1 << 20 };

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig->settings.max_sources = 1u << 17;
	rig->settings.policy.max_new_per_window = MANY;
	rig->detectors[0].limit_pps = 1000;
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

static void send_all(uint32_t from, uint64_t packets)
{
	for (uint32_t i = 0; i < MANY; i++) {
		struct sluice_key key = key_number(from + i);

		fake_dataplane_send(&rig->dp, &key, packets);
	}
}

Test(scale, as_many_blocked_as_passing, .init = setup, .fini = teardown)
{
	send_all(BLOCKED_FROM, 2000);
	rig_window(rig);
	cr_assert_eq(rig_status(rig).blocked, MANY);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
	send_all(BLOCKED_FROM, 2000);
	send_all(0, 7);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen.n_sources, MANY);
	cr_expect_eq(rig->detectors[0].seen.n_blocked, MANY);
	cr_expect_eq(rig->detectors[0].seen_sources_packets, 7ull * MANY);
	cr_expect_eq(rig->detectors[0].seen_blocked_packets, 2000ull * MANY);
	cr_expect_eq(rig->detectors[0].seen.offered_packets, 2007ull * MANY);
	cr_expect_eq(rig->detectors[0].seen.untracked_packets, 0);
	rig_windows(rig, 30);
	cr_expect_eq(rig_status(rig).blocked, 0);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_RELEASED), MANY);
}

Test(scale, sources_beyond_the_bound_are_counted_as_untracked)
{
	rig = rig_new();
	rig->settings.max_sources = 100;
	rig_start(rig);
	send_all(0, 3);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen.n_sources, 400);
	cr_expect_eq(rig->detectors[0].seen_sources_packets, 1200);
	cr_expect_eq(rig->detectors[0].seen.untracked_packets, 3ull * (MANY - 400));
	cr_expect_eq(rig->detectors[0].seen.passed_packets, 3ull * MANY);
	teardown();
}
