/* SPDX-License-Identifier: BSD-2-Clause */
/* The score: each figure from packets by hand. */
#include <criterion/criterion.h>

#include "trial/score.h"

#define MS 1000000ull
#define WINDOW (100 * MS)
#define START (1050 * MS)
#define END (2050 * MS)

static bool first_ten(void *ctx, uint32_t client)
{
	(void)ctx;
	return client < 10;
}

static struct score *make(size_t n_detectors)
{
	const struct score_options options = {
		.window_ns = WINDOW,
		.attack_start_ns = START,
		.attack_end_ns = END,
		.n_detectors = n_detectors,
		.n_clients = 20,
		.known_before = first_ten,
	};
	struct score *score;

	cr_assert_eq(score_new(&options, &score), 0);
	return score;
}

static void attack(struct score *score, unsigned int n, const struct score_cause *cause)
{
	const struct score_packet packet = { .class = SCORE_ATTACK,
					     .client = SCORE_NO_CLIENT,
					     .cause = cause };

	for (unsigned int i = 0; i < n; i++)
		score_packet(score, &packet);
}

static void benign(struct score *score, uint32_t client, unsigned int n, bool handshake,
		   const struct score_cause *cause)
{
	const struct score_packet packet = {
		.class = SCORE_BENIGN, .client = client, .handshake = handshake, .cause = cause
	};

	for (unsigned int i = 0; i < n; i++)
		score_packet(score, &packet);
}

static void window(struct score *score, uint64_t end_ns, bool a, bool b, uint64_t in_force)
{
	score_window(score, end_ns, (const bool[]){ a, b }, in_force);
}

/* Onset is the first window at 1,000 a second: 100 in 100 ms. */
Test(score, counts_windows_from_the_onset)
{
	struct score *score = make(2);
	struct score_cause cause;
	struct score_result result;

	window(score, 1000 * MS, false, false, 0);
	attack(score, 99, NULL); /* The attack's first, partial window is below the rate. */
	window(score, 1100 * MS, false, false, 0);
	attack(score, 100, NULL);
	cause = score_mark(score, 1, 1200 * MS);
	window(score, 1200 * MS, false, true, 1);
	attack(score, 50, NULL);
	attack(score, 150, &cause);
	window(score, 1300 * MS, false, true, 1);
	score_result(score, &result);
	cr_assert(result.onset);
	cr_assert(!result.detectors[0].detected && result.detectors[1].detected);
	cr_assert_eq(result.detectors[0].windows, SCORE_NEVER);
	cr_assert_eq(result.detectors[0].enforced_ns, SCORE_NEVER);
	cr_assert_eq(result.detectors[1].windows, 1);
	cr_assert_eq(result.detectors[1].enforced_ns, 150 * MS);
	cr_assert_eq(result.all.windows, 1);
	cr_assert(result.all.detected);
	cr_assert_eq(result.attack.packets, 399);
	cr_assert_eq(result.attack.dropped, 150);
	/* What came after the rule was there, the 50 that it missed included. */
	cr_assert_eq(result.attack_after.packets, 200);
	cr_assert_eq(result.attack_after.dropped, 150);
	score_free(score);
}

/* A rule that hits nothing of the attack is no defence, however early it is. */
Test(score, only_what_hits_the_attack_counts)
{
	struct score *score = make(2);
	struct score_cause early = score_mark(score, 0, 1100 * MS), late;
	struct score_result result;

	attack(score, 200, NULL);
	benign(score, 1, 5, false, &early);
	window(score, 1200 * MS, true, true, 1);
	late = score_mark(score, 1, 1400 * MS);
	attack(score, 100, &late);
	score_result(score, &result);
	cr_assert(result.detectors[0].detected);
	cr_assert_eq(result.detectors[0].enforced_ns, SCORE_NEVER);
	cr_assert_eq(result.all.enforced_ns, 350 * MS);
	cr_assert_eq(result.attack_after.packets, 100);
	score_free(score);
}

/* Static rules are there before the attack: window 0, and all of it is after enforcement. */
Test(score, rules_of_the_file_are_there_from_the_start)
{
	struct score *score = make(1);
	const struct score_cause cause = { .detector = -1 };
	struct score_result result;

	attack(score, 500, &cause);
	window(score, 1200 * MS, false, false, 0);
	score_result(score, &result);
	cr_assert_eq(result.all.enforced_ns, 0);
	cr_assert_eq(result.all.windows, 0);
	cr_assert_eq(result.attack_after.packets, 500);
	cr_assert_eq(result.detectors[0].windows, SCORE_NEVER);
	score_free(score);
}

