/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules that detectors ask for: enforced, shared, renewed, released, refused, observed. */
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

TestSuite(rules, .init = setup, .fini = teardown);

static void enforce(uint16_t port)
{
	rig_wish_rule(rig, 0, port, 1000);
	rig_window(rig);
	cr_assert(rig_rule(rig, port), "port %u", port);
}

/* A window in which so many packets from the port come. */
static void flood(uint16_t port, uint64_t packets)
{
	rig_send_port(rig, "192.0.2.1", port, packets);
	rig_window(rig);
}

Test(rules, a_rule_is_enforced_with_all_that_was_said)
{
	const struct dataplane_rule *rule;

	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 5000);
	rig_window(rig);
	rule = rig_rule(rig, 123);
	cr_assert(rule);
	cr_expect_eq(rule->action, DATAPLANE_RULE_DROP);
	cr_expect_eq(rule->match.protocol, 17);
	cr_expect_eq(rule->exempts_known, true, "known clients pass by default");
	cr_expect_eq(rule->pps, 5000);
	cr_expect_str_eq(rule->origin, "limit");
	cr_expect_str_eq(rule->reason, "reflection");
	cr_expect_eq(strncmp(rule->name, "reflection.", 11), 0, "%s", rule->name);
	cr_expect_eq(rule->first_seen_ns, rig_boottime(rig));
	cr_expect_eq(rule->expires_ns, rig_boottime(rig) + rig->settings.policy.ttl_ns);
	cr_expect_eq(rig_events(rig, EVENT_KIND_RULE_ENFORCED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_ENFORCED),
			 "drop {protocol: udp, source_port: 123} (many answers, no questions)"),
		  "%s", rig_event_text(rig, EVENT_KIND_RULE_ENFORCED));
	cr_expect_eq(rig_status(rig).rules, 1);
	cr_expect_eq(rig_status(rig).rules_enforced_total, 1);
	cr_expect_eq(rig_status(rig).detectors[0].rule_proposals, 1);
}

Test(rules, two_detectors_that_mean_the_same_share_one)
{
	struct rig_rule_wish *wish;

	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 1000);
	wish = rig_wish_rule(rig, 1, 123, 3000);
	wish->proposal.include_known = true;
	/* What is not asked for is no part of the match. */
	wish->match.ttl = (struct sluice_rule_range){ 7, 9 };
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 1);
	cr_expect_eq(rig_rule(rig, 123)->pps, 3000, "the highest rate counts");
	cr_expect_eq(rig_rule(rig, 123)->exempts_known, true, "whoever protects clients wins");
	cr_expect_eq(rig_events(rig, EVENT_KIND_RULE_ENFORCED), 1);
	rig_wish_rule(rig, 1, 123, 3000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules_sets, 2, "asked again, nothing to change: start and once");
}

Test(rules, dropping_goes_before_limiting)
{
	struct rig_rule_wish *wish;

	rig_start(rig);
	wish = rig_wish_rule(rig, 0, 123, 9000);
	wish->proposal.action = SLUICE_RULE_LIMIT;
	wish->proposal.rate = 100;
	rig_wish_rule(rig, 1, 123, 1000);
	rig_window(rig);
	cr_assert(rig_rule(rig, 123));
	cr_expect_eq(rig_rule(rig, 123)->action, DATAPLANE_RULE_DROP);
}

Test(rules, a_limit_arrives_with_a_burst)
{
	struct rig_rule_wish *wish;
	const struct dataplane_rule *rule;

	rig_start(rig);
	wish = rig_wish_rule(rig, 0, 53, 1000);
	wish->proposal.action = SLUICE_RULE_LIMIT;
	wish->proposal.is_per_source = true;
	wish->proposal.is_by_byte = true;
	wish->proposal.rate = 2000000;
	rig_window(rig);
	rule = rig_rule(rig, 53);
	cr_assert(rule);
	cr_expect_eq(rule->action, DATAPLANE_RULE_LIMIT_SOURCE);
	cr_expect_eq(rule->is_by_byte, true);
	cr_expect_eq(rule->rate, 2000000);
	cr_expect_eq(rule->burst, 200000);
}

Test(rules, config_comes_first_and_what_it_drops_needs_no_other)
{
	struct settings_rule file = {
		.name = "ntp",
		.match.fields = SLUICE_RULE_PROTOCOL,
		.match.protocol = 17,
	};
	struct engine_options options;

	rig->settings.rules = &file;
	rig->settings.n_rules = 1;
	rig_start(rig);
	cr_assert_eq(rig->dp.n_rules, 1);
	rig_wish_rule(rig, 0, 123, 1000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_rules, 1, "udp is dropped altogether");
	file.match.protocol = 6;
	options = rig_options(rig);
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	enforce(123);
	cr_expect_str_eq(rig->dp.rules[0].rule.name, "ntp");
	cr_expect_str_eq(rig->dp.rules[0].rule.origin, "config");
	cr_expect_eq(rig->dp.rules[1].rule.match.source_port.from, 123);
	cr_expect_eq(rig_status(rig).rules_config, 1);
}

Test(rules, a_narrower_rule_keeps_the_wider_one_alive)
{
	struct rig_rule_wish *wish;

	rig_start(rig);
	enforce(123);
	for (int i = 0; i < 12; i++) {
		wish = rig_wish_rule(rig, 1, 123, 1000);
		wish->match.fields |= SLUICE_RULE_LENGTH;
		wish->match.length = (struct sluice_rule_range){ 400, 500 };
		rig_window(rig);
	}
	cr_expect_eq(rig->dp.n_rules, 1);
	cr_expect(rig_rule(rig, 123));
}

