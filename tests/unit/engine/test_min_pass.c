/* SPDX-License-Identifier: BSD-2-Clause */
/* min_pass in the engine: an event, or the newest automatic blocks taken back. */
#include <criterion/criterion.h>
#include <string.h>

#include "rig.h"

#define CLIENT "198.51.100.1"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig->settings.policy.min_pass = 0.2;
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(min_pass, .init = setup, .fini = teardown);

static void peace(unsigned int windows)
{
	while (windows--) {
		rig_send(rig, CLIENT, 1000);
		rig_window(rig);
	}
}

/* The client is taken for an attacker; what it sends from now on is dropped. */
static void block_client(void)
{
	rig->detectors[0].attack = true;
	rig_send(rig, CLIENT, 1000);
	rig_block(rig, CLIENT, 1000);
}

static void go_on(unsigned int windows)
{
	while (windows--) {
		rig_send(rig, CLIENT, 1000);
		rig_window(rig);
	}
}

Test(min_pass, silent_before_peace_was_seen)
{
	rig->settings.policy.min_pass_withdraw = true;
	block_client();
	go_on(10);
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 0);
	cr_expect(rig_is_blocked(rig, CLIENT));
}

Test(min_pass, an_event_after_peace)
{
	peace(20);
	block_client();
	go_on(10);
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_MIN_PASS), "under 20 % of the 1000"), "%s",
		  rig_event_text(rig, EVENT_KIND_MIN_PASS));
	cr_expect(rig_is_blocked(rig, CLIENT), "only said");
}

Test(min_pass, withdraw_releases_the_newest_automatic_blocks)
{
	struct sluice_key manual = key_of("192.0.2.99");

	rig->settings.policy.min_pass_withdraw = true;
	peace(10);
	rig_send(rig, CLIENT, 1000);
	rig_block(rig, "192.0.2.1", 5000);
	for (unsigned int i = 0; i < 10; i++) {
		rig_send(rig, "192.0.2.1", 5000);
		peace(1);
	}
	block_client();
	cr_assert_eq(engine_block(rig->engine, &manual, 0, NULL), 0);
	for (unsigned int i = 0; i < 2; i++) {
		rig_send(rig, "192.0.2.1", 5000);
		go_on(1);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 1);
	cr_expect_not(rig_is_blocked(rig, CLIENT));
	cr_expect(rig_is_blocked(rig, "192.0.2.1"), "older");
	cr_expect(rig_is_blocked(rig, "192.0.2.99"), "the operator's");
}

Test(min_pass, what_was_withdrawn_stays_free_for_a_minute)
{
	rig->settings.policy.min_pass_withdraw = true;
	peace(20);
	block_client();
	go_on(2);
	cr_assert_not(rig_is_blocked(rig, CLIENT));
	for (unsigned int i = 0; i < 59; i++) {
		rig_wish(rig, CLIENT, 1000);
		go_on(1);
		cr_assert_not(rig_is_blocked(rig, CLIENT), "window %u", i);
	}
	rig_wish(rig, CLIENT, 1000);
	go_on(1);
	cr_expect(rig_is_blocked(rig, CLIENT));
	cr_expect_eq(rig_explain(rig, CLIENT).repeats, 0);
}

Test(min_pass, silent_in_observe_mode)
{
	struct engine_options options;

	peace(20);
	rig->settings.enforce = false;
	options = rig_options(rig);
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	rig_wish(rig, CLIENT, 1000);
	rig_windows(rig, 10);
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 0);
}

Test(min_pass, enough_survivors_keep_it_silent)
{
	peace(20);
	block_client();
	for (unsigned int i = 0; i < 10; i++) {
		rig_send(rig, "198.51.100.2", 200);
		go_on(1);
	}
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 0);
}
