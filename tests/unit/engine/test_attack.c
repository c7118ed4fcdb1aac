/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks through the whole engine: a flood whose packets no longer survive the filter is one
 * attack from its first window to its end.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/address.h"
#include "rig.h"

enum { ATTACKERS = 200, PPS = 500 };

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig->detectors[0].limit_pps = 100;
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(attack, .init = setup, .fini = teardown);

static void flood(unsigned int windows, uint64_t pps)
{
	while (windows--) {
		for (uint32_t i = 0; i < ATTACKERS; i++) {
			struct sluice_key key = key_number(i);

			fake_dataplane_send(&rig->dp, &key, pps);
		}
		rig_send(rig, "192.0.2.1", 50);
		rig_window(rig);
	}
}

static void calm(unsigned int windows)
{
	while (windows--) {
		rig_send(rig, "192.0.2.1", 50);
		rig_window(rig);
	}
}

Test(attack, constant_flood_of_60_windows_is_one_attack)
{
	calm(20);
	flood(2, PPS);
	cr_assert_eq(rig_status(rig).blocked, ATTACKERS);
	flood(58, PPS);
	cr_expect_eq(rig->detectors[0].seen.passed_packets, 50, "none of it survives");
	cr_expect_eq(rig->detectors[0].seen.offered_packets, ATTACKERS * PPS + 50);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), 0);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RELEASED), 0);
	cr_expect(rig_status(rig).attack);
	calm(30);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), 1);
	cr_expect_not(rig_status(rig).attack);
	cr_expect_eq(rig_status(rig).attacks, 1);
	cr_expect_eq(rig_status(rig).blocked, 0);
}

Test(attack, the_event_says_who_saw_it_and_how_much)
{
	flood(1, PPS);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ATTACK_STARTED), "100050 packets/s"), "%s",
		  rig_event_text(rig, EVENT_KIND_ATTACK_STARTED));
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ATTACK_STARTED), "seen by limit"));
	flood(5, PPS);
	calm(10);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ATTACK_ENDED), "100000 of them dropped"),
		  "%s", rig_event_text(rig, EVENT_KIND_ATTACK_ENDED));
}

/* Sources under the learned quiet rate of peace, but as fast as ever: not let go. */
Test(attack, slow_attackers_are_kept_while_it_lasts)
{
	rig->settings.rate_monitor.quiet_learned = true;
	calm(20);
	for (unsigned int i = 0; i < 30; i++) {
		rig_send(rig, "192.0.2.1", 5000);
		rig_window(rig);
		rig->detectors[0].limit_pps = UINT64_MAX;
	}
	rig->detectors[0].limit_pps = 100;
	flood(40, PPS);
	cr_expect_eq(rig_status(rig).blocks_total, ATTACKERS + 1, "none came and went");
}

Test(attack, short_pulses_are_one_attack)
{
	for (unsigned int i = 0; i < 15; i++) {
		flood(2, PPS);
		calm(4);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), 1);
	cr_expect_eq(rig_status(rig).blocks_total, ATTACKERS, "nor do they come and go");
	calm(10);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), 1);
}

Test(attack, long_pulses_are_one_each_and_blocks_grow_longer)
{
	for (unsigned int i = 1; i <= 4; i++) {
		flood(3, PPS);
		cr_expect_eq(rig_explain(rig, "10.0.0.1").repeats, i - 1);
		calm(10);
		cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), i);
		cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), i);
		cr_expect_eq(rig_status(rig).blocked, 0);
	}
}

Test(attack, an_observing_detectors_verdict_counts)
{
	struct engine_options options;

	rig->detectors[0].enforce = false;
	options = rig_options(rig);
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	flood(10, PPS);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_STARTED), 1);
	cr_expect_eq(rig->dp.n_blocks, 0);
	calm(10);
	cr_expect_eq(rig_events(rig, EVENT_KIND_ATTACK_ENDED), 1);
}
