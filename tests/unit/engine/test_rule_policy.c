/* SPDX-License-Identifier: BSD-2-Clause */
/* What policy does with rules: caps, observe mode, votes, min_pass, reloads, failures. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_add_detector(rig, "other", true);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(rule_policy, .init = setup, .fini = teardown);

static void reload(void)
{
	struct engine_options options = rig_options(rig);
	struct sluice_err err = { 0 };

	cr_assert_eq(engine_reconfigure(rig->engine, &options, &err), 0, "%s", err.text);
}

static void wish_many(uint16_t from, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		rig_wish_rule(rig, 0, (uint16_t)(from + i), 100 + i);
}

Test(rule_policy, so_many_a_window_and_the_fastest_first)
{
	rig_start(rig);
	wish_many(1000, 12);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 8);
	cr_expect(rig_rule(rig, 1011) && rig_rule(rig, 1004));
	cr_expect_null(rig_rule(rig, 1003));
	cr_expect_eq(rig_status(rig).rules_refused_total, 4);
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_RULE_REFUSED), 4);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_REFUSED), "max_new_rules_per_window"),
		  "%s", rig_event_text(rig, EVENT_KIND_RULE_REFUSED));
}

Test(rule_policy, so_many_in_all)
{
	rig->settings.policy.max_rules_auto = 3;
	rig_start(rig);
	wish_many(1000, 5);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 3);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_REFUSED), "max_rules_auto"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_REFUSED));
	/* Room again, when they have left. */
	rig_windows(rig, 6);
	cr_assert_eq(rig->dp.n_rules, 0);
	wish_many(1000, 2);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 2);
}

Test(rule_policy, none_where_the_cap_is_nought)
{
	rig->settings.policy.max_rules_auto = 0;
	rig_start(rig);
	wish_many(1000, 1);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 0);
}

Test(rule_policy, one_detector_may_ask_for_so_many_a_window)
{
	rig_start(rig);
	wish_many(1000, 32);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].last_propose, 0);
	wish_many(1000, 33);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].last_propose, -ENOSPC);
}

Test(rule_policy, an_observing_detector_is_told_of_once)
{
	rig->detectors[0].enforce = false;
	rig_start(rig);
	for (int i = 0; i < 5; i++) {
		rig_wish_rule(rig, 0, 123, 1000);
		rig_window(rig);
	}
	cr_expect_eq(rig->dp.n_rules, 0);
	cr_expect_eq(rig_status(rig).would_rule, 5);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RULE_ENFORCED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_ENFORCED), "only observes"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_ENFORCED));
	/* Somebody who enforces asks for the same. */
	rig_wish_rule(rig, 0, 123, 1000);
	rig_wish_rule(rig, 1, 123, 10);
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
}

Test(rule_policy, observe_mode_counts_and_begins_afresh)
{
	struct engine_options options;
	struct settings next;

	rig->settings.enforce = false;
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_assert(rig_rule(rig, 123), "the filter counts what it would drop");
	rig_send_port(rig, "192.0.2.1", 123, 50);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen_rules[0].packets, 50);
	cr_expect_eq(rig->detectors[0].seen_rules[0].dropped_packets, 0);
	cr_expect(rig->detectors[0].seen_rules[0].flags & SLUICE_WINDOW_RULE_OBSERVED);
	cr_expect_eq(rig_status(rig).would_rule, 1);
	cr_expect_eq(rig_status(rig).rules_enforced_total, 0);
	next = rig->settings;
	next.enforce = true;
	options = rig_options(rig);
	options.settings = &next;
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	cr_expect_null(rig_rule(rig, 123), "observe mode is over");
}

Test(rule_policy, a_detector_that_fails_has_asked_for_nothing)
{
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_wish_rule(rig, 1, 124, 1000);
	rig->detectors[0].code = -EIO;
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 123));
	cr_expect(rig_rule(rig, 124));
	cr_expect_eq(rig_status(rig).detectors[0].rule_proposals, 0);
}

