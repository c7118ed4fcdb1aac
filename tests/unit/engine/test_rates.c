/* SPDX-License-Identifier: BSD-2-Clause */
/* The rate monitor in the engine: what is learned from traffic, and after how long sources go. */
#include <criterion/criterion.h>

#include "rig.h"

#define SOURCE "192.0.2.7"
#define BUSY_CLIENT "198.51.100.1"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(rates, .init = setup, .fini = teardown);

/* Windows until the source is released, at most 100. */
static unsigned int windows_until_released(uint64_t packets)
{
	for (unsigned int i = 1; i <= 100; i++) {
		rig_send(rig, SOURCE, packets);
		rig_window(rig);
		if (!rig_is_blocked(rig, SOURCE))
			return i;
	}
	return 0;
}

Test(rates, as_many_windows_as_set)
{
	for (unsigned int windows = 1; windows <= 12; windows++) {
		teardown();
		setup();
		rig->settings.rate_monitor.windows = windows;
		rig_start(rig);
		rig_block(rig, SOURCE, 500);
		cr_expect_eq(windows_until_released(10), windows);
	}
}

Test(rates, fixed_threshold)
{
	rig_start(rig);
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(windows_until_released(11), 0);
	cr_expect_eq(windows_until_released(10), 5);
}

Test(rates, learned_from_the_busiest_source_of_peace)
{
	rig->settings.rate_monitor.quiet_learned = true;
	rig_start(rig);
	for (unsigned int i = 0; i < 20; i++) {
		rig_send(rig, BUSY_CLIENT, 300);
		rig_send(rig, "198.51.100.2", 20);
		rig_window(rig);
	}
	rig_block(rig, SOURCE, 5000);
	cr_expect_eq(windows_until_released(301), 0);
	cr_expect_eq(windows_until_released(300), 5);
}

Test(rates, without_peace_nearly_silent_is_quiet)
{
	rig->settings.rate_monitor.quiet_learned = true;
	rig_start(rig);
	rig_block(rig, SOURCE, 5000);
	cr_expect_eq(windows_until_released(6), 0);
	cr_expect_eq(windows_until_released(5), 5);
}

Test(rates, a_loud_window_begins_the_count_anew)
{
	rig_start(rig);
	rig_block(rig, SOURCE, 500);
	for (unsigned int i = 0; i < 20; i++) {
		rig_send(rig, SOURCE, i % 5 ? 0 : 500);
		rig_window(rig);
		cr_assert(rig_is_blocked(rig, SOURCE), "window %u", i);
	}
}

Test(rates, a_late_window_is_judged_by_its_length)
{
	rig_start(rig);
	rig_block(rig, SOURCE, 500);
	for (unsigned int i = 0; i < 5; i++) {
		rig_send(rig, SOURCE, 30);
		rig_advance(rig, 3 * RIG_WINDOW_NS);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, SOURCE), "30 packets in 3 s are 10 a second");
}
