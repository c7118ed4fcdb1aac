// SPDX-License-Identifier: BSD-2-Clause
/* Signature rules in the filter: against a plain model, and what becomes of counters and limits. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/bpf.h>
#include <netinet/in.h>

#include "plane.h"
#include "rule_packet.h"

#define N_SETS 32
#define N_FRAMES 8192
#define N_RULES DATAPLANE_MAX_RULES

TestSuite(rules, .init = plane_isolate, .timeout = 250);

static void set_rules(const struct plane *plane, const struct dataplane_rule *rules, size_t n)
{
	struct sluice_err err = { 0 };
	int code = plane->dp->ops->rules_set(plane->dp, rules, n, &err);

	cr_assert_eq(code, 0, "rules_set: %d: %s %s", code, err.path, err.text);
}

struct reading {
	struct dataplane_rule_counters rules[N_RULES];
	size_t n;
};

static void take(void *ctx, const struct dataplane_rule_counters *counters)
{
	struct reading *reading = ctx;

	cr_assert_lt(reading->n, N_RULES);
	reading->rules[reading->n++] = *counters;
}

static struct reading *read_rules(const struct plane *plane)
{
	static struct reading reading;

	memset(&reading, 0, sizeof(reading));
	plane->dp->ops->rules_read(plane->dp, take, &reading);
	return &reading;
}

/* What a set of rules has done, by the model; the clock stands, so limits are their bursts. */
struct model_rules {
	struct dataplane_rule rule[N_RULES];
	struct dataplane_rule_counters counters[N_RULES];
};

static bool model_drops(struct model_rules *model, int i, uint64_t bytes)
{
	struct dataplane_rule_counters *counters = &model->counters[i];
	const struct dataplane_rule *rule = &model->rule[i];
	uint64_t passed = counters->packets - counters->dropped_packets;
	bool drops = rule->action == DATAPLANE_RULE_DROP ||
		     (rule->action == DATAPLANE_RULE_LIMIT && passed >= rule->burst);

	counters->packets++;
	counters->bytes += bytes;
	counters->dropped_packets += drops;
	counters->dropped_bytes += drops ? bytes : 0;
	return drops;
}

static void compare_counters(const struct model_rules *model, const struct reading *reading)
{
	cr_assert_eq(reading->n, N_RULES);
	for (size_t i = 0; i < N_RULES; i++) {
		const struct dataplane_rule_counters *want = &model->counters[i];
		const struct dataplane_rule_counters *got = &reading->rules[i];

		cr_assert_str_eq(got->name, model->rule[i].name);
		cr_assert_eq(got->action, model->rule[i].action);
		cr_assert_eq(got->packets, want->packets, "%s", got->name);
		cr_assert_eq(got->bytes, want->bytes, "%s", got->name);
		cr_assert_eq(got->dropped_packets, want->dropped_packets, "%s", got->name);
		cr_assert_eq(got->dropped_bytes, want->dropped_bytes, "%s", got->name);
	}
}

static unsigned int run_set(const struct plane *plane, struct random *random,
			    struct model_rules *model)
{
	unsigned int n_matched = 0;

	for (int i = 0; i < N_FRAMES; i++) {
		struct rule_model_packet packet;
		static struct frame frame;

		rule_packet_random(random, &frame);
		rule_packet_read(&frame, &packet);
		int rule = rule_model_first(model->rule, N_RULES, &packet);
		uint32_t want = XDP_PASS;

		if (rule >= 0 && model_drops(model, rule, frame.size))
			want = XDP_DROP;
		n_matched += rule >= 0;
		uint32_t got = plane_run(plane, &frame, 1);

		if (got != want)
			cr_assert_fail("frame %d, rule %d: verdict %u, not %u", i, rule, got, want);
	}
	return n_matched;
}

Test(rules, agree_with_the_model)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct random random = { (uint64_t)time(NULL) };
	static struct model_rules model;
	unsigned int n_matched = 0;

	printf("seed %llu\n", (unsigned long long)random.state);
	plane.header->clock_ns = 1000000000;
	for (int set = 0; set < N_SETS; set++) {
		/* Without rules in between, their names and counters are gone. */
		set_rules(&plane, NULL, 0);
		memset(&model, 0, sizeof(model));
		rule_model_random_rules(&random, model.rule, N_RULES);
		set_rules(&plane, model.rule, N_RULES);
		n_matched += run_set(&plane, &random, &model);
		compare_counters(&model, read_rules(&plane));
	}
	cr_assert_gt(n_matched, N_SETS * N_FRAMES / 20);
	cr_assert_lt(n_matched, N_SETS * N_FRAMES);
	plane_close(&plane);
}

