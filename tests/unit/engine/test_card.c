/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocked sources in the NIC's table: state, merged counters, and cards that say nothing. */
#include <criterion/criterion.h>
#include <errno.h>

#include "rig.h"

#define SOURCE "192.0.2.7"
#define OTHER "192.0.2.8"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_use_card(rig);
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(card, .init = setup, .fini = teardown);

static struct fake_rule *hold(const char *source, uint64_t packets)
{
	struct fake_rule *rule = &rig->card.rules[rig->card.n_rules++];

	*rule = (struct fake_rule){ .key = key_of(source), .packets = packets };
	return rule;
}

Test(card, blocked_sources_are_offered_at_once_with_their_rate)
{
	struct sluice_key key = key_of(SOURCE);

	rig_block(rig, SOURCE, 500);
	cr_assert(fake_offload_offered(&rig->card, &key));
	cr_expect_eq(fake_offload_offered(&rig->card, &key)->packets, 500);
	rig_send(rig, SOURCE, 77);
	rig_window(rig);
	cr_expect_eq(fake_offload_offered(&rig->card, &key)->packets, 77);
}

Test(card, blocked_to_offloaded_and_back)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 400);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_OFFLOADED);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_OFFLOADED);
	cr_expect_eq(rig_status(rig).offloaded, 1);
	rig->card.n_rules = 0;
	rig_send(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_BLOCKED);
	cr_expect_eq(rig_status(rig).offloaded, 0);
	cr_expect(rig_is_blocked(rig, SOURCE), "software kept it all the time");
}

Test(card, hardware_counters_keep_a_source_loud)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 400);
	rig_windows(rig, 30);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_explain(rig, SOURCE).pps, 400);
	cr_expect_eq(rig_explain(rig, SOURCE).hw_pps, 400);
	cr_expect_eq(rig->detectors[0].seen_blocked_hw, 400);
	cr_expect_eq(rig->detectors[0].seen.hw_packets, 400);
	cr_expect_eq(rig->detectors[0].seen.offered_packets, 400);
}

Test(card, software_and_hardware_are_added_up)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 6);
	rig_window(rig);
	for (unsigned int i = 0; i < 10; i++) {
		rig_send(rig, SOURCE, 5);
		rig_window(rig);
	}
	cr_expect(rig_is_blocked(rig, SOURCE), "6 + 5 is more than 10");
	cr_expect_eq(rig_explain(rig, SOURCE).pps, 11);
}

Test(card, quiet_in_both_is_released)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 1);
	rig_windows(rig, 6);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_status(rig).offloaded, 0);
}

Test(card, a_stale_figure_is_not_quiet)
{
	struct fake_rule *rule;

	rig_block(rig, SOURCE, 500);
	rule = hold(SOURCE, 0);
	rule->age_ns = 3 * RIG_WINDOW_NS;
	rig_windows(rig, 9);
	cr_expect(rig_is_blocked(rig, SOURCE));
	rule->age_ns = RIG_WINDOW_NS;
	rig_windows(rig, 6);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
}

/* A slow card has the rule, and says so an exchange later than it drops. */
Test(card, a_source_is_not_quiet_while_it_moves_into_the_card)
{
	rig->settings.rate_monitor.windows = 1;
	rig_block(rig, SOURCE, 500);
	rig_window(rig);
	hold(SOURCE, 400);
	rig_windows(rig, 30);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_status(rig).released_total, 0);
	cr_expect_eq(rig_explain(rig, SOURCE).hw_pps, 400);
}

/* The same for one that was loud in software for a while first, and for the end of its term. */
Test(card, a_term_does_not_end_while_a_source_moves_into_the_card)
{
	rig->settings.policy.ttl_ns = 3 * RIG_WINDOW_NS;
	rig_block(rig, SOURCE, 500);
	for (int i = 0; i < 2; i++) {
		rig_send(rig, SOURCE, 500);
		rig_window(rig);
	}
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_status(rig).released_total, 0);
}

Test(card, a_source_that_no_card_takes_is_released_two_windows_later)
{
	rig_block(rig, SOURCE, 500);
	rig_windows(rig, 6);
	cr_expect(rig_is_blocked(rig, SOURCE));
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
}

