// SPDX-License-Identifier: BSD-2-Clause
/* Known clients in the filter: who passes a rule that spares them, and that nothing else changes. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>
#include <netinet/in.h>

#include "plane.h"
#include "support/random.h"

#define N_MANY 60000u

TestSuite(known, .init = plane_isolate, .timeout = 120);

static void set_known(const struct plane *plane, const struct sluice_key *keys, size_t n,
		      int left_out)
{
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->known_set(plane->dp, keys, n, &err);

	cr_assert_eq(code, left_out, "known_set: %d: %s", code, err.text);
	cr_assert_eq(plane->dp->occupancy.known, n - (size_t)left_out);
}

static void set_rule(const struct plane *plane, enum dataplane_rule_action action, bool exempts)
{
	const struct dataplane_rule rule = {
		.name = "udp",
		.match.fields = SLUICE_RULE_PROTOCOL,
		.match.protocol = IPPROTO_UDP,
		.action = action,
		.rate = 1,
		.burst = 2,
		.exempts_known = exempts,
	};

	cr_assert_eq(plane->dp->ops->rules_set(plane->dp, &rule, 1, NULL), 0);
}

static void frame_from(struct frame *frame, const struct sluice_key *source,
		       struct frame_recipe recipe)
{
	recipe.family = source->family == SLUICE_FAMILY_IPV4 ? 4 : 6;
	if (!recipe.protocol)
		recipe.protocol = IPPROTO_UDP;
	frame_build(frame, &recipe, source->addr);
}

static uint32_t run_from(const struct plane *plane, const char *source, struct frame_recipe recipe)
{
	static struct frame frame;
	struct sluice_key key = plane_key(source);

	frame_from(&frame, &key, recipe);
	return plane_run(plane, &frame, 1);
}

static const struct frame_recipe plain;

static struct plane open_with(const char *a, const char *b)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	const struct sluice_key keys[] = { plane_key(a), plane_key(b) };

	set_known(&plane, keys, 2, 0);
	return plane;
}

Test(known, pass_a_rule_that_spares_them)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8:1:2::3");
	struct dataplane_counters before, after, delta;

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	before = plane_counters(&plane);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_PASS);
	cr_expect_eq(run_from(&plane, "198.51.100.8", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "2001:db8:1:2::3", plain), XDP_PASS);
	/* Of the same unit, but another address: that one is easier to forge. */
	cr_expect_eq(run_from(&plane, "2001:db8:1:2::4", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "2001:db8:1:3::3", plain), XDP_DROP);
	after = plane_counters(&plane);
	delta = plane_delta(&before, &after);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_KNOWN].packets, 2);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_PASS].packets, 2);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_RULE].packets, 3);
	plane_close(&plane);
}

/* The same set again is not written again; another one of the same size is. */
Test(known, a_set_that_is_in_force_is_left_alone)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");
	const struct sluice_key same[] = { plane_key("198.51.100.7"), plane_key("2001:db8::3") };
	const struct sluice_key other[] = { plane_key("198.51.100.8"), plane_key("2001:db8::3") };
	uint32_t generation = plane.header->known;

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	set_known(&plane, same, 2, 0);
	cr_expect_eq(plane.header->known, generation);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_PASS);
	set_known(&plane, other, 2, 0);
	cr_expect_neq(plane.header->known, generation);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "198.51.100.8", plain), XDP_PASS);
	plane_close(&plane);
}

Test(known, in_any_wrapping)
{
	static const struct frame_recipe
		recipes[] = {
			{ .vlans = { 0x8100 } }, { .vlans = { 0x88a8, 0x8100 } },
			{ .option_words = 4 },	 { .fragment = 0x2000 },
			{ .fragment = 0x00b9 }, /* A later fragment: its protocol is in the header. */
			{ .padding = 20 },	 { .payload = FRAME_NO_PAYLOAD },
		};
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
		cr_expect_eq(run_from(&plane, "198.51.100.7", recipes[i]), XDP_PASS, "%zu", i);
		cr_expect_eq(run_from(&plane, "198.51.100.9", recipes[i]), XDP_DROP, "%zu", i);
	}
	plane_close(&plane);
}

Test(known, do_not_count_where_the_rule_does_not_spare_them)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");
	struct dataplane_counters before = plane_counters(&plane), after, delta;

	set_rule(&plane, DATAPLANE_RULE_DROP, false);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "2001:db8::3", plain), XDP_DROP);
	after = plane_counters(&plane);
	delta = plane_delta(&before, &after);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_KNOWN].packets, 0);
	plane_close(&plane);
}

Test(known, pass_beyond_a_limit)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");
	struct dataplane_counters before, after, delta;

	plane.header->clock_ns = 1000000000;
	set_rule(&plane, DATAPLANE_RULE_LIMIT, true);
	before = plane_counters(&plane);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_PASS);
	cr_expect_eq(run_from(&plane, "198.51.100.8", plain), XDP_DROP);
	after = plane_counters(&plane);
	delta = plane_delta(&before, &after);
	/* The first two were within the limit, so nobody asked who it was. */
	cr_expect_eq(delta.reason[DATAPLANE_REASON_KNOWN].packets, 3);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_RATE_LIMITED].packets, 1);
	plane_close(&plane);
}

