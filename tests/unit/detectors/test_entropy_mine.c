/* SPDX-License-Identifier: BSD-2-Clause */
/* The miner against floods planted in ordinary traffic. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "mine.h"
#include "ordinary.h"
#include "support/random.h"

#define N_PEACE 1500
#define N_WINDOW 300
#define ROUNDS 40

struct scene {
	struct random random;
	struct mine_packet peace[N_PEACE], window[N_WINDOW];
	struct mine_ordinary ordinary[ORDINARY_MAX];
	bool is_flood[N_WINDOW];
	struct mine_input input;
	struct mine_rule rules[MINE_MAX_RULES];
	struct miner *miner;
};

static const struct mine_params params = {
	.max_benign = 0.005,
	.min_pps = 500,
	.growth = 4,
	.new_share = 0.65,
	.min_evenness = 0.8,
	.min_sources = 24,
	.max_rules = 8,
};

/* What clients of a web server send. */
static struct mine_packet ordinary_packet(struct random *random)
{
	static const int flags[] = { 2, 16, 16, 16, 24, 24, 17 };
	struct mine_packet packet = { 0 };

	packet.packet.source.family = SLUICE_FAMILY_IPV4;
	packet.packet.protocol = random_below(random, 5) ? IPPROTO_TCP : IPPROTO_UDP;
	packet.packet.tcp_flags =
		packet.packet.protocol == IPPROTO_TCP ? flags[random_below(random, 7)] : -1;
	packet.packet.length =
		packet.packet.tcp_flags == 2 ? 60 : (uint16_t)(52 + random_below(random, 1400));
	packet.packet.ttl = (uint8_t)(40 + random_below(random, 80));
	packet.packet.source_port = (int)(1024 + random_below(random, 60000));
	packet.packet.destination_port = 443;
	packet.source = random_below(random, 60);
	packet.is_new = random_below(random, 3) == 0;
	return packet;
}

/* A kind of flood by its number: SYN, reflection, UDP of one length. */
static struct mine_packet flood_packet(struct random *random, unsigned int kind)
{
	struct mine_packet packet = ordinary_packet(random);

	packet.packet.protocol = kind == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	packet.packet.tcp_flags = kind == 0 ? 2 : -1;
	packet.packet.length = kind == 0   ? 40
			       : kind == 1 ? (uint16_t)(400 + random_below(random, 1000))
					   : 540;
	packet.packet.source_port = kind == 1 ? 389 : (int)random_below(random, 65536);
	packet.packet.destination_port = kind == 2 ? 443 : (int)random_below(random, 65536);
	packet.source = random_next(random);
	packet.is_new = true;
	return packet;
}

static void scene_init(struct scene *scene, uint64_t seed)
{
	memset(scene, 0, sizeof(*scene));
	scene->random.state = seed;
	scene->miner = miner_new();
	cr_assert_not_null(scene->miner);
	for (int i = 0; i < N_PEACE; i++)
		scene->peace[i] = ordinary_packet(&scene->random);
	scene->input = (struct mine_input){
		.samples = scene->window,
		.n_samples = N_WINDOW,
		.pps_per_sample = 20,
		.peace = scene->peace,
		.n_peace = N_PEACE,
		.peace_pps = 2000,
		.ordinary = scene->ordinary,
		.n_ordinary = ordinary_fill(scene->ordinary),
	};
}

/* `percent` of the window is a flood of that kind. */
static void plant(struct scene *scene, unsigned int kind, unsigned int percent)
{
	for (int i = 0; i < N_WINDOW; i++) {
		scene->is_flood[i] = random_below(&scene->random, 100) < percent;
		scene->window[i] = scene->is_flood[i] ? flood_packet(&scene->random, kind)
						      : ordinary_packet(&scene->random);
	}
}

static bool is_hit(const struct scene *scene, size_t n, const struct mine_packet *packet)
{
	for (size_t i = 0; i < n; i++)
		if (mine_packet_fits(packet, &scene->rules[i].match))
			return true;
	return false;
}

Test(entropy_mine, finds_what_was_planted_and_spares_the_rest)
{
	static struct scene scene;

	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		unsigned int kind = seed % 3, hit = 0, flood = 0, harmed = 0;
		size_t n;

		scene_init(&scene, seed);
		plant(&scene, kind, 30 + (unsigned int)seed);
		n = miner_run(scene.miner, &params, &scene.input, scene.rules);
		cr_assert(n >= 1, "seed %lu", seed);
		for (size_t i = 0; i < n; i++)
			cr_assert(scene.rules[i].benign_share <= params.max_benign);
		for (int i = 0; i < N_WINDOW; i++) {
			flood += scene.is_flood[i];
			hit += scene.is_flood[i] && is_hit(&scene, n, &scene.window[i]);
		}
		/* Peace that the miner never saw. */
		for (int i = 0; i < 10000; i++) {
			struct mine_packet packet = ordinary_packet(&scene.random);

			harmed += is_hit(&scene, n, &packet);
		}
		cr_assert(hit >= 0.97 * flood, "seed %lu: %u of %u", seed, hit, flood);
		cr_assert(harmed <= 0.01 * 10000, "seed %lu: %u harmed", seed, harmed);
		miner_free(scene.miner);
	}
}

