/* SPDX-License-Identifier: BSD-2-Clause */
/* All that is said of one source, whatever became of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig_own(rig, SYSTEM_ADDRESS_OWN, "192.0.2.100");
	rig_allow_prefix(rig, "203.0.113.0/24");
	rig_use_known(rig);
	rig_use_card(rig);
	rig_know(rig, "192.0.2.50");
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(explain, .init = setup, .fini = teardown);

static void expect_key(const struct engine_explanation *explanation, const char *text)
{
	char found[ADDRESS_TEXT_SIZE];

	cr_expect_str_eq(address_format(&explanation->key, found), text);
}

Test(explain, a_blocked_source)
{
	struct engine_explanation explanation;
	uint64_t began;

	rig_block(rig, "192.0.2.1", 500);
	began = rig->now_ns + RIG_REALTIME_AHEAD_NS;
	rig->card.rules[rig->card.n_rules++] =
		(struct fake_rule){ key_of("192.0.2.1"), 70, 1234, false };
	rig_window(rig);
	rig_send(rig, "192.0.2.1", 30);
	rig_window(rig);
	explanation = rig_explain(rig, "192.0.2.1");
	expect_key(&explanation, "192.0.2.1");
	cr_expect_eq(explanation.state, ENGINE_STATE_OFFLOADED);
	cr_expect_not(explanation.allowed || explanation.known || explanation.prefix);
	cr_expect_str_eq(explanation.detector, "limit");
	cr_expect_str_eq(explanation.reason, "source_rate");
	cr_expect_eq(explanation.first_seen_realtime_ns, began);
	cr_expect_eq(explanation.last_seen_realtime_ns, rig->now_ns + RIG_REALTIME_AHEAD_NS);
	cr_expect_eq(explanation.pps, 100);
	cr_expect_eq(explanation.hw_pps, 70);
	cr_expect_eq(explanation.hw_age_ns, 1234);
	cr_expect_eq(explanation.passed_pps, 0);
	cr_expect_eq(explanation.dropped_packets, 100);
	cr_expect_eq(explanation.ttl_left_ns, 598 * RIG_WINDOW_NS);
	cr_expect(strstr(explanation.release, "5 more windows at or under 10 packets/s"), "%s",
		  explanation.release);
}

Test(explain, an_ipv6_address_is_explained_by_its_unit)
{
	struct engine_explanation explanation;

	rig_block(rig, "2001:db8::1", 500);
	explanation = rig_explain(rig, "2001:db8::2");
	expect_key(&explanation, "2001:db8::/64");
	cr_expect_eq(explanation.state, ENGINE_STATE_BLOCKED);
}

Test(explain, a_source_in_a_blocked_prefix)
{
	struct sluice_key key = key_of("198.51.100.0/24");
	struct engine_explanation explanation;

	cr_assert_eq(engine_block(rig->engine, &key, 9 * RIG_WINDOW_NS, NULL), 0);
	explanation = rig_explain(rig, "198.51.100.77");
	expect_key(&explanation, "198.51.100.0/24");
	cr_expect(explanation.prefix);
	cr_expect_eq(explanation.state, ENGINE_STATE_PINNED);
	cr_expect_eq(explanation.ttl_left_ns, 9 * RIG_WINDOW_NS);
	cr_expect_str_eq(explanation.detector, "operator");
	cr_expect(strstr(explanation.release, "`sluice unblock`"));
}

Test(explain, the_longest_blocked_prefix_is_named)
{
	struct sluice_key wide = key_of("198.51.0.0/16"), narrow = key_of("198.51.100.0/24");
	struct engine_explanation explanation;

	cr_assert_eq(engine_block(rig->engine, &narrow, 0, NULL), 0);
	cr_assert_eq(engine_block(rig->engine, &wide, 0, NULL), 0);
	explanation = rig_explain(rig, "198.51.100.77");
	expect_key(&explanation, "198.51.100.0/24");
}

Test(explain, an_allowed_source)
{
	struct engine_explanation explanation = rig_explain(rig, "203.0.113.7");

	expect_key(&explanation, "203.0.113.0/24");
	cr_expect(explanation.allowed);
	cr_expect_eq(explanation.state, ENGINE_STATE_NONE);
	cr_expect(strstr(explanation.release, "allow-listed"));
	explanation = rig_explain(rig, "192.0.2.100");
	cr_expect(explanation.allowed);
	cr_expect(strstr(explanation.release, "address of this host"));
}

Test(explain, a_known_source)
{
	struct engine_explanation explanation;

	rig_send(rig, "192.0.2.50", 4000);
	rig_window(rig);
	explanation = rig_explain(rig, "192.0.2.50");
	cr_expect(explanation.known);
	cr_expect_eq(explanation.state, ENGINE_STATE_NONE);
	cr_expect_eq(explanation.passed_pps, 4000);
	cr_expect(strstr(explanation.release, "known client"));
}

Test(explain, seen_but_not_blocked)
{
	struct engine_explanation explanation;

	rig_send(rig, "192.0.2.60", 40);
	rig_window(rig);
	explanation = rig_explain(rig, "192.0.2.60");
	cr_expect_eq(explanation.state, ENGINE_STATE_NONE);
	cr_expect_eq(explanation.passed_pps, 40);
	cr_expect_str_eq(explanation.release, "not blocked");
}

Test(explain, never_heard_of)
{
	struct engine_explanation explanation = rig_explain(rig, "8.8.8.8");

	expect_key(&explanation, "8.8.8.8");
	cr_expect_eq(explanation.state, ENGINE_STATE_NONE);
	cr_expect_eq(explanation.passed_pps + explanation.pps + explanation.ttl_left_ns, 0);
	cr_expect_eq(explanation.first_seen_realtime_ns, 0);
	cr_expect_str_eq(explanation.detector, "");
}

Test(explain, a_released_source)
{
	struct engine_explanation explanation;

	rig_block(rig, "192.0.2.1", 500);
	rig_windows(rig, 7);
	explanation = rig_explain(rig, "192.0.2.1");
	cr_expect_eq(explanation.state, ENGINE_STATE_RELEASED);
	cr_expect_eq(explanation.repeats, 1);
	cr_expect_str_eq(explanation.reason, "source_rate");
	cr_expect(strstr(explanation.release, "it was released"));
}

Test(explain, a_pinned_source)
{
	struct sluice_key key = key_of("192.0.2.1");

	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	cr_expect_str_eq(rig_explain(rig, "192.0.2.1").release, "`sluice unblock`");
}

Test(explain, never_seen_although_blocked_by_hand)
{
	struct sluice_key key = key_of("192.0.2.1");

	cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), 0);
	rig_window(rig);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").last_seen_realtime_ns, 0);
	rig_send(rig, "192.0.2.1", 3);
	rig_window(rig);
	cr_expect_eq(rig_explain(rig, "192.0.2.1").last_seen_realtime_ns,
		     rig->now_ns + RIG_REALTIME_AHEAD_NS);
}

/* What counts is whether its packets are dropped, not what the state is called. */
Test(explain, says_whether_packets_are_dropped)
{
	struct sluice_key source = key_of("192.0.2.2"), prefix = key_of("198.51.100.0/24");

	rig_block(rig, "192.0.2.1", 500);
	cr_expect(rig_explain(rig, "192.0.2.1").dropped);
	rig_windows(rig, 4);
	cr_expect_eq(rig_state(rig, "192.0.2.1"), ENGINE_STATE_PROBATION);
	cr_expect(rig_explain(rig, "192.0.2.1").dropped);
	rig_windows(rig, 3);
	cr_expect_not(rig_explain(rig, "192.0.2.1").dropped, "released");
	cr_assert_eq(engine_block(rig->engine, &source, 0, NULL), 0);
	cr_assert_eq(engine_block(rig->engine, &prefix, 0, NULL), 0);
	cr_expect(rig_explain(rig, "192.0.2.2").dropped);
	cr_expect(rig_explain(rig, "198.51.100.7").dropped);
	cr_expect_not(rig_explain(rig, "203.0.113.7").dropped, "allowed");
}

