/* SPDX-License-Identifier: BSD-2-Clause */
/* The alarm that too little passes right after new blocks. */
#include <criterion/criterion.h>

#include "engine/min_pass.h"

#define SHARE 0.2

static void peace(struct min_pass *guard, unsigned int windows, uint64_t pps)
{
	while (windows--)
		cr_assert_not(min_pass_step(guard, SHARE, true, pps));
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
		cr_expect_not(min_pass_step(&guard, SHARE, false, 0));
}

Test(pass_guard, goes_once_after_new_blocks)
{
	struct min_pass guard = warm();
	unsigned int alarms = 0;

	min_pass_blocked(&guard);
	cr_expect_not(min_pass_step(&guard, SHARE, false, 199), "one low window is a hiccup");
	cr_expect(min_pass_step(&guard, SHARE, false, 199));
	for (unsigned int i = 0; i < 10; i++) {
		min_pass_blocked(&guard);
		alarms += min_pass_step(&guard, SHARE, false, 0);
	}
	cr_expect_eq(alarms, 0);
}

Test(pass_guard, again_once_enough_has_passed)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 2; i++) {
		min_pass_blocked(&guard);
		cr_expect_not(min_pass_step(&guard, SHARE, false, 0));
		cr_expect(min_pass_step(&guard, SHARE, false, 0));
		cr_expect_not(min_pass_step(&guard, SHARE, false, 200));
	}
}

Test(pass_guard, silent_without_new_blocks)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 20; i++)
		cr_expect_not(min_pass_step(&guard, SHARE, false, 0));
}

Test(pass_guard, share_0_is_off)
{
	struct min_pass guard = warm();

	min_pass_blocked(&guard);
	for (unsigned int i = 0; i < 5; i++)
		cr_expect_not(min_pass_step(&guard, 0, false, 0));
}

Test(pass_guard, nothing_is_learned_in_an_attack)
{
	struct min_pass guard = warm();

	for (unsigned int i = 0; i < 500; i++)
		cr_expect_not(min_pass_step(&guard, SHARE, false, 1000000));
	cr_expect_float_eq(guard.level_pps, 1000.0, 1e-6);
}
