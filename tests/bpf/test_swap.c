// SPDX-License-Identifier: BSD-2-Clause
/*
 * Swaps under traffic, in both designs: every packet is in exactly one window, and the side that user
 * space reads does not change by a bit until it counts again.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "feature_layout.h"
#include "plane.h"

#define N_SWAPS 300
#define BURST 20000
#define N_FRAMES 16
#define MAX_SOURCES 64

struct traffic {
	const struct plane *plane;
	struct frame frames[N_FRAMES]; /* Of as many sources, of both families. */
	pthread_t thread;
	bool stop;
	uint64_t packets;
};

static void pin_to(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void *send(void *ctx)
{
	struct traffic *traffic = ctx;
	uint32_t i = 0;

	pin_to(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED)) {
		cr_assert_eq(plane_run(traffic->plane, &traffic->frames[i++ % N_FRAMES], BURST),
			     XDP_PASS);
		traffic->packets += BURST;
	}
	return NULL;
}

static void traffic_start(struct traffic *traffic, const struct plane *plane)
{
	memset(traffic, 0, sizeof(*traffic));
	traffic->plane = plane;
	for (uint8_t i = 0; i < N_FRAMES; i++) {
		const uint8_t v4[4] = { 198, 51, 100, i }, v6[16] = { 0x20, 1, 0xd, 0xb8, 0, i };
		const struct frame_recipe recipe = { .family = i % 2 ? 6 : 4, .protocol = 17 };

		frame_build(&traffic->frames[i], &recipe, i % 2 ? v6 : v4);
	}
	cr_assert_eq(pthread_create(&traffic->thread, NULL, send, traffic), 0);
}

static void traffic_stop(struct traffic *traffic)
{
	__atomic_store_n(&traffic->stop, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(traffic->thread, NULL), 0);
}

static void swap(const struct plane *plane)
{
	struct dataplane_swap cost;
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->swap(plane->dp, &cost, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
}

static uint64_t read_window(const struct plane *plane)
{
	static struct sluice_source sources[MAX_SOURCES];
	struct dataplane_count untracked = { 0 };
	uint64_t packets = 0;
	size_t n = plane->dp->ops->sources_read(plane->dp, sources, MAX_SOURCES, &untracked);

	for (size_t i = 0; i < n; i++)
		packets += sources[i].packets;
	return packets + untracked.packets;
}

static void conserve(enum dataplane_swap_design design)
{
	struct dataplane_live_options options = plane_options();
	static struct traffic traffic;
	uint64_t counted = 0;

	options.swap = design;

	struct plane plane = plane_open(&options);

	traffic_start(&traffic, &plane);
	for (int i = 0; i < N_SWAPS; i++) {
		swap(&plane);
		counted += read_window(&plane);
	}
	traffic_stop(&traffic);
	/* What is in the last two windows. */
	for (int i = 0; i < 2; i++) {
		swap(&plane);
		counted += read_window(&plane);
	}
	cr_log_info("%lu packets over %d swaps", traffic.packets, N_SWAPS);
	cr_assert_gt(traffic.packets, (uint64_t)N_SWAPS * 100, "hardly any traffic");
	cr_assert_eq(counted, traffic.packets, "%lu counted, %lu sent", counted, traffic.packets);
	cr_assert_eq(plane_counters(&plane).reason[DATAPLANE_REASON_PASS].packets, traffic.packets);
	plane_close(&plane);
}

/* The newest map of that name: what this test's data plane has made. */
static void *map_named(const char *name, size_t *size)
{
	struct bpf_map_info info;
	int newest = -1;
	__u32 id = 0;

	while (bpf_map_get_next_id(id, &id) == 0) {
		__u32 info_size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);

		memset(&info, 0, sizeof(info));
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &info_size) == 0 &&
		    strcmp(info.name, name) == 0) {
			if (newest >= 0)
				close(newest);
			newest = fd;
			*size = (size_t)info.max_entries * info.value_size;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	cr_assert_geq(newest, 0, "no map '%s'", name);
	void *memory = mmap(NULL, *size, PROT_READ, MAP_SHARED, newest, 0);

	close(newest);
	cr_assert_neq(memory, MAP_FAILED);
	return memory;
}

static void stand_still(enum dataplane_swap_design design)
{
	struct dataplane_live_options options = plane_options();
	static struct traffic traffic;
	uint64_t differences = 0, changes = 0;

	options.swap = design;

	struct plane plane = plane_open(&options);
	size_t size = 0;
	const char *table = map_named("sluice_source4", &size);
	char *before = malloc(size / 2);

	cr_assert_not_null(before);
	traffic_start(&traffic, &plane);
	for (int i = 0; i < N_SWAPS; i++) {
		swap(&plane);

		/* Side-major: one half is the idle side's. */
		size_t idle = (plane.header->side ^ 1) & 1;
		const char *half = table + idle * (size / 2);
		const char *other = table + (idle ^ 1) * (size / 2);

		memcpy(before, half, size / 2);
		(void)read_window(&plane);
		for (int look = 0; look < 20; look++) {
			sched_yield();
			differences += memcmp(before, half, size / 2) != 0;
			changes += memcmp(before, other, size / 2) != 0;
		}
	}
	traffic_stop(&traffic);
	cr_assert_eq(differences, 0, "the idle side changed in %lu of %d looks", differences,
		     20 * N_SWAPS);
	cr_assert_gt(changes, 0, "nothing was counted meanwhile");
	free(before);
	plane_close(&plane);
}

TestSuite(swap, .init = plane_isolate);

Test(swap, conserves_packets_dual_program)
{
	conserve(DATAPLANE_SWAP_DUAL_PROGRAM);
}

Test(swap, conserves_packets_dual_map)
{
	conserve(DATAPLANE_SWAP_DUAL_MAP);
}

Test(swap, idle_side_stands_still_dual_program)
{
	stand_still(DATAPLANE_SWAP_DUAL_PROGRAM);
}

Test(swap, idle_side_stands_still_dual_map)
{
	stand_still(DATAPLANE_SWAP_DUAL_MAP);
}
