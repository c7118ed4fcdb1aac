/* SPDX-License-Identifier: BSD-2-Clause */
/* SYNs whose senders never come back get a limit; those of clients, however many, do not. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "learned.h"
#include "support/random.h"

#define MAX_SOURCES 6000
#define WINDOW_NS 100000000ull

struct scene {
	struct random random;
	struct forged forged;
	struct learned *learned;
	struct sluice_source sources[MAX_SOURCES];
	struct sluice_window_rule rule;
	struct sluice_window window;
	uint8_t family;
};

static const struct forged_params params = { .min_pps = 500, .growth = 4, .min_sources = 24 };

static struct scene *scene_new(uint64_t seed, uint8_t family)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	cr_assert_not_null(scene);
	scene->random.state = seed;
	scene->family = family;
	scene->learned = learned_new(64, seed);
	cr_assert_not_null(scene->learned);
	forged_match(family, &scene->rule.match);
	scene->rule.flags = SLUICE_WINDOW_RULE_AUTOMATIC;
	scene->window = (struct sluice_window){
		.size = sizeof(scene->window),
		.length_ns = WINDOW_NS,
		.sources = scene->sources,
		.source_size = sizeof(scene->sources[0]),
		.rules = &scene->rule,
		.n_rules = 1,
		.rule_size = sizeof(scene->rule),
	};
	return scene;
}

static void scene_free(struct scene *scene)
{
	learned_free(scene->learned);
	free(scene);
}

static void add(struct scene *scene, uint64_t number, uint32_t syn, uint64_t packets)
{
	struct sluice_source *source;

	cr_assert_lt(scene->window.n_sources, MAX_SOURCES);
	source = &scene->sources[scene->window.n_sources++];
	memset(source, 0, sizeof(*source));
	source->key.family = scene->family;
	source->key.prefix_len = scene->family == SLUICE_FAMILY_IPV4 ? 32 : 64;
	memcpy(source->key.addr, &number, scene->family == SLUICE_FAMILY_IPV4 ? 4 : 8);
	source->packets = packets;
	source->tcp_syn = syn;
}

static void end_window(struct scene *scene)
{
	forged_observe(&scene->forged, &params, scene->family, scene->learned, &scene->window,
		       false);
	scene->window.n_sources = 0;
	scene->rule.dropped_packets = 0;
}

static void peace(struct scene *scene, unsigned int windows, unsigned int syns)
{
	for (unsigned int at = 0; at < windows; at++) {
		for (unsigned int i = 0; i < syns; i++)
			add(scene, 1000 + i, 1, 5);
		end_window(scene);
		cr_assert_not(scene->forged.active);
	}
}

/* Addresses that are drawn once. */
static void add_forged(struct scene *scene, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		add(scene, random_next(&scene->random) | 1ull << 31, 1, 1);
}

/* Of those who came in the window before, `percent` send again, and `n` come new. */
static void add_clients(struct scene *scene, unsigned int window, unsigned int n,
			unsigned int percent)
{
	uint32_t first = 1u << 20 | window << 14;

	for (unsigned int i = 0; i < n; i++) {
		add(scene, first + i, 1, 1);
		if (window && i * 100 < n * percent)
			add(scene, first - (1u << 14) + i, 0, 3);
	}
}

Test(entropy_forged, is_seen_in_the_second_window)
{
	static const uint8_t families[] = { SLUICE_FAMILY_IPV4, SLUICE_FAMILY_IPV6 };

	for (int i = 0; i < 2; i++)
		for (unsigned int n = 60; n <= 5000; n = n * 3 + 11) {
			struct scene *scene = scene_new(n, families[i]);

			peace(scene, 20, 2);
			add_forged(scene, n);
			end_window(scene);
			cr_expect_not(scene->forged.active, "%u: nobody could come back yet", n);
			add_forged(scene, n);
			end_window(scene);
			cr_expect(scene->forged.active, "%u not seen", n);
			cr_expect_eq(scene->forged.limit_pps, 200);
			scene_free(scene);
		}
}

Test(entropy_forged, a_crowd_of_clients_is_none)
{
	for (unsigned int percent = 15; percent <= 100; percent += 17) {
		struct scene *scene = scene_new(percent, SLUICE_FAMILY_IPV4);

		peace(scene, 20, 2);
		for (unsigned int window = 0; window < 10; window++) {
			add_clients(scene, window, 1000, percent);
			end_window(scene);
			cr_expect_not(scene->forged.active, "%u %% come back", percent);
		}
		scene_free(scene);
	}
}

/* The limit leaves room for what is usual here. */
Test(entropy_forged, the_limit_grows_with_peace)
{
	struct scene *scene = scene_new(3, SLUICE_FAMILY_IPV4);

	peace(scene, 40, 30);
	for (int i = 0; i < 2; i++) {
		add_forged(scene, 3000);
		end_window(scene);
	}
	cr_expect(scene->forged.active);
	cr_expect_geq(scene->forged.limit_pps, 1190);
	cr_expect_leq(scene->forged.limit_pps, 1210);
	scene_free(scene);
}

/* What the rule drops is still offered, so that it stays as long as the flood and not much longer. */
Test(entropy_forged, lasts_as_long_as_the_flood)
{
	struct scene *scene = scene_new(4, SLUICE_FAMILY_IPV4);

	peace(scene, 20, 2);
	for (int i = 0; i < 2; i++) {
		add_forged(scene, 2000);
		end_window(scene);
	}
	for (int i = 0; i < 100; i++) {
		scene->rule.dropped_packets = 1980;
		add_forged(scene, 20);
		end_window(scene);
		cr_expect(scene->forged.active);
	}
	for (int i = 0; i < 29; i++)
		end_window(scene);
	cr_expect(scene->forged.active, "only after three seconds");
	for (int i = 0; i < 2; i++)
		end_window(scene);
	cr_expect_not(scene->forged.active);
	scene_free(scene);
}

/* Few senders, few SYNs or no peace to compare with: nothing. */
Test(entropy_forged, what_proves_nothing)
{
	struct scene *scene = scene_new(5, SLUICE_FAMILY_IPV4);

	for (int i = 0; i < 5; i++) {
		add_forged(scene, 3000);
		end_window(scene);
		cr_expect_not(scene->forged.active, "without peace");
	}
	peace(scene, 20, 2);
	for (int i = 0; i < 5; i++) {
		add_forged(scene, 40);
		end_window(scene);
		cr_expect_not(scene->forged.active, "400/s");
	}
	for (unsigned int at = 0; at < 5; at++) {
		for (unsigned int i = 0; i < 20; i++)
			add(scene, 50000 + at * 100 + i, 100, 100);
		end_window(scene);
		cr_expect_not(scene->forged.active, "20 senders");
	}
	scene_free(scene);
}

/* Known clients' SYNs are none of strangers', and a window without SYNs is looked at safely. */
Test(entropy_forged, known_clients_do_not_count)
{
	struct scene *scene = scene_new(6, SLUICE_FAMILY_IPV4);

	peace(scene, 20, 2);
	for (int at = 0; at < 5; at++) {
		add_forged(scene, 3000);
		for (size_t i = 0; i < scene->window.n_sources; i++)
			scene->sources[i].flags = SLUICE_SOURCE_KNOWN;
		end_window(scene);
		cr_expect_not(scene->forged.active);
		cr_expect_eq(scene->forged.passed_pps, 0);
	}
	scene_free(scene);
}
