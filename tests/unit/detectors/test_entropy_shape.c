/* SPDX-License-Identifier: BSD-2-Clause */
/* What samples of ordinary-looking packets have in common, and when that is nothing. */
#include <criterion/criterion.h>
#include <string.h>

#include "shape.h"
#include "support/random.h"

#define N 200

struct scene {
	struct random random;
	struct mine_packet samples[N], peace[N];
	struct shape_input input;
	struct shape shape;
};

static struct scene *scene_new(uint64_t seed)
{
	static struct scene scene;

	memset(&scene, 0, sizeof(scene));
	scene.random.state = seed;
	scene.input = (struct shape_input){ .samples = scene.samples,
					    .pps_per_sample = 10,
					    .peace = scene.peace,
					    .min_samples = 24 };
	return &scene;
}

static struct mine_packet packet_of(uint8_t family, uint8_t protocol, int flags, int port,
				    uint16_t length)
{
	struct mine_packet out = { .source = 1 };

	out.packet.source.family = family;
	out.packet.protocol = protocol;
	out.packet.tcp_flags = flags;
	out.packet.source_port = out.packet.destination_port = port;
	out.packet.length = length;
	return out;
}

static void add(struct scene *scene, struct mine_packet packet)
{
	cr_assert_lt(scene->input.n_samples, N);
	scene->samples[scene->input.n_samples++] = packet;
}

static void add_peace(struct scene *scene, int port, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		scene->peace[scene->input.n_peace++] =
			packet_of(SLUICE_FAMILY_IPV4, 17, -1, port, 100);
}

static int any_port(struct scene *scene)
{
	return 1 + (int)(random_next(&scene->random) % 65535);
}

Test(entropy_shape, open_connections_with_one_face)
{
	struct scene *scene = scene_new(1);

	for (int i = 0; i < 90; i++)
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x11, any_port(scene), 40));
	for (int i = 0; i < 10; i++)
		add(scene,
		    packet_of(SLUICE_FAMILY_IPV4, 6, 0x10, any_port(scene), (uint16_t)(40 + i)));
	/* None of these is of an open connection, or of this family. */
	for (int i = 0; i < 30; i++) {
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x02, any_port(scene), 60));
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 17, -1, any_port(scene), 60));
		add(scene, packet_of(SLUICE_FAMILY_IPV6, 6, 0x18, any_port(scene), 80));
	}
	shape_of_open(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_assert_eq(scene->shape.n, 1);
	cr_expect_float_eq(scene->shape.pps, 1000, 1e-9);
	cr_expect_eq(scene->shape.match[0].tcp_value, 0x11);
	cr_expect_eq(scene->shape.match[0].tcp_mask, 0x3f);
	cr_expect_eq(scene->shape.match[0].length.from, 40);
	cr_expect_eq(scene->shape.match[0].length.to, 40);
	/* One more that differs is too many. */
	add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x10, 5, 99));
	shape_of_open(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0);
	cr_expect_float_eq(scene->shape.pps, 1010, 1e-9);
}

/* Whoever sends them never comes back, so that this says nothing of him. */
Test(entropy_shape, resets_and_answers_to_nobody_are_of_no_open_connection)
{
	struct scene *scene = scene_new(6);

	for (int i = 0; i < 50; i++) {
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x04, any_port(scene), 40));
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x14, any_port(scene), 40));
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x12, any_port(scene), 44));
	}
	shape_of_open(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0);
	cr_expect_eq(scene->shape.pps, 0);
}

Test(entropy_shape, few_samples_say_nothing)
{
	struct scene *scene = scene_new(2);

	for (int i = 0; i < 23; i++)
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 6, 0x10, 1, 40));
	shape_of_open(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0);
	scene->input.n_samples = 0;
	for (int i = 0; i < 23; i++)
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 17, -1, any_port(scene), 40));
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0);
}

static void scatter(struct scene *scene, uint8_t family)
{
	for (int i = 0; i < 100; i++)
		add(scene, packet_of(family, 17, -1, any_port(scene),
				     (uint16_t)(28 + random_next(&scene->random) % 1400)));
}

/* The ports that peace had stay open, and so do those of services. */
Test(entropy_shape, scattered_udp_around_the_services)
{
	struct scene *scene = scene_new(3);

	scatter(scene, SLUICE_FAMILY_IPV4);
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_assert_eq(scene->shape.n, 1);
	cr_expect_eq(scene->shape.match[0].destination_port.from, 1024);
	cr_expect_eq(scene->shape.match[0].destination_port.to, 65535);
	cr_expect_eq(scene->shape.match[0].protocol, 17);
	add_peace(scene, 443, 20);
	add_peace(scene, 51820, 5);
	add_peace(scene, 65535, 5);
	add_peace(scene, 1024, 5);
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_assert_eq(scene->shape.n, 2);
	cr_expect_eq(scene->shape.match[0].destination_port.from, 1025);
	cr_expect_eq(scene->shape.match[0].destination_port.to, 51819);
	cr_expect_eq(scene->shape.match[1].destination_port.from, 51821);
	cr_expect_eq(scene->shape.match[1].destination_port.to, 65534);
}

/* Whatever services there are, no limit is for one of them. */
Test(entropy_shape, no_range_holds_a_service)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct scene *scene = scene_new(seed);
		unsigned int n = (unsigned int)(seed % 17);

		scatter(scene, SLUICE_FAMILY_IPV4);
		for (unsigned int i = 0; i < n; i++)
			add_peace(scene, any_port(scene), 1);
		shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
		cr_expect_leq(scene->shape.n, SHAPE_MAX_MATCHES);
		for (size_t k = 0; k < scene->shape.n; k++)
			for (size_t i = 0; i < scene->input.n_peace; i++) {
				int port = scene->peace[i].packet.destination_port;

				cr_expect(port < scene->shape.match[k].destination_port.from ||
						  port > scene->shape.match[k].destination_port.to,
					  "seed %lu: port %d", (unsigned long)seed, port);
			}
	}
}

Test(entropy_shape, udp_to_services_or_to_a_host_that_gets_it_anywhere)
{
	struct scene *scene = scene_new(5);

	for (int i = 0; i < 100; i++)
		add(scene, packet_of(SLUICE_FAMILY_IPV4, 17, -1, 2000 + i % 50, 100));
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0, "fifty ports, each twice");
	scene->input.n_samples = 0;
	scatter(scene, SLUICE_FAMILY_IPV6);
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0, "of the other family");
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV6, &scene->shape);
	cr_expect_eq(scene->shape.n, 1);
	scene->input.n_samples = 0;
	scatter(scene, SLUICE_FAMILY_IPV4);
	for (int i = 0; i < 17; i++)
		add_peace(scene, 3000 + i, 1);
	shape_of_scattered(&scene->input, SLUICE_FAMILY_IPV4, &scene->shape);
	cr_expect_eq(scene->shape.n, 0, "as of media or of peers");
}