static void udp_frame(struct frame *frame, const char *source)
{
	const struct frame_recipe recipe = { .family = strchr(source, ':') ? 6 : 4,
					     .protocol = IPPROTO_UDP };
	struct sluice_key key = plane_key(source);

	frame_build(frame, &recipe, key.addr);
}

static struct dataplane_rule udp_rule(const char *name, enum dataplane_rule_action action)
{
	struct dataplane_rule rule = {
		.match.fields = SLUICE_RULE_PROTOCOL,
		.match.protocol = IPPROTO_UDP,
		.action = action,
		.rate = 1000,
		.burst = 10,
	};

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	return rule;
}

static uint64_t passes(const struct plane *plane, const struct frame *frame, int n)
{
	uint64_t passed = 0;

	for (int i = 0; i < n; i++)
		passed += plane_run(plane, frame, 1) == XDP_PASS;
	return passed;
}

Test(rules, a_limit_keeps_its_rate_and_its_burst)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("limit", DATAPLANE_RULE_LIMIT);
	struct dataplane_counters before = plane_counters(&plane);
	static struct frame frame;

	udp_frame(&frame, "198.51.100.7");
	plane.header->clock_ns = 5000000000;
	set_rules(&plane, &rule, 1);
	cr_assert_eq(passes(&plane, &frame, 30), 10);
	/* 1000 a second is one a millisecond, and not one sooner. */
	plane.header->clock_ns += 999000;
	cr_assert_eq(passes(&plane, &frame, 5), 0);
	plane.header->clock_ns += 1000;
	cr_assert_eq(passes(&plane, &frame, 5), 1);
	plane.header->clock_ns += 5000000;
	cr_assert_eq(passes(&plane, &frame, 30), 5);
	/* However long it rests, its depth is all that it gathers. */
	plane.header->clock_ns += 3600000000000;
	cr_assert_eq(passes(&plane, &frame, 30), 10);

	struct dataplane_counters after = plane_counters(&plane);
	struct dataplane_counters delta = plane_delta(&before, &after);

	cr_assert_eq(delta.reason[DATAPLANE_REASON_RATE_LIMITED].packets, 100 - 26);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].packets, 26);
	plane_close(&plane);
}

/* What is told of a limit is what it then lets pass. */
Test(rules, a_limit_tells_what_is_left)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rules[2] = { udp_rule("limit", DATAPLANE_RULE_LIMIT),
					   udp_rule("other", DATAPLANE_RULE_DROP) };
	static struct frame frame;

	udp_frame(&frame, "198.51.100.7");
	strcpy(rules[0].origin, "entropy");
	plane.header->clock_ns = 5000000000;
	set_rules(&plane, rules, 2);
	cr_assert_eq(read_rules(&plane)->rules[0].tokens, 10);
	cr_assert_eq(passes(&plane, &frame, 6), 6);
	cr_assert_eq(read_rules(&plane)->rules[0].tokens, 4);
	plane.header->clock_ns += 2500000;
	cr_assert_eq(read_rules(&plane)->rules[0].tokens, 6);
	cr_assert_eq(passes(&plane, &frame, 9), 6);
	cr_assert_eq(read_rules(&plane)->rules[0].tokens, 0);
	const struct dataplane_rule *rule = read_rules(&plane)->rules[0].rule;

	cr_assert_not_null(rule);
	cr_assert_eq(memcmp(rule, &rules[0], sizeof(*rule)), 0);
	cr_assert_eq(read_rules(&plane)->rules[1].tokens, 0);
	plane_close(&plane);
	/* A new daemon knows only what is pinned, until it sets its own. */
	plane = plane_open(&options);
	cr_assert_eq(read_rules(&plane)->n, 2);
	cr_assert_str_eq(read_rules(&plane)->rules[0].name, "limit");
	cr_assert_null(read_rules(&plane)->rules[0].rule);
	plane_close(&plane);
}