Test(card, a_failed_exchange_is_not_quiet)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 400);
	rig_windows(rig, 3);
	rig->card.code = -ENOMEM;
	rig_windows(rig, 30);
	cr_expect(rig_is_blocked(rig, SOURCE));
	cr_expect_eq(rig_status(rig).offloaded, 1);
	cr_expect_eq(rig_explain(rig, SOURCE).hw_age_ns, OFFLOAD_AGE_UNKNOWN);
	rig->card.code = 0;
	rig_windows(rig, 2);
	cr_expect_eq(rig_explain(rig, SOURCE).hw_pps, 400);
}

Test(card, of_a_card_without_counters_entries_are_lifted_and_measured)
{
	struct sluice_key key = key_of(SOURCE);
	unsigned int lifted = 0;

	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 0)->age_ns = OFFLOAD_AGE_UNKNOWN;
	for (unsigned int i = 0; i < 20 && !lifted; i++) {
		rig_window(rig);
		lifted = !fake_offload_offered(&rig->card, &key);
	}
	cr_assert(lifted, "never lifted");
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_PROBATION);
	cr_expect(rig_is_blocked(rig, SOURCE), "measured while it is dropped");
	/* The card lets go of it; it turns out to be loud, and goes back. */
	rig->card.n_rules = 0;
	rig_window(rig);
	rig_send(rig, SOURCE, 500);
	rig_window(rig);
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_BLOCKED);
	cr_expect(fake_offload_offered(&rig->card, &key));
}

Test(card, a_lifted_entry_that_is_quiet_is_released)
{
	struct sluice_key key = key_of(SOURCE);

	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 0)->age_ns = OFFLOAD_AGE_UNKNOWN;
	while (fake_offload_offered(&rig->card, &key))
		rig_window(rig);
	rig->card.n_rules = 0;
	rig_windows(rig, 6);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
}

Test(card, the_operators_block_is_never_lifted)
{
	struct sluice_key key = key_of(SOURCE);

	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	rig_window(rig);
	hold(SOURCE, 0)->age_ns = OFFLOAD_AGE_UNKNOWN;
	for (unsigned int i = 0; i < 30; i++) {
		rig_window(rig);
		cr_assert(fake_offload_offered(&rig->card, &key));
	}
	cr_expect_eq(rig_state(rig, SOURCE), ENGINE_STATE_PINNED);
}

/* A lifted entry that the operator takes over belongs into the card again. */
Test(card, a_pin_ends_a_lift)
{
	struct sluice_key key = key_of(SOURCE);

	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 0)->age_ns = OFFLOAD_AGE_UNKNOWN;
	while (fake_offload_offered(&rig->card, &key))
		rig_window(rig);
	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	rig_window(rig);
	cr_expect(fake_offload_offered(&rig->card, &key));
}

/* Its handle may already name another source. */
Test(card, words_about_a_released_source_are_not_taken_for_another)
{
	struct sluice_key key = key_of(SOURCE);

	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 400);
	rig_windows(rig, 2);
	cr_assert_eq(engine_unblock(rig->engine, &key, NULL), 0);
	rig->card.rules[0].removed = true;
	rig_block(rig, OTHER, 500);
	rig_windows(rig, 2);
	cr_expect_eq(rig_explain(rig, OTHER).hw_pps, 0);
	cr_expect_neq(rig_state(rig, OTHER), ENGINE_STATE_OFFLOADED);
	cr_expect_eq(rig_status(rig).offloaded, 0);
}

Test(card, last_packets_of_a_removed_rule_count)
{
	rig_block(rig, SOURCE, 500);
	hold(SOURCE, 400)->removed = true;
	rig_windows(rig, 2);
	cr_expect_eq(rig_explain(rig, SOURCE).hw_pps, 400);
	cr_expect_eq(rig_status(rig).offloaded, 0);
}

Test(card, observe_mode_offers_nothing)
{
	struct engine_options options;

	rig_block(rig, SOURCE, 500);
	cr_expect_eq(rig->card.n_offered, 1);
	rig->settings.enforce = false;
	options = rig_options(rig);
	/* The settings that the engine holds were changed in place: that is all a reload does. */
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	rig_window(rig);
	cr_expect_eq(rig->card.n_offered, 0);
}
