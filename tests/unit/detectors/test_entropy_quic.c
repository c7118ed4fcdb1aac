/* SPDX-License-Identifier: BSD-2-Clause */
/* A crowd of QUIC's users is none of the floods that it looks like, and a flood is no crowd. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "entropy_bench.h"
#include "mine.h"
#include "ordinary.h"
#include "quic.h"
#include "signature_frames.h"
#include "support/random.h"

#define N_WINDOW 300
#define N_BENCH_SAMPLES 100
#define WINDOW_NS 100000000ull

enum payload { INITIAL, INITIAL_V2, SHORT, NOISE, LETTERS, UNKNOWN_VERSION };

static void write_head(struct random *random, enum payload payload, uint8_t head[5])
{
	static const uint8_t version[][4] = { { 0, 0, 0, 1 }, { 0x6b, 0x33, 0x43, 0xcf } };

	for (int i = 0; i < 5; i++)
		head[i] = (uint8_t)random_below(random, 256);
	if (payload == SHORT)
		head[0] = (uint8_t)(0x40 | (head[0] & 0x3f));
	if (payload == INITIAL || payload == INITIAL_V2 || payload == UNKNOWN_VERSION)
		head[0] |= 0xc0;
	if (payload == INITIAL || payload == INITIAL_V2)
		memcpy(head + 1, version[payload == INITIAL_V2], 4);
	if (payload == UNKNOWN_VERSION)
		head[1] = 0x99;
	if (payload == LETTERS)
		memset(head, 'A', 5);
}

static struct mine_packet packet_of(struct random *random, enum payload payload, int port,
				    uint16_t length)
{
	struct mine_packet packet = { 0 };
	uint8_t head[5];

	write_head(random, payload, head);
	packet.packet.source.family = SLUICE_FAMILY_IPV4;
	packet.packet.protocol = IPPROTO_UDP;
	packet.packet.tcp_flags = -1;
	packet.packet.length = length;
	packet.packet.ttl = (uint8_t)(40 + random_below(random, 80));
	packet.packet.source_port = (int)(1024 + random_below(random, 60000));
	packet.packet.destination_port = port;
	memcpy(packet.head, head, sizeof(packet.head));
	packet.head_size = sizeof(packet.head);
	packet.source = random_next(random);
	packet.is_new = true;
	return packet;
}

static bool is_crowd(uint64_t seed, enum payload first, unsigned int percent, enum payload rest,
		     int port)
{
	struct random random = { seed };
	struct quic_count count = { 0 };

	for (unsigned int i = 0; i < 1000; i++) {
		struct mine_packet packet =
			packet_of(&random, i % 100 < percent ? first : rest, port, 1254);

		quic_count_add(&count, &packet.packet, packet.head, packet.head_size);
	}
	return quic_is_crowd(&count);
}

Test(entropy_quic, newcomers_and_those_after_them_are_a_crowd)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		cr_expect(is_crowd(seed, INITIAL, 1, SHORT, 443), "seed %lu", seed);
		cr_expect(is_crowd(seed, INITIAL, 60, SHORT, 443), "seed %lu", seed);
		cr_expect(is_crowd(seed, INITIAL_V2, 10, SHORT, 443), "seed %lu", seed);
		cr_expect(is_crowd(seed, NOISE, 5, INITIAL, 443), "seed %lu", seed);
	}
}

Test(entropy_quic, others_are_none)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		cr_expect_not(is_crowd(seed, NOISE, 100, NOISE, 443), "seed %lu", seed);
		cr_expect_not(is_crowd(seed, LETTERS, 100, LETTERS, 443), "seed %lu", seed);
		cr_expect_not(is_crowd(seed, UNKNOWN_VERSION, 50, SHORT, 443), "seed %lu", seed);
		cr_expect_not(is_crowd(seed, INITIAL, 80, NOISE, 443), "seed %lu", seed);
		cr_expect_not(is_crowd(seed, INITIAL, 10, SHORT, 8443), "seed %lu", seed);
	}
}

/* What is short, and what is not UDP, is counted and looked at with care. */
Test(entropy_quic, short_payloads_do_not_fit)
{
	static const uint8_t head[] = { 0xc3, 0, 0, 0, 1 };
	struct packet packet = { .protocol = IPPROTO_UDP, .destination_port = 443 };
	struct quic_count count = { 0 };

	for (size_t size = 0; size < 4; size++)
		quic_count_add(&count, &packet, size ? head : NULL, size);
	cr_expect_eq(count.n, 4);
	cr_expect_eq(count.fit, 0);
	quic_count_add(&count, &packet, head, 4);
	quic_count_add(&count, &packet, head, 5);
	cr_expect_eq(count.first, 2);
	packet.protocol = IPPROTO_TCP;
	quic_count_add(&count, &packet, head, 5);
	cr_expect_eq(count.n, 6);
}

