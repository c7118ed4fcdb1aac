// SPDX-License-Identifier: BSD-2-Clause
/*
 * When distinct sources outrun the table: the estimate of their number, who keeps a place, and that
 * nothing is lost.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "dataplane/distinct.h"
#include "plane.h"
#include "support/random.h"

/* Fixed, so that every run has the same estimates. */
static const uint64_t hash_key[2] = { 0x0123456789abcdefull, 0xfedcba9876543210ull };

static struct plane open_plane(uint32_t max_sources)
{
	struct dataplane_live_options options = plane_options();

	options.max_sources = max_sources;

	struct plane plane = plane_open(&options);

	memcpy(plane.header->hash_key, hash_key, sizeof(hash_key));
	return plane;
}

struct window {
	uint64_t packets, bytes;
	size_t n;
	struct dataplane_count untracked;
	uint64_t heavy[64]; /* 10.255.0.n */
	struct dataplane_features_read features;
};

static void collect(struct window *window, const struct sluice_source *source)
{
	const uint8_t *addr = source->key.addr;

	window->packets += source->packets;
	window->bytes += source->bytes;
	window->n++;
	if (source->key.family == SLUICE_FAMILY_IPV4 && addr[0] == 10 && addr[1] == 255 &&
	    addr[2] == 0 && addr[3] < 64)
		window->heavy[addr[3]] += source->packets;
}

static struct window swap_and_read(const struct plane *plane)
{
	static struct sluice_source sources[10000];
	struct window window = { 0 };
	struct dataplane_swap swap;
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->swap(plane->dp, &swap, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	size_t n = plane->dp->ops->sources_read(
		plane->dp, sources, sizeof(sources) / sizeof(sources[0]), &window.untracked);

	for (size_t i = 0; i < n; i++)
		collect(&window, &sources[i]);
	plane->dp->ops->features_read(plane->dp, &window.features);
	return window;
}

static void send4(const struct plane *plane, uint32_t addr, uint32_t n)
{
	static struct frame frame;
	uint32_t be = __builtin_bswap32(addr);

	if (!frame.size)
		frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 },
			    (const uint8_t *)&be);
	memcpy(frame.data + frame.network + 12, &be, sizeof(be));
	cr_assert_eq(plane_run(plane, &frame, n), 2 /* XDP_PASS */);
}

/* The /64 is the source, whatever the host part. */
static void send6(const struct plane *plane, uint32_t network, uint8_t host)
{
	static struct frame frame;
	uint8_t addr[16] = { 0x20, 0x01 };
	uint32_t be = __builtin_bswap32(network);

	memcpy(addr + 4, &be, sizeof(be));
	addr[15] = host;
	if (!frame.size)
		frame_build(&frame, &(struct frame_recipe){ .family = 6, .protocol = 17 }, addr);
	memcpy(frame.data + frame.network + 8, addr, sizeof(addr));
	cr_assert_eq(plane_run(plane, &frame, 1), 2 /* XDP_PASS */);
}

static void check_estimate(const struct window *window, uint64_t sources, const char *what)
{
	double error = ((double)window->features.distinct_sources - (double)sources) / sources;

	cr_assert_eq(window->features.distinct_error, DISTINCT_STANDARD_ERROR);
	cr_assert_leq(fabs(error), 3 * DISTINCT_STANDARD_ERROR,
		      "%s: %lu sources, estimated %lu: %+.2f %%", what, sources,
		      window->features.distinct_sources, error * 100);
}

TestSuite(distinct_sources, .init = plane_isolate);

Test(distinct_sources, of_both_families)
{
	static const uint32_t sizes[] = { 1, 1000, 100000 };
	struct plane plane = open_plane(2000);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (uint32_t n = 0; n < sizes[i]; n++) {
			if (n % 2)
				send6(&plane, n, (uint8_t)n);
			else
				send4(&plane, 0x0b000000 + n, 1);
		}
		struct window window = swap_and_read(&plane);

		check_estimate(&window, sizes[i], "both families");
		cr_assert_eq(window.packets + window.untracked.packets, sizes[i]);
	}
	plane_close(&plane);
}

Test(distinct_sources, a_million)
{
	struct plane plane = open_plane(2000);

	for (uint32_t n = 0; n < 1000000; n++)
		send4(&plane, 0x0b000000 + n * 7, 1);
	struct window window = swap_and_read(&plane);

	check_estimate(&window, 1000000, "in a row");
	cr_assert_eq(window.packets + window.untracked.packets, 1000000);
	plane_close(&plane);
}

/* Again and again, on every CPU, from many hosts of one /64: a source is one source. */
Test(distinct_sources, repetition_counts_once)
{
	struct plane plane = open_plane(64);
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < n_cpus; cpu++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
		for (uint32_t n = 0; n < 15000; n++) {
			send4(&plane, 0x0b000000 + n % 1500, 1);
			send6(&plane, n % 1500, (uint8_t)(n / 1500));
		}
	}
	struct window window = swap_and_read(&plane);

	cr_assert_gt(window.untracked.packets, 0, "the table did not overflow");
	check_estimate(&window, 3000, "repeated");
	plane_close(&plane);
}

/* Each window is estimated alone, also after one that nobody read. */
Test(distinct_sources, windows_begin_at_zero)
{
	struct plane plane = open_plane(2000);
	struct dataplane_swap swap;

	for (uint32_t n = 0; n < 5000; n++)
		send4(&plane, 0x0b000000 + n, 1);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	for (uint32_t n = 0; n < 3; n++)
		send4(&plane, 0x0c000000 + n, 2);
	struct window window = swap_and_read(&plane);

	cr_assert_eq(window.features.distinct_sources, 3);
	window = swap_and_read(&plane);
	cr_assert_eq(window.features.distinct_sources, 0);
	plane_close(&plane);
}

/*
 * A forged flood of ten times as many sources as there are places, and amid it forty real heavy
 * hitters: those stay, to the packet, and the rest is told in sum.
 */
Test(distinct_sources, heavy_ones_stay_in_a_forged_flood)
{
	enum { PLACES = 2000, FORGED = 10 * PLACES, HEAVY = 40, EACH = 200 };
	struct plane plane = open_plane(PLACES);
	struct random random = { 91 };
	uint64_t packets = 0;

	for (uint32_t n = 0; n < FORGED; n++) {
		send4(&plane, 0x0b000000 + (uint32_t)random_below(&random, 1u << 24), 1);
		packets++;
		/* They begin in the middle of the flood, when every place is taken. */
		if (n >= FORGED / 2 && n % (FORGED / 2 / EACH) == 0) {
			for (uint32_t i = 0; i < HEAVY; i++)
				send4(&plane, 0x0aff0000 + i, 4);
			packets += (uint64_t)HEAVY * 4;
		}
	}
	struct window window = swap_and_read(&plane);

	cr_assert_gt(window.untracked.packets, FORGED / 2, "seed 91: the table did not overflow");
	cr_assert_eq(window.packets + window.untracked.packets, packets);
	for (uint32_t i = 0; i < HEAVY; i++)
		cr_assert_eq(window.heavy[i], EACH * 4, "seed 91: heavy %u: %lu", i,
			     window.heavy[i]);
	check_estimate(&window, FORGED + HEAVY, "seed 91");
	plane_close(&plane);
}
