// SPDX-License-Identifier: BSD-2-Clause
/* The data plane that packets are replayed through: it judges as the live one does, on its own clock. */
#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "dataplane/replay.h"
#include "plane.h"
#include "support/random.h"
#include "trial/ends.h"

#define SECOND 1000000000ull

TestSuite(replay, .init = plane_isolate);

static struct dataplane *open_replay(const struct dataplane_replay_options *options)
{
	struct dataplane *dp = NULL;
	struct sluice_err err = { 0 };
	int code = dataplane_replay_open(options, &dp, &err);

	cr_assert_eq(code, 0, "open: %d: %s %s", code, err.path, err.text);
	return dp;
}

static struct dataplane_replay_options usual_options(void)
{
	return (struct dataplane_replay_options){ .plane = plane_options(), .seed = 7 };
}

static void block(struct dataplane *dp, const char *text)
{
	struct sluice_key key = plane_key(text);
	struct dataplane_block_record record = plane_record(&key, 0);
	struct sluice_err err = { 0 };
	dataplane_slot slot;
	int code = dp->ops->block(dp, &record, &slot, &err);

	cr_assert_eq(code, 0, "%s: %d: %s", text, code, err.text);
}

static const struct dataplane_rule rules[] = {
	{ .name = "to-snmp",
	  .match.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_LENGTH,
	  .match.protocol = IPPROTO_UDP,
	  .match.length = { 0, 40 },
	  .action = DATAPLANE_RULE_DROP,
	  .origin = "config" },
	{ .name = "tcp-syn",
	  .match.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TCP_FLAGS,
	  .match.protocol = IPPROTO_TCP,
	  .match.tcp_value = 0x02,
	  .match.tcp_mask = 0x12,
	  .action = DATAPLANE_RULE_DROP,
	  .origin = "config" },
	{ .name = "icmp",
	  .match.fields = SLUICE_RULE_PROTOCOL,
	  .match.protocol = IPPROTO_ICMP,
	  .action = DATAPLANE_RULE_LIMIT,
	  .rate = 10,
	  .burst = 10,
	  .origin = "config" },
};

/* Some blocks, a prefix, one of our own addresses and rules. */
static void furnish(struct dataplane *dp)
{
	const struct sluice_key prefix = plane_key("10.3.0.0/16"), own = plane_key("10.2.0.1");
	struct sluice_err err = { 0 };

	for (unsigned int i = 0; i < 32; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.1.0.%u", i * 2);
		block(dp, text);
		snprintf(text, sizeof(text), "2001:db8:0:%x::/64", i * 2);
		block(dp, text);
	}
	cr_assert_eq(dp->ops->prefix_set(dp, &prefix, 0, &err), 0, "%s", err.text);
	cr_assert_eq(dp->ops->own_set(dp, &own, 1, &err), 0, "%s", err.text);
	cr_assert_eq(dp->ops->rules_set(dp, rules, 2, &err), 0, "%s", err.text);
}

/* Of all kinds that the filter tells apart. */
static void random_frame(struct random *random, struct frame *frame)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	uint8_t source4[4] = { 10, (uint8_t)random_below(random, 5), 0,
			       (uint8_t)random_below(random, 64) };
	uint8_t source6[16] = { 0x20, 0x01, 0x0d, 0xb8, [7] = (uint8_t)random_below(random, 64) };
	bool v6 = random_below(random, 3) == 0;
	struct frame_recipe recipe = {
		.family = v6 ? 6 : 4,
		.protocol = protocols[random_below(random, 3)],
		.tcp_flags = (uint8_t)random_below(random, 64),
		.payload = (uint16_t)(1 + random_below(random, 60)),
		.length_change = random_below(random, 16) == 0 ? 100 : 0,
	};

	if (random_below(random, 32) == 0)
		recipe = (struct frame_recipe){ .family = 0, .ethertype = 0x0806 };
	frame_build(frame, &recipe, v6 ? source6 : source4);
}

