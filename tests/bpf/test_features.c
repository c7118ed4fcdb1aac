// SPDX-License-Identifier: BSD-2-Clause
/* What the feature programs counted, read after a swap, is exactly what was sent. */
#include <criterion/criterion.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "plane.h"
#include "support/random.h"

#define N_SOURCES 4000u /* Per family. */

struct tally {
	uint64_t packets, bytes;
	uint32_t tcp_syn, udp, icmp;
};

struct window {
	struct tally v4[N_SOURCES], v6[N_SOURCES];
	struct tally total;
	struct dataplane_count untracked;
};

static void v4_source(uint32_t n, uint8_t addr[16])
{
	memcpy(addr, (const uint8_t[]){ 10, 1, (uint8_t)(n >> 8), (uint8_t)n }, 4);
}

/* `host` varies within the /64 that is counted as one source. */
static void v6_source(uint32_t n, uint8_t host, uint8_t addr[16])
{
	memset(addr, 0, 16);
	memcpy(addr,
	       (const uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8, 0, 0, (uint8_t)(n >> 8), (uint8_t)n }, 8);
	addr[15] = host;
}

static void tally_add(struct tally *tally, const struct tally *more)
{
	tally->packets += more->packets;
	tally->bytes += more->bytes;
	tally->tcp_syn += more->tcp_syn;
	tally->udp += more->udp;
	tally->icmp += more->icmp;
}

/* Sends `n` frames and notes what should be counted for them. */
static void send_frames(const struct plane *plane, struct window *sent, bool v6, uint32_t source,
			const struct frame_recipe *recipe, uint32_t n)
{
	static struct frame frame;
	struct frame_recipe whole = *recipe;
	uint8_t addr[16];

	whole.family = v6 ? 6 : 4;
	if (v6)
		v6_source(source, (uint8_t)(sent->total.packets * 7), addr);
	else
		v4_source(source, addr);
	frame_build(&frame, &whole, addr);
	cr_assert_eq(plane_run(plane, &frame, n), 2 /* XDP_PASS */);

	const struct tally counted = {
		.packets = n,
		.bytes = (uint64_t)n * frame.size,
		.tcp_syn = recipe->protocol == IPPROTO_TCP && (recipe->tcp_flags & 0x12) == 2 &&
					   !recipe->fragment
				   ? n
				   : 0,
		.udp = recipe->protocol == IPPROTO_UDP ? n : 0,
		.icmp = recipe->protocol == IPPROTO_ICMP || recipe->protocol == IPPROTO_ICMPV6 ? n
											       : 0,
	};

	tally_add(v6 ? &sent->v6[source] : &sent->v4[source], &counted);
	tally_add(&sent->total, &counted);
}

static void collect(struct window *got, const struct sluice_source *source)
{
	const uint8_t *addr = source->key.addr;
	bool v6 = source->key.family == SLUICE_FAMILY_IPV6;
	uint32_t n = v6 ? (uint32_t)(addr[6] << 8 | addr[7]) : (uint32_t)(addr[2] << 8 | addr[3]);
	uint8_t expected[16] = { 0 };
	const struct tally counted = { source->packets, source->bytes, source->tcp_syn, source->udp,
				       source->icmp };

	cr_assert_lt(n, N_SOURCES);
	cr_assert_eq(source->key.prefix_len, v6 ? 64 : 32);
	if (v6)
		v6_source(n, 0, expected);
	else
		v4_source(n, expected);
	cr_assert_eq(memcmp(addr, expected, 16), 0, "a source that never sent");
	tally_add(v6 ? &got->v6[n] : &got->v4[n], &counted);
	tally_add(&got->total, &counted);
}

static void swap_and_read(const struct plane *plane, struct window *got)
{
	struct dataplane_swap swap;
	static struct sluice_source sources[2 * N_SOURCES];
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->swap(plane->dp, &swap, &err);
	size_t n;

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	memset(got, 0, sizeof(*got));
	n = plane->dp->ops->sources_read(plane->dp, sources, 2 * N_SOURCES, &got->untracked);
	for (size_t i = 0; i < n; i++) {
		collect(got, &sources[i]);
		cr_assert_eq(plane->dp->ops->source_find(plane->dp, sources, n, &sources[i].key),
			     &sources[i], "a source has two rows");
	}
}

