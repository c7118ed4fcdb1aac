/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules over time: peace, onset, what is dropped, the end; and windows of any content. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate.h"
#include "learned.h"
#include "signature_frames.h"
#include "support/random.h"

#define MAX_SAMPLES 200

struct scene {
	struct random random;
	struct aggregate *aggregate;
	struct aggregate_result result;
	struct learned *learned;
	struct sluice_sample samples[MAX_SAMPLES];
	struct sluice_window_rule rule;
	struct sluice_window window;
	uint32_t now;
};

static void scene_init(struct scene *scene, uint64_t seed)
{
	const struct aggregate_params params = {
		.mine = { .max_benign = 0.005,
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
		.seed = seed,
	};

	memset(scene, 0, sizeof(*scene));
	scene->random.state = seed;
	cr_assert_eq(aggregate_new(&params, &scene->aggregate), 0);
	scene->learned = learned_new(1024, seed);
	cr_assert_not_null(scene->learned);
	scene->window = (struct sluice_window){
		.size = sizeof(scene->window),
		.length_ns = 100000000,
		.source_size = sizeof(struct sluice_source),
		.samples = scene->samples,
		.sample_size = sizeof(scene->samples[0]),
		.rules = &scene->rule,
		.rule_size = sizeof(scene->rule),
	};
}

static void scene_fini(struct scene *scene)
{
	aggregate_free(scene->aggregate);
	learned_free(scene->learned);
}

static void add(struct scene *scene, bool is_flood, bool has_options)
{
	static const uint8_t data[150];
	struct frame frame = {
		.protocol = IPPROTO_TCP,
		.ttl = 60,
		.tcp_flags = 2,
		.source_port = (uint16_t)(1024 + random_below(&scene->random, 60000)),
		.destination_port = 443,
		.source = is_flood ? (uint32_t)random_next(&scene->random) : 5,
		.tcp_options = has_options ? 20 : 0,
	};

	if (!is_flood && random_below(&scene->random, 8)) {
		frame.tcp_flags = 24;
		frame.payload = data;
		frame.payload_size = random_below(&scene->random, sizeof(data));
	}
	cr_assert(scene->window.n_samples < MAX_SAMPLES);
	frame_sample(&frame, &scene->samples[scene->window.n_samples++]);
}

/* One window of so many packets, all sampled. */
static void run(struct scene *scene, unsigned int peaceful, unsigned int flood, bool has_options)
{
	scene->window.n_samples = 0;
	for (unsigned int i = 0; i < peaceful; i++)
		add(scene, false, true);
	for (unsigned int i = 0; i < flood; i++)
		add(scene, true, has_options);
	scene->window.passed_packets = scene->window.offered_packets = scene->window.n_samples;
	cr_assert_eq(aggregate_observe(scene->aggregate, &scene->window, scene->learned,
				       ++scene->now, false, &scene->result),
		     0);
}

Test(entropy_aggregate, nothing_before_anything_is_known)
{
	static struct scene scene;

	scene_init(&scene, 1);
	for (int i = 0; i < 15; i++) {
		run(&scene, 0, 150, false);
		cr_assert_not(scene.result.attack);
	}
	scene_fini(&scene);
}

/* Every client is a known one, so that peace holds no stranger's packet to compare with. */
Test(entropy_aggregate, a_flood_after_a_peace_without_strangers)
{
	static struct scene scene;

	scene_init(&scene, 8);
	for (int i = 0; i < 100; i++)
		run(&scene, 0, 0, false);
	cr_assert_eq(scene.result.n_peace, 0);
	run(&scene, 0, 100, false);
	cr_assert_float_eq(scene.result.distance, 1, 1e-9);
	cr_assert_eq(scene.result.n_rules, 1);
	scene_fini(&scene);
}

Test(entropy_aggregate, a_crowd_after_a_peace_without_strangers)
{
	static struct scene scene;

	scene_init(&scene, 9);
	for (int i = 0; i < 100; i++)
		run(&scene, 0, 0, false);
	/* What stacks send is ordinary everywhere, also where none of it was seen. */
	for (int i = 0; i < 20; i++) {
		run(&scene, 0, 150, true);
		cr_assert_not(scene.result.attack);
	}
	scene_fini(&scene);
}

Test(entropy_aggregate, a_flood_in_its_first_window_until_it_ends)
{
	static struct scene scene;
	size_t n_peace;

	scene_init(&scene, 2);
	for (int i = 0; i < 100; i++) {
		run(&scene, 10, 0, false);
		cr_assert_not(scene.result.attack);
	}
	n_peace = scene.result.n_peace;
	cr_assert(n_peace > 500);
	run(&scene, 10, 100, false);
	cr_assert(scene.result.attack);
	cr_assert_eq(scene.result.n_rules, 1);
	/* The filter drops it now: nothing of it passes, and still it goes on. */
	scene.window.n_rules = 1;
	scene.rule.flags = SLUICE_WINDOW_RULE_AUTOMATIC;
	scene.rule.match = scene.result.rules[0].mined.match;
	scene.rule.packets = scene.rule.dropped_packets = 100;
	for (int i = 0; i < 100; i++) {
		run(&scene, 10, 0, false);
		cr_assert(scene.result.attack);
		cr_assert_float_eq(scene.result.rules[0].offered_pps, 1000, 1e-6);
		cr_assert_eq(scene.result.n_peace, n_peace, "learned during an attack");
	}
	scene.rule.packets = scene.rule.dropped_packets = 0;
	for (int i = 0; i < 31; i++)
		run(&scene, 10, 0, false);
	cr_assert_not(scene.result.attack);
	scene_fini(&scene);
}

/* What came just before the verdict, too little to be one, must not become peace. */
Test(entropy_aggregate, a_partial_first_window_is_not_learned)
{
	static struct scene scene;

	scene_init(&scene, 3);
	for (int i = 0; i < 60; i++)
		run(&scene, 10, 0, false);
	for (int i = 0; i < 3; i++) {
		run(&scene, 10, 20, false);
		cr_assert_not(scene.result.attack);
	}
	run(&scene, 10, 150, false);
	cr_assert(scene.result.attack);
	cr_assert(scene.result.rules[0].mined.benign_share <= 0.001);
	scene_fini(&scene);
}

Test(entropy_aggregate, a_crowd_of_ordinary_clients)
{
	static struct scene scene;

	scene_init(&scene, 4);
	for (int i = 0; i < 60; i++)
		run(&scene, 10, 0, false);
	for (int i = 0; i < 100; i++) {
		run(&scene, 40, 150, true);
		cr_assert_not(scene.result.attack, "window %d", i);
	}
	scene_fini(&scene);
}

Test(entropy_aggregate, windows_of_any_content)
{
	static struct scene scene;
	struct sluice_source source;

	scene_init(&scene, 5);
	for (int round = 0; round < 3000; round++) {
		scene.window.n_samples = random_below(&scene.random, MAX_SAMPLES);
		for (size_t i = 0; i < scene.window.n_samples; i++) {
			uint8_t *bytes = (uint8_t *)&scene.samples[i];

			/* Half is noise, half a frame with a few bytes changed. */
			if (i % 2) {
				for (size_t at = 0; at < sizeof(scene.samples[i]); at++)
					bytes[at] = (uint8_t)random_next(&scene.random);
			} else {
				size_t n = scene.window.n_samples;

				scene.window.n_samples = i;
				add(&scene, true, i % 4 == 0);
				scene.window.n_samples = n;
				scene.samples[i].data[random_below(&scene.random, 64)] ^=
					(uint8_t)random_next(&scene.random);
			}
		}
		for (size_t at = 0; at < sizeof(source); at++)
			((uint8_t *)&source)[at] = (uint8_t)random_next(&scene.random);
		scene.window.sources = &source;
		scene.window.n_sources = round % 2;
		scene.window.passed_packets = random_next(&scene.random) >>
					      random_below(&scene.random, 64);
		scene.window.blocked_packets = round % 7 ? 0 : random_next(&scene.random);
		scene.window.length_ns = round % 11 ? 100000000 : random_next(&scene.random);
		scene.window.n_rules = round % 3 == 0;
		for (size_t at = 0; at < sizeof(scene.rule.match); at++)
			((uint8_t *)&scene.rule.match)[at] = (uint8_t)random_next(&scene.random);
		scene.rule.match.payload_size %= SLUICE_RULE_PAYLOAD_MAX + 1;
		cr_assert_eq(aggregate_observe(scene.aggregate, &scene.window, scene.learned,
					       ++scene.now, false, &scene.result),
			     0);
		cr_assert_leq(scene.result.n_rules, MINE_MAX_RULES);
		cr_assert(scene.result.distance >= 0 && scene.result.distance <= 1);
	}
	scene_fini(&scene);
}
