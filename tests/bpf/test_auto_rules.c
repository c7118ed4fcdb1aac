// SPDX-License-Identifier: BSD-2-Clause
/* Rules that detectors asked for, in pinned memory: the next daemon finds them, or they lapse. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <netinet/in.h>

#include "plane.h"

TestSuite(auto_rules, .init = plane_isolate, .timeout = 120);

static struct dataplane_rule udp_rule(const char *name, bool is_automatic)
{
	struct dataplane_rule rule = {
		.match.size = sizeof(struct sluice_rule_match),
		.match.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TTL,
		.match.family = SLUICE_FAMILY_IPV4,
		.match.protocol = IPPROTO_UDP,
		.match.ttl = { 1, 255 },
		.match.payload_size = 1,
		.match.payload_offset = 1,
		.match.payload_mask = { 0 },
		.is_automatic = is_automatic,
	};

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	if (!is_automatic)
		return rule;
	rule.first_seen_ns = 11;
	rule.expires_ns = 22;
	rule.pps = 33;
	rule.repeats = 4;
	rule.exempts_known = true;
	strcpy(rule.origin, "entropy");
	strcpy(rule.reason, "flood");
	return rule;
}

static void set_rules(const struct plane *plane, const struct dataplane_rule *rules, size_t n)
{
	struct sluice_err err = { 0 };

	cr_assert_eq(plane->dp->ops->rules_set(plane->dp, rules, n, &err), 0, "%s", err.text);
}

struct heirs {
	struct dataplane_rule rules[8];
	size_t n;
};

static void inherit(void *ctx, const struct dataplane_rule *rule)
{
	struct heirs *heirs = ctx;

	cr_assert_lt(heirs->n, 8);
	heirs->rules[heirs->n++] = *rule;
}

static uint32_t send_udp(const struct plane *plane, uint32_t repeat)
{
	const struct frame_recipe recipe = { .family = 4, .protocol = IPPROTO_UDP };
	const uint8_t source[4] = { 198, 51, 100, 7 };
	static struct frame frame;

	frame_build(&frame, &recipe, source);
	return plane_run(plane, &frame, repeat);
}

Test(auto_rules, the_next_daemon_finds_what_was_stated)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	const struct dataplane_rule rules[2] = { udp_rule("by-hand", false),
						 udp_rule("flood.7", true) };
	struct heirs heirs = { .n = 0 };

	set_rules(&plane, rules, 2);
	plane_close(&plane);
	plane = plane_open(&options);
	plane.dp->ops->rules_inherit(plane.dp, inherit, &heirs);
	cr_assert_eq(heirs.n, 1);
	cr_expect_eq(memcmp(&heirs.rules[0], &rules[1], sizeof(rules[1])), 0);
	/* Out of force, they are forgotten. */
	set_rules(&plane, rules, 1);
	heirs.n = 0;
	plane.dp->ops->rules_inherit(plane.dp, inherit, &heirs);
	cr_expect_eq(heirs.n, 0);
	plane_close(&plane);
}

Test(auto_rules, damaged_ones_are_not_taken)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	const struct dataplane_rule rule = udp_rule("flood.7", true);
	struct heirs heirs = { .n = 0 };

	set_rules(&plane, &rule, 1);
	plane_close(&plane);
	plane_fill_map("sluice_rule_names", 0xa5);
	plane = plane_open(&options);
	plane.dp->ops->rules_inherit(plane.dp, inherit, &heirs);
	cr_expect_eq(heirs.n, 0);
	plane_close(&plane);
}

Test(auto_rules, they_lapse_with_the_daemon_and_the_files_do_not)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("flood.7", true);

	set_rules(&plane, &rule, 1);
	cr_assert_eq(send_udp(&plane, 1), XDP_DROP);
	/* The daemon has been gone for long: its time is over at the next look at the clock. */
	plane.header->expires_ns = 1;
	(void)send_udp(&plane, 32);
	cr_expect_eq(plane.header->expired, 1);
	cr_expect_eq(send_udp(&plane, 1), XDP_PASS);
	plane.header->expired = 0;
	plane.header->expires_ns = 0;
	cr_expect_eq(send_udp(&plane, 64), XDP_DROP);
	/* A rule of the file. */
	rule = udp_rule("by-hand", false);
	set_rules(&plane, &rule, 1);
	plane.header->expired = 1;
	cr_expect_eq(send_udp(&plane, 64), XDP_DROP);
	plane_close(&plane);
}

Test(auto_rules, automatic_ones_come_last)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	const struct dataplane_rule rules[2] = { udp_rule("flood.7", true),
						 udp_rule("by-hand", false) };

	cr_expect_eq(plane.dp->ops->rules_set(plane.dp, rules, 2, NULL), -EINVAL);
	plane_close(&plane);
}
