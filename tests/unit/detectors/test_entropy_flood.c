/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods that the entropy detector must end: from a cold start, with every attacker named soon and
 * no client ever, and seen as one attack for as long as they last.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "entropy_bench.h"

#define N_ATTACKERS 10000u

enum spread { UNIFORM, GAUSSIAN };

struct flood {
	uint64_t seed;
	enum traffic_kind kind;
	enum spread spread;
	bool v6;
	uint64_t window_ms;
	size_t max_blocks;
};

static void add_attackers(struct entropy_bench *bench, const struct flood *flood, unsigned int n,
			  uint32_t first)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct sluice_key key = flood->v6 ? traffic_key_v6(i) : traffic_key_v4(i);
		double pps = flood->spread == UNIFORM
				     ? 20 + 380 * traffic_uniform(&bench->traffic)
				     : traffic_normal(&bench->traffic, 210, 52.5, 20);

		traffic_add(&bench->traffic, key, flood->kind, pps)->attacker = true;
	}
}

static void set_attack(struct entropy_bench *bench, double factor)
{
	for (size_t i = 0; i < bench->traffic.n_senders; i++)
		if (bench->traffic.senders[i].attacker)
			bench->traffic.senders[i].pps *= factor;
}

/* Criterion reports parameters by address, so each test prints its own. */
static const struct flood floods[] = {
	{ 1, TRAFFIC_UDP, UNIFORM, false, 1000, 50000 },
	{ 2, TRAFFIC_UDP, GAUSSIAN, false, 1000, 50000 },
	{ 3, TRAFFIC_SYN, UNIFORM, false, 500, 50000 },
	{ 4, TRAFFIC_SYN, GAUSSIAN, true, 500, 50000 },
	{ 5, TRAFFIC_ICMP, UNIFORM, true, 1000, 50000 },
	{ 6, TRAFFIC_ICMP, GAUSSIAN, false, 500, 50000 },
	{ 7, TRAFFIC_UDP, UNIFORM, true, 500, 50000 },
	{ 8, TRAFFIC_UDP, UNIFORM, false, 700, 50000 },
};

ParameterizedTestParameters(entropy_flood, cold_start)
{
	return cr_make_param_array(const struct flood, (void *)floods,
				   sizeof(floods) / sizeof(floods[0]));
}

/* The clients, the loudest among them, all send more than any attacker. */
ParameterizedTest(const struct flood *flood, entropy_flood, cold_start)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood->seed, flood->window_ms * 1000000);
	bench.offload = flood->seed % 2;
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, flood, N_ATTACKERS, 0);

	entropy_bench_step(&bench);
	cr_assert(bench.result.attack, "flood of seed %lu not seen at once", flood->seed);
	cr_assert_geq(bench.result.score, 1.0);
	cr_assert_gt(bench.result.offered_entropy, 0.8);
	entropy_bench_step(&bench);
	cr_assert_eq(entropy_bench_missed(&bench), 0, "seed %lu: %zu attackers not named",
		     flood->seed, entropy_bench_missed(&bench));

	entropy_bench_run(&bench, 58);
	cr_assert_eq(bench.attack_windows, 60, "seed %lu: an attack in %zu of 60 windows",
		     flood->seed, bench.attack_windows);
	cr_assert_eq(bench.innocents_named, 0);

	set_attack(&bench, 0);
	entropy_bench_run(&bench, 3);
	cr_assert_not(bench.result.attack, "seed %lu: not over 3 windows after its end",
		      flood->seed);
	entropy_bench_run(&bench, 60);
	cr_assert_eq(bench.attack_windows, 62);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* A policy that blocks few at a time: they move from `sources` to `blocked` over many windows. */
