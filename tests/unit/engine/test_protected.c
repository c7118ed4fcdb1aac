/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever detectors propose: 10,000 random cases, each a new allow-list by a reload, own addresses,
 * known clients, and proposals of sources and rules near to and far from them.  Nobody protected is
 * ever blocked, known clients pass every rule unless its author insists, and the caps hold.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "rig.h"
#include "support/random.h"

enum { CASES = 10000, MAX_NEW = 12, MAX_RULES = 40, MAX_NEW_RULES = 5 };

/* A small part of the world, so that proposals meet what is protected. */
static struct sluice_key random_key(struct random *random, bool is_wide)
{
	uint8_t addr[16] = { 0 };
	unsigned int length;

	if (random_below(random, 2)) {
		addr[0] = 10;
		addr[3] = (uint8_t)random_below(random, 128);
		length = is_wide ? 25 + (unsigned int)random_below(random, 8) : 32;
		return address_from_ipv4(addr, length);
	}
	addr[0] = 0x20;
	addr[7] = (uint8_t)random_below(random, 64);
	addr[15] = (uint8_t)random_below(random, 4);
	length = is_wide ? 57 + (unsigned int)random_below(random, 72) : 128;
	return address_from_ipv6(addr, length);
}

static void protect(struct rig *rig, struct random *random)
{
	struct engine_options options;

	rig->settings.n_allow = random_below(random, RIG_ALLOW);
	for (size_t i = 0; i < rig->settings.n_allow; i++)
		rig->allow[i] = (struct settings_allow){
			.kind = SETTINGS_ALLOW_PREFIX,
			.prefix = random_key(random, true),
			.exempt = random_below(random, 3) == 0,
		};
	rig->n_addresses = 2;
	rig->n_known_next = random_below(random, 6);
	for (size_t i = 0; i < rig->n_addresses; i++)
		rig->addresses[i] =
			(struct system_address){ SYSTEM_ADDRESS_OWN, random_key(random, false) };
	for (size_t i = 0; i < rig->n_known_next; i++)
		rig->known_next[i] = random_key(random, false);
	options = rig_options(rig);
	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
}

enum { N_PORTS = 200, N_LENGTHS = 4 };

/* Did anybody insist on dropping known clients with this port and length (the last: any)? */
static bool insisted[N_PORTS][N_LENGTHS + 1];

static void propose_rule(struct rig *rig, struct random *random)
{
	uint16_t port = (uint16_t)random_below(random, N_PORTS);
	uint16_t length = (uint16_t)random_below(random, N_LENGTHS + 1);
	struct rig_rule_wish *wish =
		rig_wish_rule(rig, random_below(random, 2), port, 1 + random_below(random, 10000));

	if (length < N_LENGTHS) {
		wish->match.fields |= SLUICE_RULE_LENGTH;
		wish->match.length = (struct sluice_rule_range){ 40, (uint16_t)(40 + length) };
	}
	wish->proposal.include_known = random_below(random, 4) == 0;
	insisted[port][length] |= wish->proposal.include_known;
}

static void propose(struct rig *rig, struct random *random)
{
	for (uint64_t n = random_below(random, 24); n; n--) {
		struct sluice_key key = random_key(random, random_below(random, 8) == 0);

		rig_wish_of(rig, random_below(random, 2), &key, random_below(random, 100000));
	}
	for (uint64_t n = random_below(random, 12); n; n--)
		propose_rule(rig, random);
}

static bool touches(const struct sluice_key *a, const struct sluice_key *b)
{
	return address_covers(a, b) || address_covers(b, a);
}

static bool was_blocked(const struct fake_slot *before, size_t n, const struct sluice_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (before[i].used && address_equal(&before[i].record.key, key))
			return true;
	return false;
}

/* Who becomes known while blocked stays so until quiet: that is no decision of this window. */
static void expect_unblocked(const struct rig *rig, const struct fake_slot *before, size_t n_before,
			     const char *where)
{
	for (size_t i = 0; i < rig->dp.n_slots; i++) {
		const struct sluice_key *key = &rig->dp.slots[i].record.key;

		if (!rig->dp.slots[i].used)
			continue;
		for (size_t k = 0; k < rig->settings.n_allow; k++)
			cr_assert_not(touches(key, &rig->allow[k].prefix), "%s: allowed", where);
		for (size_t k = 0; k < rig->n_addresses; k++)
			cr_assert_not(touches(key, &rig->addresses[k].key), "%s: own", where);
		for (size_t k = 0; k < rig->n_known_now && !was_blocked(before, n_before, key); k++)
			cr_assert_not(touches(key, &rig->known_now[k]), "%s: known", where);
	}
}

static void expect_spared(const struct rig *rig, const char *where)
{
	cr_assert_leq(rig->dp.n_rules, (size_t)MAX_RULES, "%s", where);
	for (size_t i = 0; i < rig->dp.n_rules; i++) {
		const struct dataplane_rule *rule = &rig->dp.rules[i].rule;
		bool has_length = rule->match.fields & SLUICE_RULE_LENGTH;

		cr_assert(rule->is_automatic, "%s", where);
		cr_assert(rule->match.fields & SLUICE_RULE_SOURCE_PORT, "%s: wider than asked for",
			  where);
		cr_assert(rule->exempts_known ||
				  insisted[rule->match.source_port.from]
					  [has_length ? rule->match.length.to - 40 : N_LENGTHS],
			  "%s: nobody wanted known clients to be dropped", where);
	}
}

Test(protected, nobody_protected_is_harmed_whatever_is_proposed, .timeout = 120)
{
	struct random random = { 20261126 };
	struct rig *rig = rig_new();
	size_t n_blocked = 0, n_rules = 0, n_before;
	struct fake_slot *before;
	char where[48];

	rig_use_known(rig);
	rig_add_detector(rig, "other", true);
	rig->settings.policy.max_new_per_window = MAX_NEW;
	rig->settings.policy.max_rules_auto = MAX_RULES;
	rig->settings.policy.max_new_rules_per_window = MAX_NEW_RULES;
	rig->settings.policy.min_pass = 0;
	rig_start(rig);
	for (unsigned int i = 0; i < CASES; i++) {
		size_t rules_before = rig_status(rig).rules_enforced_total;
		size_t blocks_before = rig->dp.n_blocks;

		snprintf(where, sizeof(where), "case %u", i);
		protect(rig, &random);
		propose(rig, &random);
		n_before = rig->dp.n_slots;
		before = calloc(n_before + 1, sizeof(*before));
		cr_assert(before);
		if (n_before)
			memcpy(before, rig->dp.slots, n_before * sizeof(*before));
		rig_window(rig);
		expect_unblocked(rig, before, n_before, where);
		free(before);
		expect_spared(rig, where);
		cr_assert_eq(rig->dp.violations, 0, "%s: for a moment", where);
		cr_assert_leq(rig->dp.n_blocks - blocks_before, (size_t)MAX_NEW, "%s", where);
		cr_assert_leq(rig_status(rig).rules_enforced_total - rules_before,
			      (size_t)MAX_NEW_RULES, "%s", where);
		n_blocked += rig->dp.n_blocks - blocks_before;
		n_rules += rig_status(rig).rules_enforced_total - rules_before;
		rig_forget_events(rig);
	}
	/* The cases were no empty ones. */
	cr_expect_gt(n_blocked, (size_t)CASES);
	cr_expect_gt(n_rules, (size_t)CASES / 10);
	cr_expect_gt(rig_status(rig).protected_allow, (uint64_t)CASES);
	cr_expect_gt(rig_status(rig).protected_known, (uint64_t)CASES / 20);
	rig_free(rig);
}
