/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a proposal: malformed, repeated, widened, protected. */
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
	rig_allow_prefix(rig, "203.0.113.0/24");
	rig_allow_prefix(rig, "2001:db8:1::5");
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(policy, .init = setup, .fini = teardown);

Test(policy, a_proposal_is_blocked_with_all_that_was_said)
{
	struct engine_explanation explanation;

	rig_block(rig, "192.0.2.1", 12345);
	explanation = rig_explain(rig, "192.0.2.1");
	cr_expect_str_eq(explanation.detector, "limit");
	cr_expect_str_eq(explanation.reason, "source_rate");
	cr_expect_str_eq(explanation.evidence, "more than the limit");
	cr_expect_eq(rig->dp.slots[0].record.pps, 12345);
	cr_expect_str_eq(rig->dp.slots[0].record.detector, "limit");
	cr_expect_eq(rig->dp.slots[0].record.flags, 0);
	cr_expect_eq(rig_status(rig).detectors[0].proposals, 1);
}

Test(policy, one_source_is_one_block_whoever_asks_and_how_often)
{
	struct sluice_key key = key_of("192.0.2.1");

	rig_wish_of(rig, 0, &key, 100);
	rig_wish_of(rig, 0, &key, 300);
	rig_wish_of(rig, 1, &key, 200);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 1);
	cr_expect_eq(rig_status(rig).blocks_total, 1);
	cr_expect_eq(rig->dp.slots[0].record.pps, 300, "the highest rate counts");
	rig_wish_of(rig, 1, &key, 900);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 1);
	cr_expect_eq(rig_events(rig, EVENT_KIND_BLOCKED), 1);
}

Test(policy, ipv6_is_widened_to_the_unit)
{
	struct sluice_key a = key_of("2001:db8::1"), b = key_of("2001:db8::ffff:1");
	struct sluice_key unit = key_of("2001:db8::/64");

	rig_wish_of(rig, 0, &a, 100);
	rig_wish_of(rig, 0, &b, 200);
	rig_window(rig);
	cr_expect_eq(fake_dataplane_size(&rig->dp), 1);
	cr_expect(fake_dataplane_blocked(&rig->dp, &unit));
	cr_expect_eq(rig_status(rig).blocks_total, 1);
}

Test(policy, the_allow_list_protects)
{
	rig_wish(rig, "203.0.113.7", 100000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig_status(rig).protected_allow, 1);
}

Test(policy, a_unit_with_one_allowed_address_is_not_blocked)
{
	rig_wish(rig, "2001:db8:1::66", 100000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig_status(rig).protected_allow, 1);
}

/* Their unit is all of a link: `::` asks for a free address, routers and neighbours have fe80::/10. */
Test(policy, neighbour_discovery_is_not_blocked)
{
	static const char *const sources[] = { "::", "::7", "fe80::1", "fe80:0:0:1::1", "febf::1" };
	static const char *const others[] = { "0:0:0:1::", "fe7f:ffff::1", "fec0::1", "0.0.0.0" };
	const size_t n = sizeof(sources) / sizeof(sources[0]);
	const size_t n_others = sizeof(others) / sizeof(others[0]);

	for (size_t i = 0; i < n; i++)
		rig_wish(rig, sources[i], 100000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
	/* Two of them are one unit. */
	cr_expect_eq(rig_status(rig).refused_total, n - 1);
	for (size_t i = 0; i < n_others; i++)
		rig_wish(rig, others[i], 100000);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, n_others);
}

Test(policy, a_source_in_a_blocked_prefix_needs_no_block)
{
	struct sluice_key prefix = key_of("192.0.2.0/24");

	cr_assert_eq(engine_block(rig->engine, &prefix, 0, NULL), 0);
	rig_wish(rig, "192.0.2.1", 100);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
}

struct bad_wish {
	const char *what;
	struct rig_wish wish;
};

Test(policy, malformed_proposals_are_refused)
{
	const struct sluice_key good = key_of("192.0.2.1");
	struct sluice_key stray = good, family = good;
	const struct bad_wish rows[] = {
		{ "upper case", { good, 1, "Rate", NULL } },
		{ "empty reason", { good, 1, "", NULL } },
		{ "24 characters", { good, 1, "a23456789012345678901234", NULL } },
		{ "escape sequence", { good, 1, "a\x1b[2J", NULL } },
		{ "a prefix", { key_of("192.0.2.0/24"), 1, NULL, NULL } },
		{ "wider than the unit", { key_of("2001:db8::/63"), 1, NULL, NULL } },
		{ "stray bits", { stray, 1, NULL, NULL } },
		{ "no family", { family, 1, NULL, NULL } },
	};
	const size_t n = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < n; i++) {
		rig_wish(rig, "192.0.2.1", 1);
		rig->detectors[0].wishes[0] = rows[i].wish;
		if (i == n - 2)
			rig->detectors[0].wishes[0].key.addr[7] = 1;
		if (i == n - 1)
			rig->detectors[0].wishes[0].key.family = 0;
		rig_window(rig);
		cr_expect_eq(rig->detectors[0].last_propose, -EINVAL, "%s", rows[i].what);
	}
	cr_expect_eq(rig->dp.n_blocks, 0);
	cr_expect_eq(rig_status(rig).detectors[0].proposals, 0);
}

Test(policy, evidence_is_cut_and_made_printable)
{
	char evidence[400];

	memset(evidence, 'x', sizeof(evidence) - 1);
	evidence[sizeof(evidence) - 1] = '\0';
	evidence[3] = '\x1b';
	evidence[4] = '\n';
	rig_wish(rig, "192.0.2.1", 1);
	rig->detectors[0].wishes[0].evidence = evidence;
	rig_window(rig);
	cr_expect_eq(strncmp(rig_explain(rig, "192.0.2.1").evidence, "xxx  xxx", 8), 0);
	for (const char *at = rig_event_text(rig, EVENT_KIND_BLOCKED); *at; at++)
		cr_expect_geq(*at, ' ');
}

Test(policy, only_the_detector_that_is_asked_may_propose)
{
	const struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = key_of("192.0.2.1"),
		.reason = "source_rate",
	};
	struct sluice_instance *instance = (struct sluice_instance *)&rig->detectors[0];

	cr_expect_eq(engine_propose(rig->engine, instance, &proposal), -EINVAL);
	rig_window(rig);
	cr_expect_eq(rig->dp.n_blocks, 0);
}

Test(policy, a_proposal_without_its_last_members_is_refused)
{
	rig_window(rig);
	cr_expect_eq(engine_propose(rig->engine, (struct sluice_instance *)&rig->detectors[0],
				    NULL),
		     -EINVAL);
}

Test(policy, endless_reasons_are_called_other)
{
	char names[600][16];

	for (uint32_t i = 0; i < 600; i++) {
		struct sluice_key key = key_number(i);

		snprintf(names[i], sizeof(names[i]), "reason_%u", i);
		rig_wish_of(rig, 0, &key, 100);
		rig->detectors[0].wishes[i].reason = names[i];
	}
	rig_window(rig);
	cr_expect_eq(rig_status(rig).blocked, 600);
	cr_expect_str_eq(rig_explain(rig, "10.0.0.1").reason, "reason_1");
	cr_expect_str_eq(rig_explain(rig, "10.0.2.87").reason, "other");
	cr_expect_eq(rig_event_count(rig, EVENT_KIND_BLOCKED), 600);
}
