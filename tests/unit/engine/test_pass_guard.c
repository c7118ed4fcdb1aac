/* SPDX-License-Identifier: BSD-2-Clause */
/* The alarm that too little passes right after new blocks. */
#include <criterion/criterion.h>

#include "engine/min_pass.h"

#define SHARE 0.2
#define SECOND 1000000000ull

static bool step_of(struct min_pass *guard, double share, bool peace, uint64_t pps,
		    uint64_t length_ns)
{
	const struct min_pass_window window = { share, peace, pps, length_ns };

	return min_pass_step(guard, &window);
}

/* A window of a second. */
static bool step(struct min_pass *guard, double share, bool peace, uint64_t pps)
{
	return step_of(guard, share, peace, pps, SECOND);
}

static void peace(struct min_pass *guard, unsigned int windows, uint64_t pps)
{
	while (windows--)
		cr_assert_not(step(guard, SHARE, true, pps));
}

static struct min_pass warm(void)
{
	struct min_pass guard;

	min_pass_init(&guard);
	peace(&guard, MIN_PASS_WARM_WINDOWS, 1000);
	return guard;
}

Test(pass_guard, silent_before_peace_was_seen)
{
	struct min_pass guard;

	min_pass_init(&guard);
	peace(&guard, MIN_PASS_WARM_WINDOWS - 1, 1000);
	min_pass_blocked(&guard);
	for (unsigned int i = 0; i < 20; i++)
		cr_expect_not(step(&guard, SHARE, false, 0));
}

Test(pass_guard, goes_once_after_new_blocks)
{
	struct min_pass guard = warm();
	unsigned int alarms = 0;

	min_pass_blocked(&guard);
	cr_expect_not(step(&guard, SHARE, false, 199), "one low window is a hiccup");
	cr_expect(step(&guard, SHARE, false, 199));
	for (unsigned int i = 0; i < 10; i++) {
		min_pass_blocked(&guard);
		alarms += step(&guard, SHARE, false, 0);
	}
	cr_expect_eq(alarms, 0);
}

Test(pass_guard, again_once_enough_has_passed)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 2; i++) {
		min_pass_blocked(&guard);
		cr_expect_not(step(&guard, SHARE, false, 0));
		cr_expect(step(&guard, SHARE, false, 0));
		cr_expect_not(step(&guard, SHARE, false, 200));
	}
}

Test(pass_guard, silent_without_new_blocks)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 20; i++)
		cr_expect_not(step(&guard, SHARE, false, 0));
}

Test(pass_guard, share_0_is_off)
{
	struct min_pass guard = warm();

	min_pass_blocked(&guard);
	for (unsigned int i = 0; i < 5; i++)
		cr_expect_not(step(&guard, 0, false, 0));
}

Test(pass_guard, nothing_is_learned_in_an_attack)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 500; i++)
		cr_expect_not(step(&guard, SHARE, false, 1000000));
	cr_expect_float_eq(guard.level_pps, 1000.0, 1e-6);
}

/* Of short windows it takes a second's worth, and blocks so old are to blame. */
Test(pass_guard, two_short_windows_are_no_second)
{
	struct min_pass guard = warm();

	min_pass_blocked(&guard);
	for (unsigned int i = 0; i < 9; i++)
		cr_expect_not(step_of(&guard, SHARE, false, 0, SECOND / 10), "window %u", i);
	cr_expect(step_of(&guard, SHARE, false, 0, SECOND / 10));
	cr_expect_eq(min_pass_reach(&guard), 11);
}

/* Clients that pause by themselves, more often than one window in fifty, pause in an attack, too. */
Test(pass_guard, silent_where_peace_has_such_lulls)
{
	struct min_pass guard = warm();
	unsigned int windows = 0;

	for (unsigned int i = 0; i < 200; i++)
		cr_assert_not(step(&guard, SHARE, true, i % 10 ? 1000 : 0));
	min_pass_blocked(&guard);
	for (unsigned int i = 0; i < 3; i++)
		cr_expect_not(step(&guard, SHARE, false, 0));
	/* After some minutes without a lull one says something again. */
	for (; guard.low_share > MIN_PASS_ORDINARY; windows++)
		cr_assert_not(step(&guard, SHARE, true, 1000));
	cr_expect(windows > 60 && windows < 300, "%u", windows);
	min_pass_blocked(&guard);
	cr_expect_not(step(&guard, SHARE, false, 0));
	cr_expect(step(&guard, SHARE, false, 0));
}
