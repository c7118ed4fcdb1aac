/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detector and traffic in one loop; see entropy_bench.h.
 */
#include "entropy_bench.h"

#include <criterion/criterion.h>
#include <string.h>

struct entropy_params entropy_bench_params(void)
{
	return (struct entropy_params){
		.source_floor_pps = 10,
		.flood_pps = 100000,
		.learned_flood_pps = 10000,
		.high_entropy = 0.8,
		.low_entropy = 0.6,
		.new_share = 0.5,
		.deviation = 4,
		.growth = 4,
		.min_sources = 64,
		.learn_windows = 30,
		.calm_windows = 3,
		.max_learned = 128 * 1024,
		.seed = 1,
	};
}

void entropy_bench_init(struct entropy_bench *bench, uint64_t seed, uint64_t window_ns)
{
	struct entropy_params params = entropy_bench_params();

	memset(bench, 0, sizeof(*bench));
	traffic_init(&bench->traffic, seed);
	cr_assert_eq(entropy_new(&params, &bench->entropy), 0);
	bench->window_ns = window_ns;
	bench->block = true;
	bench->max_blocks = 50000;
}

void entropy_bench_fini(struct entropy_bench *bench)
{
	entropy_free(bench->entropy);
	traffic_fini(&bench->traffic);
}

void entropy_bench_step(struct entropy_bench *bench)
{
	struct traffic *traffic = &bench->traffic;
	struct sluice_window window;

	traffic_window(traffic, bench->window_ns, &window);
	window.samples = bench->samples;
	window.n_samples = bench->n_samples;
	window.sample_size = sizeof(*bench->samples);
	cr_assert_eq(entropy_observe(bench->entropy, &window, &bench->result), 0);
	bench->attack_windows += bench->result.attack;
	for (size_t i = 0; i < bench->result.n_named && i < bench->max_blocks; i++) {
		uint32_t index = bench->result.named[i].index;
		struct traffic_sender *sender = &traffic->senders[traffic->sender_of[index]];

		sender->times_named++;
		bench->innocents_named += !sender->attacker;
		sender->blocked = bench->block;
		sender->offloaded = bench->offload && i % 2 == 0;
	}
}

void entropy_bench_run(struct entropy_bench *bench, size_t windows)
{
	for (size_t i = 0; i < windows; i++)
		entropy_bench_step(bench);
}

size_t entropy_bench_missed(const struct entropy_bench *bench)
{
	size_t missed = 0;

	for (size_t i = 0; i < bench->traffic.n_senders; i++)
		missed += bench->traffic.senders[i].attacker &&
			  bench->traffic.senders[i].times_named == 0;
	return missed;
}

void entropy_bench_add_clients(struct entropy_bench *bench, size_t n, double pps)
{
	for (size_t i = 0; i < n; i++) {
		double rate = traffic_normal(&bench->traffic, pps, pps / 10, pps / 2);
		struct traffic_sender *client = traffic_add(&bench->traffic,
							    traffic_key_v4(0xc00000 + (uint32_t)i),
							    TRAFFIC_ACK, i == 0 ? 20 * pps : rate);

		client->known = true;
	}
}
