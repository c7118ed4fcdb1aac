/* SPDX-License-Identifier: BSD-2-Clause */
/* Observe mode, of the whole engine and of one detector: said and counted, never dropped. */
#include <criterion/criterion.h>
#include <string.h>

#include "rig.h"

#define SOURCE "192.0.2.7"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(observe, .init = setup, .fini = teardown);

static uint64_t dropped(void)
{
	return rig->dp.counters.reason[DATAPLANE_REASON_BLOCKED].packets;
}

static uint64_t would_drop(void)
{
	return rig->dp.counters.reason[DATAPLANE_REASON_WOULD_DROP].packets;
}

Test(observe, globally_nothing_is_dropped)
{
	rig->settings.enforce = false;
	rig_start(rig);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	rig_send(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(dropped(), 0);
	cr_expect_eq(would_drop(), 500);
	cr_expect_eq(rig->detectors[0].seen.passed_packets, 500);
	cr_expect_eq(rig->detectors[0].seen.offered_packets, 500, "not counted twice");
	cr_expect_eq(rig->detectors[0].seen.n_blocked, 0);
	cr_expect_eq(rig_status(rig).would_block, 1);
	cr_expect_eq(rig_status(rig).blocks_total, 0);
}

Test(observe, globally_it_is_told_as_a_candidate)
{
	rig->settings.enforce = false;
	rig_start(rig);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCKED), "observe mode"));
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_CANDIDATE);
	cr_expect(strstr(rig_explain(rig, SOURCE).release, "observe mode"));
}

Test(observe, one_detector_observes_and_another_enforces)
{
	rig->detectors[0].enforce = false;
	rig_add_detector(rig, "other", true);
	rig_start(rig);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_CANDIDATE);
	cr_expect_eq(rig_status(rig).would_block, 1);
	rig_wish_of(rig, 1, &(struct sluice_key){ 0 }, 0);
	rig->detectors[1].wishes[0].key = key_of(SOURCE);
	rig_wish(rig, SOURCE, 900);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_str_eq(rig_explain(rig, SOURCE).detector, "other", "its word counts");
}

Test(observe, of_one_detector_it_is_told_once_while_it_goes_on)
{
	rig->detectors[0].enforce = false;
	rig_start(rig);
	for (unsigned int i = 0; i < 50; i++) {
		rig_wish(rig, SOURCE, 500);
		rig_window(rig);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCKED), "only observes"));
	cr_expect_eq(rig_status(rig).would_block, 50);
	rig_advance(rig, 61 * RIG_WINDOW_NS);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 2);
}

Test(observe, a_candidate_is_forgotten_after_a_minute)
{
	rig->detectors[0].enforce = false;
	rig_start(rig);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	rig_advance(rig, 61 * RIG_WINDOW_NS);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_NONE);
}

static void reconfigure(bool enforce)
{
	struct engine_options options;

	rig->settings.enforce = enforce;
	options = rig_options(rig);
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
}

/* The caps and the known clients of then say nothing about now. */
Test(observe, going_to_enforce_starts_with_an_empty_list)
{
	struct sluice_key manual = key_of("192.0.2.9");
	struct settings observing;

	rig->settings.enforce = false;
	observing = rig->settings;
	rig->options.settings = &observing;
	rig_start(rig);
	cr_assert_eq(engine_block(rig->engine, &manual, 0, NULL), 0);
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 2);
	rig->options.settings = &rig->settings;
	reconfigure(true);
	cr_expect(rig->dp.enforce);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
	cr_expect(rig_is_blocked(rig, "192.0.2.9"), "the operator's stays");
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_explain(rig, SOURCE).repeats, 0);
}

Test(observe, going_to_observe_stops_dropping_at_once)
{
	rig_start(rig);
	rig_block(rig, SOURCE, 500);
	reconfigure(false);
	rig_send(rig, SOURCE, 500);
	cr_expect_eq(dropped(), 0);
	cr_expect_eq(rig->dp.counters.reason[DATAPLANE_REASON_PASS].packets, 500);
}
