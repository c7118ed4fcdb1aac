/* SPDX-License-Identifier: BSD-2-Clause */
/* New settings and detectors while running: what stays, what changes, what is refused. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/address.h"

#include "rig.h"

#define SOURCE "192.0.2.7"

static struct rig *rig;
static struct settings fresh;
static struct sluice_err err;

static void setup(void)
{
	rig = rig_new();
	rig->settings.rate_monitor.quiet_learned = true;
	rig_start(rig);
	fresh = rig->settings;
	err.text[0] = '\0';
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(reload, .init = setup, .fini = teardown);

/* As a daemon does: new settings, and the old ones are gone afterwards. */
static int reload(void)
{
	struct engine_options options;
	int rc;

	rig->options.settings = &fresh;
	options = rig_options(rig);
	rc = engine_reconfigure(rig->engine, &options, &err);
	if (!rc)
		rig->settings = (struct settings){ 0 };
	return rc;
}

Test(reload, blocks_levels_and_counters_stay)
{
	struct engine_status before, after;

	for (unsigned int i = 0; i < 20; i++) {
		rig_send(rig, "198.51.100.1", 300);
		rig_window(rig);
	}
	rig_block(rig, SOURCE, 5000);
	before = rig_status(rig);
	cr_assert_eq(reload(), 0);
	after = rig_status(rig);
	cr_expect_eq(after.windows, before.windows);
	cr_expect_eq(after.blocked, 1);
	cr_expect_eq(after.blocks_total, before.blocks_total);
	cr_expect_eq(after.detectors[0].proposals, 1);
	cr_expect_eq(rig->dp.n_unblocks, 0);
	for (unsigned int i = 0; i < 20; i++) {
		rig_send(rig, SOURCE, 301);
		rig_window(rig);
	}
	cr_expect(rig_is_blocked(rig, SOURCE));
	for (unsigned int i = 0; i < 5; i++) {
		rig_send(rig, SOURCE, 300);
		rig_window(rig);
	}
	cr_expect_not(rig_is_blocked(rig, SOURCE), "the learned level is 300");
}

Test(reload, a_disabled_detector_gets_a_new_trial)
{
	rig->detectors[0].code = -EIO;
	rig_windows(rig, 5);
	cr_assert(rig_status(rig).detectors[0].disabled);
	rig->detectors[0].code = 0;
	cr_assert_eq(reload(), 0);
	cr_expect_not(rig_status(rig).detectors[0].disabled);
	cr_expect_eq(rig_status(rig).detectors[0].failures, 5);
	rig_block(rig, SOURCE, 500);
}

Test(reload, detectors_come_and_go)
{
	rig_add_detector(rig, "other", true);
	cr_assert_eq(reload(), 0);
	rig_window(rig);
	cr_expect_eq(rig->detectors[1].calls, 1);
	rig->n_detectors = 1;
	cr_assert_eq(reload(), 0);
	rig_window(rig);
	cr_expect_eq(rig->detectors[1].calls, 1);
	cr_expect_eq(rig->detectors[0].calls, 2);
}

Test(reload, the_new_allow_list_releases)
{
	struct settings_allow allow = {
		.kind = SETTINGS_ALLOW_PREFIX,
		.prefix = key_of("192.0.2.0/24"),
		.exempt = true,
	};

	rig_block(rig, SOURCE, 500);
	fresh.allow = &allow;
	fresh.n_allow = 1;
	cr_assert_eq(reload(), 0);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
	cr_assert_eq(rig->dp.n_allow, 1);
	cr_expect(rig->dp.allow[0].exempt);
}

Test(reload, what_was_allowed_by_hand_is_forgotten)
{
	struct sluice_key key = key_of(SOURCE);

	cr_assert_eq(engine_allow(rig->engine, &key, NULL), 0);
	cr_assert_eq(reload(), 0);
	cr_expect_eq(rig->dp.n_allow, 0);
	rig_block(rig, SOURCE, 500);
}

Test(reload, a_failing_one_changes_nothing)
{
	struct sluice_key key = key_of("203.0.113.1");

	cr_assert_eq(engine_allow(rig->engine, &key, NULL), 0);
	fresh.window_ns = 5 * RIG_WINDOW_NS;
	fresh.policy.v6_prefix_len = 56;
	cr_expect_eq(reload(), -EINVAL);
	cr_expect_neq(err.text[0], '\0');
	fresh.policy.v6_prefix_len = 64;
	fresh.allow =
		&(struct settings_allow){ .kind = SETTINGS_ALLOW_PREFIX, .prefix = key_of(SOURCE) };
	fresh.n_allow = 1;
	rig->dp.allow_code = -EIO;
	cr_expect_eq(reload(), -EIO);
	rig->dp.allow_code = 0;
	rig_window(rig);
	cr_expect_eq(rig_status(rig).window_ns, RIG_WINDOW_NS);
	cr_expect(rig_explain(rig, "203.0.113.1").allowed, "still");
	rig_block(rig, SOURCE, 500);
}

/* The allow-list comes before the rules: if these are refused, it is as it was. */
Test(reload, refused_rules_bring_the_allow_list_back)
{
	struct settings_allow allow = { .kind = SETTINGS_ALLOW_PREFIX,
					.prefix = key_of("192.0.2.0/24"),
					.exempt = true };
	struct sluice_key by_hand = key_of("203.0.113.1");

	cr_assert_eq(engine_allow(rig->engine, &by_hand, NULL), 0);
	fresh.allow = &allow;
	fresh.n_allow = 1;
	rig->dp.rules_code = -E2BIG;
	cr_expect_eq(reload(), -E2BIG);
	rig->dp.rules_code = 0;
	cr_assert_eq(rig->dp.n_allow, 1);
	cr_expect(address_equal(&rig->dp.allow[0].prefix, &by_hand));
	cr_expect(rig_explain(rig, "203.0.113.1").allowed, "still");
	cr_expect_not(rig_explain(rig, SOURCE).allowed);
	rig_block(rig, SOURCE, 500);
	cr_expect_eq(reload(), 0);
	cr_expect_not(rig_is_blocked(rig, SOURCE));
}

Test(reload, proposals_that_wait_do_not_outlive_the_right_to_enforce)
{
	rig_use_known(rig);
	cr_assert_eq(reload(), 0);
	rig->known_busy = 1000;
	rig_wish(rig, SOURCE, 500);
	rig_window(rig);
	rig->detectors[0].enforce = false;
	cr_assert_eq(reload(), 0);
	rig_windows(rig, 3);
	cr_expect_eq(rig->dp.n_blocks, 0);
}

Test(reload, a_shorter_window_begins_at_once)
{
	fresh.window_ns = RIG_WINDOW_NS / 10;
	cr_assert_eq(reload(), 0);
	cr_expect_leq(engine_next_ns(rig->engine), rig->now_ns + RIG_WINDOW_NS / 10);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen.length_ns, RIG_WINDOW_NS / 10);
}