static void check_same(const struct window *sent, const struct window *got)
{
	cr_assert_eq(got->untracked.packets, 0);
	cr_assert_eq(got->untracked.bytes, 0);
	for (uint32_t n = 0; n < N_SOURCES; n++) {
		cr_assert_eq(memcmp(&sent->v4[n], &got->v4[n], sizeof(struct tally)), 0,
			     "v4 source %u: %lu packets sent, %lu counted", n, sent->v4[n].packets,
			     got->v4[n].packets);
		cr_assert_eq(memcmp(&sent->v6[n], &got->v6[n], sizeof(struct tally)), 0,
			     "v6 source %u: %lu packets sent, %lu counted", n, sent->v6[n].packets,
			     got->v6[n].packets);
	}
}

static const struct frame_recipe recipes[] = {
	{ .protocol = IPPROTO_UDP },
	{ .protocol = IPPROTO_UDP, .payload = 1400 },
	{ .protocol = IPPROTO_UDP, .vlans = { 0x88a8, 0x8100 } },
	{ .protocol = IPPROTO_UDP, .fragment = 0x0010 },
	{ .protocol = IPPROTO_UDP, .padding = 200 },
	{ .protocol = IPPROTO_UDP, .payload = 8000 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x02 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0xc2 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x12 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x10 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x02, .option_words = 10 },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x02, .vlans = { 0x8100 } },
	{ .protocol = IPPROTO_TCP, .tcp_flags = 0x02, .fragment = 0x0010 },
	{ .protocol = IPPROTO_ICMP },
	{ .protocol = IPPROTO_ICMPV6 },
	{ .protocol = IPPROTO_GRE },
	{ .protocol = IPPROTO_ESP },
	{ .protocol = IPPROTO_SCTP },
	{ .protocol = 255 },
};

#define N_RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static void send_random(const struct plane *plane, struct window *sent, struct random *random,
			uint32_t n_sources, uint32_t n_sends)
{
	memset(sent, 0, sizeof(*sent));
	for (uint32_t i = 0; i < n_sends; i++) {
		bool v6 = random_next(random) & 1;
		struct frame_recipe recipe = recipes[random_below(random, N_RECIPES)];

		if (v6)
			recipe.fragment = recipe.option_words = 0;
		send_frames(plane, sent, v6, (uint32_t)random_below(random, n_sources), &recipe,
			    1 + (uint32_t)random_below(random, 20));
	}
}

static void use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

TestSuite(features, .init = plane_isolate);

PLANE_TEST_BOTH(features, counts_what_was_sent)
{
	struct dataplane_live_options options = plane_options_for(design);
	/* Roomy: the hash key is drawn, and no bucket may be full by chance. */
	options.max_sources = options.max_sources_v6 = 16000;

	struct plane plane = plane_open(&options);
	struct random random = { 51 };
	static struct window sent, got;

	for (int round = 0; round < 6; round++) {
		send_random(&plane, &sent, &random, 150, 1500);
		swap_and_read(&plane, &got);
		check_same(&sent, &got);
		/* The next window begins at zero, on either side. */
		if (round % 2) {
			memset(&sent, 0, sizeof(sent));
			swap_and_read(&plane, &got);
			check_same(&sent, &got);
		}
	}
	plane_close(&plane);
}

PLANE_TEST_BOTH(features, cpus_add_up)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	static struct window sent, got;

	for (int round = 0; round < 2; round++) {
		memset(&sent, 0, sizeof(sent));
		for (int cpu = 0; cpu < n_cpus; cpu++) {
			use_cpu(cpu);
			for (uint32_t n = 0; n < 20; n++) {
				send_frames(&plane, &sent, false, n, &recipes[0], 10 + n);
				send_frames(&plane, &sent, true, n, &recipes[6], 10 + n);
			}
		}
		swap_and_read(&plane, &got);
		check_same(&sent, &got);
	}
	plane_close(&plane);
}