Test(known, are_dropped_if_blocked_all_the_same)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	plane_block(&plane, "198.51.100.7", 0);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_DROP);
	plane_close(&plane);
}

Test(known, are_no_would_drop_in_observe_mode)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");
	struct dataplane_counters before, after, delta;

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	plane.dp->ops->enforce_set(plane.dp, false);
	before = plane_counters(&plane);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_PASS);
	cr_expect_eq(run_from(&plane, "198.51.100.8", plain), XDP_PASS);
	after = plane_counters(&plane);
	delta = plane_delta(&before, &after);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_KNOWN].packets, 1);
	cr_expect_eq(delta.reason[DATAPLANE_REASON_WOULD_DROP].packets, 1);
	plane_close(&plane);
}

Test(known, are_replaced_as_a_whole_and_outlive_the_daemon)
{
	struct plane plane = open_with("198.51.100.7", "2001:db8::3");
	struct dataplane_live_options options = plane_options();
	const struct sluice_key next = plane_key("203.0.113.1");
	struct sluice_key odd[] = { plane_key("0.0.0.0"), plane_key("192.0.2.0/24"), next };

	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	/* Two in a row, with no window in between. */
	set_known(&plane, &next, 1, 0);
	set_known(&plane, odd, 3, 2);
	cr_expect_eq(run_from(&plane, "203.0.113.1", plain), XDP_PASS);
	cr_expect_eq(run_from(&plane, "0.0.0.0", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "192.0.2.0", plain), XDP_DROP);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_DROP);
	plane_close(&plane);
	options.max_known = N_MANY; /* What is pinned keeps its size. */
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_expect_eq(run_from(&plane, "203.0.113.1", plain), XDP_PASS);
	cr_expect_eq(run_from(&plane, "198.51.100.7", plain), XDP_DROP);
	set_known(&plane, NULL, 0, 0);
	cr_expect_eq(run_from(&plane, "203.0.113.1", plain), XDP_DROP);
	plane_close(&plane);
}

static struct sluice_key random_key(struct random *random, bool v6)
{
	struct sluice_key key = plane_key(v6 ? "2001:db8::1" : "1.0.0.1");
	uint64_t bits = random_next(random);

	if (v6)
		memcpy(key.addr + 8, &bits, 8);
	else
		memcpy(key.addr + 1, &bits, 3);
	return key;
}

/* As many as there is room for: all of them are found, and of as many others nobody. */
static void check_many(bool v6)
{
	struct dataplane_live_options options = plane_options();
	struct sluice_key *keys = calloc(N_MANY, sizeof(*keys));
	struct random random = { 20261126 };
	static struct frame frame;
	struct plane plane;

	cr_assert(keys);
	options.max_known = N_MANY;
	plane = plane_open(&options);
	for (uint32_t i = 0; i < N_MANY; i++) {
		keys[i] = random_key(&random, v6);
		/* The known ones are odd, and all others even. */
		keys[i].addr[v6 ? 15 : 3] |= 1;
	}
	set_known(&plane, keys, N_MANY, 0);
	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	for (uint32_t i = 0; i < N_MANY; i += 3) {
		struct sluice_key other = random_key(&random, v6);

		frame_from(&frame, &keys[i], plain);
		cr_assert_eq(plane_run(&plane, &frame, 1), XDP_PASS, "%u", i);
		other.addr[v6 ? 15 : 3] &= 0xfe;
		frame_from(&frame, &other, plain);
		cr_assert_eq(plane_run(&plane, &frame, 1), XDP_DROP, "%u", i);
	}
	plane_close(&plane);
	free(keys);
}

Test(known, many_of_ipv4)
{
	check_many(false);
}

Test(known, many_of_ipv6)
{
	check_many(true);
}

Test(known, beyond_the_room_the_first_stay)
{
	struct dataplane_live_options options = plane_options();
	struct sluice_key *keys = calloc(N_MANY, sizeof(*keys));
	struct random random = { 4 };
	struct plane plane = plane_open(&options);
	int left_out;

	cr_assert(keys);
	for (uint32_t i = 0; i < N_MANY; i++)
		keys[i] = random_key(&random, false);
	left_out = plane.dp->ops->known_set(plane.dp, keys, N_MANY, NULL);
	cr_assert_gt(left_out, 0);
	cr_assert_eq(plane.dp->occupancy.known, N_MANY - (uint32_t)left_out);
	set_rule(&plane, DATAPLANE_RULE_DROP, true);
	for (uint32_t i = 0; i < 256; i++) {
		static struct frame frame;

		frame_from(&frame, &keys[i], plain);
		cr_assert_eq(plane_run(&plane, &frame, 1), XDP_PASS, "%u", i);
	}
	plane_close(&plane);
	free(keys);
}