Test(rules, a_rule_lasts_while_it_matches_and_leaves_when_it_is_quiet)
{
	rig_start(rig);
	enforce(123);
	for (int i = 0; i < 20; i++)
		flood(123, 1000);
	cr_assert(rig_rule(rig, 123), "it still matches");
	cr_expect_eq(rig->dp.counters.reason[DATAPLANE_REASON_RULE].packets, 20000);
	for (int i = 0; i < 4; i++)
		flood(123, 1);
	cr_expect(rig_rule(rig, 123), "4 s of quiet are not 5");
	flood(123, 1);
	cr_expect_null(rig_rule(rig, 123), "a few clients' packets do not keep it");
	cr_expect_eq(rig_status(rig).rules, 0);
	cr_expect_eq(rig_status(rig).rules_released_total, 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_RELEASED), "quiet (20005 packets"),
		  "%s", rig_event_text(rig, EVENT_KIND_RULE_RELEASED));
}

Test(rules, one_loud_window_begins_the_wait_anew)
{
	rig_start(rig);
	enforce(123);
	flood(123, 1000);
	for (int i = 0; i < 4; i++)
		flood(123, 0);
	flood(123, 1000);
	for (int i = 0; i < 4; i++)
		flood(123, 0);
	cr_expect(rig_rule(rig, 123));
	flood(123, 0);
	cr_expect_null(rig_rule(rig, 123));
}

Test(rules, its_detector_keeps_it_though_it_matches_nothing)
{
	rig_start(rig);
	enforce(123);
	for (int i = 0; i < 12; i++) {
		rig_wish_rule(rig, 0, 123, 1000);
		rig_window(rig);
	}
	cr_expect(rig_rule(rig, 123));
}

Test(rules, a_repeater_waits_twice_as_long_and_keeps_its_age)
{
	uint64_t first_seen_ns;

	rig_start(rig);
	enforce(123);
	first_seen_ns = rig_rule(rig, 123)->first_seen_ns;
	rig_windows(rig, 5);
	cr_assert_null(rig_rule(rig, 123));
	enforce(123);
	cr_expect_eq(rig_rule(rig, 123)->repeats, 1);
	cr_expect_eq(rig_rule(rig, 123)->first_seen_ns, first_seen_ns);
	cr_expect_eq(rig_rule(rig, 123)->expires_ns,
		     rig_boottime(rig) + 2 * rig->settings.policy.ttl_ns);
	rig_windows(rig, 9);
	cr_expect(rig_rule(rig, 123));
	rig_window(rig);
	cr_expect_null(rig_rule(rig, 123));
}

Test(rules, a_term_that_ends_in_a_flood_is_renewed)
{
	uint64_t expires_ns;

	rig->settings.policy.ttl_ns = 3 * RIG_WINDOW_NS;
	rig_start(rig);
	enforce(123);
	expires_ns = rig_rule(rig, 123)->expires_ns;
	for (int i = 0; i < 4; i++)
		flood(123, 1000);
	cr_assert(rig_rule(rig, 123));
	cr_expect_gt(rig_rule(rig, 123)->expires_ns, expires_ns, "the data plane knows, too");
	cr_expect_gt(rig_rule(rig, 123)->expires_ns, rig_boottime(rig));
	rig_windows(rig, 4);
	cr_expect_null(rig_rule(rig, 123), "its time is over, and it is quiet");
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_RELEASED), "its time is over"), "%s",
		  rig_event_text(rig, EVENT_KIND_RULE_RELEASED));
}

Test(rules, a_hint_shortens_the_term_and_never_lengthens_it)
{
	rig_start(rig);
	rig_wish_rule(rig, 0, 1, 10)->proposal.ttl_ns = 7 * RIG_WINDOW_NS;
	rig_wish_rule(rig, 0, 2, 10)->proposal.ttl_ns = UINT64_MAX;
	rig_window(rig);
	cr_assert(rig_rule(rig, 1) && rig_rule(rig, 2));
	cr_expect_eq(rig_rule(rig, 1)->expires_ns, rig_boottime(rig) + 7 * RIG_WINDOW_NS);
	cr_expect_eq(rig_rule(rig, 2)->expires_ns, rig_boottime(rig) + rig->settings.policy.ttl_ns);
}

Test(rules, detectors_see_what_rules_dropped)
{
	const struct sluice_window_rule *seen;

	rig_start(rig);
	enforce(123);
	flood(123, 700);
	cr_assert_eq(rig->detectors[1].n_seen_rules, 1);
	seen = &rig->detectors[1].seen_rules[0];
	cr_expect_str_eq(seen->name, rig_rule(rig, 123)->name);
	cr_expect_str_eq(seen->detector, "limit");
	cr_expect_str_eq(seen->reason, "reflection");
	cr_expect_eq(seen->flags, SLUICE_WINDOW_RULE_AUTOMATIC);
	cr_expect_eq(seen->match.fields, SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT);
	cr_expect_eq(seen->match.source_port.from, 123);
	cr_expect_eq(seen->packets, 700);
	cr_expect_eq(seen->dropped_packets, 700);
	cr_expect_eq(seen->dropped_bytes, 42000);
	cr_expect_eq(rig->detectors[1].seen.offered_packets, 700);
	flood(123, 0);
	cr_expect_eq(rig->detectors[1].seen_rules[0].packets, 0, "of this window alone");
}
