// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the grace wait is for: the feature program is built with a delay (delayed/), so that at nearly
 * every swap a packet is under way that has chosen its side and not counted yet.  With the wait
 * nothing may be seen of it, by either mechanism.  With the wait taken out the same measurements must
 * tell.
 */
#include <criterion/criterion.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cap-ng.h>

#include "delayed/grace_switch.h"
#include "plane.h"
#include "swap_traffic.h"

#define N_SWAPS 100
#define N_SWAPS_RCU 40 /* Each takes longer. */
#define BURST 16       /* Short: the sender shall end when it is told. */
#define MIN_HARM 5     /* Packets or looks, of what swaps without a wait spoil: tens, usually. */

static void isolate(void)
{
	plane_isolate();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		cr_skip_test("needs two CPUs: on one, no packet is under way during a swap");
}

static void use_rcu(void)
{
	const struct rlimit none = { 0, 0 };

	cr_assert_eq(setrlimit(RLIMIT_RTPRIO, &none), 0);
	cr_assert_eq(capng_get_caps_process(), 0);
	cr_assert_eq(capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_NICE), 0);
	cr_assert_eq(capng_apply(CAPNG_SELECT_CAPS), 0);
}

static struct swap_conservation conserve(enum dataplane_swap_design design, int n_swaps)
{
	const struct swap_options options = { design, n_swaps, BURST };
	const struct swap_conservation outcome = swap_conserve(&options);

	cr_log_info("%lu packets over %d swaps, %lu counted", outcome.sent, n_swaps,
		    outcome.counted);
	cr_assert_geq((int)grace_switch.n_calls, n_swaps,
		      "the wait is not where this test thinks it is");
	cr_assert_gt(outcome.sent, n_swaps, "hardly any traffic");
	/* Whatever the features miss, the filter has let it pass. */
	cr_assert_eq(outcome.passed, outcome.sent);
	return outcome;
}

static struct swap_stillness stand_still(enum dataplane_swap_design design, int n_swaps)
{
	const struct swap_options options = { design, n_swaps, BURST };
	const struct swap_stillness outcome = swap_stand_still(&options);

	cr_log_info("the idle side changed in %lu of %lu looks over %d swaps", outcome.differences,
		    outcome.looks, n_swaps);
	cr_assert_gt(outcome.changes, 0, "nothing was counted meanwhile");
	return outcome;
}

TestSuite(swap_delay, .init = isolate);

PLANE_TEST_BOTH(swap_delay, conserves_packets)
{
	const struct swap_conservation outcome = conserve(design, N_SWAPS);

	cr_assert_eq(outcome.counted, outcome.sent, "%lu counted, %lu sent", outcome.counted,
		     outcome.sent);
}

PLANE_TEST_BOTH(swap_delay, idle_side_stands_still)
{
	const struct swap_stillness outcome = stand_still(design, N_SWAPS);

	cr_assert_eq(outcome.differences, 0, "the idle side changed in %lu of %lu looks",
		     outcome.differences, outcome.looks);
}

PLANE_TEST_BOTH(swap_delay, conserves_packets_by_rcu)
{
	use_rcu();

	const struct swap_conservation outcome = conserve(design, N_SWAPS_RCU);

	cr_assert_eq(outcome.counted, outcome.sent, "%lu counted, %lu sent", outcome.counted,
		     outcome.sent);
}

PLANE_TEST_BOTH(swap_delay, idle_side_stands_still_by_rcu)
{
	use_rcu();

	const struct swap_stillness outcome = stand_still(design, N_SWAPS_RCU);

	cr_assert_eq(outcome.differences, 0, "the idle side changed in %lu of %lu looks",
		     outcome.differences, outcome.looks);
}

/* Each packet under way at a swap is missed by the reader, and forgotten when its side counts again. */
PLANE_TEST_BOTH(swap_delay, loses_packets_without_the_wait)
{
	grace_switch.off = true;

	struct swap_conservation outcome = { 0 };

	/* On a busy machine hardly a packet may be under way at a swap: look again. */
	for (int i = 0; i < 60 && outcome.counted + MIN_HARM >= outcome.sent; i++) {
		const struct swap_conservation more = conserve(design, N_SWAPS);

		outcome.sent += more.sent;
		outcome.counted += more.counted;
	}
	cr_assert_lt(outcome.counted + MIN_HARM, outcome.sent,
		     "without a wait %lu of %lu packets were counted: this test cannot tell",
		     outcome.counted, outcome.sent);
}

PLANE_TEST_BOTH(swap_delay, idle_side_changes_without_the_wait)
{
	grace_switch.off = true;

	const struct swap_stillness outcome = stand_still(design, N_SWAPS);

	cr_assert_gt(
		outcome.differences, MIN_HARM,
		"without a wait the idle side changed in %lu of %lu looks: this test cannot tell",
		outcome.differences, outcome.looks);
}