/* IPv6 transport headers behind chains of extension headers, as far as they are followed. */
PLANE_TEST_BOTH(features, transport_behind_extension_headers)
{
	static const struct {
		uint8_t protocol, extensions[FRAME_MAX_EXTENSIONS];
		bool seen;
	} cases[] = {
		{ IPPROTO_TCP, { 1 }, true },
		{ IPPROTO_TCP, { 43 }, true },
		{ IPPROTO_TCP, { 60 }, true },
		{ IPPROTO_TCP, { 135 }, true },
		{ IPPROTO_TCP, { IPPROTO_AH }, true },
		{ IPPROTO_TCP, { FRAME_FRAGMENT_FIRST }, true },
		{ IPPROTO_TCP, { 1, 60, 43, FRAME_FRAGMENT_FIRST, IPPROTO_AH, 60 }, true },
		{ IPPROTO_TCP, { 1, 60, 43, FRAME_FRAGMENT_FIRST, IPPROTO_AH, 60, 60 }, false },
		{ IPPROTO_TCP, { FRAME_FRAGMENT_LATER }, false },
		{ IPPROTO_TCP, { IPPROTO_ESP }, false },
		{ IPPROTO_UDP, { 1, 60 }, true },
		{ IPPROTO_UDP, { FRAME_FRAGMENT_LATER }, true },
		{ IPPROTO_UDP, { 60, 60, 60, 60, 60, 60, 60 }, false },
		{ IPPROTO_ICMPV6, { 1 }, true },
	};
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	static struct window sent, got;
	const uint32_t n = sizeof(cases) / sizeof(cases[0]);

	for (uint32_t i = 0; i < n; i++) {
		struct frame_recipe recipe = { .protocol = cases[i].protocol, .tcp_flags = 2 };

		memcpy(recipe.extensions, cases[i].extensions, sizeof(recipe.extensions));
		send_frames(&plane, &sent, true, i, &recipe, 1);
		if (!cases[i].seen)
			sent.v6[i].tcp_syn = sent.v6[i].udp = sent.v6[i].icmp = 0;
	}
	swap_and_read(&plane, &got);
	check_same(&sent, &got);
	plane_close(&plane);
}

/* Only what passed is measured; 0.0.0.0 is a source like any other. */
PLANE_TEST_BOTH(features, measures_what_passed)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	static struct window got;
	static struct frame frame;
	const uint8_t blocked[4] = { 10, 1, 0, 5 };

	(void)plane_block(&plane, "10.1.0.5", 0);
	frame_build(&frame, &(struct frame_recipe){ .family = 4 }, blocked);
	(void)plane_run(&plane, &frame, 50);
	frame_build(&frame, &(struct frame_recipe){ .ethertype = 0x0806, .payload = 46 }, NULL);
	(void)plane_run(&plane, &frame, 50);
	swap_and_read(&plane, &got);
	cr_assert_eq(got.total.packets, 0);
	plane_close(&plane);
}

PLANE_TEST_BOTH(features, source_zero_is_one_source)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	static struct sluice_source sources[400];
	struct dataplane_swap swap;
	uint64_t zero_packets = 0;
	size_t n;
	struct dataplane_count untracked;
	static struct frame frame;
	uint8_t addr[16] = { 0 };

	use_cpu(0);
	for (uint32_t i = 0; i < 300; i++) {
		memset(addr, 0, 4);
		frame_build(&frame, &(struct frame_recipe){ .family = 4 }, addr);
		(void)plane_run(&plane, &frame, 1);
		v4_source(i, addr);
		frame_build(&frame, &(struct frame_recipe){ .family = 4 }, addr);
		(void)plane_run(&plane, &frame, 1);
	}
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	n = plane.dp->ops->sources_read(plane.dp, sources, 400, &untracked);
	cr_assert_eq(untracked.packets, 0);
	cr_assert_eq(n, 301);
	for (size_t i = 0; i < n; i++)
		if (memcmp(sources[i].key.addr, (const uint8_t[4]){ 0 }, 4) == 0)
			zero_packets += sources[i].packets;
	cr_assert_eq(zero_packets, 300);
	plane_close(&plane);
}

