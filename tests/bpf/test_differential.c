// SPDX-License-Identifier: BSD-2-Clause
/* The filter against a model of it, on frames that are nearly valid in every way. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "frame_shape.h"
#include "model.h"
#include "plane.h"
#include "support/random.h"

/* Sources near to, at and between what is listed; frames mostly come from these. */
static const char *const sources4[] = { "198.51.100.7", "203.0.113.9", "203.0.113.10", "192.0.2.0",
					"192.0.2.55",	"192.0.2.128", "192.0.2.200",  "10.9.8.7",
					"10.9.8.6",	"172.16.5.5",  "172.16.5.129", "0.0.0.0" };
static const char *const sources6[] = { "2001:db8:1:1::7",
					"2001:db8:2:2::9",
					"2001:db8:2:3::9",
					"2001:db8:bad:55::1",
					"2001:db8:bad:200::1",
					"2001:db8:bad:128::1",
					"2001:db8:9::1",
					"2001:db8:9::2",
					"::ffff:203.0.113.9",
					"::ffff:203.0.113.10",
					"::ffff:192.0.2.55",
					"::ffff:192.0.2.128",
					"::ffff:10.9.8.7",
					"::fffe:203.0.113.9",
					"::203.0.113.9",
					"::1",
					"::",
					"0:0:0:1::9",
					"8000::" };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void list_add(struct model_list *list, const char *text, bool exempt)
{
	list->keys[list->n] = plane_key(text);
	list->exempt[list->n++] = exempt;
}

static void make_lists(struct model *model)
{
	list_add(&model->blocked, "203.0.113.9", false);
	list_add(&model->blocked, "10.9.8.6", false);
	list_add(&model->blocked, "2001:db8:2:2::/64", false);
	list_add(&model->prefixes, "192.0.2.0/24", false);
	list_add(&model->prefixes, "172.16.0.0/12", false);
	list_add(&model->prefixes, "2001:db8:bad::/48", false);
	/* An exempt prefix within an allowed one, and the other way round. */
	list_add(&model->allowed, "192.0.2.200", false);
	list_add(&model->allowed, "192.0.2.128/26", true);
	list_add(&model->allowed, "172.16.5.0/24", true);
	list_add(&model->allowed, "172.16.5.128/25", false);
	list_add(&model->allowed, "2001:db8:bad:200::/56", false);
	list_add(&model->allowed, "2001:db8:bad:128::/64", true);
	list_add(&model->own, "10.9.8.7", false);
	list_add(&model->own, "2001:db8:9::1", false);
}

static void apply_lists(const struct plane *plane, const struct model *model)
{
	struct dataplane_allow allow[MODEL_MAX_KEYS];

	for (size_t i = 0; i < model->blocked.n; i++) {
		struct dataplane_block_record record = plane_record(&model->blocked.keys[i], 0);
		dataplane_slot slot;

		cr_assert_eq(plane->dp->ops->block(plane->dp, &record, &slot, NULL), 0);
	}
	for (size_t i = 0; i < model->prefixes.n; i++)
		cr_assert_eq(plane->dp->ops->prefix_set(plane->dp, &model->prefixes.keys[i], 0,
							NULL),
			     0);
	for (size_t i = 0; i < model->allowed.n; i++)
		allow[i] = (struct dataplane_allow){ model->allowed.keys[i],
						     model->allowed.exempt[i] };
	cr_assert_eq(plane->dp->ops->allow_set(plane->dp, allow, model->allowed.n, NULL), 0);
	cr_assert_eq(plane->dp->ops->own_set(plane->dp, model->own.keys, model->own.n, NULL), 0);
}

static uint16_t pick16(struct random *random, const uint16_t *values, size_t n)
{
	return values[random_below(random, n)];
}

static void random_lies(struct random *random, struct frame_recipe *recipe)
{
	recipe->is_version_set = random_below(random, 16) == 0;
	recipe->version = (uint8_t)(random_next(random) & 1 ? 4 : 6);
	recipe->is_ihl_set = random_below(random, 8) == 0;
	recipe->ihl = (uint8_t)random_below(random, 16);
	if (random_below(random, 4) == 0)
		recipe->length_change = (int)random_below(random, 120) - 80;
	if (random_below(random, 24) == 0)
		recipe->ethertype = random_next(random) & 1 ? 0x0800 : 0x86dd;
}