Test(score, a_client_is_harmed_by_its_handshake_or_by_one_percent)
{
	const struct score_cause cause = { .detector = -1 };
	struct score *score = make(0);
	struct score_result result;

	benign(score, 0, 99, false, NULL);
	benign(score, 0, 1, false, &cause); /* 1 of 100 is not more than 1 %. */
	benign(score, 1, 98, false, NULL);
	benign(score, 1, 1, false, &cause); /* 1 of 99 is. */
	benign(score, 2, 1000, false, NULL);
	benign(score, 2, 1, true, &cause);
	benign(score, 3, 10, true, NULL);
	benign(score, 12, 1, true, &cause); /* A new one. */
	benign(score, 13, 1, true, NULL);
	benign(score, SCORE_NO_CLIENT, 5, false, &cause); /* Counted, and nobody's. */
	score_result(score, &result);
	cr_assert_eq(result.known.clients, 4);
	cr_assert_eq(result.known.harmed, 2);
	cr_assert_eq(result.fresh.clients, 2);
	cr_assert_eq(result.fresh.harmed, 1);
	cr_assert_eq(result.benign.packets, 1217);
	cr_assert_eq(result.benign.dropped, 9);
	score_free(score);
}

Test(score, tells_passes_apart)
{
	struct score *score = make(0);
	const struct score_cause cause = { .detector = -1 };
	struct score_packet packet = { .class = SCORE_ATTACK, .client = SCORE_NO_CLIENT };
	struct score_result result;

	for (packet.pass = 0; packet.pass < 4; packet.pass++) {
		packet.cause = packet.pass % 2 ? &cause : NULL;
		score_packet(score, &packet);
	}
	packet = (struct score_packet){ .class = SCORE_IGNORED, .cause = &cause };
	score_packet(score, &packet);
	score_result(score, &result);
	cr_assert_eq(result.attack_pass[0].packets, 1);
	cr_assert_eq(result.attack_pass[0].dropped, 0);
	cr_assert_eq(result.attack_pass[1].packets, 3);
	cr_assert_eq(result.attack_pass[1].dropped, 2);
	cr_assert_eq(result.attack.packets, 4);
	score_free(score);
}

Test(score, release_is_when_nothing_is_left_for_good)
{
	struct score *score = make(0);
	struct score_result result;

	window(score, 1200 * MS, false, false, 3);
	window(score, 2100 * MS, false, false, 3);
	window(score, 2200 * MS, false, false, 0);
	score_result(score, &result);
	cr_assert_eq(result.released_ns, 150 * MS);
	window(score, 2300 * MS, false, false, 1);
	score_result(score, &result);
	cr_assert_eq(result.released_ns, SCORE_NEVER);
	window(score, 2400 * MS, false, false, 0);
	window(score, 2500 * MS, false, false, 0);
	score_result(score, &result);
	cr_assert_eq(result.released_ns, 350 * MS);
	score_free(score);
}

/* Nothing was there to release. */
Test(score, what_was_never_enforced_is_not_released)
{
	struct score *score = make(0);
	struct score_result result;

	window(score, 1200 * MS, false, false, 0);
	window(score, 2200 * MS, false, false, 0);
	score_result(score, &result);
	cr_assert_eq(result.released_ns, SCORE_NEVER);
	score_free(score);
}

/* "Attack" before it began, or long after it, is no detection. */
Test(score, verdicts_count_while_the_attack_lasts)
{
	struct score *score = make(2);
	struct score_result result;

	window(score, 1000 * MS, true, false, 0);
	window(score, 2500 * MS, true, false, 0);
	score_result(score, &result);
	cr_assert(!result.detectors[0].detected);
	window(score, 2100 * MS, true, false, 0);
	score_result(score, &result);
	cr_assert(result.detectors[0].detected);
	score_free(score);
}

Test(score, the_worse_is_taken_figure_by_figure)
{
	struct score_result a = {
		.detectors = { { true, 100 * MS, 1 } },
		.all = { true, 100 * MS, 1 },
		.attack = { 100, 90 },
		.attack_after = { 80, 80 },
		.benign = { 1000, 1 },
		.known = { 10, 1 },
		.fresh = { 10, 0 },
		.released_ns = 5,
	};
	const struct score_result b = {
		.detectors = { { false, SCORE_NEVER, SCORE_NEVER } },
		.all = { true, 300 * MS, 3 },
		.attack = { 200, 190 },
		.attack_after = { 80, 79 },
		.benign = { 2000, 1 },
		.known = { 20, 1 },
		.fresh = { 20, 1 },
		.released_ns = SCORE_NEVER,
	};

	score_worse(&a, &b, 1);
	cr_assert(!a.detectors[0].detected);
	cr_assert_eq(a.detectors[0].windows, SCORE_NEVER);
	cr_assert_eq(a.all.windows, 3);
	cr_assert_eq(a.attack.packets, 100);
	cr_assert_eq(a.attack_after.dropped, 79);
	cr_assert_eq(a.benign.packets, 1000);
	cr_assert_eq(a.known.clients, 10);
	cr_assert_eq(a.fresh.harmed, 1);
	cr_assert_eq(a.released_ns, SCORE_NEVER);
}

/* Nothing of nothing: a run that never enforced is worse than any that did. */
Test(score, never_enforced_is_the_worst)
{
	struct score_result a = { .attack_after = { 80, 1 } };
	const struct score_result b = { .attack_after = { 0, 0 } };

	score_worse(&a, &b, 0);
	cr_assert_eq(a.attack_after.packets, 0);
}
