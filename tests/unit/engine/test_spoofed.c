/* SPDX-License-Identifier: BSD-2-Clause */
/* Forged senders told from real ones, and what policy makes of them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "engine/seen.h"
#include "engine/spoofed.h"
#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(spoofed, .init = setup, .fini = teardown);

static void send_from(uint32_t number, uint64_t packets)
{
	struct sluice_key key = key_number(number);

	fake_dataplane_send_from_port(&rig->dp, &key, 123, packets);
}

/* Ten clients, the same in every window. */
static void peace(unsigned int windows)
{
	while (windows--) {
		for (uint32_t i = 0; i < 10; i++)
			send_from(i, 20);
		rig_window(rig);
	}
}

/* A window with as many senders, from `first` on, and a wish to block one of them. */
static void flood(uint32_t first, uint32_t n, uint64_t packets)
{
	char text[32];

	for (uint32_t i = 0; i < n; i++)
		send_from(first + i, packets);
	snprintf(text, sizeof(text), "10.%u.%u.%u", first >> 16, first >> 8 & 255, first & 255);
	rig_wish(rig, text, 1000);
	rig_window(rig);
}

Test(spoofed, forged_sources_are_not_listed_and_rules_go_on)
{
	rig_start(rig);
	peace(12);
	for (uint32_t i = 0; i < 5; i++)
		flood(10000 + 1000 * i, 1000, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0, "not even in the first window");
	cr_expect_eq(rig_events(rig, EVENT_KIND_SPOOFED_FLOOD), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_SPOOFED_FLOOD), "usually 10"), "%s",
		  rig_event_text(rig, EVENT_KIND_SPOOFED_FLOOD));
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED), "spoofed_flood"), "%s",
		  rig_event_text(rig, EVENT_KIND_BLOCK_REFUSED));
	cr_expect_eq(rig_status(rig).refused_spoofed, 5);
	cr_expect(rig_status(rig).spoofed);
	cr_expect(rig->detectors[0].seen.flags & SLUICE_WINDOW_SPOOFED, "detectors know");
	cr_expect_geq(rig->detectors[0].seen.new_sources, 980, "but for a chance in thousands");
	rig_wish_rule(rig, 0, 123, 1000);
	flood(50000, 1000, 1);
	cr_assert(rig_rule(rig, 123));
	/* It goes on while the rule drops it, though nothing of it is seen any more. */
	for (uint32_t i = 0; i < 30; i++)
		flood(60000 + 1000 * i, 1000, 1);
	cr_expect(rig_status(rig).spoofed);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
	/* And ends when it does. */
	rig_windows(rig, 20);
	cr_expect_not(rig_status(rig).spoofed);
	cr_expect_null(rig_rule(rig, 123));
	cr_expect_eq(rig_events(rig, EVENT_KIND_SPOOFED_FLOOD), 2);
	rig_block(rig, "192.0.2.1", 1000);
}

/* A rule may be quicker than the second look. */
Test(spoofed, suspicion_stays_while_a_rule_hides_the_flood)
{
	rig_start(rig);
	peace(12);
	rig_wish_rule(rig, 0, 123, 1000);
	flood(10000, 1000, 1);
	cr_assert(rig_rule(rig, 123));
	for (uint32_t i = 1; i < 20; i++) {
		flood(10000 + 1000 * i, 1000, 1);
		cr_expect(rig_status(rig).spoofed, "window %u", i);
	}
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0);
	rig_windows(rig, 10);
	cr_assert_null(rig_rule(rig, 123));
	cr_expect_not(rig_status(rig).spoofed);
	rig_block(rig, "192.0.2.1", 1000);
}

Test(spoofed, real_sources_are_listed)
{
	rig_start(rig);
	peace(12);
	for (uint32_t i = 0; i < 5; i++)
		flood(10000, 1000, 20);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_SPOOFED_FLOOD), 0);
}

Test(spoofed, slow_real_sources_are_listed_one_window_later)
{
	rig_start(rig);
	peace(12);
	flood(10000, 1000, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 0, "they may be forged");
	flood(10000, 1000, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1, "they are not: there are no new ones");
	cr_expect_eq(rig_events(rig, EVENT_KIND_SPOOFED_FLOOD), 0);
}

Test(spoofed, the_operator_may_want_sources_or_both)
{
	rig->settings.policy.spoofed = SETTINGS_SPOOFED_BOTH;
	rig_start(rig);
	peace(12);
	flood(10000, 1000, 1);
	flood(11000, 1000, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 2);
	rig_wish_rule(rig, 0, 123, 1000);
	flood(12000, 1000, 1);
	cr_expect(rig_rule(rig, 123));
	rig->settings.policy.spoofed = SETTINGS_SPOOFED_SOURCES;
	rig_wish_rule(rig, 0, 124, 1000);
	flood(13000, 1000, 1);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 4);
	cr_expect_null(rig_rule(rig, 124));
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_REFUSED), "policy.spoofed"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_REFUSED));
}

Test(spoofed, nothing_is_said_before_peace_is_known)
{
	rig_start(rig);
	for (uint32_t i = 0; i < 5; i++)
		flood(10000 + 1000 * i, 1000, 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_SPOOFED_FLOOD), 0);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 5);
}

Test(spoofed, what_is_usual_is_not_learned_from_an_attack)
{
	struct spoofed spoofed;
	struct spoofed_input input = { .peace = true, .distinct = 100, .tracked = 100 };

	spoofed_init(&spoofed);
	for (int i = 0; i < 100; i++)
		spoofed_step(&spoofed, &input);
	cr_expect_float_eq(spoofed.level, 100, 1e-6);
	input.peace = false;
	input.distinct = input.tracked = 300;
	for (int i = 0; i < 1000; i++)
		spoofed_step(&spoofed, &input);
	cr_expect_float_eq(spoofed.level, 100, 1e-6);
	/* A jump that nobody calls an attack becomes usual, but slowly. */
	input.peace = true;
	input.distinct = input.tracked = 10000;
	for (int i = 0; i < 10; i++)
		spoofed_step(&spoofed, &input);
	cr_expect_lt(spoofed.level, 250);
	for (int i = 0; i < 3000; i++)
		spoofed_step(&spoofed, &input);
	cr_expect_gt(spoofed.level, 5000);
}

Test(seen, remembers_for_minutes_and_not_for_ever)
{
	const struct address_secret secret = { { 1, 2 } };
	struct sluice_key key = key_of("192.0.2.1");
	struct seen seen;

	cr_assert_eq(seen_init(&seen, &secret), 0);
	seen_begin(&seen, 1);
	cr_expect_not(seen_note(&seen, &key));
	cr_expect(seen_note(&seen, &key));
	seen_begin(&seen, 1 + SEEN_KEEP_NS);
	cr_expect(seen_note(&seen, &key), "seen again, it is kept on");
	seen_begin(&seen, 1 + 2 * SEEN_KEEP_NS);
	seen_begin(&seen, 1 + 3 * SEEN_KEEP_NS);
	cr_expect_not(seen_note(&seen, &key));
	seen_fini(&seen);
}

Test(seen, a_flood_does_not_fill_it)
{
	const struct address_secret secret = { { 3, 4 } };
	uint32_t n_new = 0;
	struct seen seen;

	cr_assert_eq(seen_init(&seen, &secret), 0);
	seen_begin(&seen, 1);
	for (uint32_t i = 0; i < 5000000; i++) {
		struct sluice_key key = key_number(i);

		n_new += !seen_note(&seen, &key);
	}
	cr_expect_gt(n_new, 5000000 * 3 / 4, "%u", n_new);
	seen_fini(&seen);
}
