/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A few loud strangers after a learned peace: named within two windows, whatever they send; and who
 * is loud and yet not named.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "entropy_bench.h"

#define WINDOW_NS 100000000ull
#define PEACE_WINDOWS 40

struct loud {
	enum traffic_kind kind;
	unsigned int n;
	double pps; /* Of each. */
};

static void begin(struct entropy_bench *bench, uint64_t seed)
{
	entropy_bench_init(bench, seed, WINDOW_NS);
	entropy_bench_add_clients(bench, 3, 20);
	entropy_bench_run(bench, PEACE_WINDOWS);
	cr_assert_eq(bench->attack_windows, 0);
}

static struct traffic_sender *add_stranger(struct entropy_bench *bench, uint32_t i,
					   const struct loud *loud)
{
	struct traffic_sender *sender =
		traffic_add(&bench->traffic, traffic_key_v4(7000 + i), loud->kind, loud->pps);

	sender->attacker = true;
	return sender;
}

static const struct loud louds[] = {
	{ TRAFFIC_UDP, 1, 12000 },  { TRAFFIC_UDP, 1, 45000 }, { TRAFFIC_UDP, 10, 6000 },
	{ TRAFFIC_ICMP, 1, 12000 }, { TRAFFIC_ICMP, 3, 5000 }, { TRAFFIC_ACK, 1, 12000 },
	{ TRAFFIC_ACK, 10, 6000 },  { TRAFFIC_SYN, 4, 4500 },  { TRAFFIC_UDP, 60, 5000 },
};

ParameterizedTestParameters(entropy_loud, is_named_in_two_windows)
{
	return cr_make_param_array(const struct loud, (void *)louds,
				   sizeof(louds) / sizeof(louds[0]));
}

ParameterizedTest(const struct loud *loud, entropy_loud, is_named_in_two_windows)
{
	struct entropy_bench bench;

	begin(&bench, 1);
	for (unsigned int i = 0; i < loud->n; i++)
		add_stranger(&bench, i, loud);
	entropy_bench_run(&bench, 2);
	cr_expect_eq(entropy_bench_missed(&bench), 0, "kind %d, %u of %.0f/s: %zu missed",
		     loud->kind, loud->n, loud->pps, entropy_bench_missed(&bench));
	cr_expect_eq(bench.innocents_named, 0);
	entropy_bench_fini(&bench);
}

/* The part of a window that a flood begins in counts as its first. */
Test(entropy_loud, a_partial_window_is_the_first)
{
	const struct loud part = { TRAFFIC_UDP, 1, 2000 };
	struct entropy_bench bench;

	begin(&bench, 2);
	add_stranger(&bench, 0, &part);
	entropy_bench_step(&bench);
	cr_expect_eq(entropy_bench_missed(&bench), 1, "too little to judge by");
	bench.traffic.senders[bench.traffic.n_senders - 1].pps = 20000;
	entropy_bench_step(&bench);
	cr_expect_eq(entropy_bench_missed(&bench), 0);
	entropy_bench_fini(&bench);
}

/* A burst that fills one window is none. */
Test(entropy_loud, one_window_alone_is_no_flood)
{
	const struct loud burst = { TRAFFIC_UDP, 1, 20000 };
	struct entropy_bench bench;

	begin(&bench, 3);
	add_stranger(&bench, 0, &burst);
	entropy_bench_step(&bench);
	bench.traffic.senders[bench.traffic.n_senders - 1].pps = 0;
	entropy_bench_run(&bench, 10);
	cr_expect_eq(entropy_bench_missed(&bench), 1);
	entropy_bench_fini(&bench);
}

/* Under 4,000/s each, or 10,000/s together, whatever they send and however few they are. */
Test(entropy_loud, who_is_not_loud_enough_is_not_named)
{
	static const struct loud quiet[] = {
		{ TRAFFIC_UDP, 1, 9000 },  { TRAFFIC_UDP, 20, 2500 }, { TRAFFIC_UDP, 2, 4600 },
		{ TRAFFIC_ICMP, 1, 9000 }, { TRAFFIC_ACK, 15, 2500 }, { TRAFFIC_SYN, 15, 2500 },
	};

	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		struct entropy_bench bench;

		begin(&bench, 10 + i);
		for (unsigned int at = 0; at < quiet[i].n; at++)
			add_stranger(&bench, at, &quiet[i]);
		entropy_bench_run(&bench, 50);
		cr_expect_eq(entropy_bench_missed(&bench), quiet[i].n, "case %zu", i);
		entropy_bench_fini(&bench);
	}
}

Test(entropy_loud, a_known_client_is_not_named)
{
	const struct loud upload = { TRAFFIC_ACK, 1, 30000 };
	struct entropy_bench bench;

	begin(&bench, 4);
	add_stranger(&bench, 0, &upload)->known = true;
	entropy_bench_run(&bench, 50);
	cr_expect_eq(entropy_bench_missed(&bench), 1);
	entropy_bench_fini(&bench);
}

/* A router knows nobody: there a fast TCP stream that it sees the middle of is like any other. */
Test(entropy_loud, tcp_is_not_judged_where_nobody_is_known)
{
	const struct loud stream = { TRAFFIC_ACK, 1, 30000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, 5, WINDOW_NS);
	traffic_add(&bench.traffic, traffic_key_v4(1), TRAFFIC_CLIENT, 100);
	entropy_bench_run(&bench, PEACE_WINDOWS);
	add_stranger(&bench, 0, &stream);
	entropy_bench_run(&bench, 50);
	cr_expect_eq(entropy_bench_missed(&bench), 1);
	entropy_bench_fini(&bench);
}

/* A server whose known clients are silent for a window still has some. */
Test(entropy_loud, tcp_is_judged_while_known_clients_are_silent)
{
	const struct loud flood = { TRAFFIC_ACK, 1, 30000 };
	struct entropy_bench bench;

	begin(&bench, 6);
	for (size_t i = 0; i < bench.traffic.n_senders; i++)
		bench.traffic.senders[i].pps = 0;
	entropy_bench_run(&bench, 5);
	add_stranger(&bench, 0, &flood);
	entropy_bench_run(&bench, 2);
	cr_expect_eq(entropy_bench_missed(&bench), 0);
	entropy_bench_fini(&bench);
}

/* From a cold start there is no peace to tell it from. */
Test(entropy_loud, nobody_is_named_without_peace)
{
	const struct loud flood = { TRAFFIC_UDP, 1, 45000 };
	struct entropy_bench bench;

	entropy_bench_init(&bench, 7, WINDOW_NS);
	entropy_bench_add_clients(&bench, 3, 20);
	add_stranger(&bench, 0, &flood);
	entropy_bench_run(&bench, 50);
	cr_expect_eq(entropy_bench_missed(&bench), 1);
	entropy_bench_fini(&bench);
}
