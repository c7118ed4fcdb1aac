// SPDX-License-Identifier: BSD-2-Clause
/*
 * Swaps under traffic at full rate, in both designs: every packet is in exactly one window, and the
 * side that user space reads does not change by a bit until it counts again.
 */
#include <criterion/criterion.h>

#include "plane.h"
#include "swap_traffic.h"

#define N_SWAPS 300
#define BURST 20000

TestSuite(swap, .init = plane_isolate);

PLANE_TEST_BOTH(swap, conserves_packets)
{
	const struct swap_options options = { design, N_SWAPS, BURST };
	const struct swap_conservation outcome = swap_conserve(&options);

	cr_log_info("%lu packets over %d swaps", outcome.sent, N_SWAPS);
	cr_assert_gt(outcome.sent, (uint64_t)N_SWAPS * 100, "hardly any traffic");
	cr_assert_eq(outcome.counted, outcome.sent, "%lu counted, %lu sent", outcome.counted,
		     outcome.sent);
	cr_assert_eq(outcome.passed, outcome.sent);
}

PLANE_TEST_BOTH(swap, idle_side_stands_still)
{
	const struct swap_options options = { design, N_SWAPS, BURST };
	const struct swap_stillness outcome = swap_stand_still(&options);

	cr_assert_eq(outcome.differences, 0, "the idle side changed in %lu of %lu looks",
		     outcome.differences, outcome.looks);
	cr_assert_gt(outcome.changes, 0, "nothing was counted meanwhile");
}
