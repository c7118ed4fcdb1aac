// SPDX-License-Identifier: BSD-2-Clause
/* Sampled packets: what is in them, how many there are, whom the draw takes, what is lost. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include <netinet/in.h>

#include "plane.h"

static const uint8_t source4[4] = { 10, 1, 2, 3 };
static const uint8_t source6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, [15] = 9 };

static struct plane open_sampling(enum dataplane_swap_design design, uint32_t samples_per_window)
{
	struct dataplane_live_options options = plane_options_for(design);

	options.features = (struct dataplane_features){
		.loaded = DATAPLANE_FEATURE_SAMPLE,
		.samples_per_window = samples_per_window,
	};
	return plane_open(&options);
}

static void swap(const struct plane *plane)
{
	struct dataplane_swap swap;
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->swap(plane->dp, &swap, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
}

static struct dataplane_features_read swap_and_read(const struct plane *plane)
{
	struct dataplane_features_read read;

	swap(plane);
	plane->dp->ops->features_read(plane->dp, &read);
	return read;
}

static void check_content(const struct sluice_sample *sample, const struct frame *frame,
			  const char *what)
{
	uint32_t size = frame->size < SLUICE_SAMPLE_SIZE ? frame->size : SLUICE_SAMPLE_SIZE;

	cr_assert_eq(sample->frame_size, frame->size, "%s: %u", what, sample->frame_size);
	cr_assert_eq(sample->size, size, "%s: %u", what, sample->size);
	cr_assert_eq(memcmp(sample->data, frame->data, size), 0, "%s", what);
	cr_assert_gt(sample->time_ns, 0, "%s", what);
}

TestSuite(samples, .init = plane_isolate);

/* Also of frames that end before the snap size, and of those in several buffers. */
PLANE_TEST_BOTH(samples, are_the_frames_beginning)
{
	static const struct {
		const char *name;
		struct frame_recipe recipe;
	} cases[] = {
		{ "shortest", { .family = 4, .protocol = 255, .payload = FRAME_NO_PAYLOAD } },
		{ "udp", { .family = 4, .protocol = IPPROTO_UDP } },
		{ "exactly", { .family = 4, .protocol = IPPROTO_UDP, .payload = 256 - 42 } },
		{ "one more", { .family = 4, .protocol = IPPROTO_UDP, .payload = 257 - 42 } },
		{ "full", { .family = 4, .protocol = IPPROTO_TCP, .payload = 1446 } },
		{ "jumbo", { .family = 4, .protocol = IPPROTO_UDP, .payload = 8000 } },
		{ "vlans", { .family = 6, .protocol = 6, .vlans = { 0x88a8, 0x8100 } } },
		{ "chain", { .family = 6, .protocol = 17, .extensions = { 1, 60, 43 } } },
		{ "fragment", { .family = 4, .protocol = IPPROTO_UDP, .fragment = 0x2010 } },
		{ "padding", { .family = 4, .protocol = IPPROTO_UDP, .padding = 300 } },
	};
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	static struct frame frames[sizeof(cases) / sizeof(cases[0])];
	struct plane plane = open_sampling(design, 100);
	struct dataplane_features_read read;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			frame_build(&frames[i], &cases[i].recipe,
				    cases[i].recipe.family == 6 ? source6 : source4);
			cr_assert_eq(plane_run(&plane, &frames[i], 1), 2 /* XDP_PASS */);
		}
		read = swap_and_read(&plane);
		cr_assert_eq(read.n_samples, n, "round %d: %zu", round, read.n_samples);
		cr_assert_eq(read.samples_lost, 0);
		for (size_t i = 0; i < n; i++)
			check_content(&read.samples[i], &frames[i], cases[i].name);
	}
	plane_close(&plane);
}

/* The window is the limit's clock: its budget, whatever the traffic, and again in the next one. */
PLANE_TEST_BOTH(samples, budget_holds)
{
	struct plane plane = open_sampling(design, 50);
	static struct frame frame;
	struct dataplane_features_read read;
	struct dataplane_counters before, after;

	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, source4);
	for (int window = 0; window < 6; window++) {
		uint32_t n = window % 2 ? 100000 : 40;

		before = plane_counters(&plane);
		(void)plane_run(&plane, &frame, n);
		after = plane_counters(&plane);
		before = plane_delta(&before, &after);
		cr_assert_eq(before.reason[DATAPLANE_REASON_PASS].packets, n);
		cr_assert_eq(before.reason[DATAPLANE_REASON_PASS].bytes, (uint64_t)n * frame.size);
		read = swap_and_read(&plane);
		cr_assert_leq(read.n_samples, 50, "window %d", window);
		/* The draw of the first knows nothing yet, those after a quiet window neither. */
		if (window == 0)
			cr_assert_eq(read.n_samples, 40);
		else if (window % 2)
			cr_assert_eq(read.n_samples, 50, "window %d: %zu", window, read.n_samples);
		cr_assert_eq(read.samples_lost, 0, "what the budget leaves out is not lost");
	}
	plane_close(&plane);
}

static uint32_t number_of(const struct sluice_sample *sample)
{
	uint32_t n;

	memcpy(&n, sample->data + 42, sizeof(n));
	return n;
}

