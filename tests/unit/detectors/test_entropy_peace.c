/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not wake an operator: the entropy detector stays silent, names nobody, and learns.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "entropy_bench.h"

/* Rates as people make them: a few heavy users, many light ones. */
static double natural_rate(struct entropy_bench *bench, double median)
{
	return exp(traffic_normal(&bench->traffic, log(median), 1.2, -100));
}

static void add_strangers(struct entropy_bench *bench, enum traffic_kind kind, uint32_t first,
			  uint32_t n, double median)
{
	for (uint32_t i = first; i < first + n; i++)
		traffic_add(&bench->traffic, traffic_key_v4(i), kind, natural_rate(bench, median));
}

static void scale(struct entropy_bench *bench, double factor)
{
	for (size_t i = 0; i < bench->traffic.n_senders; i++)
		bench->traffic.senders[i].pps *= factor;
}

static void expect_silence(struct entropy_bench *bench)
{
	cr_assert_eq(bench->attack_windows, 0, "%zu attack windows, score %g",
		     bench->attack_windows, bench->result.score);
	cr_assert_eq(bench->innocents_named, 0, "%zu clients named", bench->innocents_named);
}

Test(entropy_peace, known_clients_at_any_rate)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 101, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	entropy_bench_run(&bench, 20);
	scale(&bench, 50);
	entropy_bench_run(&bench, 20);
	scale(&bench, 0.001);
	entropy_bench_run(&bench, 20);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

Test(entropy_peace, one_big_transfer)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 102, 1000000000);
	entropy_bench_add_clients(&bench, 10, 20);
	entropy_bench_run(&bench, 40);
	traffic_add(&bench.traffic, traffic_key_v4(1), TRAFFIC_ACK, 100000)->known = true;
	entropy_bench_run(&bench, 40);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* A UDP service (QUIC, DNS, games) knows none of its clients. */
Test(entropy_peace, udp_service_from_a_cold_start)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 103, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 1500, 12);
	entropy_bench_run(&bench, 100);
	expect_silence(&bench);
	cr_assert_eq(bench.result.learned_windows, 32);
	entropy_bench_fini(&bench);
}

/* All of 1,558 clients at once, 40K packets/s, in front of a server that knows peace. */
Test(entropy_peace, crowd_of_udp_clients)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 104, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 100, 12);
	entropy_bench_run(&bench, 60);
	add_strangers(&bench, TRAFFIC_UDP, 1000, 1558, 12);
	entropy_bench_run(&bench, 120);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* Their connections are known to the kernel one window after their first packets. */
Test(entropy_peace, crowd_of_tcp_clients)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 105, 1000000000);
	entropy_bench_add_clients(&bench, 20, 100);
	entropy_bench_run(&bench, 40);
	for (uint32_t round = 0; round < 10; round++) {
		size_t before = bench.traffic.n_senders;

		for (uint32_t i = 0; i < 5000; i++)
			traffic_add(&bench.traffic, traffic_key_v4(round * 5000 + i),
				    TRAFFIC_CLIENT, 30);
		entropy_bench_step(&bench);
		for (size_t i = before; i < bench.traffic.n_senders; i++)
			bench.traffic.senders[i].known = true;
		entropy_bench_step(&bench);
	}
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* A router ends no connections: nobody is known, and ordinary TCP must not look like a flood. */
Test(entropy_peace, router_that_knows_nobody)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 106, 1000000000);
	add_strangers(&bench, TRAFFIC_ACK, 0, 4000, 20);
	add_strangers(&bench, TRAFFIC_CLIENT, 10000, 2000, 10);
	entropy_bench_run(&bench, 60);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* Load swings by a factor of six in 200 windows, a day made short. */
