/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYNs whose senders never come back get a limit, and so do packets of no connection and UDP to any
 * port; those of clients, however many, do not.
 */
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
	struct shape shape;
	uint8_t family;
};

static const struct forged_params params = { .min_pps = 500, .growth = 4, .min_sources = 24 };

static struct scene *scene_of(uint64_t seed, enum forged_kind kind, uint8_t family)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	cr_assert_not_null(scene);
	scene->random.state = seed;
	scene->family = family;
	scene->learned = learned_new(64, seed);
	cr_assert_not_null(scene->learned);
	forged_init(&scene->forged, kind, family);
	if (kind == FORGED_SYN)
		shape_of_syn(family, &scene->shape);
	scene->rule.match = scene->shape.match[0];
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

static struct scene *scene_new(uint64_t seed, uint8_t family)
{
	return scene_of(seed, FORGED_SYN, family);
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
	forged_observe(&scene->forged, &params, scene->learned, &scene->window, &scene->shape,
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

/* Known clients who talk, `known` packets each, and strangers within a connection. */
static void add_talks(struct scene *scene, unsigned int known, unsigned int strangers)
{
	for (unsigned int i = 0; i < 10; i++) {
		add(scene, 5000 + i, 0, known);
		scene->sources[scene->window.n_sources - 1].flags = SLUICE_SOURCE_KNOWN;
	}
	for (unsigned int i = 0; i < strangers; i++)
		add(scene, 7000 + i, 0, 1);
}

/* Of open connections. */
static void set_shape(struct scene *scene, double pps, uint8_t flags)
{
	scene->shape = (struct shape){
		.match = { { .size = sizeof(struct sluice_rule_match),
			     .fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TCP_FLAGS |
				       SLUICE_RULE_LENGTH,
			     .family = SLUICE_FAMILY_IPV4,
			     .protocol = 6,
			     .tcp_value = flags,
			     .tcp_mask = 0x3f,
			     .length = { 40, 40 } } },
		.n = 1,
		.pps = pps,
	};
}

/* A host that knows its clients, with a flood of `n` packets a window to come. */
static struct scene *scene_open(uint64_t seed, unsigned int n)
{
	struct scene *scene = scene_of(seed, FORGED_OPEN, SLUICE_FAMILY_IPV4);

	for (int i = 0; i < 20; i++) {
		add_talks(scene, 5, 2);
		end_window(scene);
	}
	set_shape(scene, n * 10.0, 0x11);
	return scene;
}

/* Packets of nobody's connection, from addresses that are drawn once. */
static void add_outside(struct scene *scene, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		add(scene, random_next(&scene->random) | 1ull << 31, 0, 1);
}

static bool is_seen(struct scene *scene, unsigned int n)
{
	for (int i = 0; i < 3; i++) {
		add_talks(scene, 5, 2);
		add_outside(scene, n);
		end_window(scene);
	}
	return scene->forged.active;
}

Test(entropy_forged, packets_of_no_connection)
{
	for (unsigned int n = 60; n <= 5000; n = n * 3 + 11) {
		struct scene *scene = scene_open(n, n);

		cr_expect(is_seen(scene, n), "%u not seen", n);
		cr_expect_eq(scene->forged.limit_pps, 200);
		cr_expect_eq(scene->forged.n_matches, 1);
		cr_expect_eq(scene->forged.match[0].tcp_value, 0x11);
		cr_expect_eq(scene->forged.match[0].length.to, 40);
		scene_free(scene);
	}
}

/* A limit of one shape is not the end of it. */
Test(entropy_forged, the_flood_takes_another_shape)
{
	struct scene *scene = scene_open(1, 2000);

	cr_assert(is_seen(scene, 2000));
	set_shape(scene, 20000, 0x10);
	cr_expect(is_seen(scene, 2000));
	cr_expect_eq(scene->forged.match[0].tcp_value, 0x10);
	scene_free(scene);
}

Test(entropy_forged, what_is_not_all_alike_or_no_tcp_gets_no_limit)
{
	struct scene *scene = scene_open(2, 2000);

	scene->shape.n = 0;
	cr_expect_not(is_seen(scene, 2000));
	scene->shape.n = 1;
	scene->shape.pps = 2000;
	cr_expect_not(is_seen(scene, 2000), "most are of another protocol, or a rule is there");
	scene_free(scene);
}

/* As many connections begin: a crowd, of which a window has the second half. */
Test(entropy_forged, a_crowd_of_connections_is_none)
{
	struct scene *scene = scene_open(3, 3000);

	for (unsigned int window = 0; window < 10; window++) {
		add_talks(scene, 5, 2);
		for (unsigned int i = 0; i < 1000; i++) {
			add(scene, 1u << 20 | window << 14 | i, 1, 1);
			if (window)
				add(scene, 1u << 20 | (window - 1) << 14 | i, 0, 3);
		}
		end_window(scene);
		cr_expect_not(scene->forged.active);
	}
	scene_free(scene);
}

/* Who was there a window ago is somebody, whether the host knows him or not. */
Test(entropy_forged, open_connections_of_strangers_go_on)
{
	struct scene *scene = scene_open(4, 3000);

	for (int window = 0; window < 10; window++) {
		add_talks(scene, 5, 2);
		for (unsigned int i = 0; i < 3000; i++)
			if ((i + (unsigned int)window) % 5)
				add(scene, 1u << 20 | i, 0, 1);
		end_window(scene);
		cr_expect_not(scene->forged.active);
	}
	scene_free(scene);
}

/* On a router most of who talk are unknown, or all; of a host where nobody talks nothing is known. */
Test(entropy_forged, where_clients_are_not_known_nothing_is_outside)
{
	static const struct {
		unsigned int known, strangers;
	} rows[] = { { 0, 20 }, { 1, 20 }, { 0, 0 } };

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		struct scene *scene = scene_of(5, FORGED_OPEN, SLUICE_FAMILY_IPV4);

		set_shape(scene, 20000, 0x10);
		for (int i = 0; i < 20; i++) {
			add_talks(scene, rows[row].known, rows[row].strangers);
			end_window(scene);
		}
		cr_expect_not(is_seen(scene, 2000), "row %zu", row);
		scene_free(scene);
	}
}

/* Whose shape is that of any port; with a service of whom some come back it is none. */
Test(entropy_forged, udp_of_senders_who_never_come_back)
{
	for (unsigned int percent = 0; percent <= 40; percent += 20) {
		struct scene *scene = scene_of(6 + percent, FORGED_UDP, SLUICE_FAMILY_IPV6);

		for (int i = 0; i < 20; i++)
			end_window(scene);
		scene->shape.n = 2;
		scene->shape.pps = 10000;
		for (unsigned int window = 0; window < 4; window++) {
			for (unsigned int i = 0; i < 1000; i++) {
				uint32_t number = 1u << 20 | window << 14 | i;

				/* Of those who were new in the window before. */
				if (window && i * 100 < 1000 * percent)
					number = 1u << 20 | (window - 1) << 14 | (999 - i);
				add(scene, number, 0, 1);
				scene->sources[scene->window.n_sources - 1].udp = 1;
			}
			end_window(scene);
		}
		cr_expect_eq(scene->forged.active, percent == 0, "%u %% came back", percent);
		cr_expect_eq(scene->forged.n_matches, percent ? 0 : 2);
		scene_free(scene);
	}
}
