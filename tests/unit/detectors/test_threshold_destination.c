/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits per destination and per pair: who is named, and what is learned. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "destination.h"
#include "traffic.h"

#define MAX_FLOWS 4096

struct scene {
	struct levels *levels;
	struct sluice_flow flows[MAX_FLOWS];
	struct sluice_destination destinations[2];
	struct sluice_window window;
	uint64_t now_ns;
	struct destination_result result;
	size_t n_hits;
	bool named[MAX_FLOWS];
	struct destination_hit last;
};

static struct scene *scene_new(void)
{
	static struct scene scene;

	memset(&scene, 0, sizeof(scene));
	cr_assert_eq(levels_new(&scene.levels), 0);
	scene.window = (struct sluice_window){
		.size = sizeof(scene.window),
		.length_ns = 1000000000,
		.flows = scene.flows,
		.flow_size = sizeof(scene.flows[0]),
		.destinations = scene.destinations,
		.destination_size = sizeof(scene.destinations[0]),
	};
	return &scene;
}

static int note(void *ctx, const struct destination_hit *hit)
{
	struct scene *scene = ctx;
	uint32_t number = (uint32_t)hit->source.addr[1] << 16 | (uint32_t)hit->source.addr[2] << 8 |
			  hit->source.addr[3];

	scene->n_hits++;
	scene->named[number % MAX_FLOWS] = true;
	scene->last = *hit;
	return 0;
}

/* Source `number` sends `packets` of UDP, 100 bytes each, to the one destination. */
static void add(struct scene *scene, uint32_t number, uint32_t packets)
{
	struct sluice_destination *destination = &scene->destinations[0];

	cr_assert_lt(scene->window.n_flows, MAX_FLOWS);
	destination->key = traffic_key_v4(0xffffff);
	destination->packets += packets;
	destination->bytes += packets * 100ull;
	destination->protocol[SLUICE_PROTOCOL_UDP] += packets;
	scene->window.n_destinations = 1;
	scene->flows[scene->window.n_flows++] = (struct sluice_flow){
		.source = traffic_key_v4(number),
		.destination = destination->key,
		.packets = packets,
		.bytes = packets * 100ull,
		.udp = packets,
	};
}

static void observe(struct scene *scene, const struct destination_params *params)
{
	scene->n_hits = 0;
	memset(scene->named, 0, sizeof(scene->named));
	cr_assert_eq(destination_observe(params, scene->levels, &scene->window, scene->now_ns, note,
					 scene, &scene->result),
		     0);
	scene->now_ns += scene->window.length_ns;
	scene->window.n_flows = scene->window.n_destinations = 0;
	memset(scene->destinations, 0, sizeof(scene->destinations));
}

Test(threshold_destination, names_the_few_that_exceed_the_limit)
{
	struct destination_params params = { .fixed = { [THRESHOLD_PACKETS] = 10000 },
					     .source_floor_pps = 100 };
	struct scene *scene = scene_new();

	/* 500 clients with 10 each, three that send 20,000 in all. */
	for (uint32_t i = 0; i < 500; i++)
		add(scene, i, 10);
	add(scene, 1000, 12000);
	add(scene, 1001, 5000);
	add(scene, 1002, 3000);
	observe(scene, &params);
	/* 25,000 against 10,000: the first two bring it under. */
	cr_expect_eq(scene->result.over, 1);
	cr_expect_eq(scene->n_hits, 2);
	cr_expect(scene->named[1000] && scene->named[1001]);
	cr_expect_float_eq(scene->last.total, 25000, 1e-6);
	cr_expect_float_eq(scene->result.worst_ratio, 2.5, 1e-9);
	levels_free(scene->levels);
}

Test(threshold_destination, names_nobody_where_all_are_alike)
{
	struct destination_params params = { .fixed = { [THRESHOLD_PACKETS] = 10000 },
					     .source_floor_pps = 100 };
	struct scene *scene = scene_new();

	for (uint32_t i = 0; i < 4000; i++)
		add(scene, i, 10);
	observe(scene, &params);
	cr_expect_eq(scene->result.over, 1);
	cr_expect_eq(scene->result.without_heavy, 1);
	cr_expect_eq(scene->n_hits, 0);
	levels_free(scene->levels);
}

