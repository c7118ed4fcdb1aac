// SPDX-License-Identifier: BSD-2-Clause
/*
 * Features per flow and per destination: exactly what a naive model counts of random frames, in both
 * swap designs, and nothing lost when there are more keys than places.
 */
#include <criterion/criterion.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "feature_model.h"
#include "plane.h"
#include "support/random.h"

static struct feature_model model;
static struct frame frame;
static const uint8_t no_bins[65536];

static struct plane open_plane(uint32_t loaded, enum dataplane_swap_design swap, uint32_t max_flows,
			       uint32_t max_destinations)
{
	struct dataplane_live_options options = plane_options();

	options.swap = swap;
	options.features = (struct dataplane_features){
		.loaded = loaded,
		.max_flows = max_flows,
		.max_destinations = max_destinations,
		.samples_per_window = 10,
	};
	memset(&model, 0, sizeof(model));
	return plane_open(&options);
}

static struct dataplane_features_read swap_and_read(const struct plane *plane)
{
	struct dataplane_features_read read;
	struct dataplane_swap swap;
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->swap(plane->dp, &swap, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	plane->dp->ops->features_read(plane->dp, &read);
	return read;
}

/* Empty windows on both sides, and which bins the ports have. */
static void begin(const struct plane *plane)
{
	struct dataplane_features_read read = swap_and_read(plane);

	memset(&model, 0, sizeof(model));
	/* Without destinations nobody looks at them. */
	model.port_bins = read.port_bins ? read.port_bins : no_bins;
}

static const struct frame_recipe recipes[] = {
	{ .protocol = IPPROTO_UDP },
	{ .protocol = IPPROTO_UDP, .payload = 1400 },
	{ .protocol = IPPROTO_UDP, .payload = 8000 },
	{ .protocol = IPPROTO_UDP, .vlans = { 0x88a8, 0x8100 } },
	{ .protocol = IPPROTO_UDP, .fragment = 0x2000 },
	{ .protocol = IPPROTO_UDP, .fragment = 0x0010 },
	{ .protocol = IPPROTO_UDP, .payload = FRAME_NO_PAYLOAD },
	{ .protocol = IPPROTO_TCP },
	{ .protocol = IPPROTO_TCP, .option_words = 10 },
	{ .protocol = IPPROTO_TCP, .vlans = { 0x8100 }, .payload = 500 },
	{ .protocol = IPPROTO_TCP, .fragment = 0x2010 },
	{ .protocol = IPPROTO_SCTP },
	{ .protocol = IPPROTO_ICMP },
	{ .protocol = IPPROTO_ICMPV6 },
	{ .protocol = IPPROTO_GRE },
	{ .protocol = IPPROTO_ESP },
	{ .protocol = IPPROTO_IPIP },
	{ .protocol = IPPROTO_IPV6 },
	{ .protocol = 255 },
	/* From here on IPv6 only. */
	{ .protocol = IPPROTO_TCP, .extensions = { 1, 60, 43 } },
	{ .protocol = IPPROTO_TCP, .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51, 60 } },
	{ .protocol = IPPROTO_TCP, .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51, 60, 60 } },
	{ .protocol = IPPROTO_UDP, .extensions = { FRAME_FRAGMENT_FIRST } },
	{ .protocol = IPPROTO_UDP, .extensions = { FRAME_FRAGMENT_WHOLE } },
	{ .protocol = IPPROTO_UDP, .extensions = { 60, FRAME_FRAGMENT_LATER } },
	{ .protocol = IPPROTO_UDP, .extensions = { 135, IPPROTO_AH } },
};

enum { RECIPES = sizeof(recipes) / sizeof(recipes[0]), RECIPES_V4 = 19 };

static void set_ports(struct random *random)
{
	static const uint16_t usual[] = { 53, 80, 123, 443, 11211, 1900, 22 };
	bool fragment;
	uint8_t protocol;
	uint32_t at = feature_model_transport(&frame, &protocol, &fragment);

	if (!at || (protocol != 6 && protocol != 17 && protocol != 132))
		return;
	for (int i = 0; i < 2; i++) {
		uint16_t port = (uint16_t)random_next(random);

		if (random_next(random) & 1)
			port = usual[random_below(random, 7)];
		frame.data[at + 2 * (uint32_t)i] = (uint8_t)(port >> 8);
		frame.data[at + 2 * (uint32_t)i + 1] = (uint8_t)port;
	}
}