/* The reason that live counters give for one frame. */
static enum dataplane_reason live_reason(const struct plane *plane, const struct frame *frame)
{
	struct dataplane_counters before = plane_counters(plane), after, delta;

	plane_run(plane, frame, 1);
	after = plane_counters(plane);
	delta = plane_delta(&before, &after);
	for (int i = 0; i < DATAPLANE_N_REASONS; i++)
		if (delta.reason[i].packets)
			return i;
	cr_assert_fail("no reason");
	return 0;
}

Test(replay, judges_as_live)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_replay_options replay = usual_options();
	struct dataplane *dp = open_replay(&replay);
	struct random random = { 1 };
	unsigned int seen[DATAPLANE_N_REASONS] = { 0 };
	static struct frame frame;

	furnish(plane.dp);
	furnish(dp);
	for (uint64_t i = 1; i <= 20000; i++) {
		struct dataplane_replay_verdict verdict;
		enum dataplane_reason reason;

		random_frame(&random, &frame);
		reason = live_reason(&plane, &frame);
		cr_assert_eq(dataplane_replay_packet(dp, i, frame.data, frame.size, &verdict), 0);
		cr_assert_eq(verdict.drop, dataplane_reason_is_drop(reason), "%lu: %s", i,
			     dataplane_reason_name(reason));
		if (verdict.drop)
			cr_assert_eq(verdict.reason, reason, "%lu: %s, live %s", i,
				     dataplane_reason_name(verdict.reason),
				     dataplane_reason_name(reason));
		cr_assert_eq(verdict.rule != NULL, reason == DATAPLANE_REASON_RULE);
		if (verdict.rule)
			cr_assert_str_eq(
				verdict.rule->name,
				frame.data[frame.network +
					   (frame.data[frame.network] >> 4 == 4 ? 9 : 6)] ==
						IPPROTO_UDP
					? "to-snmp"
					: "tcp-syn");
		seen[reason]++;
	}
	static const enum dataplane_reason wanted[] = {
		DATAPLANE_REASON_PASS,		 DATAPLANE_REASON_BLOCKED,
		DATAPLANE_REASON_BLOCKED_PREFIX, DATAPLANE_REASON_SPOOFED_OWN,
		DATAPLANE_REASON_MALFORMED,	 DATAPLANE_REASON_RULE,
		DATAPLANE_REASON_NOT_IP,
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		cr_assert_gt(seen[wanted[i]], 20, "%s", dataplane_reason_name(wanted[i]));
	dataplane_close(dp);
	plane_close(&plane);
}

Test(replay, observe_mode_lets_through_and_says_so)
{
	struct dataplane_replay_options options = usual_options();
	struct frame_recipe recipe = { .family = 4, .protocol = IPPROTO_UDP };
	struct dataplane_replay_verdict verdict;
	struct dataplane *dp;
	static struct frame frame;

	options.plane.enforce = false;
	dp = open_replay(&options);
	block(dp, "10.1.0.2");
	frame_build(&frame, &recipe, (const uint8_t[]){ 10, 1, 0, 2 });
	cr_assert_eq(dataplane_replay_packet(dp, 1, frame.data, frame.size, &verdict), 0);
	cr_assert(!verdict.drop && verdict.would_drop);
	frame_build(&frame, &recipe, (const uint8_t[]){ 10, 1, 0, 3 });
	cr_assert_eq(dataplane_replay_packet(dp, 2, frame.data, frame.size, &verdict), 0);
	cr_assert(!verdict.drop && !verdict.would_drop);
	dataplane_close(dp);
}