/* Sources beyond number are the worst, and one of them is loud as well. */
Test(threshold_destination, many_do_not_hide_the_one)
{
	struct destination_params params = {
		.fixed = { [THRESHOLD_PACKETS] = 10000, [THRESHOLD_FLOWS] = 50 },
		.source_floor_pps = 100
	};
	struct scene *scene = scene_new();

	for (uint32_t i = 0; i < 500; i++)
		add(scene, i, 10);
	add(scene, 1000, 20000);
	observe(scene, &params);
	cr_expect_eq((int)scene->result.worst_metric, THRESHOLD_FLOWS);
	cr_expect_eq(scene->result.over, 1);
	cr_expect_eq(scene->result.without_heavy, 0);
	cr_expect_eq(scene->n_hits, 1);
	cr_expect(scene->named[1000]);
	cr_expect_eq((int)scene->last.metric, THRESHOLD_PACKETS);
	levels_free(scene->levels);
}

Test(threshold_destination, each_metric_has_its_limit)
{
	for (int metric = 0; metric < THRESHOLD_N_METRICS; metric++) {
		struct destination_params params = { .source_floor_pps = 1 };
		struct scene *scene = scene_new();
		struct sluice_destination *destination = &scene->destinations[0];

		params.fixed[metric] = metric == THRESHOLD_BITS ? 3000ull * 800 : 3000;
		if (metric == THRESHOLD_FLOWS)
			params.fixed[metric] = 1;
		add(scene, 1, 3001);
		add(scene, 2, 0);
		destination->tcp_flags[2] = 3001;  /* SYN */
		destination->tcp_flags[18] = 9999; /* SYN and ACK do not count. */
		destination->protocol[SLUICE_PROTOCOL_ICMP] = 3001;
		scene->flows[0].tcp_syn = scene->flows[0].icmp = 3001;
		observe(scene, &params);
		cr_expect_eq(scene->result.over, 1, "%d", metric);
		cr_expect_eq((int)scene->result.worst_metric, metric);
		/* Who sends from many sources is not one of them. */
		cr_expect_eq(scene->n_hits, metric == THRESHOLD_FLOWS ? 0 : 1, "%d", metric);
		levels_free(scene->levels);
		scene = scene_new();
		add(scene, 1, 3000);
		scene->flows[0].udp = 3000;
		if (metric != THRESHOLD_FLOWS)
			observe(scene, &params);
		cr_expect_eq(scene->result.over, 0, "%d", metric);
		levels_free(scene->levels);
	}
}

Test(threshold_destination, a_pair_has_limits_of_its_own)
{
	struct destination_params params = { .pair = { [THRESHOLD_UDP] = 500 } };
	struct scene *scene = scene_new();

	add(scene, 1, 500);
	add(scene, 2, 501);
	observe(scene, &params);
	cr_expect_eq(scene->result.pairs_over, 1);
	cr_expect_eq(scene->n_hits, 1);
	cr_expect(scene->named[2] && scene->last.is_pair);
	cr_expect_eq(scene->result.over, 0);
	levels_free(scene->levels);
}

static const struct destination_params learning = {
	.learn = true,
	.deviation = 8,
	.growth = 3,
	.floor_pps = 1000,
	.source_floor_pps = 100,
};

static void peace(struct scene *scene, uint32_t windows, uint32_t clients)
{
	for (uint32_t n = 0; n < windows; n++) {
		for (uint32_t i = 0; i < clients; i++)
			add(scene, i, 20 + (i + n) % 3);
		observe(scene, &learning);
		cr_assert_eq(scene->result.over, 0, "window %u of %u clients, ratio %f", n, clients,
			     scene->result.worst_ratio);
	}
}

