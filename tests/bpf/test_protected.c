// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whom no rule of a detector's may harm, on the real filter: 10,000 random packets against random
 * sets of rules as detectors ask for them.  Exempt sources and known clients always pass; a source
 * that is only allow-listed and a stranger are judged as the plain model says.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <linux/bpf.h>

#include "plane.h"
#include "rule_packet.h"

enum { N_SETS = 100, N_FRAMES = 100, N_RULES = 24 };

TestSuite(protected, .init = plane_isolate, .timeout = 250);

enum who { EXEMPT, KNOWN, ALLOWED, STRANGER, N_WHO };

/* Of each an address in both families. */
static const char *const addresses[N_WHO][2] = {
	[EXEMPT] = { "192.0.2.77", "2001:db8:e::77" },
	[KNOWN] = { "198.51.100.7", "2001:db8:1:2::3" },
	[ALLOWED] = { "203.0.113.9", "2001:db8:a::9" },
	[STRANGER] = { "198.51.100.8", "2001:db8:1:2::4" },
};

static void protect(const struct plane *plane)
{
	const struct sluice_key known[] = { plane_key(addresses[KNOWN][0]),
					    plane_key(addresses[KNOWN][1]) };
	const struct dataplane_allow allow[] = {
		{ plane_key("192.0.2.0/24"), true },
		{ plane_key("203.0.113.0/24"), false },
		{ plane_key("2001:db8:a::/48"), false },
		{ plane_key("2001:db8:e::/48"), true },
	};
	struct sluice_err err = { 0 };

	cr_assert_eq(plane->dp->ops->known_set(plane->dp, known, 2, &err), 0, "%s", err.text);
	cr_assert_eq(plane->dp->ops->allow_set(plane->dp, allow, 4, &err), 0, "%s", err.text);
}

/* As the engine makes them unless a detector takes the responsibility for known clients. */
static void propose(const struct plane *plane, struct random *random, struct dataplane_rule *rules)
{
	struct sluice_err err = { 0 };

	rule_model_random_rules(random, rules, N_RULES);
	for (int i = 0; i < N_RULES; i++) {
		rules[i].action = DATAPLANE_RULE_DROP;
		rules[i].is_automatic = true;
		rules[i].exempts_known = true;
	}
	/* Some sets leave nothing to chance. */
	if (random_below(random, 4) == 0)
		rules[N_RULES - 1].match.fields = rules[N_RULES - 1].match.payload_size =
			rules[N_RULES - 1].match.family = 0;
	cr_assert_eq(plane->dp->ops->rules_set(plane->dp, rules, N_RULES, &err), 0, "%s", err.text);
}

static void set_source(struct frame *frame, uint8_t family, enum who who)
{
	struct sluice_key key = plane_key(addresses[who][family == SLUICE_FAMILY_IPV6]);

	memcpy(frame->data + frame->network + (family == SLUICE_FAMILY_IPV6 ? 8 : 12), key.addr,
	       family == SLUICE_FAMILY_IPV6 ? 16 : 4);
}

Test(protected, no_rule_of_a_detector_harms_the_exempt_or_the_known)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct random random = { (uint64_t)time(NULL) };
	static struct dataplane_rule rules[N_RULES];
	static struct frame frame;
	unsigned int dropped[N_WHO] = { 0 }, matched[N_WHO] = { 0 };

	printf("seed %llu\n", (unsigned long long)random.state);
	protect(&plane);
	for (int i = 0; i < N_SETS * N_FRAMES; i++) {
		enum who who = (enum who)random_below(&random, N_WHO);
		struct rule_model_packet packet;
		uint32_t got, want;

		if (i % N_FRAMES == 0)
			propose(&plane, &random, rules);
		rule_packet_random(&random, &frame);
		rule_packet_read(&frame, &packet);
		set_source(&frame, packet.family, who);
		got = plane_run(&plane, &frame, 1);
		want = XDP_PASS;
		if (rule_model_first(rules, N_RULES, &packet) >= 0) {
			matched[who]++;
			want = who == STRANGER || who == ALLOWED ? XDP_DROP : XDP_PASS;
		}
		cr_assert_eq(got, want, "frame %d, source %d: verdict %u, not %u", i, who, got,
			     want);
		dropped[who] += got == XDP_DROP;
	}
	cr_expect_eq(dropped[EXEMPT], 0);
	cr_expect_eq(dropped[KNOWN], 0);
	/* They were in danger. */
	for (int who = 0; who < N_WHO; who++)
		cr_expect_gt(matched[who], N_SETS * N_FRAMES / N_WHO / 10, "%d", who);
	cr_expect_eq(dropped[STRANGER], matched[STRANGER]);
	cr_expect_eq(dropped[ALLOWED], matched[ALLOWED], "an allow-list is of sources, not rules");
	plane_close(&plane);
}
