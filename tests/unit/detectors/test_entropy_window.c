/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows at the edge of what a host may hand over: empty, without length, absurd, longer and
 * shorter structures.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entropy_bench.h"

static struct sluice_window empty_window(void)
{
	return (struct sluice_window){
		.size = sizeof(struct sluice_window),
		.length_ns = 1000000000,
		.source_size = sizeof(struct sluice_source),
		.blocked_size = sizeof(struct sluice_blocked_source),
	};
}

static struct entropy *make(void)
{
	struct entropy_params params = entropy_bench_params();
	struct entropy *entropy = NULL;

	cr_assert_eq(entropy_new(&params, &entropy), 0);
	return entropy;
}

Test(entropy_window, empty)
{
	struct entropy *entropy = make();
	struct sluice_window window = empty_window();
	struct entropy_result result;

	for (int i = 0; i < 100; i++) {
		cr_assert_eq(entropy_observe(entropy, &window, &result), 0);
		cr_assert_not(result.attack);
		cr_assert_eq(result.score, 0.0);
		cr_assert_eq(result.n_named, 0);
	}
	entropy_free(entropy);
}

Test(entropy_window, without_length)
{
	struct entropy_bench bench;
	struct sluice_window window;

	entropy_bench_init(&bench, 201, 1000000000);
	for (uint32_t i = 0; i < 1000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 300)->attacker = true;
	traffic_window(&bench.traffic, 1000000000, &window);
	window.length_ns = 0;
	cr_assert_eq(entropy_observe(bench.entropy, &window, &bench.result), 0);
	cr_assert_not(bench.result.attack);
	entropy_bench_run(&bench, 2);
	cr_assert(bench.result.attack);
	/* In the middle of an attack it says what the last one said, however often it comes. */
	for (int i = 0; i < 10; i++) {
		window.n_sources = 0;
		cr_assert_eq(entropy_observe(bench.entropy, &window, &bench.result), 0);
		cr_assert(bench.result.attack);
		cr_assert_eq(bench.result.n_named, 0);
	}
	entropy_bench_fini(&bench);
}

/* A very short window must not turn single packets into rates. */
Test(entropy_window, of_a_microsecond)
{
	struct entropy_bench bench;
	struct sluice_window window;

	entropy_bench_init(&bench, 202, 1000000000);
	for (uint32_t i = 0; i < 100; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 20);
	for (int i = 0; i < 20; i++) {
		traffic_window(&bench.traffic, 1000000000, &window);
		window.length_ns = 1000;
		cr_assert_eq(entropy_observe(bench.entropy, &window, &bench.result), 0);
		cr_assert_not(bench.result.attack);
	}
	entropy_bench_fini(&bench);
}

Test(entropy_window, absurd_numbers)
{
	struct entropy *entropy = make();
	struct sluice_window window = empty_window();
	struct entropy_result result;
	struct sluice_source sources[3] = {
		{ .key = traffic_key_v4(1),
		  .packets = UINT64_MAX,
		  .bytes = UINT64_MAX,
		  .udp = UINT32_MAX,
		  .tcp_syn = UINT32_MAX,
		  .icmp = UINT32_MAX },
		{ .key = traffic_key_v4(2), .packets = 0, .udp = UINT32_MAX },
		{ .key = traffic_key_v4(3), .packets = 1, .icmp = UINT32_MAX, .flags = UINT32_MAX },
	};
	struct sluice_blocked_source blocked[2] = {
		{ .key = traffic_key_v4(4), .packets = UINT64_MAX, .hw_packets = UINT64_MAX },
		{ .key = traffic_key_v4(5), .packets = UINT64_MAX },
	};

	window.sources = sources;
	window.n_sources = 3;
	window.blocked = blocked;
	window.n_blocked = 2;
	window.untracked_packets = UINT64_MAX;
	for (int i = 0; i < 10; i++) {
		window.length_ns = i % 2 ? UINT64_MAX : 1000000000;
		cr_assert_eq(entropy_observe(entropy, &window, &result), 0);
		cr_assert(result.attack);
		cr_assert(result.score >= 1 && result.score < 1e300);
		cr_assert(result.offered_entropy >= 0 && result.offered_entropy <= 1);
	}
	entropy_free(entropy);
}