Test(entropy_flood, is_blocked_bit_by_bit)
{
	const struct flood flood = { 11, TRAFFIC_UDP, UNIFORM, false, 500, 200 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, flood.window_ms * 1000000);
	bench.max_blocks = flood.max_blocks;
	bench.offload = true;
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	entropy_bench_run(&bench, 60);
	cr_assert_eq(entropy_bench_missed(&bench), 0, "%zu not named",
		     entropy_bench_missed(&bench));
	cr_assert_eq(bench.attack_windows, 60);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* Observe mode: nothing is ever blocked, so that the same are named again and again. */
Test(entropy_flood, is_seen_without_blocking)
{
	const struct flood flood = { 12, TRAFFIC_SYN, GAUSSIAN, false, 1000, 0 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, flood.window_ms * 1000000);
	bench.block = false;
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	entropy_bench_run(&bench, 60);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.attack_windows, 60);
	cr_assert_geq(bench.result.n_named, N_ATTACKERS * 99 / 100);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* More attackers join while the first ones are blocked: few enough to be no flood by themselves. */
Test(entropy_flood, newcomers_are_named)
{
	const struct flood flood = { 13, TRAFFIC_UDP, UNIFORM, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, flood.window_ms * 1000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	entropy_bench_run(&bench, 5);
	add_attackers(&bench, &flood, 50, N_ATTACKERS);
	entropy_bench_run(&bench, 2);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* Somewhat slower than the slowest so far: counted low by chance, or a new part of the flood. */
Test(entropy_flood, slower_newcomers_are_named)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 25, 1000000000);
	for (uint32_t i = 0; i < 2050; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_SYN, i < 2000 ? 200 : 0)
			->attacker = true;
	entropy_bench_run(&bench, 3);
	for (size_t i = 2000; i < 2050; i++)
		bench.traffic.senders[i].pps = 110;
	entropy_bench_step(&bench);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	entropy_bench_fini(&bench);
}

/* The first window's sources were noted before it was an attack; they must not become friends. */
Test(entropy_flood, first_victims_of_learning_are_forgotten)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 26, 1000000000);
	bench.max_blocks = 500;
	entropy_bench_add_clients(&bench, 64, 4000);
	entropy_bench_run(&bench, 40);
	for (uint32_t i = 0; i < 5000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 18)->attacker = true;
	entropy_bench_step(&bench);
	cr_assert(bench.result.learned, "this test needs the partial window to look peaceful");
	set_attack(&bench, 3.4);
	entropy_bench_run(&bench, 30);
	cr_assert_eq(entropy_bench_missed(&bench), 0, "%zu not named",
		     entropy_bench_missed(&bench));
	entropy_bench_fini(&bench);
}

/* A daemon that was killed finds the flood blocked already; it is an attack all the same. */
Test(entropy_flood, adopted_blocks_are_an_attack)
{
	const struct flood flood = { 14, TRAFFIC_UDP, UNIFORM, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, flood.window_ms * 1000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	for (size_t i = 0; i < bench.traffic.n_senders; i++)
		bench.traffic.senders[i].blocked = bench.traffic.senders[i].attacker;
	entropy_bench_run(&bench, 10);
	cr_assert_eq(bench.attack_windows, 10);
	cr_assert_eq(bench.result.n_named, 0);
	set_attack(&bench, 0);
	entropy_bench_run(&bench, 4);
	cr_assert_not(bench.result.attack);
	entropy_bench_fini(&bench);
}

Test(entropy_flood, one_loud_source)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 15, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	/* Strangers at a UDP service, who must not share the loud one's fate. */
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP,
			    10 + 10 * traffic_uniform(&bench.traffic));
	traffic_add(&bench.traffic, traffic_key_v4(99999), TRAFFIC_UDP, 500000)->attacker = true;
	entropy_bench_step(&bench);
	cr_assert(bench.result.attack);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	entropy_bench_run(&bench, 59);
	cr_assert_eq(bench.attack_windows, 60);
	cr_assert_eq(bench.innocents_named, 0, "%zu strangers named", bench.innocents_named);
	set_attack(&bench, 0);
	entropy_bench_run(&bench, 3);
	cr_assert_not(bench.result.attack);
	entropy_bench_fini(&bench);
}

/* Alone on the line: entropy is not even defined. */
Test(entropy_flood, single_source)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 16, 500000000);
	traffic_add(&bench.traffic, traffic_key_v6(1), TRAFFIC_ICMP, 500000)->attacker = true;
	entropy_bench_step(&bench);
	cr_assert(bench.result.attack);
	cr_assert_eq(bench.result.n_named, 1);
	cr_assert_eq(bench.result.offered_entropy, 0.0);
	entropy_bench_fini(&bench);
}

