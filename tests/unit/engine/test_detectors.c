/* SPDX-License-Identifier: BSD-2-Clause */
/* Detectors that fail, overrun or write nonsense do not hold up the others. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_add_detector(rig, "other", true);
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(detectors, .init = setup, .fini = teardown);

static const struct engine_detector_status *status_of(size_t i)
{
	struct engine_status status = rig_status(rig);

	cr_assert_eq(status.n_detectors, 2);
	return &status.detectors[i];
}

Test(detectors, five_failures_in_a_row_disable_one)
{
	rig->detectors[0].code = -EIO;
	rig_windows(rig, 4);
	cr_expect_not(status_of(0)->disabled);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_FAILED), 1);
	rig_window(rig);
	cr_expect(status_of(0)->disabled);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_DISABLED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_DISABLED), "'limit'"));
	rig_windows(rig, 10);
	cr_expect_eq(rig->detectors[0].calls, 5);
	cr_expect_eq(rig->detectors[1].calls, 15, "the rest goes on");
	cr_expect_eq(status_of(0)->failures, 5);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_DISABLED), 1);
	cr_expect_not(status_of(1)->disabled);
}

Test(detectors, a_good_window_forgives)
{
	for (unsigned int i = 0; i < 40; i++) {
		rig->detectors[0].code = i % 5 == 4 ? 0 : -EIO;
		rig_window(rig);
	}
	cr_expect_not(status_of(0)->disabled);
	cr_expect_eq(status_of(0)->failures, 32);
}

Test(detectors, overrunning_disables_too)
{
	rig->detectors[0].takes_ns = RIG_WINDOW_NS / 4 + 1;
	rig_windows(rig, 5);
	cr_expect(status_of(0)->disabled);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_DISABLED), "budget"));
	cr_expect_eq(status_of(0)->last_ns, RIG_WINDOW_NS / 4 + 1);
}

Test(detectors, the_whole_budget_may_be_used)
{
	rig->detectors[0].takes_ns = RIG_WINDOW_NS / 4;
	rig_windows(rig, 20);
	cr_expect_eq(status_of(0)->failures, 0);
}

Test(detectors, an_answer_after_twice_the_budget_is_void)
{
	rig->detectors[0].takes_ns = RIG_WINDOW_NS / 2;
	rig->detectors[0].attack = true;
	rig_wish(rig, "192.0.2.1", 500);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"), "at twice the budget it still counts");
	cr_expect_eq(status_of(0)->failures, 1);
	rig->detectors[0].takes_ns++;
	rig_wish(rig, "192.0.2.2", 500);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.2"));
	cr_expect_not(status_of(0)->verdict.attack);
	cr_expect_eq(status_of(0)->failures, 2);
}

Test(detectors, a_budget_of_its_own_goes_before_the_share)
{
	struct engine_options options = rig_options(rig);

	rig->engine_detectors[0].budget_ns = RIG_WINDOW_NS;
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	rig->detectors[0].takes_ns = RIG_WINDOW_NS;
	rig->detectors[1].takes_ns = RIG_WINDOW_NS / 4 + 1;
	rig_window(rig);
	cr_expect_eq(status_of(0)->failures, 0);
	cr_expect_eq(status_of(1)->failures, 1);
}

Test(detectors, what_a_failing_one_said_is_void)
{
	rig->detectors[0].code = -EIO;
	rig->detectors[0].attack = true;
	rig_wish(rig, "192.0.2.1", 500);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_not(rig_status(rig).attack);
	cr_expect_eq(status_of(0)->proposals, 0);
	cr_expect_not(status_of(0)->verdict.attack);
}

Test(detectors, but_not_what_the_others_said)
{
	struct sluice_key key = key_of("192.0.2.1");

	rig->detectors[1].code = -EIO;
	rig_wish(rig, "192.0.2.2", 500);
	rig_wish_of(rig, 1, &key, 500);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, "192.0.2.2"));
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
}

Test(detectors, any_number_may_be_returned)
{
	rig->detectors[0].code = INT_MIN;
	rig->detectors[1].code = INT_MAX;
	rig_window(rig);
	cr_expect_eq(status_of(0)->failures, 1);
	cr_expect_eq(status_of(1)->failures, 1);
}

Test(detectors, a_positive_number_is_a_breach)
{
	struct sluice_key key = key_of("192.0.2.1");

	rig->detectors[1].code = 1;
	rig_wish_of(rig, 1, &key, 500);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"), "what it said is void");
	cr_expect_eq(status_of(1)->failures, 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_FAILED),
			 "observe gave 1, neither 0 nor a negative errno (-EPROTO)"));
}

Test(detectors, odd_scores_are_put_right)
{
	static const double scores[] = { (double)NAN, (double)INFINITY, -1.0 };

	for (size_t i = 0; i < 3; i++) {
		rig->detectors[0].score = scores[i];
		rig_window(rig);
		cr_expect_float_eq(status_of(0)->verdict.score, 0.0, 1e-9);
	}
}

Test(detectors, the_highest_score_names_the_attack)
{
	rig->detectors[0].attack = true;
	rig->detectors[0].score = 1.5;
	rig->detectors[1].attack = true;
	rig->detectors[1].score = 3.0;
	rig_window(rig);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ATTACK_STARTED), "seen by other"));
	cr_expect_eq(status_of(0)->attack_windows, 1);
}

Test(detectors, all_see_the_same_window)
{
	rig_send(rig, "192.0.2.1", 10);
	rig_send(rig, "192.0.2.1", 20);
	rig_send(rig, "192.0.2.2", 5);
	rig->dp.untracked = 3;
	rig_window(rig);
	for (size_t i = 0; i < 2; i++) {
		const struct sluice_window *window = &rig->detectors[i].seen;

		cr_expect_eq(window->size, sizeof(*window));
		cr_expect_eq(window->sequence, 1);
		cr_expect_eq(window->length_ns, RIG_WINDOW_NS);
		cr_expect_eq(window->start_ns, rig->now_ns - RIG_WINDOW_NS);
		cr_expect_eq(window->n_sources, 2, "rows of one source are merged");
		cr_expect_eq(rig->detectors[i].seen_sources_packets, 35);
		cr_expect_eq(window->passed_packets, 35);
		cr_expect_eq(window->passed_bytes, 35 * 60);
		cr_expect_eq(window->untracked_packets, 3);
	}
}