/* In steady traffic each packet of a window has the same chance. */
PLANE_TEST_BOTH(samples, draw_is_even)
{
	enum { PACKETS = 20000, BUDGET = 400, PARTS = 4, WINDOWS = 5 };
	struct plane plane = open_sampling(design, BUDGET);
	static struct frame frame;
	struct dataplane_features_read read;
	unsigned int parts[PARTS] = { 0 }, total = 0;

	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, source4);
	for (int window = 0; window <= WINDOWS; window++) {
		for (uint32_t n = 0; n < PACKETS; n++) {
			memcpy(frame.data + 42, &n, sizeof(n));
			(void)plane_run(&plane, &frame, 1);
		}
		read = swap_and_read(&plane);
		/* The first window's come from its beginning, as documented. */
		for (size_t i = 0; window > 0 && i < read.n_samples; i++) {
			uint32_t n = number_of(&read.samples[i]);

			cr_assert_lt(n, PACKETS);
			parts[n / (PACKETS / PARTS)]++;
			total++;
		}
	}
	/*
	 * 100 samples a part and window: 500 with a spread of 22.  The end may lose a few to the
	 * budget.  Six deviations, so that the kernel's dice do not fail the test.
	 */
	cr_assert_gt(total, WINDOWS * BUDGET * 8 / 10);
	for (int part = 0; part < PARTS; part++)
		cr_assert_float_eq(parts[part], total / (double)PARTS, 6 * sqrt(total / PARTS),
				   "part %d: %u of %u", part, parts[part], total);
	plane_close(&plane);
}

/* A ring that holds fewer than the budget: what found no room is counted. */
PLANE_TEST_BOTH(samples, full_ring_is_counted)
{
	enum { BUDGET = 100000 };
	struct plane plane = open_sampling(design, BUDGET);
	static struct frame frame;
	struct dataplane_features_read read;

	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, source4);
	for (int window = 0; window < 3; window++) {
		(void)plane_run(&plane, &frame, BUDGET);
		read = swap_and_read(&plane);
		cr_assert_lt(read.n_samples, BUDGET);
		cr_assert_gt(read.n_samples, BUDGET / 2);
		cr_assert_gt(read.samples_lost, 0);
		cr_assert_eq(read.n_samples + read.samples_lost, BUDGET);
		check_content(&read.samples[read.n_samples - 1], &frame, "the last");
	}
	plane_close(&plane);
}

/* Blocked packets are not sampled, nor is a window that nobody read found in a later one. */
PLANE_TEST_BOTH(samples, only_this_windows_survivors)
{
	struct plane plane = open_sampling(design, 100);
	static struct frame frame;
	struct dataplane_features_read read;

	(void)plane_block(&plane, "10.1.2.3", 0);
	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, source4);
	(void)plane_run(&plane, &frame, 20);
	read = swap_and_read(&plane);
	cr_assert_eq(read.n_samples, 0);

	frame_build(&frame, &(struct frame_recipe){ .family = 6, .protocol = 17 }, source6);
	(void)plane_run(&plane, &frame, 20);
	swap(&plane);
	swap(&plane);
	frame_build(&frame, &(struct frame_recipe){ .family = 6, .protocol = 58 }, source6);
	(void)plane_run(&plane, &frame, 7);
	read = swap_and_read(&plane);
	cr_assert_eq(read.n_samples, 7);
	for (size_t i = 0; i < read.n_samples; i++)
		check_content(&read.samples[i], &frame, "of this window");
	plane_close(&plane);
}

/* What detectors need may change while traffic goes on; each window is measured in one way. */
PLANE_TEST_BOTH(samples, can_be_switched_on_and_off)
{
	struct dataplane_live_options options = plane_options_for(design);
	const struct dataplane_features sampling = {
		.loaded = DATAPLANE_FEATURE_SAMPLE,
		.samples_per_window = 10,
	};
	struct plane plane = plane_open(&options);
	static struct frame frame;
	struct dataplane_counters before = plane_counters(&plane), after;
	/* The window in which a change comes keeps what it began with. */
	static const bool on[] = { false, true, true, true, false, false, true, true };
	static const size_t taken[] = { 0, 0, 10, 10, 10, 0, 0, 10 };
	const size_t n = sizeof(on) / sizeof(on[0]);

	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, source4);
	for (size_t i = 0; i < n; i++) {
		struct sluice_err err = { 0 };
		int code = plane.dp->ops->features_set(plane.dp,
						       on[i] ? &sampling : &options.features, &err);

		cr_assert_eq(code, 0, "%d: %s", code, err.text);
		/* Ten packets are taken at any chance that follows from ten. */
		(void)plane_run(&plane, &frame, 10);
		struct dataplane_features_read read = swap_and_read(&plane);

		cr_assert_eq(read.n_samples, taken[i], "window %zu: %zu", i, read.n_samples);
		cr_assert_eq(read.distinct_sources, 1);
	}
	after = plane_counters(&plane);
	after = plane_delta(&before, &after);
	cr_assert_eq(after.reason[DATAPLANE_REASON_PASS].packets, 10 * n);
	plane_close(&plane);
}