Test(rules, a_limit_may_count_bytes)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("bytes", DATAPLANE_RULE_LIMIT);
	static struct frame frame;

	udp_frame(&frame, "198.51.100.7");
	rule.is_by_byte = true;
	rule.rate = 1000000;
	rule.burst = frame.size * 7 + 3;
	plane.header->clock_ns = 5000000000;
	set_rules(&plane, &rule, 1);
	cr_assert_eq(read_rules(&plane)->rules[0].tokens, rule.burst);
	cr_assert_eq(passes(&plane, &frame, 20), 7);
	cr_assert_leq(read_rules(&plane)->rules[0].tokens, 3);
	plane.header->clock_ns += frame.size * 2 * 1000;
	cr_assert_eq(passes(&plane, &frame, 20), 2);
	plane_close(&plane);
}

Test(rules, a_limit_by_source_holds_for_each_and_for_units_of_ipv6)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("each", DATAPLANE_RULE_LIMIT_SOURCE);
	static struct frame frame;

	plane.header->clock_ns = 5000000000;
	set_rules(&plane, &rule, 1);
	udp_frame(&frame, "198.51.100.7");
	cr_assert_eq(passes(&plane, &frame, 30), 10);
	udp_frame(&frame, "198.51.100.8");
	cr_assert_eq(passes(&plane, &frame, 30), 10);
	udp_frame(&frame, "2001:db8:1:1::7");
	cr_assert_eq(passes(&plane, &frame, 6), 6);
	/* The same /64. */
	udp_frame(&frame, "2001:db8:1:1:ffff::8");
	cr_assert_eq(passes(&plane, &frame, 30), 4);
	udp_frame(&frame, "2001:db8:1:2::7");
	cr_assert_eq(passes(&plane, &frame, 30), 10);
	plane.header->clock_ns += 3000000;
	udp_frame(&frame, "198.51.100.7");
	cr_assert_eq(passes(&plane, &frame, 30), 3);
	plane_close(&plane);
}

Test(rules, forged_sources_take_no_other_sources_share)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("each", DATAPLANE_RULE_LIMIT_SOURCE);
	struct random random = { 3 };
	static struct frame frame;

	plane.header->clock_ns = 5000000000;
	set_rules(&plane, &rule, 1);
	/* More sources than half the cells: three packets in two cells, on average. */
	udp_frame(&frame, "198.51.100.7");
	for (int i = 0; i < 100000; i++) {
		uint32_t source = (uint32_t)random_next(&random) | 1u << 31;

		memcpy(frame.data + frame.network + 12, &source, sizeof(source));
		plane_run(&plane, &frame, 1);
	}
	udp_frame(&frame, "198.51.100.7");
	cr_assert_geq(passes(&plane, &frame, 30), 5);
	plane_close(&plane);
}

Test(rules, counters_survive_a_change_and_a_restart)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rules[3] = { udp_rule("a", DATAPLANE_RULE_DROP),
					   udp_rule("b", DATAPLANE_RULE_DROP),
					   udp_rule("c", DATAPLANE_RULE_DROP) };
	static struct frame frame;

	udp_frame(&frame, "198.51.100.7");
	set_rules(&plane, rules, 2);
	cr_assert_eq(passes(&plane, &frame, 3), 0);
	set_rules(&plane, rules + 1, 2);
	cr_assert_eq(passes(&plane, &frame, 4), 0);
	plane_close(&plane);

	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	/* In force still, before anybody has set rules again. */
	cr_assert_eq(passes(&plane, &frame, 5), 0);
	struct dataplane_rule turned[3] = { rules[2], rules[1], rules[0] };

	set_rules(&plane, turned, 3);
	cr_assert_eq(passes(&plane, &frame, 6), 0);
	const struct reading *reading = read_rules(&plane);

	cr_assert_eq(reading->n, 3);
	cr_assert_str_eq(reading->rules[0].name, "c");
	cr_assert_eq(reading->rules[0].packets, 6);
	cr_assert_eq(reading->rules[1].packets, 9);
	cr_assert_eq(reading->rules[1].dropped_bytes, 9 * frame.size);
	/* It was gone in between. */
	cr_assert_eq(reading->rules[2].packets, 0);
	set_rules(&plane, NULL, 0);
	cr_assert_eq(passes(&plane, &frame, 3), 3);
	cr_assert_eq(read_rules(&plane)->n, 0);
	plane_close(&plane);
}