/* A limit of 10 a second: what passes is a matter of the time that the caller tells. */
Test(replay, limits_go_by_the_virtual_clock)
{
	struct dataplane_replay_options options = usual_options();
	struct frame_recipe recipe = { .family = 4, .protocol = IPPROTO_ICMP };
	struct dataplane *dp = open_replay(&options);
	struct sluice_err err = { 0 };
	unsigned int passed = 0;
	static struct frame frame;

	cr_assert_eq(dp->ops->rules_set(dp, rules, 3, &err), 0, "%s", err.text);
	frame_build(&frame, &recipe, (const uint8_t[]){ 10, 9, 0, 2 });
	/* A hundred a second for an hour. */
	for (uint64_t i = 0; i < 3600 * 100; i++) {
		struct dataplane_replay_verdict verdict;

		cr_assert_eq(dataplane_replay_packet(dp, SECOND + i * (SECOND / 100), frame.data,
						     frame.size, &verdict),
			     0);
		passed += !verdict.drop;
		if (verdict.drop) {
			cr_assert_eq(verdict.reason, DATAPLANE_REASON_RATE_LIMITED);
			cr_assert_not_null(verdict.rule);
			cr_assert_str_eq(verdict.rule->name, "icmp");
		}
	}
	cr_assert(passed >= 36000 && passed <= 36011, "%u", passed);
	dataplane_close(dp);
}

static void take_spoken(void *ctx, const struct dataplane_spoken *spoken)
{
	*(struct dataplane_spoken *)ctx = *spoken;
}

/* By the virtual clock, and only what the program at tc takes for a first word. */
Test(replay, whom_the_host_spoke_to_first_is_known_at_once)
{
	static const struct dataplane_spoken_terms terms = { .keep_ns = 60 * SECOND };
	static const uint8_t peer[4] = { 198, 51, 100, 7 };
	struct dataplane_replay_options options = usual_options();
	struct frame_recipe recipe = { .family = 4, .protocol = IPPROTO_UDP };
	struct dataplane_replay_verdict verdict;
	struct dataplane_spoken spoken = { 0 };
	static struct frame in, out;
	struct dataplane *dp;
	struct dataplane_rule rule = rules[0];

	options.plane.egress = DATAPLANE_EGRESS_CLSACT;
	options.plane.max_known = 64;
	dp = open_replay(&options);
	rule.match.fields = SLUICE_RULE_PROTOCOL;
	rule.exempts_known = true;
	cr_assert_eq(dp->ops->rules_set(dp, &rule, 1, NULL), 0);
	frame_build(&in, &recipe, peer);
	out = in;
	memcpy(out.data + out.network + 12, (const uint8_t[]){ 192, 0, 2, 1 }, 4);
	memcpy(out.data + out.network + 16, peer, 4);
	cr_assert_eq(dataplane_replay_packet(dp, 100 * SECOND, in.data, in.size, &verdict), 0);
	cr_expect(verdict.drop);
	cr_assert_eq(dp->ops->spoken_read(dp, &terms, take_spoken, &spoken, NULL), 0);
	cr_expect_eq(spoken.first_ns, 0, "nobody yet");
	cr_assert_eq(dataplane_replay_sent(dp, 101 * SECOND, out.data, out.size), 0);
	cr_assert_eq(dataplane_replay_packet(dp, 102 * SECOND, in.data, in.size, &verdict), 0);
	cr_expect_not(verdict.drop);
	cr_assert_eq(dp->ops->spoken_read(dp, &terms, take_spoken, &spoken, NULL), 0);
	cr_expect_eq(spoken.first_ns, 101 * SECOND);
	cr_expect_eq(memcmp(spoken.key.addr, peer, 4), 0);
	/* It is told again, though nothing has happened since. */
	spoken = (struct dataplane_spoken){ 0 };
	cr_assert_eq(dp->ops->spoken_read(dp, &terms, take_spoken, &spoken, NULL), 0);
	cr_expect_eq(spoken.first_ns, 101 * SECOND);
	/* Silent for longer, it is forgotten; who spoke to us first since is only replied to. */
	cr_assert_eq(dataplane_replay_delivered(dp, 170 * SECOND, in.data, in.size), 0);
	spoken = (struct dataplane_spoken){ 0 };
	cr_assert_eq(dp->ops->spoken_read(dp, &terms, take_spoken, &spoken, NULL), 0);
	cr_expect_eq(spoken.first_ns, 0);
	cr_assert_eq(dataplane_replay_sent(dp, 171 * SECOND, out.data, out.size), 0);
	cr_assert_eq(dataplane_replay_packet(dp, 172 * SECOND, in.data, in.size, &verdict), 0);
	cr_expect(verdict.drop);
	dataplane_close(dp);
}