/* How many rules a window of one length to port 443 gives, after a peace of nothing. */
static size_t mine(enum payload first, unsigned int percent, enum payload rest)
{
	static const struct mine_params params = { .max_benign = 0.005,
						   .min_pps = 500,
						   .growth = 4,
						   .new_share = 0.65,
						   .min_evenness = 0.8,
						   .min_sources = 24,
						   .max_rules = 8 };
	struct mine_rule rules[MINE_MAX_RULES];
	struct mine_packet window[N_WINDOW];
	struct mine_ordinary ordinary[ORDINARY_MAX];
	struct mine_input input = {
		.samples = window,
		.n_samples = N_WINDOW,
		.pps_per_sample = 20,
		.ordinary = ordinary,
		.n_ordinary = ordinary_fill(ordinary),
	};
	struct miner *miner = miner_new();
	struct random random = { 5 };
	size_t n;

	cr_assert_not_null(miner);
	for (unsigned int i = 0; i < N_WINDOW; i++)
		window[i] = packet_of(&random, i % 100 < percent ? first : rest, 443, 1254);
	n = miner_run(miner, &params, &input, rules);
	miner_free(miner);
	return n;
}

Test(entropy_quic, no_rule_is_mined_from_a_crowd_of_one_length)
{
	cr_expect_eq(mine(INITIAL, 100, INITIAL), 0);
	cr_expect_eq(mine(INITIAL, 17, SHORT), 0);
	/* The controls: the same, but no QUIC. */
	cr_expect_gt(mine(NOISE, 100, NOISE), 0);
	cr_expect_gt(mine(LETTERS, 100, LETTERS), 0);
}

/* Many alike senders, as the smaller flood has; the samples say what they send. */
static size_t named_of(enum payload first, enum payload rest)
{
	static struct sluice_sample samples[N_BENCH_SAMPLES];
	struct random random = { 9 };
	struct entropy_bench bench;
	size_t missed;

	entropy_bench_init(&bench, 8, WINDOW_NS);
	entropy_bench_add_clients(&bench, 64, 20);
	entropy_bench_run(&bench, 40);
	for (uint32_t i = 0; i < 300; i++)
		traffic_add(&bench.traffic, traffic_key_v4(i), TRAFFIC_UDP, 100)->attacker = true;
	for (uint32_t i = 0; i < N_BENCH_SAMPLES; i++) {
		uint8_t head[5];
		struct frame frame = { .protocol = IPPROTO_UDP,
				       .ttl = 60,
				       .source = i,
				       .source_port = 5000,
				       .destination_port = 443,
				       .payload = head,
				       .payload_size = sizeof(head) };

		write_head(&random, i % 10 ? rest : first, head);
		frame_sample(&frame, &samples[i]);
	}
	bench.samples = samples;
	bench.n_samples = N_BENCH_SAMPLES;
	entropy_bench_run(&bench, 4);
	missed = entropy_bench_missed(&bench);
	entropy_bench_fini(&bench);
	return 300 - missed;
}

Test(entropy_quic, a_crowd_is_no_smaller_flood)
{
	cr_expect_eq(named_of(INITIAL, SHORT), 0);
	cr_expect_eq(named_of(NOISE, NOISE), 300);
}