Test(explain, nothing_is_dropped_in_observe_mode)
{
	struct sluice_key source = key_of("192.0.2.2"), prefix = key_of("198.51.100.0/24");
	struct engine_explanation explanation;

	cr_assert_eq(engine_block(rig->engine, &source, 0, NULL), 0);
	cr_assert_eq(engine_block(rig->engine, &prefix, 0, NULL), 0);
	rig->settings.enforce = false;
	explanation = rig_explain(rig, "192.0.2.2");
	cr_expect_eq(explanation.state, ENGINE_STATE_PINNED);
	cr_expect_not(explanation.dropped);
	explanation = rig_explain(rig, "198.51.100.7");
	cr_expect_not(explanation.dropped);
	cr_expect(strstr(explanation.release, "observe mode"), "%s", explanation.release);
}

Test(explain, a_whole_prefix)
{
	struct engine_explanation explanation = rig_explain(rig, "203.0.113.0/25");

	cr_expect(explanation.allowed);
	explanation = rig_explain(rig, "192.0.2.0/24");
	cr_expect_not(explanation.allowed, "only part of it is");
}

Test(explain, nonsense_is_refused)
{
	struct engine_explanation explanation;
	struct sluice_key bad = { .family = 4, .prefix_len = 200 };

	cr_expect_eq(engine_explain(rig->engine, &bad, &explanation), -EINVAL);
}
