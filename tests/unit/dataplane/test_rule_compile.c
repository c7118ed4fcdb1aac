// SPDX-License-Identifier: BSD-2-Clause
/* Compiled rules find what a walk over the rules would find; what cannot be compiled is refused. */
#include <criterion/criterion.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/rule_compile.h"
#include "rules_match.h"
#include "support/rule_model.h"

#define N_SETS 10000
#define N_PACKETS 120

static void random_packet(struct random *random, struct rule_model_packet *model)
{
	static const uint8_t protocols[] = { 1, 6, 6, 17, 17, 47, 58, 132 };

	*model = (struct rule_model_packet){
		.family = random_below(random, 2) ? SLUICE_FAMILY_IPV4 : SLUICE_FAMILY_IPV6,
		.fragment = (enum sluice_rule_fragment)(random_below(random, 3)),
		.protocol = protocols[random_below(random, sizeof(protocols))],
		.ttl = (uint8_t)random_next(random),
		.source_port = rule_model_random_port(random),
		.destination_port = rule_model_random_port(random),
		.tcp_flags = random_below(random, 4) ? (int)random_below(random, 256) : -1,
		.length = (uint32_t)random_below(random, 400),
	};
	if (random_below(random, 4) == 0)
		model->source_port = model->destination_port = -1;
	rule_model_random_destination(random, model->family, model->destination);
}

static struct rules_packet as_seen(const struct rule_model_packet *model)
{
	struct rules_packet packet = {
		.source_port = (uint32_t)model->source_port,
		.destination_port = (uint32_t)model->destination_port,
		.tcp_flags = (uint32_t)model->tcp_flags,
		.length = model->length,
		.protocol = model->protocol,
		.ttl = model->ttl,
		.kind = (uint8_t)model->fragment,
	};
	uint64_t half[2];

	memcpy(half, model->destination, sizeof(half));
	packet.destination_high = be64toh(half[0]);
	if (model->family == SLUICE_FAMILY_IPV6) {
		packet.kind |= RULES_KIND_IPV6;
		packet.destination_low = be64toh(half[1]);
	}
	return packet;
}

static int find(const struct rules_generation *rules, const struct rule_model_packet *model)
{
	struct rules_packet packet = as_seen(model);
	struct rules_bits bits;

	if (!rules_match(rules, &packet, &bits))
		return -1;
	return (int)rules_first(&bits);
}

/* Half of the sets small, where one rule's mistake is not hidden by another's match. */
static size_t random_size(struct random *random, int set)
{
	static const uint32_t most[] = { 1, 4, 16, RULES_MAX };

	if (set == 0)
		return RULES_MAX;
	return 1 + random_below(random, most[random_below(random, 4)]);
}

Test(rule_compile, agrees_with_a_walk_over_the_rules)
{
	struct random random = { (uint64_t)time(NULL) };
	struct rules_generation *compiled = malloc(sizeof(*compiled));
	static struct dataplane_rule rules[RULES_MAX];
	unsigned int n_matched = 0;

	printf("seed %llu\n", (unsigned long long)random.state);
	cr_assert_not_null(compiled);
	for (int set = 0; set < N_SETS; set++) {
		size_t n = random_size(&random, set);

		rule_model_random_rules(&random, rules, n);
		for (size_t i = 0; i < n; i++)
			rules[i].match.payload_size = 0;
		cr_assert_eq(rule_compile_check(rules, n, NULL), 0);
		rule_compile(rules, n, compiled);
		for (int i = 0; i < N_PACKETS; i++) {
			struct rule_model_packet packet;

			random_packet(&random, &packet);
			int want = rule_model_first(rules, n, &packet);
			int got = find(compiled, &packet);

			if (got != want)
				cr_assert_fail("set %d packet %d: rule %d, not %d", set, i, got,
					       want);
			n_matched += want >= 0;
		}
	}
	/* A test of packets that never match, or always do, would be none. */
	cr_assert_gt(n_matched, N_SETS * N_PACKETS / 20, "%u", n_matched);
	cr_assert_lt(n_matched, N_SETS * N_PACKETS);
	free(compiled);
}

static struct dataplane_rule plain_rule(void)
{
	return (struct dataplane_rule){ .name = "one", .action = DATAPLANE_RULE_DROP };
}

static void expect_refused(const struct dataplane_rule *rules, size_t n, const char *why)
{
	struct sluice_err err = { 0 };

	cr_assert_eq(rule_compile_check(rules, n, &err), -EINVAL, "%s", why);
	cr_assert_not_null(strstr(err.text, why), "'%s' does not say '%s'", err.text, why);
}

Test(rule_compile, refuses_what_makes_no_sense)
{
	static struct dataplane_rule many[RULES_MAX + 1];
	struct dataplane_rule rule = plain_rule();
	struct dataplane_rule twice[2] = { plain_rule(), plain_rule() };

	cr_assert_eq(rule_compile_check(&rule, 1, NULL), 0);
	expect_refused(many, RULES_MAX + 1, "there is room for 256");
	expect_refused(twice, 2, "same name");

	rule.match.source_port = (struct sluice_rule_range){ 2, 1 };
	expect_refused(&rule, 1, "ends before it begins");
	rule = plain_rule();
	rule.match.ttl.to = 256;
	expect_refused(&rule, 1, "TTL");
	rule = plain_rule();
	rule.match.tcp_value = 1;
	expect_refused(&rule, 1, "its mask leaves out");
	rule = plain_rule();
	rule.match.payload_size = 17;
	expect_refused(&rule, 1, "16 bytes");
	rule = plain_rule();
	memset(rule.name, 'x', sizeof(rule.name));
	expect_refused(&rule, 1, "too long");
	rule = plain_rule();
	rule.match.fields = SLUICE_RULE_DESTINATION;
	expect_refused(&rule, 1, "not a prefix");
}

Test(rule_compile, refuses_limits_that_cannot_be_kept)
{
	struct dataplane_rule rule = plain_rule();

	rule.action = DATAPLANE_RULE_LIMIT;
	rule.burst = 1;
	expect_refused(&rule, 1, "rate is out of range");
	rule.rate = DATAPLANE_RULE_MAX_PACKET_RATE + 1u;
	expect_refused(&rule, 1, "rate is out of range");
	rule.rate = 1;
	cr_assert_eq(rule_compile_check(&rule, 1, NULL), 0);
	rule.burst = DATAPLANE_RULE_MAX_BURST_SECONDS;
	expect_refused(&rule, 1, "an hour");
	rule.burst = 0;
	expect_refused(&rule, 1, "burst is 0");
	rule.burst = 1;
	rule.is_by_byte = true;
	expect_refused(&rule, 1, "at least 1000");
}

Test(rule_compile, the_lowest_bit_is_found_in_every_place)
{
	struct random random = { 7 };

	for (uint32_t bit = 0; bit < RULES_MAX; bit++) {
		struct rules_bits bits = { 0 };

		bits.word[bit / 64] = (random_next(&random) | 1) << bit % 64;
		for (uint32_t word = bit / 64 + 1; word < RULES_WORDS; word++)
			bits.word[word] = random_next(&random);
		cr_assert_eq(rules_first(&bits), bit);
	}
	cr_assert_eq(rules_first(&(struct rules_bits){ 0 }), RULES_MAX);
}
