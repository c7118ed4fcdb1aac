/* SPDX-License-Identifier: BSD-2-Clause */
/* The window itself: when it ends, when it is late, when it is lost. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

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

TestSuite(window, .init = setup, .fini = teardown);

Test(window, ends_do_not_drift)
{
	uint64_t begin = rig->now_ns;

	for (unsigned int i = 1; i <= 10; i++) {
		cr_expect_eq(engine_next_ns(rig->engine), begin + i * RIG_WINDOW_NS);
		rig_advance(rig, 1000);
		rig_window(rig);
		rig_advance(rig, RIG_WINDOW_NS / 3);
	}
	cr_expect_eq(rig_status(rig).postponed, 0);
}

Test(window, late_windows_are_left_out_and_counted)
{
	uint64_t next = engine_next_ns(rig->engine);

	rig_send(rig, "192.0.2.1", 350);
	rig_advance(rig, 7 * RIG_WINDOW_NS / 2);
	rig_window(rig);
	cr_expect_eq(rig_status(rig).postponed, 2);
	cr_expect_eq(engine_next_ns(rig->engine), next + 3 * RIG_WINDOW_NS);
	cr_expect_eq(rig->detectors[0].seen.length_ns, 7 * RIG_WINDOW_NS / 2);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").passed_pps, 100, "the rate is right");
	cr_expect_eq(rig_events(rig, EVENT_KIND_SWAP_POSTPONED), 1);
	cr_expect_eq(rig_status(rig).windows, 1);
}

Test(window, a_failing_swap_loses_no_packet)
{
	rig_send(rig, "192.0.2.1", 100);
	rig->dp.swap_code = -EBUSY;
	rig_advance(rig, RIG_WINDOW_NS);
	cr_expect_eq(engine_step(rig->engine), -EBUSY);
	cr_expect_eq(rig->detectors[0].calls, 0);
	cr_expect_eq(rig_status(rig).windows, 0);
	cr_expect_eq(rig_status(rig).postponed, 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_SWAP_POSTPONED), "-EBUSY"), "%s",
		  rig_event_text(rig, EVENT_KIND_SWAP_POSTPONED));
	rig->dp.swap_code = 0;
	rig_send(rig, "192.0.2.1", 100);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen.sequence, 1);
	cr_expect_eq(rig->detectors[0].seen.length_ns, 2 * RIG_WINDOW_NS);
	cr_expect_eq(rig->detectors[0].seen.passed_packets, 200);
	cr_expect_eq(rig->detectors[0].seen_sources_packets, 200);
}

Test(window, a_swap_that_goes_on_failing_is_told_at_intervals)
{
	rig->dp.swap_code = -EBUSY;
	for (unsigned int i = 0; i < 29; i++) {
		rig_advance(rig, RIG_WINDOW_NS);
		cr_expect_eq(engine_step(rig->engine), -EBUSY);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_SWAP_POSTPONED), 1);
	cr_expect_eq(rig_status(rig).postponed, 29);
}

Test(window, counters_are_of_the_window)
{
	rig_send(rig, "192.0.2.1", 10);
	rig_window(rig);
	rig_send(rig, "192.0.2.1", 3);
	rig->dp.counters.reason[DATAPLANE_REASON_MALFORMED].packets += 2;
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen.passed_packets, 3);
	cr_expect_eq(rig->detectors[0].seen.dropped_packets, 2);
	cr_expect_eq(rig->detectors[0].seen.blocked_packets, 0);
	cr_expect_eq(rig->detectors[0].seen.offered_packets, 5);
}

/* While every source is tracked their number is known; else the estimate tells. */
Test(window, distinct_sources_are_exact_while_all_are_tracked)
{
	const struct sluice_window *seen = &rig->detectors[0].seen;

	rig->dp.features.distinct_sources = 7000;
	rig->dp.features.distinct_error = 0.016;
	rig_send(rig, "192.0.2.1", 10);
	rig_send(rig, "192.0.2.2", 10);
	rig_window(rig);
	cr_expect_eq(seen->distinct_sources, 2);
	cr_expect_eq(seen->distinct_error, 0);
	cr_expect_eq(seen->untracked_packets, 0);

	rig_send(rig, "192.0.2.1", 10);
	rig->dp.untracked = 500;
	rig_window(rig);
	cr_expect_eq(seen->distinct_sources, 7000);
	cr_expect_eq(seen->distinct_error, 0.016);
	cr_expect_eq(seen->untracked_bytes, 500 * 60);

	/* An estimate below what is known by name is not believed. */
	rig->dp.features.distinct_sources = 1;
	rig->dp.untracked = 1;
	rig_send(rig, "192.0.2.1", 10);
	rig_send(rig, "192.0.2.2", 10);
	rig_window(rig);
	cr_expect_eq(seen->distinct_sources, 2);
	cr_expect_eq(rig_status(rig).untracked_total, 501);
}

Test(window, samples_reach_the_detectors)
{
	const struct sluice_sample samples[2] = { { .frame_size = 60 }, { .frame_size = 70 } };
	const struct sluice_window *seen = &rig->detectors[0].seen;

	rig->dp.features.samples = samples;
	rig->dp.features.n_samples = 2;
	rig->dp.features.samples_lost = 3;
	rig_windows(rig, 2);
	cr_expect_eq(seen->n_samples, 2);
	cr_expect_eq(sluice_window_sample(seen, 1)->frame_size, 70);
	cr_expect_eq(seen->samples_lost, 3);
	cr_expect_eq(rig_status(rig).samples_total, 4);
	cr_expect_eq(rig_status(rig).samples_lost_total, 6);
	cr_expect_null(rig_status(rig).window.samples, "borrowed");
}

Test(window, an_interface_that_is_gone_is_told)
{
	rig->dp.gone = "eth7";
	rig_windows(rig, 3);
	cr_expect_eq(rig_events(rig, EVENT_KIND_INTERFACE_GONE), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_INTERFACE_GONE), "'eth7'"));
}

Test(window, a_start_that_cannot_swap_fails)
{
	struct rig *other = rig_new();
	struct engine_options options = rig_options(other);
	struct sluice_err err = { 0 };

	other->dp.swap_code = -EIO;
	cr_expect_eq(engine_new(&options, &other->engine, &err), -EIO);
	cr_expect_null(other->engine);
	rig_free(other);
}

Test(window, freeing_nothing_is_fine)
{
	engine_free(NULL);
}
