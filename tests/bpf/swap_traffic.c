// SPDX-License-Identifier: BSD-2-Clause
/* See swap_traffic.h. */
#include "swap_traffic.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "feature_layout.h"

#define N_FRAMES 16
#define MAX_SOURCES 64
#define MAX_FDS 1024
/* At least so often the idle side is looked at. */
#define MIN_LOOKS 20
/* Nobody waits that often for a packet while the traffic goes on. */
#define MAX_TURNS 10000000

struct traffic {
	const struct plane *plane;
	uint32_t burst;
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
		cr_assert_eq(plane_run(traffic->plane, &traffic->frames[i++ % N_FRAMES],
				       traffic->burst),
			     XDP_PASS);
		traffic->packets += traffic->burst;
	}
	return NULL;
}

static void traffic_start(struct traffic *traffic, const struct plane *plane, uint32_t burst)
{
	memset(traffic, 0, sizeof(*traffic));
	traffic->plane = plane;
	traffic->burst = burst;
	/* Where the sender is not: who shares its CPU never meets a packet that is under way. */
	pin_to(0);
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

static uint64_t packets_passed(const struct plane *plane)
{
	return plane_counters(plane).reason[DATAPLANE_REASON_PASS].packets;
}

/* Until that many more have been counted. */
static void let_pass(const struct plane *plane, uint64_t packets)
{
	uint64_t before = packets_passed(plane);

	for (int turns = 0; packets_passed(plane) - before < packets; turns++) {
		if (turns == MAX_TURNS)
			cr_assert_fail("the traffic has stopped");
		sched_yield();
	}
}

struct swap_conservation swap_conserve(const struct swap_options *options)
{
	const struct dataplane_live_options live = plane_options_for(options->design);
	struct plane plane = plane_open(&live);
	/* What a plane before this one left pinned is not of this run. */
	uint64_t passed_before = packets_passed(&plane);
	static struct traffic traffic;
	struct swap_conservation outcome = { 0 };

	traffic_start(&traffic, &plane, options->burst);
	for (int i = 0; i < options->n_swaps; i++) {
		swap(&plane);
		outcome.counted += read_window(&plane);
		let_pass(&plane, 1);
	}
	traffic_stop(&traffic);
	/* What is in the last two windows. */
	for (int i = 0; i < 2; i++) {
		swap(&plane);
		outcome.counted += read_window(&plane);
	}
	outcome.sent = traffic.packets;
	outcome.passed = packets_passed(&plane) - passed_before;
	plane_close(&plane);
	return outcome;
}

/* A map that this process has open; others run such tests at the same time. */
static int map_fd_named(const char *name, struct bpf_map_info *info)
{
	for (int fd = 0; fd < MAX_FDS; fd++) {
		__u32 size = sizeof(*info);

		memset(info, 0, sizeof(*info));
		if (fcntl(fd, F_GETFD) >= 0 && bpf_obj_get_info_by_fd(fd, info, &size) == 0 &&
		    strcmp(info->name, name) == 0)
			return fd;
	}
	cr_assert_fail("no map '%s'", name);
	return -1;
}

static void *map_named(const char *name, size_t *size)
{
	struct bpf_map_info info;
	int fd = map_fd_named(name, &info);

	*size = (size_t)info.max_entries * info.value_size;
	void *memory = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);

	cr_assert_neq(memory, MAP_FAILED);
	return memory;
}

/* One window: the side that has just become idle, until what was under way must have ended. */
static void watch(const struct plane *plane, const char *table, size_t side_size, char *before,
		  struct swap_stillness *outcome)
{
	/* Side-major: one half is the idle side's. */
	size_t idle = (plane->header->side ^ 1) & 1;
	const char *half = table + idle * side_size;
	const char *other = table + (idle ^ 1) * side_size;
	int looks = 0;

	memcpy(before, half, side_size);
	(void)read_window(plane);

	uint64_t until = packets_passed(plane) + 2;

	while (looks < MIN_LOOKS || packets_passed(plane) < until) {
		if (looks++ == MAX_TURNS)
			cr_assert_fail("the traffic has stopped");
		sched_yield();
		outcome->differences += memcmp(before, half, side_size) != 0;
		outcome->changes += memcmp(before, other, side_size) != 0;
	}
	outcome->looks += (uint64_t)looks;
}

struct swap_stillness swap_stand_still(const struct swap_options *options)
{
	const struct dataplane_live_options live = plane_options_for(options->design);
	struct plane plane = plane_open(&live);
	static struct traffic traffic;
	struct swap_stillness outcome = { 0 };
	size_t size = 0;
	const char *table = map_named("sluice_source4", &size);
	char *before = malloc(size / 2);

	cr_assert_not_null(before);
	traffic_start(&traffic, &plane, options->burst);
	for (int i = 0; i < options->n_swaps; i++) {
		swap(&plane);
		watch(&plane, table, size / 2, before, &outcome);
	}
	traffic_stop(&traffic);
	free(before);
	plane_close(&plane);
	return outcome;
}