Test(entropy_mine, finds_nothing_in_peace)
{
	static struct scene scene;

	for (uint64_t seed = 100; seed < 100 + ROUNDS; seed++) {
		scene_init(&scene, seed);
		plant(&scene, 0, 0);
		/* Even if everybody is new and sends one packet only. */
		for (int i = 0; i < N_WINDOW; i++) {
			scene.window[i].is_new = true;
			scene.window[i].source = random_next(&scene.random);
		}
		cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0,
			     "seed %lu", seed);
		miner_free(scene.miner);
	}
}

/* SYNs as every stack sends them: no rule on a packet by itself can be honest. */
Test(entropy_mine, refuses_a_flood_that_looks_like_clients)
{
	static struct scene scene;

	scene_init(&scene, 7);
	scene.input.n_peace = 0;
	plant(&scene, 0, 100);
	for (int i = 0; i < N_WINDOW; i++) {
		scene.window[i].packet.length = 60;
		scene.window[i].packet.destination_port = 443;
		scene.window[i].packet.ttl = 51;
		scene.window[i].packet.source_port =
			(int)(1024 + random_below(&scene.random, 60000));
	}
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	miner_free(scene.miner);
}

/* Who asks for the time asks from any port, or from the service's own. */
Test(entropy_mine, spares_the_clients_of_a_new_time_server)
{
	static struct scene scene;

	scene_init(&scene, 17);
	for (int i = 0; i < N_WINDOW; i++) {
		struct packet *packet = &scene.window[i].packet;

		packet->protocol = IPPROTO_UDP;
		packet->tcp_flags = -1;
		packet->source_port = i % 2 ? 123 : 1024 + i;
		packet->destination_port = 123;
		packet->length = 76;
		scene.window[i].head_size = 0;
		scene.window[i].source = random_next(&scene.random);
		scene.window[i].is_new = true;
	}
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	/* Answers that nobody asked for are longer. */
	for (int i = 0; i < N_WINDOW; i++)
		scene.window[i].packet.length = 468;
	cr_assert_geq(miner_run(scene.miner, &params, &scene.input, scene.rules), 1);
	miner_free(scene.miner);
}

Test(entropy_mine, needs_many_new_and_even_senders)
{
	static struct scene scene;

	scene_init(&scene, 8);
	plant(&scene, 0, 60);
	for (int i = 0; i < N_WINDOW; i++)
		if (scene.is_flood[i])
			scene.window[i].source = (uint64_t)i % 8;
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	plant(&scene, 0, 60);
	for (int i = 0; i < N_WINDOW; i++)
		scene.window[i].is_new = i % 2;
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	miner_free(scene.miner);
}

Test(entropy_mine, several_floods_and_a_limit_of_rules)
{
	static struct scene scene;
	struct mine_params one = params;
	size_t n;

	scene_init(&scene, 9);
	for (int i = 0; i < N_WINDOW; i++)
		scene.window[i] = flood_packet(&scene.random, (unsigned int)i % 3);
	n = miner_run(scene.miner, &params, &scene.input, scene.rules);
	cr_assert(n >= 2 && n <= MINE_MAX_RULES);
	for (int i = 0; i < N_WINDOW; i++)
		cr_assert(is_hit(&scene, n, &scene.window[i]), "packet %d", i);
	one.max_rules = 1;
	cr_assert_eq(miner_run(scene.miner, &one, &scene.input, scene.rules), 1);
	one.max_benign = 0;
	cr_assert_eq(miner_run(scene.miner, &one, &scene.input, scene.rules), 0);
	miner_free(scene.miner);
}

/* Packets that only their senders differ in, but for what the tests below change. */
static struct mine_packet plain_packet(struct random *random, uint8_t protocol, int port,
				       uint16_t length)
{
	struct mine_packet packet = { 0 };

	packet.packet.source.family = SLUICE_FAMILY_IPV4;
	packet.packet.protocol = protocol;
	packet.packet.tcp_flags = packet.packet.source_port = packet.packet.destination_port = -1;
	if (protocol == IPPROTO_UDP) {
		packet.packet.source_port = (int)(1024 + random_below(random, 60000));
		packet.packet.destination_port = port;
	}
	packet.packet.length = length;
	packet.packet.ttl = (uint8_t)(40 + random_below(random, 80));
	packet.source = random_next(random);
	packet.is_new = true;
	return packet;
}