Test(rule_policy, all_means_every_enforcing_detector)
{
	rig->settings.policy.combine = SETTINGS_COMBINE_ALL;
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_wish(rig, "192.0.2.1", 1000);
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 123));
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	cr_expect_eq(rig_status(rig).outvoted, 2);
	/* The other one asks for the same rule, and not for the source. */
	rig_wish_rule(rig, 0, 123, 1000);
	rig_wish_rule(rig, 1, 123, 1000);
	rig_wish(rig, "192.0.2.1", 1000);
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
	cr_expect_not(rig_is_blocked(rig, "192.0.2.1"));
	/* It calls the window an attack, which is as good for three windows. */
	rig->detectors[1].attack = true;
	rig_window(rig);
	rig->detectors[1].attack = false;
	rig_windows(rig, 1);
	rig_wish(rig, "192.0.2.1", 1000);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"));
	rig_wish(rig, "192.0.2.2", 1000);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.2"), "that verdict is too old");
}

Test(rule_policy, observers_and_the_disabled_do_not_vote)
{
	rig->settings.policy.combine = SETTINGS_COMBINE_ALL;
	rig->detectors[1].enforce = false;
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
	rig->detectors[1].enforce = true;
	reload();
	rig->detectors[1].code = -EIO;
	rig_windows(rig, 5);
	rig_wish_rule(rig, 0, 124, 1000);
	rig_window(rig);
	cr_expect(rig_rule(rig, 124), "the other one is disabled");
}

Test(rule_policy, weights_are_added_up)
{
	rig->settings.policy.combine = SETTINGS_COMBINE_WEIGHTED;
	rig->settings.policy.votes = 1.5;
	rig->detectors[0].weight = 1.0;
	rig->detectors[1].weight = 0.5;
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 123));
	rig_wish_rule(rig, 0, 123, 1000);
	rig->detectors[1].attack = true;
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
	rig->detectors[1].weight = 0.4;
	reload();
	rig_wish_rule(rig, 0, 124, 1000);
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 124));
}

Test(rule_policy, too_little_passes_so_the_newest_go)
{
	rig->settings.policy.min_pass = 0.2;
	rig->settings.policy.min_pass_withdraw = true;
	rig_start(rig);
	for (int i = 0; i < 20; i++) {
		rig_send_port(rig, "192.0.2.1", 443, 1000);
		rig_window(rig);
	}
	rig_wish_rule(rig, 0, 443, 1000);
	rig_send_port(rig, "192.0.2.1", 443, 1000);
	rig_window(rig);
	cr_assert(rig_rule(rig, 443));
	for (int i = 0; i < 2; i++) {
		rig->detectors[0].attack = true;
		rig_send_port(rig, "192.0.2.1", 443, 1000);
		rig_window(rig);
	}
	cr_expect_null(rig_rule(rig, 443));
	cr_expect_eq(rig_events(rig, EVENT_KIND_MIN_PASS), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_RELEASED), "too little passed"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_RELEASED));
	rig_wish_rule(rig, 0, 443, 1000);
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 443), "not again at once");
	rig_advance(rig, 61 * RIG_WINDOW_NS);
	rig_wish_rule(rig, 0, 443, 1000);
	rig_window(rig);
	cr_expect(rig_rule(rig, 443), "but later");
}

Test(rule_policy, rules_outlive_a_reload)
{
	struct settings_rule file = {
		.name = "gre",
		.match.fields = SLUICE_RULE_PROTOCOL,
		.match.protocol = 47,
	};
	char name[SLUICE_RULE_NAME_SIZE];

	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	memcpy(name, rig_rule(rig, 123)->name, sizeof(name));
	rig_send_port(rig, "192.0.2.1", 123, 10);
	rig->settings.rules = &file;
	rig->settings.n_rules = 1;
	reload();
	cr_assert(rig_rule(rig, 123));
	cr_expect_str_eq(rig_rule(rig, 123)->name, name);
	cr_expect_eq(rig->dp.n_rules, 2);
	rig_window(rig);
	cr_expect_eq(rig->detectors[0].seen_rules[1].packets, 10, "and so do its counters");
}