Test(entropy_window, malformed)
{
	struct entropy *entropy = make();
	struct sluice_source source = { .key = traffic_key_v4(1), .packets = 1 };
	struct sluice_blocked_source blocked = { .key = traffic_key_v4(1), .packets = 1 };
	struct entropy_result result;
	struct sluice_window good = empty_window(), window;

	good.sources = &source;
	good.n_sources = 1;
	good.blocked = &blocked;
	good.n_blocked = 1;
	cr_assert_eq(entropy_observe(entropy, &good, &result), 0);
	window = good;
	window.size = offsetof(struct sluice_window, untracked_bytes) - 8;
	cr_expect_eq(entropy_observe(entropy, &window, &result), -EINVAL, "an older window");
	window = good;
	window.sources = NULL;
	cr_expect_eq(entropy_observe(entropy, &window, &result), -EINVAL, "no sources");
	window = good;
	window.source_size = sizeof(source) - 8;
	cr_expect_eq(entropy_observe(entropy, &window, &result), -EINVAL, "short sources");
	window = good;
	window.blocked = NULL;
	cr_expect_eq(entropy_observe(entropy, &window, &result), -EINVAL, "no blocked");
	window = good;
	window.blocked_size = 0;
	cr_expect_eq(entropy_observe(entropy, &window, &result), -EINVAL, "short blocked");
	entropy_free(entropy);
}

/* A newer host's structures are longer; what we do not know lies between the elements. */
Test(entropy_window, longer_structures)
{
	struct entropy_bench bench;
	struct sluice_window window, wide;
	const size_t source_size = sizeof(struct sluice_source) + 24;
	const size_t blocked_size = sizeof(struct sluice_blocked_source) + 8;
	struct {
		struct sluice_window window;
		uint64_t unknown[4];
	} longer;
	char *sources, *blocked;

	entropy_bench_init(&bench, 203, 1000000000);
	for (uint32_t i = 0; i < 1000; i++) {
		struct traffic_sender *sender =
			traffic_add(&bench.traffic, traffic_key_v6(i), TRAFFIC_UDP, 300);

		sender->blocked = i % 4 == 0;
	}
	traffic_window(&bench.traffic, 1000000000, &window);
	sources = malloc(window.n_sources * source_size);
	blocked = malloc(window.n_blocked * blocked_size);
	cr_assert(sources && blocked);
	memset(sources, 0xff, window.n_sources * source_size);
	memset(blocked, 0xff, window.n_blocked * blocked_size);
	for (size_t i = 0; i < window.n_sources; i++)
		memcpy(sources + i * source_size, &window.sources[i], sizeof(window.sources[i]));
	for (size_t i = 0; i < window.n_blocked; i++)
		memcpy(blocked + i * blocked_size, &window.blocked[i], sizeof(window.blocked[i]));
	memset(&longer, 0xff, sizeof(longer));
	wide = window;
	wide.size = sizeof(longer);
	wide.sources = (const void *)sources;
	wide.source_size = source_size;
	wide.blocked = (const void *)blocked;
	wide.blocked_size = blocked_size;
	longer.window = wide;
	cr_assert_eq(entropy_observe(bench.entropy, &longer.window, &bench.result), 0);
	cr_assert(bench.result.attack);
	cr_assert_eq(bench.result.n_named, 750);
	cr_assert_float_eq(bench.result.offered_entropy, 1.0, 0.001);
	free(sources);
	free(blocked);
	entropy_bench_fini(&bench);
}

/*
 * A million sources must not hold up a window.  Processor time, and generous, for busy machines and
 * sanitized builds.
 */
Test(entropy_window, of_a_million_sources)
{
	struct entropy_bench bench;
	struct sluice_window window;
	struct timespec begin, end;
	double milliseconds, best = 1e9;

	entropy_bench_init(&bench, 204, 1000000000);
	for (uint32_t i = 0; i < 1000000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP,
			    20 + 380 * traffic_uniform(&bench.traffic));
	for (int i = 0; i < 3; i++) {
		traffic_window(&bench.traffic, 1000000000, &window);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
		cr_assert_eq(entropy_observe(bench.entropy, &window, &bench.result), 0);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		milliseconds = (double)(end.tv_sec - begin.tv_sec) * 1e3 +
			       (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
		best = milliseconds < best ? milliseconds : best;
	}
	printf("1,000,000 sources: %.1f ms\n", best);
	cr_assert_eq(bench.result.n_named, 1000000);
	cr_assert_lt(best, 1000);
	entropy_bench_fini(&bench);
}

Test(entropy_window, new_limits_keep_what_was_learned)
{
	struct entropy_bench bench;
	struct entropy_params params = entropy_bench_params();

	entropy_bench_init(&bench, 205, 1000000000);
	for (uint32_t i = 0; i < 1000; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 50);
	entropy_bench_run(&bench, 20);
	cr_assert_eq(bench.result.learned_windows, 17);
	/* By itself this would make 50K packets/s from 1,000 sources a flood. */
	params.flood_pps = 20000;
	params.seed = 77;
	cr_assert(entropy_reconfigure(bench.entropy, &params));
	entropy_bench_run(&bench, 20);
	cr_assert_eq(bench.attack_windows, 0);
	cr_assert_eq(bench.result.learned_windows, 32);
	params.max_learned *= 2;
	cr_assert_not(entropy_reconfigure(bench.entropy, &params));
	entropy_bench_fini(&bench);
}