/* A frame of anything but TCP, from a sender that no other has. */
static void strange_frame(struct random *random, struct frame *frame, uint32_t number)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_UDP, IPPROTO_ICMP, 47 };
	static const uint16_t fragments[] = { 0, 0, 0x2000, 185 };
	static const uint8_t extensions[] = { 0, 0, 1, FRAME_FRAGMENT_FIRST, FRAME_FRAGMENT_LATER };
	bool v6 = random_below(random, 2);
	struct frame_recipe recipe = {
		.family = v6 ? 6 : 4,
		.protocol = protocols[random_below(random, 4)],
		.option_words = random_below(random, 4) == 0,
		.fragment = fragments[random_below(random, 4)],
		.extensions = { extensions[random_below(random, 5)] },
	};
	uint8_t source[16] = { v6 ? 0x20 : 11, 1 };

	if (v6 && recipe.protocol == IPPROTO_ICMP)
		recipe.protocol = IPPROTO_ICMPV6;
	if (random_below(random, 4) == 0)
		recipe.vlans[0] = 0x8100;
	source[2] = (uint8_t)(number >> 8);
	source[3] = (uint8_t)number;
	frame_build(frame, &recipe, source);
}

/* A sender is known again by just what the program at tc has noted of it. */
Test(replay, who_was_heard_need_not_be_shown_again)
{
	struct dataplane_replay_options options = usual_options();
	struct random random = { 5 };
	static struct frame frame;
	unsigned int n_heard = 0;
	struct dataplane *dp;

	options.plane.egress = DATAPLANE_EGRESS_CLSACT;
	options.plane.max_known = 1000;
	dp = open_replay(&options);
	for (uint32_t i = 1; i <= 4000; i++) {
		struct sluice_key source;
		const uint8_t *ports;
		struct ends ends;

		strange_frame(&random, &frame, i);
		cr_assert(ends_read(frame.data, frame.size, &ends));
		source = ends_source(&ends);
		if (!ends_speech(&ends, &ports))
			continue;
		cr_expect_not(dataplane_replay_has_heard(dp, &source, ports), "%u", i);
		cr_assert_eq(dataplane_replay_delivered(dp, SECOND, frame.data, frame.size), 0);
		cr_expect(dataplane_replay_has_heard(dp, &source, ports), "%u", i);
		n_heard++;
		if (!ports)
			continue;
		cr_expect(dataplane_replay_has_heard(dp, &source, NULL), "%u", i);
		cr_expect_not(dataplane_replay_has_heard(dp, &source, (uint8_t[]){ 9, 9, 9, 9 }));
	}
	cr_expect_gt(n_heard, 1500);
	dataplane_close(dp);
}

