/* SPDX-License-Identifier: BSD-2-Clause */
/* Known clients: protected, flagged, and asked for in time. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "rig.h"

#define CLIENT "192.0.2.7"
#define STRANGER "192.0.2.8"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_use_known(rig);
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(known, .init = setup, .fini = teardown);

static void wish_both(void)
{
	rig_wish(rig, CLIENT, 90000);
	rig_wish(rig, STRANGER, 90000);
}

Test(known, clients_are_not_blocked)
{
	rig_know(rig, CLIENT);
	wish_both();
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, CLIENT));
	cr_expect(rig_is_blocked(rig, STRANGER));
	cr_expect_eq(rig_status(rig).protected_known, 1);
}

Test(known, detectors_see_the_flag)
{
	rig_know(rig, CLIENT);
	rig_send(rig, CLIENT, 100);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen_flags, SLUICE_SOURCE_KNOWN);
	rig_send(rig, STRANGER, 100);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen_flags, 0);
}

Test(known, an_ipv6_client_protects_its_unit)
{
	rig_know(rig, "2001:db8::1");
	rig_wish(rig, "2001:db8::2", 90000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig_status(rig).protected_known, 1);
}

Test(known, the_operator_may_block_them)
{
	struct sluice_key key = key_of(CLIENT);

	rig_know(rig, CLIENT);
	rig_window(rig);
	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	cr_expect(rig_is_blocked(rig, CLIENT));
}

Test(known, protection_can_be_switched_off)
{
	rig->settings.policy.protect_known = false;
	rig->known_busy = 1000;
	rig_know(rig, CLIENT);
	wish_both();
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, CLIENT), "nor is anything held back");
}

/* It connected just now: the set in use does not have it yet. */
Test(known, proposals_wait_for_a_fresh_set)
{
	rig_window(rig);
	rig_know(rig, CLIENT);
	rig->known_busy = 2;
	wish_both();
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0, "held back");
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, STRANGER));
	cr_expect_not(rig_is_blocked(rig, CLIENT));
	cr_expect_eq(rig_status(rig).protected_known, 1);
}

Test(known, but_for_one_window_at_most)
{
	rig->known_busy = 1000;
	wish_both();
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, STRANGER));
	cr_expect(rig_is_blocked(rig, CLIENT), "nobody ever said that it is known");
}

Test(known, waiting_proposals_are_merged_with_those_that_come)
{
	rig->known_busy = 2;
	wish_both();
	rig_window(rig);
	wish_both();
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 2);
	cr_expect_eq(rig_status(rig).blocks_total, 2);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 2);
}

Test(known, a_failing_kernel_leaves_the_old_set)
{
	rig_know(rig, CLIENT);
	rig_window(rig);
	rig->known_code = -ENOBUFS;
	rig_advance(rig, 10 * RIG_WINDOW_NS);
	wish_both();
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, STRANGER), "not held back for ever");
	cr_expect_not(rig_is_blocked(rig, CLIENT));
}

/* Whoever was spoken to since the last window is no stranger to the detectors. */
Test(known, every_window_asks_where_that_costs_little)
{
	rig->known_cost_ns = RIG_WINDOW_NS / 100;
	rig_windows(rig, 50);
	cr_expect_eq(rig->n_known_starts, 50);
}

Test(known, in_peace_a_costly_question_is_asked_in_a_part_of_the_time)
{
	rig->known_cost_ns = RIG_WINDOW_NS / 10;
	rig_windows(rig, 50);
	cr_expect_leq(rig->n_known_starts, 26);
	cr_expect_geq(rig->n_known_starts, 24);
}

Test(known, in_peace_the_costliest_question_is_asked_every_five_seconds)
{
	rig->known_cost_ns = UINT64_MAX;
	rig_windows(rig, 50);
	cr_expect_leq(rig->n_known_starts, 11);
	cr_expect_geq(rig->n_known_starts, 9);
}

Test(known, in_an_attack_every_window_asks)
{
	rig->detectors[0].attack = true;
	rig_window(rig);
	rig->n_known_starts = 0;
	rig_windows(rig, 20);
	cr_expect_eq(rig->n_known_starts, 20);
}