static struct frame_recipe random_recipe(struct random *random)
{
	static const uint16_t tags[] = { 0, 0, 0, 0x8100, 0x88a8 };
	static const uint16_t protocols[] = { 0, 1, 6, 6, 17, 17, 47, 50, 51, 58, 59, 132, 255 };
	static const uint16_t extensions[] = {
		1, 43, FRAME_FRAGMENT_FIRST, FRAME_FRAGMENT_WHOLE, 51, 60, 135, FRAME_FRAGMENT_LATER
	};
	static const uint16_t fragments[] = { 0,      0,      0,      0x4000, 0x2000,
					      0x2001, 0x00b9, 0x1fff, 0x8000 };
	uint64_t n_extensions =
		random_next(random) & 1 ? random_below(random, FRAME_MAX_EXTENSIONS + 1) : 0;
	struct frame_recipe recipe = {
		.family = random_below(random, 16) ? (random_next(random) & 1 ? 4 : 6) : 0,
		.protocol = (uint8_t)pick16(random, protocols, LENGTH(protocols)),
		.tcp_flags = (uint8_t)random_next(random),
		.option_words = random_below(random, 4) ? 0 : (uint8_t)random_below(random, 11),
		.fragment = pick16(random, fragments, LENGTH(fragments)),
		.payload = (uint16_t)(1 + random_below(random, 200)),
		.padding = random_below(random, 4) ? 0 : (uint16_t)random_below(random, 60),
	};

	random_lies(random, &recipe);
	if (recipe.family == 0)
		recipe.ethertype =
			(uint16_t)random_below(random, random_next(random) & 1 ? 65536 : 1501);
	/* Each tag but the first stands behind another one as often as not. */
	for (int i = 0; i < FRAME_MAX_VLANS && (i == 0 || random_next(random) & 1); i++)
		recipe.vlans[i] = pick16(random, tags + (i > 0) * 3, i > 0 ? 2 : LENGTH(tags));
	for (uint64_t i = 0; i < n_extensions; i++)
		recipe.extensions[i] = (uint8_t)pick16(random, extensions, LENGTH(extensions));
	if (random_below(random, 64) == 0)
		recipe.payload = (uint16_t)(3000 + random_below(random, 6000));
	return recipe;
}

/* Some that an address of ours may not be, packets may well have. */
static void random_source(struct random *random, uint8_t family, uint8_t source[16])
{
	const char *text = family == 6 ? sources6[random_below(random, LENGTH(sources6))]
				       : sources4[random_below(random, LENGTH(sources4))];

	cr_assert_eq(inet_pton(family == 6 ? AF_INET6 : AF_INET, text, source), 1, "%s", text);
}

static void random_frame(struct random *random, struct frame *frame)
{
	struct frame_recipe recipe = random_recipe(random);
	uint8_t source[16] = { 0 };

	random_source(random, recipe.family, source);
	frame_build(frame, &recipe, source);
	/* What stands for a jumbo payload, or for nothing. */
	if (recipe.family && random_below(random, 24) == 0)
		memset(frame->data + frame->network + (recipe.family == 6 ? 4 : 2), 0, 2);
	/* Most stay valid; the others are hurt where it matters: in the first hundred bytes. */
	if (random_below(random, 3) == 0) {
		uint64_t reach = frame->size < 100 ? frame->size : 100;

		for (uint64_t n = 1 + random_below(random, 3); n > 0; n--)
			frame->data[random_below(random, reach)] ^=
				(uint8_t)(1u << random_below(random, 8));
	}
	if (random_below(random, 6) == 0) {
		uint32_t size = 14 + (uint32_t)random_below(random, 80);

		if (size < frame->size)
			frame->size = size;
	}
}

static bool counts(const struct model_verdict *expected, int reason)
{
	return reason == (int)expected->reason ||
	       (expected->would_drop && reason == (int)DATAPLANE_REASON_WOULD_DROP);
}

static void expect_counters(const struct model_verdict *expected,
			    const struct dataplane_counters *delta, uint32_t size, uint64_t seed,
			    uint32_t i)
{
	for (int reason = 0; reason < DATAPLANE_N_REASONS; reason++) {
		uint64_t packets = counts(expected, reason);
		const struct dataplane_count *count = &delta->reason[reason];

		/* An assertion that holds costs more than the packet: it is told to the runner. */
		if (count->packets == packets && count->bytes == packets * size)
			continue;
		cr_assert_fail("seed %lu, frame %u of %u bytes: %s +%lu packets, +%lu bytes; "
			       "expected %s",
			       seed, i, size, dataplane_reason_name(reason), count->packets,
			       count->bytes, dataplane_reason_name(expected->reason));
	}
}

