/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine says of itself. */
#include <criterion/criterion.h>

#include "rig.h"

static struct rig *rig;

static void setup(void)
{
	rig = rig_new();
	rig->settings.allow[0] = (struct settings_allow){
		.kind = SETTINGS_ALLOW_PREFIX,
		.prefix = key_of("203.0.113.0/24"),
	};
	rig->settings.n_allow = 1;
	rig_use_known(rig);
	rig_use_card(rig);
	rig_know(rig, "192.0.2.50");
	rig_start(rig);
}

static void teardown(void)
{
	rig_free(rig);
}

TestSuite(status, .init = setup, .fini = teardown);

Test(status, at_the_start)
{
	struct engine_status status = rig_status(rig);

	cr_expect_eq(status.windows, 0);
	cr_expect_eq(status.window_ns, RIG_WINDOW_NS);
	cr_expect(status.enforce);
	cr_expect_not(status.attack);
	cr_expect_eq(status.blocked, 0);
	cr_expect_eq(status.n_detectors, 1);
	cr_expect_str_eq(status.detectors[0].name, "limit");
	cr_expect(status.detectors[0].enforce);
}

Test(status, counts_what_became_of_sources)
{
	struct sluice_key manual = key_of("192.0.2.9"), prefix = key_of("198.51.100.0/24");
	struct sluice_key other = key_of("192.0.2.10");
	struct engine_status status;

	cr_assert_eq(engine_block(rig->engine, &manual, 0, NULL), 0);
	cr_assert_eq(engine_block(rig->engine, &prefix, 0, NULL), 0);
	cr_assert_eq(engine_block(rig->engine, &other, 0, NULL), 0);
	cr_assert_eq(engine_unblock(rig->engine, &other, NULL), 0);
	rig->settings.policy.max_blocked = 2;
	rig_wish(rig, "192.0.2.1", 3);
	rig_wish(rig, "192.0.2.2", 2);
	rig_wish(rig, "192.0.2.50", 1);
	rig_wish(rig, "203.0.113.1", 1);
	rig_window(rig);
	rig->card.rules[rig->card.n_rules++] = (struct fake_rule){ .key = manual, .packets = 7 };
	rig_window(rig);
	status = rig_status(rig);
	cr_expect_eq(status.windows, 2);
	cr_expect_eq(status.blocked, 2);
	cr_expect_eq(status.blocked_manual, 1);
	cr_expect_eq(status.blocked_prefixes, 1);
	cr_expect_eq(status.offloaded, 1);
	cr_expect_eq(status.blocks_total, 4);
	cr_expect_eq(status.released_total, 1);
	cr_expect_eq(status.refused_total, 1);
	cr_expect_eq(status.protected_known, 1);
	cr_expect_eq(status.protected_allow, 1);
	cr_expect_eq(status.detectors[0].proposals, 4);
}

Test(status, known_clients_without_room)
{
	cr_expect_eq(rig_status(rig).known_left_out, 0);
	rig->known_left_out = 77;
	cr_expect_eq(rig_status(rig).known_left_out, 77);
}

Test(status, the_last_window_without_its_arrays)
{
	struct engine_status status;

	rig_send(rig, "192.0.2.1", 10);
	rig_window(rig);
	status = rig_status(rig);
	cr_expect_eq(status.window.passed_packets, 10);
	cr_expect_eq(status.window.n_sources, 1);
	cr_expect_null(status.window.sources);
	cr_expect_null(status.window.blocked);
}

Test(status, stages_are_timed)
{
	struct engine_status status;

	rig->detectors[0].takes_ns = 5000;
	rig_window(rig);
	rig->detectors[0].takes_ns = 3000;
	rig_window(rig);
	status = rig_status(rig);
	cr_expect_eq(status.stage_ns[ENGINE_STAGE_SWAP], 11);
	cr_expect_eq(status.stage_ns[ENGINE_STAGE_GRACE], 22);
	cr_expect_eq(status.stage_ns[ENGINE_STAGE_DETECT], 3000);
	cr_expect_eq(status.stage_max_ns[ENGINE_STAGE_DETECT], 5000);
	cr_expect_eq(status.total_ns, 3000);
	cr_expect_str_eq(engine_stage_name(ENGINE_STAGE_OFFLOAD), "offload");
	cr_expect_str_eq(engine_stage_name((enum engine_stage)99), "unknown");
}

Test(status, when_an_attack_began)
{
	uint64_t began;

	rig_windows(rig, 3);
	rig->detectors[0].attack = true;
	rig_window(rig);
	began = rig->now_ns + RIG_REALTIME_AHEAD_NS;
	rig->detectors[0].attack = false;
	rig_windows(rig, 2);
	cr_expect(rig_status(rig).attack);
	rig_windows(rig, 10);
	cr_expect_not(rig_status(rig).attack);
	cr_expect_eq(rig_status(rig).attack_started_realtime_ns, began);
	cr_expect_eq(rig_status(rig).attacks, 1);
	cr_expect_eq(rig_status(rig).detectors[0].attack_windows, 1);
}