/* A frame of any recipe from one of `n_sources` to one of `n_destinations`. */
static void build_random(struct random *random, uint32_t n_sources, uint32_t n_destinations)
{
	bool v6 = random_next(random) & 1;
	struct frame_recipe recipe = recipes[random_below(random, v6 ? RECIPES : RECIPES_V4)];
	uint32_t source = (uint32_t)random_below(random, n_sources);
	uint32_t destination = (uint32_t)random_below(random, n_destinations);
	uint8_t addr[16] = { 10, 1, (uint8_t)(source >> 8), (uint8_t)source };
	uint8_t *to;

	recipe.family = v6 ? 6 : 4;
	recipe.tcp_flags = (uint8_t)random_next(random);
	if (v6) {
		memmove(addr + 4, addr, 4);
		memcpy(addr, (const uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
		addr[15] = (uint8_t)random_next(random); /* Hosts of one /64 are one source. */
		recipe.fragment = recipe.option_words = 0;
	}
	frame_build(&frame, &recipe, addr);
	to = frame.data + frame.network + (v6 ? 24 + 12 : 16);
	memcpy(to, (const uint8_t[]){ 172, 16, (uint8_t)(destination >> 8), (uint8_t)destination },
	       4);
	set_ports(random);
	/* An IPv4 packet that ends within its transport header. */
	if (!v6 && recipe.protocol == 6 && !recipe.fragment && random_below(random, 8) == 0) {
		uint32_t header = frame.network + (frame.data[frame.network] & 15) * 4u;

		frame.size = header + (uint32_t)random_below(random, 20);
		frame.data[frame.network + 3] = (uint8_t)(frame.size - frame.network);
		frame.data[frame.network + 2] = (uint8_t)((frame.size - frame.network) >> 8);
	}
}

static void send_frame(const struct plane *plane, uint32_t n)
{
	cr_assert_eq(plane_run(plane, &frame, n), 2 /* XDP_PASS */);
	feature_model_add(&model, &frame, n);
}

static void send_random(const struct plane *plane, struct random *random, uint32_t n_frames,
			uint32_t n_sources, uint32_t n_destinations)
{
	for (uint32_t i = 0; i < n_frames; i++) {
		build_random(random, n_sources, n_destinations);
		send_frame(plane, 1 + (uint32_t)random_below(random, 3));
	}
}

static void check_flows(const struct dataplane_features_read *read, const char *what)
{
	cr_assert_eq(read->n_flows, model.n_flows, "%s: %zu flows, sent %u", what, read->n_flows,
		     model.n_flows);
	cr_assert_eq(read->untracked_flows.packets, 0, "%s", what);
	for (size_t i = 0; i < read->n_flows; i++) {
		uint32_t j = 0;

		while (j < model.n_flows &&
		       memcmp(&model.flows[j], &read->flows[i], sizeof(model.flows[j])) != 0)
			j++;
		cr_assert_lt(j, model.n_flows, "%s: a flow of %lu packets that was not sent so",
			     what, read->flows[i].packets);
	}
}

static void check_destinations(const struct dataplane_features_read *read, const char *what)
{
	cr_assert_eq(read->n_destinations, model.n_destinations, "%s: %zu, sent %u", what,
		     read->n_destinations, model.n_destinations);
	cr_assert_eq(read->untracked_destinations.packets, 0, "%s", what);
	for (size_t i = 0; i < read->n_destinations; i++) {
		uint32_t j = 0;

		while (j < model.n_destinations &&
		       memcmp(&model.destinations[j], &read->destinations[i],
			      sizeof(model.destinations[j])) != 0)
			j++;
		cr_assert_lt(j, model.n_destinations,
			     "%s: a destination of %lu packets with other histograms", what,
			     read->destinations[i].packets);
	}
}

static void use_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

#define ALL (DATAPLANE_FEATURE_FLOW | DATAPLANE_FEATURE_DESTINATION | DATAPLANE_FEATURE_SAMPLE)

static void compare(enum dataplane_swap_design swap, uint64_t seed)
{
	struct plane plane = open_plane(ALL, swap, 16000, 500);
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct random random = { seed };
	struct dataplane_features_read read;
	struct dataplane_counters before, delta;
	char what[64];

	begin(&plane);
	for (int window = 0; window < 5; window++) {
		const uint8_t *port_bins = model.port_bins;

		snprintf(what, sizeof(what), "seed %lu, window %d", seed, window);
		memset(&model, 0, sizeof(model));
		model.port_bins = port_bins;
		before = plane_counters(&plane);
		for (int cpu = 0; cpu < n_cpus; cpu++) {
			use_cpu(cpu);
			send_random(&plane, &random, 1200, 40, 12);
		}
		delta = plane_counters(&plane);
		delta = plane_delta(&before, &delta);
		read = swap_and_read(&plane);
		check_flows(&read, what);
		check_destinations(&read, what);
		cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].packets, model.packets, "%s",
			     what);
		cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].bytes, model.bytes, "%s", what);
		cr_assert_gt(read.n_samples, 0, "%s", what);
	}
	plane_close(&plane);
}

