/* SPDX-License-Identifier: BSD-2-Clause */
/* The limit on destinations per second of one source. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "logic.h"
#include "spread.h"
#include "traffic.h"

#define MAX_FLOWS 4096
#define MAX_SOURCES 64

struct scene {
	struct sluice_source sources[MAX_SOURCES];
	struct sluice_flow flows[MAX_FLOWS];
	struct sluice_window window;
	struct threshold_result result;
	size_t n_hits;
	struct threshold_hit hits[MAX_SOURCES];
};

static int note(void *ctx, const struct threshold_hit *hit)
{
	struct scene *scene = ctx;

	scene->hits[scene->n_hits++] = *hit;
	return 0;
}

/* Half a second. */
static struct scene *scene_new(void)
{
	static struct scene scene;

	memset(&scene, 0, sizeof(scene));
	scene.window = (struct sluice_window){
		.size = sizeof(scene.window),
		.length_ns = 500000000,
		.sources = scene.sources,
		.source_size = sizeof(scene.sources[0]),
		.blocked_size = sizeof(struct sluice_blocked_source),
		.flows = scene.flows,
		.flow_size = sizeof(scene.flows[0]),
	};
	return &scene;
}

static struct sluice_key source_key(uint32_t number)
{
	return number % 3 ? traffic_key_v4(number) : traffic_key_v6(number);
}

static struct sluice_source *add_source(struct scene *scene, uint32_t number)
{
	struct sluice_source *source = &scene->sources[scene->window.n_sources++];

	*source = (struct sluice_source){ .key = source_key(number) };
	return source;
}

/* `packets` to the next of this source's destinations. */
static void add_flow(struct scene *scene, struct sluice_source *source, uint32_t packets)
{
	size_t n = scene->window.n_flows++;

	cr_assert_lt(n, MAX_FLOWS);
	source->packets += packets;
	scene->flows[n] = (struct sluice_flow){
		.source = source->key,
		.destination = traffic_key_v4(1000000 + (uint32_t)n),
		.packets = packets,
	};
}

static void observe(struct scene *scene, uint64_t flows_per_second, uint64_t pps)
{
	const struct threshold_limits limits = {
		.pps = { [THRESHOLD_LIMIT_SOURCE] = pps,
			 [THRESHOLD_LIMIT_FLOWS] = flows_per_second },
	};

	scene->n_hits = 0;
	cr_assert_eq(threshold_observe(&limits, &scene->window, note, scene, &scene->result), 0);
}

Test(threshold_spread, just_below_and_above)
{
	struct scene *scene = scene_new();
	struct sluice_source *wide = add_source(scene, 1), *loud = add_source(scene, 2);

	add_flow(scene, loud, 5000);
	for (int i = 0; i < 50; i++)
		add_flow(scene, wide, 1);
	observe(scene, 100, 0);
	cr_expect_eq(scene->n_hits, 0, "100 a second are at the limit");
	cr_expect_not(scene->result.attack);
	add_flow(scene, wide, 1);
	observe(scene, 100, 0);
	cr_assert_eq(scene->n_hits, 1);
	cr_expect_eq(scene->hits[0].source, wide);
	cr_expect_eq(scene->hits[0].limit, THRESHOLD_LIMIT_FLOWS);
	cr_expect_float_eq(scene->hits[0].pps, 102, 1e-9);
	cr_expect(scene->result.attack);
	observe(scene, 0, 20000);
	cr_expect_eq(scene->n_hits, 0, "off, only packets count");
}

/* What it is over by the greatest factor is what it is named for. */
Test(threshold_spread, beside_another_limit)
{
	struct scene *scene = scene_new();
	struct sluice_source *source = add_source(scene, 1);

	for (int i = 0; i < 100; i++)
		add_flow(scene, source, 100);
	observe(scene, 100, 5000);
	cr_assert_eq(scene->n_hits, 1);
	cr_expect_eq(scene->hits[0].limit, THRESHOLD_LIMIT_SOURCE);
	observe(scene, 40, 5000);
	cr_assert_eq(scene->n_hits, 1);
	cr_expect_eq(scene->hits[0].limit, THRESHOLD_LIMIT_FLOWS);
}

Test(threshold_spread, known_and_blocked_sources)
{
	struct scene *scene = scene_new();
	struct sluice_source *source = add_source(scene, 1);
	struct sluice_blocked_source blocked = { .key = source_key(2), .packets = 51 };

	source->flags = SLUICE_SOURCE_KNOWN;
	for (int i = 0; i < 60; i++)
		add_flow(scene, source, 1);
	observe(scene, 100, 0);
	cr_expect_eq(scene->n_hits, 1, "the engine decides about a known client");
	cr_expect_eq(scene->result.known_over, 1);
	cr_expect_not(scene->result.attack);
	scene->window.blocked = &blocked;
	scene->window.n_blocked = 1;
	observe(scene, 100, 0);
	cr_expect(scene->result.attack, "who is blocked and goes on keeps the attack up");
}

Test(threshold_spread, windows_without_flows)
{
	struct scene *scene = scene_new();
	struct sluice_source *source = add_source(scene, 1);

	for (int i = 0; i < 60; i++)
		add_flow(scene, source, 1);
	scene->window.flow_size = sizeof(struct sluice_flow) - 8;
	observe(scene, 1, 0);
	cr_expect_eq(scene->n_hits, 0);
	scene->window.flow_size = sizeof(struct sluice_flow);
	scene->window.flows = NULL;
	observe(scene, 1, 0);
	cr_expect_eq(scene->n_hits, 0);
	scene->window.flows = scene->flows;
	scene->window.size = offsetof(struct sluice_window, flows);
	observe(scene, 1, 0);
	cr_expect_eq(scene->n_hits, 0, "a host of ABI 1.0");
}

static void shuffle(struct traffic *traffic, struct scene *scene)
{
	for (size_t i = scene->window.n_flows; i > 1; i--) {
		size_t at = (size_t)(traffic_uniform(traffic) * (double)i);
		struct sluice_flow kept = scene->flows[i - 1];

		scene->flows[i - 1] = scene->flows[at];
		scene->flows[at] = kept;
	}
}

/* Each source against a count over all flows, in any order. */
Test(threshold_spread, like_counting_one_by_one)
{
	const uint64_t seed = 20261127;

	for (uint64_t round = 0; round < 200; round++) {
		struct scene *scene = scene_new();
		struct traffic traffic;
		uint64_t limit;
		size_t expected = 0;

		traffic_init(&traffic, seed + round);
		limit = 1 + (uint64_t)(traffic_uniform(&traffic) * 100);
		for (uint32_t i = 0; i < MAX_SOURCES; i++) {
			struct sluice_source *source = add_source(scene, i);
			size_t n = (size_t)(traffic_uniform(&traffic) * 60);

			for (size_t k = 0; k < n; k++)
				add_flow(scene, source, 1);
			expected += (double)n / 0.5 > (double)limit;
		}
		shuffle(&traffic, scene);
		observe(scene, limit, 0);
		cr_expect_eq(scene->n_hits, expected, "seed %lu", (unsigned long)(seed + round));
		for (size_t i = 0; i < scene->n_hits; i++)
			cr_expect_gt(scene->hits[i].pps, (double)limit);
		traffic_fini(&traffic);
	}
}
