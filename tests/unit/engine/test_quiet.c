/* SPDX-License-Identifier: BSD-2-Clause */
/* When a source is quiet: the threshold, learned or fixed, and the verdict on one window. */
#include <criterion/criterion.h>

#include "config/settings.h"
#include "engine/rate_monitor.h"

#define SECOND_NS 1000000000ull

static const struct settings_rate_monitor fixed = { .quiet_pps = 100, .windows = 5 };
static const struct settings_rate_monitor learned = { .quiet_learned = true, .windows = 5 };

static void learn(struct rate_monitor *monitor, bool peace, uint64_t pps, unsigned int windows)
{
	while (windows--)
		rate_monitor_learn(monitor, peace, pps);
}

Test(quiet, fixed_threshold_ignores_what_was_learned)
{
	struct rate_monitor monitor;

	rate_monitor_init(&monitor);
	learn(&monitor, true, 5000, 20);
	cr_expect_eq(rate_monitor_threshold(&monitor, &fixed), 100);
	cr_expect_eq(rate_monitor_threshold(&monitor, &learned), 5000);
}

Test(quiet, nothing_is_believed_before_it_has_waited)
{
	struct rate_monitor monitor;

	rate_monitor_init(&monitor);
	learn(&monitor, true, 5000, RATE_MONITOR_LAG);
	cr_expect_eq(rate_monitor_threshold(&monitor, &learned), RATE_MONITOR_FLOOR_PPS);
	learn(&monitor, true, 10, 1);
	cr_expect_eq(rate_monitor_threshold(&monitor, &learned), 5000);
}

Test(quiet, the_beginning_of_an_attack_is_not_learned)
{
	struct rate_monitor monitor;

	rate_monitor_init(&monitor);
	learn(&monitor, true, 300, 20);
	learn(&monitor, true, 90000, RATE_MONITOR_LAG);
	learn(&monitor, false, 90000, 30);
	learn(&monitor, true, 300, 2 * RATE_MONITOR_LAG);
	cr_expect_eq(rate_monitor_threshold(&monitor, &learned), 300);
}

Test(quiet, a_freak_rate_is_forgotten_slowly)
{
	struct rate_monitor monitor;

	rate_monitor_init(&monitor);
	learn(&monitor, true, 1000000, RATE_MONITOR_LAG + 1);
	learn(&monitor, true, 100, 2839 + RATE_MONITOR_LAG);
	cr_expect_gt(rate_monitor_threshold(&monitor, &learned), 450000);
	cr_expect_lt(rate_monitor_threshold(&monitor, &learned), 550000);
}

struct verdict_row {
	const char *what;
	uint64_t packets;
	uint32_t blocked_pps;
	bool attack, in_card;
	uint64_t hw_age_ns;
	enum rate_verdict verdict;
};

static const struct verdict_row verdicts[] = {
	{ "silent", 0, 0, false, false, 0, RATE_VERDICT_QUIET },
	{ "at the threshold", 100, 0, false, false, 0, RATE_VERDICT_QUIET },
	{ "above it", 101, 0, false, false, 0, RATE_VERDICT_LOUD },
	{ "in an attack, a quarter of its rate", 20, 80, true, false, 0, RATE_VERDICT_QUIET },
	{ "in an attack, more than that", 21, 80, true, false, 0, RATE_VERDICT_LOUD },
	{ "in peace, more than that", 21, 80, false, false, 0, RATE_VERDICT_QUIET },
	{ "in an attack, rate not known", 100, 0, true, false, 0, RATE_VERDICT_QUIET },
	{ "fresh word of the card", 0, 0, false, true, 2 * SECOND_NS, RATE_VERDICT_QUIET },
	{ "stale word of the card", 0, 0, false, true, 2 * SECOND_NS + 1, RATE_VERDICT_UNKNOWN },
	{ "no word of the card", 0, 0, false, true, UINT64_MAX, RATE_VERDICT_UNKNOWN },
	{ "stale, but loud in software", 101, 0, false, true, UINT64_MAX, RATE_VERDICT_LOUD },
	{ "stale, but out of the card", 0, 0, false, false, UINT64_MAX, RATE_VERDICT_QUIET },
};

Test(quiet, verdicts)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		const struct verdict_row *row = &verdicts[i];
		struct rate_limits limits = rate_limits_make(100, SECOND_NS, row->attack);

		cr_expect_eq(rate_verdict_of(&limits, row->packets, row->blocked_pps, row->in_card,
					     row->hw_age_ns),
			     row->verdict, "%s", row->what);
	}
}

Test(quiet, threshold_follows_the_length_of_the_window)
{
	cr_expect_eq(rate_limits_make(100, SECOND_NS / 10, false).packets, 10);
	cr_expect_eq(rate_limits_make(100, 3 * SECOND_NS, false).packets, 300);
	cr_expect_eq(rate_limits_make(UINT64_MAX, SECOND_NS, false).packets,
		     1000000000000000000ull);
}