Test(threshold_destination, learns_what_is_usual)
{
	struct scene *scene = scene_new();

	/* Nothing is known yet: nothing is said. */
	for (uint32_t i = 0; i < 4000; i++)
		add(scene, i, 20);
	observe(scene, &learning);
	cr_expect_eq(scene->result.over, 0);
	peace(scene, 200, 100);
	add(scene, 4000, 30000);
	observe(scene, &learning);
	cr_expect_eq(scene->result.over, 1);
	cr_expect(scene->named[4000]);
	/* Below the floor nothing is an attack, however unusual. */
	levels_free(scene->levels);
	scene = scene_new();
	peace(scene, 200, 1);
	add(scene, 4000, 400);
	observe(scene, &learning);
	cr_expect_eq(scene->result.over, 0);
	levels_free(scene->levels);
}

/* Its first window is partial and below the limit; then it lasts for hours. */
Test(threshold_destination, an_attack_is_never_learned)
{
	struct scene *scene = scene_new();

	peace(scene, 200, 100);
	add(scene, 4000, 2500);
	observe(scene, &learning);
	for (uint32_t n = 0; n < 5000; n++) {
		add(scene, 4000, 40000);
		observe(scene, &learning);
		cr_assert_eq(scene->result.over, 1, "window %u", n);
	}
	cr_expect_lt(scene->last.limit, 8000);
	levels_free(scene->levels);
}

Test(threshold_destination, hours_are_told_apart)
{
	struct scene *scene = scene_new();
	double night, noon;

	scene->now_ns = 0;
	peace(scene, 300, 50);
	night = levels_limit(scene->levels, &scene->flows[0].destination, THRESHOLD_PACKETS, 0, 8,
			     1);
	scene->now_ns = 12ull * 3600 * 1000000000;
	/* The day grows slowly, as days do. */
	for (uint32_t clients = 60; clients < 600; clients += 10)
		for (uint32_t n = 0; n < 30; n++) {
			for (uint32_t i = 0; i < clients; i++)
				add(scene, i, 20);
			observe(scene, &learning);
		}
	noon = levels_limit(scene->levels, &scene->flows[0].destination, THRESHOLD_PACKETS,
			    12ull * 3600 * 1000000000, 8, 1);
	cr_expect_gt(noon, 2 * night, "%f %f", noon, night);
	cr_expect_float_eq(levels_limit(scene->levels, &scene->flows[0].destination,
					THRESHOLD_PACKETS, 24ull * 3600 * 1000000000, 8, 1),
			   night, 1e-6);
	levels_free(scene->levels);
}

Test(threshold_destination, more_destinations_than_places)
{
	struct levels *levels;
	double rates[THRESHOLD_N_METRICS] = { 1000 };

	cr_assert_eq(levels_new(&levels), 0);
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < 4 * LEVELS_MAX; i++) {
			struct sluice_key key = traffic_key_v4(i);

			levels_learn(levels, &key, rates, round * 1000 + i, 1);
		}
	levels_free(levels);
}

Test(threshold_destination, survives_any_window)
{
	struct destination_params params = { .fixed = { 10, 10, 10, 10, 10, 10 },
					     .pair = { 10, 10, 10, 10, 10 },
					     .learn = true,
					     .deviation = 3,
					     .floor_pps = 1,
					     .source_floor_pps = 1 };
	struct scene *scene = scene_new();

	srand(11);
	for (int n = 0; n < 300; n++) {
		unsigned char *bytes = (unsigned char *)scene->flows;

		scene->window.n_flows = (size_t)rand() % MAX_FLOWS;
		scene->window.n_destinations = (size_t)rand() % 3;
		scene->window.length_ns = (uint64_t)rand() * 4;
		for (size_t i = 0; i < sizeof(scene->flows); i += 1 + (size_t)rand() % 64)
			bytes[i] = (unsigned char)rand();
		bytes = (unsigned char *)scene->destinations;
		for (size_t i = 0; i < sizeof(scene->destinations); i++)
			bytes[i] = (unsigned char)rand();
		cr_assert_eq(destination_observe(&params, scene->levels, &scene->window,
						 scene->now_ns, note, scene, &scene->result),
			     0);
		scene->n_hits = 0;
	}
	scene->window.destination_size = 8;
	scene->window.n_destinations = 1;
	cr_expect_eq(destination_observe(&params, scene->levels, &scene->window, 0, note, scene,
					 &scene->result),
		     -EINVAL);
	levels_free(scene->levels);
}