/* A rule on the one length that a service of everybody's has just now would cut all its new users off. */
Test(entropy_mine, new_users_of_usual_services)
{
	static const struct {
		uint8_t protocol;
		int port;
		uint16_t length;
	} services[] = {
		{ IPPROTO_UDP, 53, 78 },     { IPPROTO_UDP, 53, 88 },  { IPPROTO_UDP, 443, 1228 },
		{ IPPROTO_UDP, 443, 61 },    { IPPROTO_UDP, 443, 54 }, { IPPROTO_UDP, 123, 76 },
		{ IPPROTO_UDP, 16384, 200 },
	};
	static struct scene scene;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		scene_init(&scene, 11 + i);
		for (int k = 0; k < N_WINDOW; k++)
			scene.window[k] = plain_packet(&scene.random, services[i].protocol,
						       services[i].port, services[i].length);
		for (int k = 0; k < N_PEACE; k++)
			scene.peace[k].packet.protocol = IPPROTO_TCP;
		cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0,
			     "port %d, length %u", services[i].port, services[i].length);
		miner_free(scene.miner);
	}
}

/* Every length that clients' SYNs have, not only the most frequent. */
Test(entropy_mine, syns_of_all_systems)
{
	static const uint16_t lengths[] = { 44, 48, 52, 60, 64 };
	static struct scene scene;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		scene_init(&scene, 23 + i);
		plant(&scene, 0, 100);
		for (int k = 0; k < N_WINDOW; k++)
			scene.window[k].packet.length = lengths[i];
		for (int k = 0; k < N_WINDOW; k++)
			scene.window[k].packet.source_port =
				(int)(1024 + random_below(&scene.random, 60000));
		cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0, "%u",
			     lengths[i]);
		/* But all of them from one port: that is a tool's. */
		for (int k = 0; k < N_WINDOW; k++)
			scene.window[k].packet.source_port = 5678;
		cr_assert_geq(miner_run(scene.miner, &params, &scene.input, scene.rules), 1, "%u",
			      lengths[i]);
		cr_assert(scene.rules[0].match.fields & SLUICE_RULE_SOURCE_PORT);
		miner_free(scene.miner);
	}
}

/* Beside a busy service of the same protocol, whose packets are of all lengths. */
static void plant_beside_service(struct scene *scene, uint64_t seed)
{
	struct random *random = &scene->random;

	scene_init(scene, seed);
	for (int k = 0; k < N_PEACE; k++)
		scene->peace[k] = plain_packet(random, IPPROTO_UDP, 8801,
					       (uint16_t)(60 + random_below(random, 1000)));
	for (int k = 0; k < N_WINDOW; k++) {
		bool is_new = k % 2 == 0;
		uint32_t length = is_new ? 300 + random_below(random, 60)
					 : 60 + random_below(random, 1000);

		scene->window[k] =
			plain_packet(random, IPPROTO_UDP, is_new ? 27015 : 8801, (uint16_t)length);
	}
}

Test(entropy_mine, a_range_of_length_among_reflectors)
{
	static struct scene scene;
	unsigned int hit = 0;

	plant_beside_service(&scene, 31);
	for (int k = 0; k < N_WINDOW; k += 2) {
		scene.window[k].packet.source_port = 10001;
		scene.window[k].packet.destination_port = 443;
	}
	/* A port over 1023 alone is no proof where any service may answer. */
	cr_assert_geq(miner_run(scene.miner, &params, &scene.input, scene.rules), 1);
	for (int k = 0; k < N_WINDOW; k++) {
		bool is_flood = k % 2 == 0, fits = is_hit(&scene, 1, &scene.window[k]);

		cr_assert(is_flood || !fits, "packet %d", k);
		hit += fits;
	}
	cr_assert_geq(hit, N_WINDOW / 2 * 95 / 100);
	miner_free(scene.miner);
}

/* Such are many users at once of a service that is new. */
Test(entropy_mine, no_range_among_packets_to_one_service)
{
	static struct scene scene;

	plant_beside_service(&scene, 41);
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	miner_free(scene.miner);
}

/* The same where peace had no UDP at all. */
Test(entropy_mine, players_of_a_new_game)
{
	static struct scene scene;

	scene_init(&scene, 43);
	for (int k = 0; k < N_PEACE; k++)
		scene.peace[k].packet.protocol = IPPROTO_TCP;
	for (int k = 0; k < N_WINDOW; k++)
		scene.window[k] = plain_packet(&scene.random, IPPROTO_UDP, 27015,
					       (uint16_t)(70 + random_below(&scene.random, 60)));
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 0);
	/* One length is a tool's. */
	for (int k = 0; k < N_WINDOW; k++)
		scene.window[k].packet.length = 128;
	cr_assert_geq(miner_run(scene.miner, &params, &scene.input, scene.rules), 1);
	miner_free(scene.miner);
}

Test(entropy_mine, a_protocol_that_nobody_uses)
{
	static struct scene scene;

	scene_init(&scene, 37);
	for (int k = 0; k < N_WINDOW; k++)
		scene.window[k] = plain_packet(&scene.random, 99, -1,
					       (uint16_t)(40 + random_below(&scene.random, 1400)));
	cr_assert_eq(miner_run(scene.miner, &params, &scene.input, scene.rules), 1);
	cr_assert_eq(scene.rules[0].match.fields, SLUICE_RULE_PROTOCOL);
	cr_assert_eq(scene.rules[0].samples, N_WINDOW);
	miner_free(scene.miner);
}
