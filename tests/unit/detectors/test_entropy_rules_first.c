/* SPDX-License-Identifier: BSD-2-Clause */
/* A flood that a rule takes is left to the rule; where that does not help, its senders are named. */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "entropy_bench.h"
#include "signature_frames.h"

#define N_SENDERS 2000u
#define N_SAMPLES 100u

struct scene {
	struct entropy *entropy;
	struct entropy_result result;
	struct sluice_source sources[N_SENDERS];
	struct sluice_sample samples[N_SAMPLES];
	struct sluice_window window;
};

static void scene_init(struct scene *scene, double max_benign)
{
	struct entropy_params params = entropy_bench_params();

	params.aggregate = (struct aggregate_params){
		.mine = { .max_benign = max_benign,
			  .min_pps = 500,
			  .growth = 4,
			  .new_share = 0.65,
			  .min_evenness = 0.8,
			  .min_sources = 24,
			  .max_rules = 8 },
		.distance = 0.05,
		.alpha = 2,
		.phi = 1,
		.calm_windows = 3,
		.seed = 1,
	};
	*scene = (struct scene){ .window = {
					 .size = sizeof(scene->window),
					 .length_ns = 1000000000,
					 .source_size = sizeof(scene->sources[0]),
					 .blocked_size = sizeof(struct sluice_blocked_source),
					 .sample_size = sizeof(scene->samples[0]),
					 .rule_size = sizeof(struct sluice_window_rule),
				 } };
	cr_assert_eq(entropy_new(&params, &scene->entropy), 0);
	/* Peace: nobody is there but known clients, of whom a detector need not be told. */
	for (int i = 0; i < 20; i++)
		cr_assert_eq(entropy_observe(scene->entropy, &scene->window, &scene->result), 0);
	cr_assert_not(scene->result.attack);
}

/* Amplifiers: many alike, all from one port. */
static void flood(struct scene *scene)
{
	static const uint8_t payload[200];

	for (uint32_t i = 0; i < N_SENDERS; i++)
		scene->sources[i] = (struct sluice_source){
			.key = traffic_key_v4(i), .packets = 60, .bytes = 14520, .udp = 60
		};
	for (uint32_t i = 0; i < N_SAMPLES; i++) {
		const struct frame frame = {
			.protocol = IPPROTO_UDP,
			.ttl = (uint8_t)(40 + i % 20),
			.source_port = 161,
			.destination_port = (uint16_t)(1024 + i * 7),
			.source = i,
			.payload = payload,
			.payload_size = sizeof(payload),
		};

		frame_sample(&frame, &scene->samples[i]);
	}
	scene->window.sources = scene->sources;
	scene->window.n_sources = N_SENDERS;
	scene->window.samples = scene->samples;
	scene->window.n_samples = N_SAMPLES;
	scene->window.passed_packets = scene->window.offered_packets = 60 * N_SENDERS;
	cr_assert_eq(entropy_observe(scene->entropy, &scene->window, &scene->result), 0);
	cr_assert(scene->result.attack);
}

Test(entropy_rules_first, a_rule_that_takes_the_flood_spares_the_list)
{
	static struct scene scene;

	scene_init(&scene, 0.005);
	flood(&scene);
	cr_expect_eq(scene.result.aggregate.n_rules, 1);
	cr_expect_float_eq(scene.result.aggregate.found_share, 1, 1e-9);
	cr_expect_eq(scene.result.n_named, 0);
	entropy_free(scene.entropy);
}

Test(entropy_rules_first, a_rule_that_does_not_help_does_not_hold_up_the_list)
{
	static struct scene scene;

	scene_init(&scene, 0.005);
	flood(&scene);
	/* As where the policy refuses the rule: all of it passes once more. */
	flood(&scene);
	cr_expect_eq(scene.result.aggregate.found_share, 0);
	cr_expect_eq(scene.result.n_named, N_SENDERS);
	entropy_free(scene.entropy);
}

Test(entropy_rules_first, without_rules_the_list_comes_at_once)
{
	static struct scene scene;

	scene_init(&scene, 0);
	flood(&scene);
	cr_expect_eq(scene.result.aggregate.n_rules, 0);
	cr_expect_eq(scene.result.n_named, N_SENDERS);
	entropy_free(scene.entropy);
}