/* Many more sources than ways: who has to make room is counted as untracked, to the byte. */
PLANE_TEST_BOTH(features, overflow_loses_nothing)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct random random = { 52 };
	static struct window sent, got;

	options.max_sources = 64;

	struct plane plane = plane_open(&options);

	for (int round = 0; round < 4; round++) {
		struct dataplane_counters before = plane_counters(&plane), after, delta;

		send_random(&plane, &sent, &random, N_SOURCES, 20000);
		after = plane_counters(&plane);
		delta = plane_delta(&before, &after);
		swap_and_read(&plane, &got);
		cr_assert_gt(got.untracked.packets, 0, "seed 52: the table did not overflow");
		cr_assert_eq(got.total.packets + got.untracked.packets, sent.total.packets);
		cr_assert_eq(got.total.bytes + got.untracked.bytes, sent.total.bytes);
		cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].packets, sent.total.packets);
		cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].bytes, sent.total.bytes);
		for (uint32_t n = 0; n < N_SOURCES; n++) {
			cr_assert_leq(got.v4[n].packets, sent.v4[n].packets);
			cr_assert_leq(got.v6[n].packets, sent.v6[n].packets);
		}
	}
	plane_close(&plane);
}

/* In an overflowing table the heaviest keep their places. */
PLANE_TEST_BOTH(features, overflow_keeps_the_heavy)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct random random = { 53 };
	static struct window sent, got;

	options.max_sources = 64;

	struct plane plane = plane_open(&options);

	use_cpu(0);
	for (uint32_t n = 0; n < 20; n++)
		send_frames(&plane, &sent, false, n, &recipes[0], 5000);
	for (uint32_t i = 0; i < 10000; i++)
		send_frames(&plane, &sent, false,
			    20 + (uint32_t)random_below(&random, N_SOURCES - 20), &recipes[0], 1);
	swap_and_read(&plane, &got);
	cr_assert_gt(got.untracked.packets, 0);
	for (uint32_t n = 0; n < 20; n++)
		cr_assert_eq(got.v4[n].packets, 5000, "source %u", n);
	plane_close(&plane);
}

/* A window that nobody read does not show up in a later one. */
PLANE_TEST_BOTH(features, epochs_do_not_leak)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	struct dataplane_swap swap;
	static struct window lost, sent, got;

	for (uint32_t n = 0; n < 100; n++)
		send_frames(&plane, &lost, false, n, &recipes[0], 3);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	for (uint32_t n = 50; n < 150; n++)
		send_frames(&plane, &sent, false, n, &recipes[6], 2);
	swap_and_read(&plane, &got);
	check_same(&sent, &got);
	plane_close(&plane);
}

/* Epochs come round after 2^32 windows; then no bucket may pass for one of long ago. */
PLANE_TEST_BOTH(features, epochs_come_round)
{
	struct dataplane_live_options options = plane_options_for(design);
	struct plane plane = plane_open(&options);
	static struct window old, sent, got;

	for (int side = 0; side < 2; side++) {
		cr_assert_leq(plane.header->epoch[0] | plane.header->epoch[1], 3);
		for (uint32_t n = 0; n < 200; n++) {
			send_frames(&plane, &old, false, n, &recipes[0], 3);
			send_frames(&plane, &old, true, n, &recipes[0], 3);
		}
		swap_and_read(&plane, &got);
	}
	/* Whichever side is next, its epoch becomes 1 and then 2, as it was when they counted. */
	plane.header->epoch[0] = plane.header->epoch[1] = UINT32_MAX;
	for (int window = 0; window < 6; window++) {
		memset(&sent, 0, sizeof(sent));
		for (uint32_t n = 100; n < 300; n++)
			send_frames(&plane, &sent, n & 1, n, &recipes[6], 2);
		swap_and_read(&plane, &got);
		if (window > 0)
			check_same(&sent, &got);
	}
	plane_close(&plane);
}
