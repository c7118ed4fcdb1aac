/* SPDX-License-Identifier: BSD-2-Clause */
/* When an attack begins and ends, as a pure function of verdicts and rates. */
#include <criterion/criterion.h>

#include "engine/attack.h"

struct phase {
	unsigned int windows;
	bool verdict;
	uint64_t blocked_pps;
};

struct outcome {
	unsigned int started, ended;
};

static struct outcome run(struct attack *attack, const struct phase *phases, size_t n)
{
	struct outcome outcome = { 0 };

	for (size_t i = 0; i < n; i++) {
		for (unsigned int w = 0; w < phases[i].windows; w++) {
			const struct attack_input input = {
				.verdict = phases[i].verdict,
				.blocked_pps = phases[i].blocked_pps,
				.offered_pps = phases[i].blocked_pps + 10,
			};
			enum attack_change change = attack_step(attack, &input);

			outcome.started += change == ATTACK_CHANGE_STARTED;
			outcome.ended += change == ATTACK_CHANGE_ENDED;
		}
	}
	return outcome;
}

Test(attack_tracker, blocked_flood_goes_on_without_a_verdict)
{
	const struct phase phases[] = { { 2, true, 0 }, { 58, false, 1000000 } };
	struct attack attack;
	struct outcome outcome;

	attack_init(&attack);
	outcome = run(&attack, phases, 2);
	cr_expect_eq(outcome.started, 1);
	cr_expect_eq(outcome.ended, 0);
	cr_expect(attack.on);
	cr_expect_eq(attack.windows, 60);
	cr_expect_eq(attack.peak_blocked_pps, 1000000);
}

Test(attack_tracker, ends_after_as_many_calm_windows)
{
	const struct phase flood[] = { { 1, true, 0 },
				       { 10, false, 1000 },
				       { ATTACK_CALM_WINDOWS - 1, false, 99 } };
	const struct phase last[] = { { 1, false, 99 } };
	struct attack attack;

	attack_init(&attack);
	cr_expect_eq(run(&attack, flood, 3).ended, 0);
	cr_expect_eq(run(&attack, last, 1).ended, 1);
	cr_expect_not(attack.on);
	cr_expect_eq(attack.count, 1);
}

Test(attack_tracker, a_tenth_of_the_peak_is_not_calm)
{
	const struct phase phases[] = { { 1, true, 1000 }, { 100, false, 100 } };
	struct attack attack;

	attack_init(&attack);
	cr_expect_eq(run(&attack, phases, 2).ended, 0);
}

Test(attack_tracker, short_pauses_do_not_split_an_attack)
{
	const struct phase pulse[] = { { 2, true, 1000 }, { ATTACK_CALM_WINDOWS - 1, false, 0 } };
	struct outcome outcome = { 0 };
	struct attack attack;

	attack_init(&attack);
	for (unsigned int i = 0; i < 20; i++) {
		struct outcome one = run(&attack, pulse, 2);

		outcome.started += one.started;
		outcome.ended += one.ended;
	}
	cr_expect_eq(outcome.started, 1);
	cr_expect_eq(outcome.ended, 0);
}

Test(attack_tracker, long_pauses_do)
{
	const struct phase pulse[] = { { 2, true, 1000 }, { ATTACK_CALM_WINDOWS, false, 0 } };
	struct attack attack;

	attack_init(&attack);
	for (unsigned int i = 1; i <= 3; i++) {
		struct outcome one = run(&attack, pulse, 2);

		cr_expect_eq(one.started, 1);
		cr_expect_eq(one.ended, 1);
		cr_expect_eq(attack.count, i);
	}
}

Test(attack_tracker, blocked_packets_alone_begin_nothing)
{
	const struct phase phases[] = { { 20, false, 1000000 } };
	struct attack attack;

	attack_init(&attack);
	cr_expect_eq(run(&attack, phases, 1).started, 0);
}

Test(attack_tracker, an_inherited_flood_begins_one)
{
	const struct attack_input input = { .inherited = true, .blocked_pps = 5, .realtime_ns = 7 };
	struct attack attack;

	attack_init(&attack);
	cr_expect_eq(attack_step(&attack, &input), ATTACK_CHANGE_STARTED);
	cr_expect_eq(attack.started_realtime_ns, 7);
}