/* How often each reason and each shape came up. */
struct reach {
	uint32_t reason[DATAPLANE_N_REASONS];
	uint32_t shape[FRAME_N_SHAPES];
};

static void reach_add(struct reach *reach, const struct frame *frame, enum dataplane_reason reason)
{
	uint32_t shapes = frame_shapes(frame->data, frame->size);

	reach->reason[reason]++;
	for (int shape = 0; shape < FRAME_N_SHAPES; shape++)
		reach->shape[shape] += shapes >> shape & 1;
}

static void compare(const struct plane *plane, const struct model *model, uint64_t seed,
		    uint32_t n_frames, struct reach *reach)
{
	struct random random = { seed };
	struct dataplane_counters before = plane_counters(plane);
	static struct frame frame;

	for (uint32_t i = 0; i < n_frames; i++) {
		random_frame(&random, &frame);

		struct model_verdict expected = model_judge(model, frame.data, frame.size);
		uint32_t wanted = dataplane_reason_is_drop(expected.reason) ? XDP_DROP : XDP_PASS;
		uint32_t verdict = plane_run(plane, &frame, 1);
		struct dataplane_counters after = plane_counters(plane);
		struct dataplane_counters delta = plane_delta(&before, &after);

		before = after;
		reach_add(reach, &frame, expected.reason);
		if (verdict != wanted)
			cr_assert_fail("seed %lu, frame %u: %u, not %s", seed, i, verdict,
				       dataplane_reason_name(expected.reason));
		expect_counters(&expected, &delta, frame.size, seed, i);
	}
}

static bool is_possible(int reason, bool observe, bool pass_malformed)
{
	switch (reason) {
	case DATAPLANE_REASON_NO_FEATURES:
	case DATAPLANE_REASON_WOULD_DROP:
	/* test_rules.c, test_known.c */
	case DATAPLANE_REASON_RULE:
	case DATAPLANE_REASON_RATE_LIMITED:
	case DATAPLANE_REASON_KNOWN:
		return false;
	case DATAPLANE_REASON_MALFORMED:
		return !observe && !pass_malformed;
	default:
		return !observe || !dataplane_reason_is_drop((enum dataplane_reason)reason);
	}
}

/* How often, each time on other frames. */
static uint32_t rounds(void)
{
	const char *text = getenv("SLUICE_DIFFERENTIAL_ROUNDS");
	unsigned long n = text ? strtoul(text, NULL, 10) : 1;

	cr_assert(n > 0 && n <= 1000, "SLUICE_DIFFERENTIAL_ROUNDS=%s", text);
	return (uint32_t)n;
}

static void run(bool observe, bool pass_malformed, uint64_t seed, uint32_t n_frames)
{
	struct dataplane_live_options options = plane_options();
	static struct model model;
	struct reach reach = { { 0 }, { 0 } };
	uint32_t n_rounds = rounds();

	options.enforce = !observe;
	options.pass_malformed = pass_malformed;
	model.observe = observe;
	model.pass_malformed = pass_malformed;
	make_lists(&model);

	struct plane plane = plane_open(&options);

	apply_lists(&plane, &model);
	for (uint32_t round = 0; round < n_rounds; round++)
		compare(&plane, &model, seed + round * 1000, n_frames, &reach);
	n_frames *= n_rounds;
	plane_close(&plane);
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		cr_log_info("%s: %u", dataplane_reason_name(i), reach.reason[i]);
		cr_assert(!is_possible(i, observe, pass_malformed) ||
				  reach.reason[i] > n_frames / 100,
			  "%s: only %u of %u frames", dataplane_reason_name(i), reach.reason[i],
			  n_frames);
	}
	for (int i = 0; i < FRAME_N_SHAPES; i++) {
		cr_log_info("%s: %u", frame_shape_name(i), reach.shape[i]);
		cr_assert_gt(reach.shape[i], n_frames / 1000, "%s: only %u of %u frames",
			     frame_shape_name(i), reach.shape[i], n_frames);
	}
}

TestSuite(differential, .init = plane_isolate);

/* Halves of a million, so that two CPUs share it. */
Test(differential, enforcing)
{
	run(false, false, 61, 500000);
}

Test(differential, enforcing_other_seed)
{
	run(false, false, 64, 500000);
}

Test(differential, observing)
{
	run(true, false, 62, 100000);
}

Test(differential, passing_malformed)
{
	run(false, true, 63, 100000);
}