/* What one run of the same frames leaves: the samples it drew, among others. */
static uint64_t fingerprint(uint64_t seed)
{
	struct dataplane_replay_options options = usual_options();
	struct random random = { 2 };
	struct dataplane_swap swap;
	struct dataplane_features_read read;
	struct sluice_err err = { 0 };
	uint64_t sum = 0;
	struct dataplane *dp;
	static struct frame frame;

	options.seed = seed;
	options.plane.features = (struct dataplane_features){
		.loaded = DATAPLANE_FEATURE_SAMPLE | DATAPLANE_FEATURE_DESTINATION,
		.max_destinations = 100,
		.samples_per_window = 50,
	};
	dp = open_replay(&options);
	for (uint64_t window = 0; window < 3; window++) {
		for (uint64_t i = 1; i <= 1000; i++) {
			struct dataplane_replay_verdict verdict;

			random_frame(&random, &frame);
			cr_assert_eq(dataplane_replay_packet(dp, window * SECOND + i, frame.data,
							     frame.size, &verdict),
				     0);
		}
		cr_assert_eq(dp->ops->swap(dp, &swap, &err), 0, "%s", err.text);
	}
	dp->ops->features_read(dp, &read);
	cr_assert(read.n_samples > 20 && read.n_samples <= 50, "%zu", read.n_samples);
	for (size_t i = 0; i < read.n_samples; i++) {
		/* Of the last window, by the clock it was given. */
		cr_assert(read.samples[i].time_ns > 2 * SECOND &&
			  read.samples[i].time_ns <= 2 * SECOND + 1000);
		sum = sum * 31 + read.samples[i].time_ns;
	}
	dataplane_close(dp);
	return sum;
}

Test(replay, draws_the_same_samples_for_the_same_seed)
{
	uint64_t first = fingerprint(1);

	cr_assert_eq(fingerprint(1), first);
	cr_assert_neq(fingerprint(2), first);
}

struct seen {
	unsigned int blocked, prefixes, rule_sets;
	size_t n_rules;
};

static void see_block(void *ctx, const struct dataplane_block_record *record)
{
	struct seen *seen = ctx;

	cr_assert_str_eq(record->detector, "threshold");
	seen->blocked++;
}

static void see_prefix(void *ctx, const struct sluice_key *prefix)
{
	struct seen *seen = ctx;

	cr_assert_eq(prefix->prefix_len, 16);
	seen->prefixes++;
}

static void see_rules(void *ctx, const struct dataplane_rule *set, size_t n)
{
	struct seen *seen = ctx;

	cr_assert_str_eq(set[0].name, "to-snmp");
	seen->rule_sets++;
	seen->n_rules = n;
}

Test(replay, tells_what_is_enforced)
{
	struct dataplane_replay_options options = usual_options();
	struct seen seen = { 0 };
	struct dataplane *dp;

	options.observer =
		(struct dataplane_replay_observer){ see_block, see_prefix, see_rules, &seen };
	dp = open_replay(&options);
	furnish(dp);
	cr_assert_eq(seen.blocked, 64);
	cr_assert_eq(seen.prefixes, 1);
	cr_assert_eq(seen.rule_sets, 1);
	cr_assert_eq(seen.n_rules, 2);
	dataplane_close(dp);
}

/* Frames that the kernel does not take are refused, not counted; the longest one passes. */
Test(replay, takes_frames_of_any_length)
{
	struct dataplane_replay_options options = usual_options();
	struct dataplane *dp = open_replay(&options);
	static uint8_t longest[DATAPLANE_REPLAY_FRAME_MAX] = { [12] = 0x08 };
	struct dataplane_replay_verdict verdict;

	cr_assert_eq(dataplane_replay_packet(dp, 1, longest, 13, &verdict), -EINVAL);
	for (size_t size = DATAPLANE_REPLAY_FRAME_MIN; size < 200; size++)
		cr_assert_eq(dataplane_replay_packet(dp, 1, longest, size, &verdict), 0, "%zu",
			     size);
	cr_assert_eq(dataplane_replay_packet(dp, 1, longest, sizeof(longest), &verdict), 0);
	dataplane_close(dp);
}

Test(replay, gives_the_thread_its_cpus_back)
{
	struct dataplane_replay_options options = usual_options();
	cpu_set_t before, during, after;

	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	struct dataplane *dp = open_replay(&options);

	cr_assert_eq(sched_getaffinity(0, sizeof(during), &during), 0);
	cr_assert_eq(CPU_COUNT(&during), 1);
	dataplane_close(dp);
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_assert(CPU_EQUAL(&before, &after));
}