TestSuite(flows, .init = plane_isolate);

Test(flows, equal_the_model_dual_program)
{
	compare(DATAPLANE_SWAP_DUAL_PROGRAM, 101);
}

Test(flows, equal_the_model_dual_map)
{
	compare(DATAPLANE_SWAP_DUAL_MAP, 102);
}

/* Each alone, and in pairs: whoever is not loaded is empty and does not stop the others. */
Test(flows, any_combination_is_loaded)
{
	for (uint32_t loaded = 0; loaded < 8; loaded++) {
		struct plane plane = open_plane(loaded, DATAPLANE_SWAP_DUAL_PROGRAM, 16000, 500);
		struct dataplane_features_read read;
		struct random random = { 103 };

		begin(&plane);
		for (uint32_t i = 0; i < 50; i++) {
			build_random(&random, 10, 3);
			cr_assert_eq(plane_run(&plane, &frame, 1), 2);
		}
		read = swap_and_read(&plane);
		cr_assert_eq(read.n_flows > 0, (loaded & DATAPLANE_FEATURE_FLOW) != 0);
		cr_assert_eq(read.n_destinations > 0,
			     (loaded & DATAPLANE_FEATURE_DESTINATION) != 0);
		cr_assert_eq(read.n_samples > 0, (loaded & DATAPLANE_FEATURE_SAMPLE) != 0);
		cr_assert_eq(read.port_bins != NULL, read.n_destinations > 0);
		cr_assert_gt(read.distinct_sources, 0);
		plane_close(&plane);
	}
}

/* Many more flows than places, after heavy ones: those are exact, the rest is told in sum. */
Test(flows, overflow_keeps_the_heavy_and_loses_nothing)
{
	struct plane plane =
		open_plane(DATAPLANE_FEATURE_FLOW, DATAPLANE_SWAP_DUAL_PROGRAM, 200, 64);
	struct random random = { 104 };
	struct dataplane_features_read read;
	uint64_t packets = 0, bytes = 0;
	uint32_t n_heavy, found = 0;

	use_cpu(0);
	begin(&plane);
	for (int i = 0; i < 40; i++) {
		build_random(&random, 4, 2);
		send_frame(&plane, 300);
	}
	n_heavy = model.n_flows;
	cr_assert_geq(n_heavy, 10);
	for (uint32_t i = 0; i < 6000; i++) {
		/* Sources that the heavy ones are not among. */
		build_random(&random, 60000, 60000);
		if (frame.data[frame.network] >> 4 == 4)
			frame.data[frame.network + 13] = 2;
		else
			frame.data[frame.network + 8 + 5] = 2;
		cr_assert_eq(plane_run(&plane, &frame, 1), 2);
		packets++;
		bytes += frame.size;
	}
	read = swap_and_read(&plane);
	cr_assert_gt(read.untracked_flows.packets, 3000, "seed 104: the table did not overflow");
	packets += model.packets;
	bytes += model.bytes;
	for (size_t i = 0; i < read.n_flows; i++) {
		packets -= read.flows[i].packets;
		bytes -= read.flows[i].bytes;
		for (uint32_t j = 0; j < n_heavy; j++)
			found += memcmp(&model.flows[j], &read.flows[i], sizeof(model.flows[j])) ==
				 0;
	}
	cr_assert_eq(packets, read.untracked_flows.packets);
	cr_assert_eq(bytes, read.untracked_flows.bytes);
	cr_assert_eq(found, n_heavy, "seed 104: %u of %u heavy flows are exact", found, n_heavy);
	plane_close(&plane);
}