/* The set that was asked for before the window went on may miss who connected since. */
Test(known, a_set_asked_for_in_a_lost_window_is_not_fresh)
{
	rig->dp.swap_code = -EIO;
	rig_advance(rig, RIG_WINDOW_NS);
	cr_expect_eq(engine_step(rig->engine), -EIO);
	cr_expect_eq(rig->n_known_starts, 1);
	rig->dp.swap_code = 0;
	rig_know(rig, CLIENT);
	wish_both();
	rig_window(rig);
	cr_expect_eq(rig->n_known_starts, 2, "asked again");
	cr_expect_not(rig_is_blocked(rig, CLIENT));
	cr_expect(rig_is_blocked(rig, STRANGER));
}

Test(known, the_filter_gets_each_new_set)
{
	struct sluice_key client = key_of(CLIENT);
	unsigned int before = rig->dp.n_known_sets;

	cr_expect_eq(before, 1, "at the start, before there are rules");
	rig_know(rig, CLIENT);
	wish_both();
	rig_window(rig);
	cr_expect_gt(rig->dp.n_known_sets, before);
	cr_assert_eq(rig->dp.n_known, 1);
	cr_expect(address_equal(&rig->dp.known[0], &client));
}

Test(known, the_filter_keeps_its_set_while_there_is_no_new_one)
{
	unsigned int before;

	rig_know(rig, CLIENT);
	wish_both();
	rig_window(rig);
	before = rig->dp.n_known_sets;
	rig->known_code = -EIO;
	rig_wish(rig, "192.0.2.9", 90000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_known, 1);
	rig->known_code = 0;
	rig->known_busy = 1000;
	rig_window(rig);
	cr_expect_eq(rig->dp.n_known, 1);
	cr_expect_leq(rig->dp.n_known_sets, before + 1, "only what was fresh, or the same again");
}

/* This host speaks to a source that it had blocked, and wants the answer. */
Test(known, who_becomes_known_is_released)
{
	wish_both();
	rig_window(rig);
	cr_assert(rig_is_blocked(rig, CLIENT));
	rig_know(rig, CLIENT);
	for (int i = 0; i < 6 && rig_is_blocked(rig, CLIENT); i++) {
		rig_send(rig, CLIENT, 90000);
		rig_send(rig, STRANGER, 90000);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, CLIENT), "the next set in peace says so");
	cr_expect(rig_is_blocked(rig, STRANGER));
	cr_expect_eq(rig_state(rig, CLIENT), ENGINE_STATE_RELEASED);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RELEASED), "become a known client"));
	rig_wish(rig, CLIENT, 90000);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, CLIENT), "and it is not blocked again");
	cr_expect_eq(rig_explain(rig, CLIENT).repeats, 0, "nor held for a repeater");
}

Test(known, a_unit_is_released_when_an_address_in_it_is_known)
{
	/* More blocked than known: the way through the set. */
	for (uint32_t i = 0; i < 32; i++) {
		struct sluice_key key = key_number(i);

		rig_wish_of(rig, 0, &key, 500);
	}
	rig_block(rig, "2001:db8::2", 90000);
	cr_assert_eq(rig_status(rig).blocked, 33);
	rig_know(rig, "2001:db8::1");
	rig_know(rig, "10.0.0.7");
	for (int i = 0; i < 6 && rig_status(rig).blocked > 31; i++) {
		for (uint32_t n = 0; n < 32; n++) {
			char source[16];

			snprintf(source, sizeof(source), "10.0.0.%u", n);
			rig_send(rig, source, 90000);
		}
		rig_send(rig, "2001:db8::2", 90000);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, "2001:db8::2"));
	cr_expect_not(rig_is_blocked(rig, "10.0.0.7"));
	cr_expect_eq(rig_status(rig).blocked, 31, "and nobody else");
}

Test(known, the_operators_block_of_a_client_stays)
{
	struct sluice_key key = key_of(CLIENT);

	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	rig_know(rig, CLIENT);
	rig_windows(rig, 20);
	cr_expect(rig_is_blocked(rig, CLIENT));
	cr_expect_eq(rig_state(rig, CLIENT), ENGINE_STATE_PINNED);
}

Test(known, nobody_is_released_without_protection)
{
	rig->settings.policy.protect_known = false;
	rig_block(rig, CLIENT, 90000);
	rig_know(rig, CLIENT);
	for (int i = 0; i < 8; i++) {
		rig_send(rig, CLIENT, 90000);
		rig_window(rig);
	}
	cr_expect(rig_is_blocked(rig, CLIENT));
}