Test(entropy_peace, diurnal_load)
{
	struct entropy_bench bench;
	double level = 1;

	entropy_bench_init(&bench, 107, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 1000, 15);
	entropy_bench_add_clients(&bench, 200, 30);
	for (int i = 0; i < 600; i++) {
		double next = exp(0.9 * sin(2 * M_PI * i / 200));

		scale(&bench, next / level);
		level = next;
		entropy_bench_step(&bench);
	}
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* Every window another load, between a third and three times the mean. */
Test(entropy_peace, restless_load)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 108, 500000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 800, 12);
	entropy_bench_add_clients(&bench, 64, 100);
	for (int i = 0; i < 300; i++) {
		double factor = exp(log(3) * (2 * traffic_uniform(&bench.traffic) - 1));

		scale(&bench, factor);
		entropy_bench_step(&bench);
		scale(&bench, 1 / factor);
	}
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* Clients come and go, as everywhere: a tenth of them is new in each window. */
Test(entropy_peace, churn)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 109, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 1000, 12);
	for (uint32_t i = 0; i < 200; i++) {
		for (uint32_t j = 0; j < 100; j++) {
			size_t who = (size_t)(1000 * traffic_uniform(&bench.traffic));

			bench.traffic.senders[who].key = traffic_key_v4(5000 + 100 * i + j);
		}
		entropy_bench_step(&bench);
	}
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* A busier UDP service than flood_pps, once it was told to the detector by setting it. */
Test(entropy_peace, busy_udp_service_is_learned)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 110, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 2000, 12);
	entropy_bench_run(&bench, 60);
	/* Three times as much from the same sources: under `growth`, and they are no strangers. */
	scale(&bench, 2.5);
	entropy_bench_run(&bench, 60);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* SYN, and the same again a second later: not even in the middle of a SYN flood. */
Test(entropy_peace, a_syn_and_a_retry_in_a_flood)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 111, 1000000000);
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_SYN, 200)->attacker = true;
	for (uint32_t i = 0; i < 500; i++)
		traffic_add(&bench.traffic, traffic_key_v4(10000 + i), TRAFFIC_SYN, 2);
	entropy_bench_run(&bench, 10);
	cr_assert_eq(bench.attack_windows, 10);
	cr_assert_eq(entropy_bench_missed(&bench), 0);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* The same in windows so short that a few packets are a rate over the floor. */
Test(entropy_peace, a_few_packets_in_a_short_window)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 114, 100000000);
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP,
			    45 + 300 * traffic_uniform(&bench.traffic))
			->attacker = true;
	for (uint32_t i = 0; i < 500; i++)
		traffic_add(&bench.traffic, traffic_key_v4(10000 + i), TRAFFIC_UDP, 20);
	entropy_bench_run(&bench, 10);
	cr_assert_eq(bench.attack_windows, 10);
	cr_assert_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* All users get new addresses and send more: much is new, but it spreads as it always did. */
Test(entropy_peace, a_service_under_new_addresses)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 115, 1000000000);
	for (uint32_t i = 0; i < 300; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 40);
	entropy_bench_run(&bench, 60);
	for (uint32_t i = 0; i < 300; i++)
		bench.traffic.senders[i].key = traffic_key_v6(i);
	scale(&bench, 2.6);
	entropy_bench_run(&bench, 30);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}

/* A client whose connection has just ended is remembered. */
Test(entropy_peace, a_client_that_has_just_left)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 112, 1000000000);
	entropy_bench_add_clients(&bench, 64, 2200);
	for (uint32_t i = 0; i < 2000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_ACK, 200)->attacker = true;
	entropy_bench_run(&bench, 3);
	for (size_t i = 0; i < 32; i++)
		bench.traffic.senders[i].known = false;
	entropy_bench_run(&bench, 5);
	cr_assert(bench.result.attack);
	cr_assert_eq(bench.innocents_named, 0, "%zu clients named", bench.innocents_named);
	entropy_bench_fini(&bench);
}

/* A level that stays without being an attack becomes the normal one. */
Test(entropy_peace, a_new_level_is_accepted)
{
	struct entropy_bench bench;

	entropy_bench_init(&bench, 113, 1000000000);
	add_strangers(&bench, TRAFFIC_UDP, 0, 300, 12);
	entropy_bench_run(&bench, 60);
	cr_assert(bench.result.learned);
	entropy_bench_add_clients(&bench, 64, 1000);
	entropy_bench_step(&bench);
	cr_assert_not(bench.result.learned, "a jump was learned");
	entropy_bench_run(&bench, 59);
	cr_assert_eq(bench.result.learned_windows, 0);
	entropy_bench_run(&bench, 10);
	cr_assert(bench.result.learned);
	cr_assert_gt(bench.result.learned_windows, 0);
	expect_silence(&bench);
	entropy_bench_fini(&bench);
}