/* The same of destinations; who takes a place of another begins with empty histograms. */
Test(flows, destinations_overflow_in_sum)
{
	struct plane plane =
		open_plane(DATAPLANE_FEATURE_DESTINATION, DATAPLANE_SWAP_DUAL_PROGRAM, 1024, 64);
	struct random random = { 105 };
	struct dataplane_features_read read;
	uint64_t packets = 0, bytes = 0, histogram;

	use_cpu(0);
	begin(&plane);
	send_random(&plane, &random, 4000, 100, 3000);
	read = swap_and_read(&plane);
	cr_assert_gt(read.untracked_destinations.packets, 1000, "seed 105: it did not overflow");
	for (size_t i = 0; i < read.n_destinations; i++) {
		const struct sluice_destination *to = &read.destinations[i];

		packets += to->packets;
		bytes += to->bytes;
		histogram = 0;
		for (int j = 0; j < SLUICE_N_PROTOCOLS; j++)
			histogram += to->protocol[j];
		cr_assert_eq(histogram, to->packets, "seed 105");
		histogram = 0;
		for (int j = 0; j < SLUICE_N_LENGTHS; j++)
			histogram += to->length[j];
		cr_assert_eq(histogram, to->packets, "seed 105");
	}
	cr_assert_eq(packets + read.untracked_destinations.packets, model.packets);
	cr_assert_eq(bytes + read.untracked_destinations.bytes, model.bytes);
	plane_close(&plane);
}

/* A window that nobody read is not found in a later one. */
Test(flows, windows_do_not_leak)
{
	struct plane plane = open_plane(ALL, DATAPLANE_SWAP_DUAL_PROGRAM, 16000, 500);
	struct random random = { 106 };
	struct dataplane_features_read read;
	struct dataplane_swap swap;

	begin(&plane);
	send_random(&plane, &random, 500, 40, 12);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	begin(&plane);
	send_random(&plane, &random, 50, 40, 12);
	read = swap_and_read(&plane);
	check_flows(&read, "seed 106");
	check_destinations(&read, "seed 106");
	plane_close(&plane);
}

/* Listed ports have a bin each; the others share the rest, all of it. */
Test(flows, port_bins)
{
	struct plane plane =
		open_plane(DATAPLANE_FEATURE_DESTINATION, DATAPLANE_SWAP_DUAL_PROGRAM, 1024, 64);
	static const uint16_t listed[] = { 22, 53, 80, 123, 443, 1900, 11211 };
	struct dataplane_features_read read = swap_and_read(&plane);
	uint32_t used[SLUICE_N_PORT_BINS] = { 0 };

	cr_assert_not_null(read.port_bins);
	for (uint32_t port = 0; port < 65536; port++) {
		cr_assert_lt(read.port_bins[port], SLUICE_N_PORT_BINS);
		used[read.port_bins[port]]++;
	}
	for (uint32_t bin = 0; bin < SLUICE_N_PORT_BINS; bin++) {
		if (bin < SLUICE_N_LISTED_PORTS)
			cr_assert_eq(used[bin], 1, "bin %u", bin);
		else
			cr_assert(used[bin] > 700 && used[bin] < 1400, "bin %u: %u", bin,
				  used[bin]);
	}
	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		cr_assert_lt(read.port_bins[listed[i]], SLUICE_N_LISTED_PORTS, "%u", listed[i]);
	plane_close(&plane);
}