Test(rules, observe_mode_counts_and_lets_through)
{
	struct dataplane_live_options options = plane_options();
	static struct frame frame;

	options.enforce = false;
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("a", DATAPLANE_RULE_DROP);
	struct dataplane_counters before = plane_counters(&plane);

	udp_frame(&frame, "198.51.100.7");
	set_rules(&plane, &rule, 1);
	cr_assert_eq(passes(&plane, &frame, 3), 3);
	struct dataplane_counters after = plane_counters(&plane);
	struct dataplane_counters delta = plane_delta(&before, &after);

	cr_assert_eq(delta.reason[DATAPLANE_REASON_WOULD_DROP].packets, 3);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_RULE].packets, 0);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].packets, 3);
	cr_assert_eq(read_rules(&plane)->rules[0].packets, 3);
	cr_assert_eq(read_rules(&plane)->rules[0].dropped_packets, 0);
	plane_close(&plane);
}

Test(rules, allowed_sources_are_not_spared_but_exempt_ones_are)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_rule rule = udp_rule("a", DATAPLANE_RULE_DROP);
	struct dataplane_allow allow = { plane_key("198.51.100.7"), false };
	static struct frame frame;

	udp_frame(&frame, "198.51.100.7");
	set_rules(&plane, &rule, 1);
	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, &allow, 1, NULL), 0);
	cr_assert_eq(passes(&plane, &frame, 3), 0);
	allow.exempt = true;
	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, &allow, 1, NULL), 0);
	cr_assert_eq(passes(&plane, &frame, 3), 3);
	plane_close(&plane);
}

struct traffic {
	const struct plane *plane;
	const struct frame *frame;
	bool stop;
	uint64_t n_run, n_passed;
};

static void *send_on(void *ctx)
{
	struct traffic *traffic = ctx;

	while (!__atomic_load_n(&traffic->stop, __ATOMIC_ACQUIRE)) {
		traffic->n_passed += plane_run(traffic->plane, traffic->frame, 1) != XDP_DROP;
		traffic->n_run++;
	}
	return NULL;
}

/* Both sets drop the frame, each by a rule that the other has in another place. */
Test(rules, a_packet_sees_all_of_one_set)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	static struct dataplane_rule sets[2][N_RULES];
	static struct frame frame;
	struct traffic traffic = { .plane = &plane, .frame = &frame };
	pthread_t thread;

	udp_frame(&frame, "198.51.100.7");
	for (int i = 0; i < N_RULES; i++) {
		sets[0][i] = udp_rule("", i < 10 ? DATAPLANE_RULE_DROP : DATAPLANE_RULE_PASS);
		sets[1][i] = udp_rule("", i < 200 ? DATAPLANE_RULE_PASS : DATAPLANE_RULE_DROP);
		snprintf(sets[0][i].name, sizeof(sets[0][i].name), "a%d", i);
		snprintf(sets[1][i].name, sizeof(sets[1][i].name), "b%d", i);
		/* Rules that pass ask for TCP, so that only a mixture lets the frame through. */
		if (sets[0][i].action == DATAPLANE_RULE_PASS && i != 205)
			sets[0][i].match.protocol = IPPROTO_TCP;
		if (sets[1][i].action == DATAPLANE_RULE_PASS)
			sets[1][i].match.protocol = IPPROTO_TCP;
	}
	set_rules(&plane, sets[0], N_RULES);
	cr_assert_eq(pthread_create(&thread, NULL, send_on, &traffic), 0);
	for (int i = 0; i < 200; i++)
		set_rules(&plane, sets[i & 1], N_RULES);
	__atomic_store_n(&traffic.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cr_assert_gt(traffic.n_run, 1000);
	cr_assert_eq(traffic.n_passed, 0);
	plane_close(&plane);
}

/* Whatever lies in pinned memory, the filter and the reader stay within bounds. */
Test(rules, damaged_memory_is_survived)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct random random = { 11 };
	static struct dataplane_rule rules[N_RULES];
	static const char *const maps[] = { "sluice_rules", "sluice_rule_names" };
	static struct frame frame;

	rule_model_random_rules(&random, rules, N_RULES);
	set_rules(&plane, rules, N_RULES);
	plane_close(&plane);
	for (int i = 0; i < 2; i++)
		plane_fill_map(maps[i], 0xff);
	plane = plane_open(&options);
	for (int i = 0; i < 2000; i++) {
		rule_packet_random(&random, &frame);
		plane_run(&plane, &frame, 1);
	}
	/* Slots beyond all slots are no rules. */
	cr_assert_eq(read_rules(&plane)->n, 0);
	set_rules(&plane, rules, N_RULES);
	cr_assert_eq(read_rules(&plane)->n, N_RULES);
	cr_assert_str_eq(read_rules(&plane)->rules[255].name, "rule-255");
	plane_close(&plane);
}