/* The engine goes, and another one comes to the same filter. */
static void restart(void)
{
	engine_free(rig->engine);
	rig->dp.dp.adopted = true;
	rig_start(rig);
}

Test(rule_policy, rules_outlive_a_restart)
{
	struct dataplane_rule before;

	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	before = *rig_rule(rig, 123);
	rig_send_port(rig, "192.0.2.1", 123, 500);
	restart();
	cr_assert(rig_rule(rig, 123));
	cr_expect_eq(memcmp(rig_rule(rig, 123), &before, sizeof(before)), 0);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_ADOPTED), "took over 1 automatic rules"),
		  "%s", rig_event_text(rig, EVENT_KIND_ADOPTED));
	/* It lives on as it would have. */
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 1);
	cr_expect_eq(rig->detectors[0].seen_rules[0].packets, 0, "none of before the restart");
	rig_windows(rig, 5);
	cr_expect_null(rig_rule(rig, 123));
	/* A new one does not get a name that is taken. */
	rig_wish_rule(rig, 0, 124, 1000);
	rig_window(rig);
	cr_expect_str_neq(rig_rule(rig, 124)->name, before.name);
}

Test(rule_policy, what_lapsed_or_is_over_is_not_taken_over)
{
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000)->proposal.ttl_ns = 2 * RIG_WINDOW_NS;
	rig_wish_rule(rig, 0, 124, 1000);
	rig_window(rig);
	rig_advance(rig, 3 * RIG_WINDOW_NS);
	restart();
	cr_expect_null(rig_rule(rig, 123), "its time is over");
	cr_expect(rig_rule(rig, 124));
	rig->dp.dp.lapsed = true;
	restart();
	cr_expect_null(rig_rule(rig, 124), "on_death: expire");
}

Test(rule_policy, what_is_taken_over_is_bounded)
{
	struct dataplane_rule *pinned;

	rig_start(rig);
	wish_many(1000, 4);
	rig_window(rig);
	pinned = &rig->dp.rules[0].rule;
	pinned->first_seen_ns = UINT64_MAX;
	pinned->expires_ns = UINT64_MAX;
	pinned->repeats = UINT32_MAX;
	/* Two with one name, and two that match the same. */
	memcpy(rig->dp.rules[1].rule.name, pinned->name, sizeof(pinned->name));
	rig->dp.rules[2].rule.match.source_port = pinned->match.source_port;
	restart();
	cr_assert_eq(rig->dp.n_rules, 2);
	pinned = &rig->dp.rules[0].rule;
	cr_expect_eq(pinned->first_seen_ns, rig_boottime(rig));
	cr_expect_eq(pinned->expires_ns, rig_boottime(rig) + rig->settings.policy.ttl_ns);
	cr_expect_eq(pinned->repeats, 0);
	rig->settings.policy.max_rules_auto = 1;
	restart();
	cr_expect_eq(rig->dp.n_rules, 1);
}

Test(rule_policy, a_reload_that_the_filter_refuses_changes_nothing)
{
	struct settings_rule file = { .name = "all" };
	struct engine_options options;
	struct sluice_err err = { 0 };

	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	options = rig_options(rig);
	rig->settings.rules = &file;
	rig->settings.n_rules = 1;
	rig->dp.rules_code = -EINVAL;
	cr_expect_eq(engine_reconfigure(rig->engine, &options, &err), -EINVAL);
	rig->settings.n_rules = 0;
	rig->dp.rules_code = 0;
	cr_expect_eq(rig->dp.n_rules, 1);
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
}

Test(rule_policy, what_the_filter_refuses_is_tried_again)
{
	rig_start(rig);
	rig->dp.rules_code = -EIO;
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 123));
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_REFUSED), "-EIO"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_REFUSED));
	rig->dp.rules_code = 0;
	rig_window(rig);
	cr_expect(rig_rule(rig, 123));
}