/* Some very loud and very many quiet ones: both crowds are floods, and both are named. */
Test(entropy_flood, loud_and_many)
{
	const struct flood flood = { 17, TRAFFIC_UDP, GAUSSIAN, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	for (uint32_t i = 0; i < 10; i++)
		traffic_add(&bench.traffic, traffic_key_v4(50000 + i), TRAFFIC_UDP, 100000)
			->attacker = true;
	entropy_bench_run(&bench, 3);
	cr_assert_eq(entropy_bench_missed(&bench), 0, "%zu missed", entropy_bench_missed(&bench));
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* Users of a UDP service, far slower than the flood: a gap parts the two crowds. */
Test(entropy_flood, slower_strangers_are_spared)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 24, 1000000000);
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP,
			    traffic_normal(&bench.traffic, 400, 40, 200))
			->attacker = true;
	for (uint32_t i = 0; i < 1500; i++)
		traffic_add(&bench.traffic, traffic_key_v4(20000 + i), TRAFFIC_UDP,
			    10 + 15 * traffic_uniform(&bench.traffic));
	entropy_bench_run(&bench, 20);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0, "%zu strangers named", bench.innocents_named);
	entropy_bench_fini(&bench);
}

/* A flood ten times smaller than flood_pps, against a server whose peace is known. */
Test(entropy_flood, small_flood_after_learning)
{
	const struct flood flood = { 18, TRAFFIC_UDP, GAUSSIAN, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, 1000000000);
	entropy_bench_add_clients(&bench, 20, 50);
	for (uint32_t i = 0; i < 100; i++)
		traffic_add(&bench.traffic, traffic_key_v4(70000 + i), TRAFFIC_UDP,
			    10 + 40 * traffic_uniform(&bench.traffic));
	entropy_bench_run(&bench, 60);
	cr_assert_eq(bench.attack_windows, 0);
	add_attackers(&bench, &flood, 150, 0);
	entropy_bench_run(&bench, 3);
	cr_assert(bench.result.attack, "score %g", bench.result.score);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0, "%zu of the learned sources named",
		     bench.innocents_named);
	entropy_bench_run(&bench, 60);
	cr_assert(bench.result.attack);
	set_attack(&bench, 0);
	entropy_bench_run(&bench, 4);
	cr_assert_not(bench.result.attack);
	entropy_bench_fini(&bench);
}

/* Sources known from peace that turn on us are strangers again. */
Test(entropy_flood, learned_sources_that_grow)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 19, 1000000000);
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 15)->attacker = i % 2;
	entropy_bench_run(&bench, 60);
	cr_assert_eq(bench.attack_windows, 0);
	set_attack(&bench, 20);
	entropy_bench_run(&bench, 2);
	cr_assert(bench.result.attack);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* The first window sees only a little of the flood; that must not become the normal level. */
Test(entropy_flood, partial_first_window_is_not_learned)
{
	const struct flood flood = { 20, TRAFFIC_UDP, UNIFORM, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, 1000000000);
	entropy_bench_add_clients(&bench, 64, 500);
	entropy_bench_run(&bench, 40);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	set_attack(&bench, 0.04);
	entropy_bench_step(&bench);
	cr_assert_not(bench.result.learned);
	set_attack(&bench, 25);
	entropy_bench_run(&bench, 2);
	cr_assert(bench.result.attack);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* Forged addresses, each seen once or twice: an attack, but nobody to name. */
Test(entropy_flood, forged_sources_are_not_named)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 21, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	for (uint32_t i = 0; i < 600000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_SYN, 1)->attacker = true;
	entropy_bench_run(&bench, 2);
	cr_assert(bench.result.attack);
	cr_assert_eq(bench.result.n_named, 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* During a UDP flood new TCP clients come, not yet known: they are not of its kind. */
Test(entropy_flood, new_clients_of_another_kind_are_spared)
{
	const struct flood flood = { 22, TRAFFIC_UDP, UNIFORM, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	entropy_bench_run(&bench, 2);
	for (uint32_t i = 0; i < 300; i++)
		traffic_add(&bench.traffic, traffic_key_v4(90000 + i),
			    i % 2 ? TRAFFIC_CLIENT : TRAFFIC_ACK, 100);
	entropy_bench_run(&bench, 10);
	cr_assert_eq(bench.innocents_named, 0, "%zu clients named", bench.innocents_named);
	entropy_bench_fini(&bench);
}

/* An ACK flood takes two windows more, in which the kernel may say who is a client. */
Test(entropy_flood, ack_flood_where_clients_are_known)
{
	const struct flood flood = { 23, TRAFFIC_ACK, UNIFORM, false, 1000, 50000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, flood.seed, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	add_attackers(&bench, &flood, N_ATTACKERS, 0);
	entropy_bench_run(&bench, 2);
	cr_assert_not(bench.result.attack);
	cr_assert_geq(bench.result.score, 1.0);
	entropy_bench_run(&bench, 2);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}
