/* SPDX-License-Identifier: BSD-2-Clause */
/* All that is said of one rule, in each state of its life, and its end by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rig.h"

static struct rig *rig;
static uint64_t held_ns;

static void setup(void)
{
	rig = rig_new();
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(explain_rule, .init = setup, .fini = teardown);

static struct engine_rule_explanation explain(const char *name)
{
	struct engine_rule_explanation explanation;

	cr_assert_eq(engine_explain_rule(rig->engine, name, &explanation), 0, "%s", name);
	return explanation;
}

/* The name of the rule for this port, once it is in force. */
static const char *enforce(uint16_t port)
{
	static char name[SLUICE_RULE_NAME_SIZE];

	rig_wish_rule(rig, 0, port, 5000);
	rig_window(rig);
	cr_assert(rig_rule(rig, port));
	memcpy(name, rig_rule(rig, port)->name, sizeof(name));
	return name;
}

Test(explain_rule, in_force)
{
	struct engine_rule_explanation explanation;
	const char *name;

	rig_start(rig);
	name = enforce(123);
	rig_send_port(rig, "192.0.2.1", 123, 300);
	rig_window(rig);
	explanation = explain(name);
	cr_expect_str_eq(explanation.rule.name, name);
	cr_expect(explanation.automatic);
	cr_expect(explanation.dropped);
	cr_expect_eq(explanation.state, ENGINE_STATE_BLOCKED);
	cr_expect_eq(explanation.n_detectors, 1);
	cr_expect_str_eq(explanation.detectors[0], "limit");
	cr_expect_str_eq(explanation.reason, "reflection");
	cr_expect_str_eq(explanation.evidence, "many answers, no questions");
	cr_expect_eq(explanation.pps, 300);
	cr_expect_eq(explanation.dropped_pps, 300);
	cr_expect_eq(explanation.dropped_packets, 300);
	cr_expect_eq(explanation.windows_since_asked, 1);
	cr_expect_eq(explanation.changed_realtime_ns,
		     rig->now_ns - RIG_WINDOW_NS + RIG_REALTIME_AHEAD_NS);
	cr_expect_eq(explanation.quiet_left_ns, rig->settings.policy.rule_quiet_ns);
	cr_expect_eq(explanation.ttl_left_ns, rig->settings.policy.ttl_ns - RIG_WINDOW_NS);
	cr_expect(strstr(explanation.release, "`sluice unblock`"), "%s", explanation.release);
}

Test(explain_rule, released_and_remembered)
{
	struct engine_rule_explanation explanation;
	const char *name;

	rig_start(rig);
	name = enforce(123);
	rig_windows(rig, (unsigned int)(rig->settings.policy.rule_quiet_ns / RIG_WINDOW_NS) + 1);
	cr_assert_null(rig_rule(rig, 123));
	explanation = explain(name);
	cr_expect_eq(explanation.state, ENGINE_STATE_RELEASED);
	cr_expect_not(explanation.dropped);
	cr_expect_eq(explanation.repeats, 1);
	cr_expect_eq(explanation.ttl_left_ns, 0);
	cr_expect_eq(explanation.held_ns, 0);
	cr_expect(strstr(explanation.release, "it was released"), "%s", explanation.release);
}

Test(explain_rule, observed)
{
	struct engine_rule_explanation explanation;

	rig->detectors[0].enforce = false;
	rig_start(rig);
	rig_wish_rule(rig, 0, 123, 5000);
	rig_window(rig);
	explanation = explain("reflection.1");
	cr_expect_eq(explanation.state, ENGINE_STATE_CANDIDATE);
	cr_expect_not(explanation.dropped);
	cr_expect(strstr(explanation.release, "only observes"), "%s", explanation.release);
}

Test(explain_rule, of_the_file)
{
	struct engine_rule_explanation explanation;
	struct settings_rule rule = { .name = "ntp",
				      .match.fields = SLUICE_RULE_PROTOCOL,
				      .match.protocol = 17,
				      .action = SETTINGS_RULE_DROP };
	struct sluice_err err = { .text = "" };

	rig->settings.rules = &rule;
	rig->settings.n_rules = 1;
	rig_start(rig);
	rig_send_port(rig, "192.0.2.1", 123, 40);
	rig_window(rig);
	explanation = explain("ntp");
	cr_expect_not(explanation.automatic);
	cr_expect(explanation.dropped);
	cr_expect_eq(explanation.state, ENGINE_STATE_PINNED);
	cr_expect_eq(explanation.dropped_packets, 40);
	cr_expect_eq(explanation.pps, 40);
	cr_expect_eq(explanation.windows_since_asked, UINT64_MAX);
	cr_expect(strstr(explanation.release, "deployment file"), "%s", explanation.release);
	cr_expect_eq(engine_unblock_rule(rig->engine, "ntp", &held_ns, &err), -EPERM);
	cr_expect(strstr(err.text, "deployment file"), "%s", err.text);
	cr_expect_eq(rig->dp.n_rules, 1);
}

Test(explain_rule, never_heard_of)
{
	struct engine_rule_explanation explanation;
	struct sluice_err err = { .text = "" };

	rig_start(rig);
	cr_expect_eq(engine_explain_rule(rig->engine, "nosuch.1", &explanation), -ENOENT);
	cr_expect_eq(engine_unblock_rule(rig->engine, "nosuch.1", &held_ns, &err), -ENOENT);
	cr_expect(strstr(err.text, "nosuch.1"), "%s", err.text);
}

/* Its detector goes on asking; it has to wait for the policy's ttl. */
Test(explain_rule, the_operator_ends_it)
{
	struct engine_rule_explanation explanation;
	const char *name;
	unsigned int windows;

	rig->settings.policy.ttl_ns = 8 * RIG_WINDOW_NS;
	rig_start(rig);
	name = enforce(123);
	cr_assert_eq(engine_unblock_rule(rig->engine, name, &held_ns, NULL), 0);
	cr_expect_eq(held_ns, 8 * RIG_WINDOW_NS);
	cr_assert_null(rig_rule(rig, 123), "at once");
	cr_expect_eq(rig_events(rig, EVENT_KIND_RULE_RELEASED), 1);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_RULE_RELEASED), "by hand"));
	explanation = explain(name);
	cr_expect_eq(explanation.state, ENGINE_STATE_RELEASED);
	cr_expect_eq(explanation.held_ns, 8 * RIG_WINDOW_NS);
	cr_expect_eq(explanation.repeats, 0, "no repeater by the operator's doing");
	for (windows = 0; !rig_rule(rig, 123) && windows < 20; windows++) {
		rig_wish_rule(rig, 0, 123, 5000);
		rig_window(rig);
	}
	cr_expect_eq(windows, 8);
	cr_expect_eq(engine_unblock_rule(rig->engine, name, &held_ns, NULL), -ENOENT,
		     "it has a new name");
}
