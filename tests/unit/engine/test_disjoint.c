/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocked and allowed sources stay disjoint in the data plane, whatever the order in which
 * detectors, the operator and the system ask: random sequences against a naive model.  The fake
 * data plane also looks at the moments inside each request.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/address.h"
#include "rig.h"
#include "support/random.h"

enum { STEPS = 400, MODEL_MAX = 4096 };

/* What should be there.  Releases by rate and by term are switched off. */
struct model {
	struct sluice_key blocked[MODEL_MAX], prefixes[MODEL_MAX], allowed[MODEL_MAX];
	size_t n_blocked, n_prefixes, n_allowed;
};

static struct model model;

static size_t find(const struct sluice_key *keys, size_t n, const struct sluice_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (address_equal(&keys[i], key))
			return i;
	return n;
}

static void add(struct sluice_key *keys, size_t *n, const struct sluice_key *key)
{
	if (find(keys, *n, key) == *n) {
		cr_assert_lt(*n, (size_t)MODEL_MAX);
		keys[(*n)++] = *key;
	}
}

static bool overlaps_allowed(const struct sluice_key *key)
{
	for (size_t i = 0; i < model.n_allowed; i++)
		if (address_covers(&model.allowed[i], key) ||
		    address_covers(key, &model.allowed[i]))
			return true;
	return false;
}

/* Every address of `key` is allowed, by one prefix or by several together. */
static bool covered(const struct sluice_key *key)
{
	struct sluice_key half = *key;
	unsigned int bit = key->prefix_len;

	for (size_t i = 0; i < model.n_allowed; i++)
		if (address_covers(&model.allowed[i], key))
			return true;
	if (bit == address_width(key->family) || !overlaps_allowed(key))
		return false;
	half.prefix_len++;
	if (!covered(&half))
		return false;
	half.addr[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
	return covered(&half);
}

static void model_release_allowed(void)
{
	for (size_t i = model.n_blocked; i-- > 0;)
		if (overlaps_allowed(&model.blocked[i]))
			model.blocked[i] = model.blocked[--model.n_blocked];
	for (size_t i = model.n_prefixes; i-- > 0;)
		if (covered(&model.prefixes[i]))
			model.prefixes[i] = model.prefixes[--model.n_prefixes];
}

static bool is_unit(const struct sluice_key *key)
{
	return key->prefix_len == (key->family == SLUICE_FAMILY_IPV4 ? 32 : 64);
}

static bool in_prefix(const struct sluice_key *key)
{
	for (size_t i = 0; i < model.n_prefixes; i++)
		if (address_covers(&model.prefixes[i], key))
			return true;
	return false;
}

static int model_block(const struct sluice_key *key)
{
	if (is_unit(key)) {
		if (overlaps_allowed(key))
			return -EPERM;
		add(model.blocked, &model.n_blocked, key);
		return 0;
	}
	if (covered(key))
		return -EPERM;
	add(model.prefixes, &model.n_prefixes, key);
	return 0;
}

static int model_unblock(const struct sluice_key *key)
{
	struct sluice_key unit = address_mask(key, key->family == SLUICE_FAMILY_IPV4 ? 32 : 64);
	size_t i = find(model.prefixes, model.n_prefixes, key);

	if (i < model.n_prefixes) {
		model.prefixes[i] = model.prefixes[--model.n_prefixes];
		return 0;
	}
	i = find(model.blocked, model.n_blocked, &unit);
	if (i == model.n_blocked || !is_unit(&unit))
		return -ENOENT;
	model.blocked[i] = model.blocked[--model.n_blocked];
	return 0;
}

static void model_propose(const struct sluice_key *key)
{
	struct sluice_key unit = address_mask(key, key->family == SLUICE_FAMILY_IPV4 ? 32 : 64);

	if (is_unit(&unit) && !overlaps_allowed(&unit) && !in_prefix(&unit))
		add(model.blocked, &model.n_blocked, &unit);
}

/* A small part of the world, so that requests meet. */
static struct sluice_key random_key(struct random *random)
{
	static const unsigned int v4_lengths[] = { 32, 32, 32, 32, 31, 30, 28, 25, 24 };
	static const unsigned int v6_lengths[] = { 64, 64, 128, 128, 127, 65, 63, 60, 56 };
	size_t which = random_below(random, 9);
	uint8_t addr[16] = { 0 };

	if (random_below(random, 2)) {
		addr[0] = 10;
		addr[3] = (uint8_t)random_below(random, 64);
		return address_from_ipv4(addr, v4_lengths[which]);
	}
	addr[0] = 0x20;
	addr[7] = (uint8_t)random_below(random, 32);
	addr[15] = (uint8_t)random_below(random, 4);
	return address_from_ipv6(addr, v6_lengths[which]);
}

static void step(struct rig *rig, struct random *random, const char *where)
{
	struct sluice_key key = random_key(random);

	switch (random_below(random, 8)) {
	case 0:
	case 1:
	case 2:
		cr_assert_eq(engine_block(rig->engine, &key, 0, NULL), model_block(&key), "%s",
			     where);
		break;
	case 3:
		cr_assert_eq(engine_unblock(rig->engine, &key, NULL), model_unblock(&key), "%s",
			     where);
		break;
	case 4:
		/* Seldom, or everything is allowed soon. */
		if (random_below(random, 4))
			break;
		cr_assert_eq(engine_allow(rig->engine, &key, NULL), 0, "%s", where);
		add(model.allowed, &model.n_allowed, &key);
		model_release_allowed();
		break;
	default:
		for (uint64_t n = random_below(random, 4); n; n--) {
			struct sluice_key wish = random_key(random);

			rig_wish_of(rig, 0, &wish, random_below(random, 1000));
			model_propose(&wish);
		}
		rig_window(rig);
	}
}

static void compare(const struct rig *rig, const char *where)
{
	cr_assert_eq(fake_dataplane_overlaps(&rig->dp), 0, "%s: blocked and allowed", where);
	cr_assert_eq(rig->dp.violations, 0, "%s: blocked and allowed for a moment", where);
	cr_assert_eq(fake_dataplane_size(&rig->dp), model.n_blocked, "%s", where);
	for (size_t i = 0; i < model.n_blocked; i++)
		cr_assert(fake_dataplane_blocked(&rig->dp, &model.blocked[i]), "%s", where);
	cr_assert_eq(rig->dp.n_prefixes, model.n_prefixes, "%s", where);
	for (size_t i = 0; i < model.n_prefixes; i++)
		cr_assert(fake_dataplane_has_prefix(&rig->dp, &model.prefixes[i]), "%s", where);
}

static void reload(struct rig *rig)
{
	struct engine_options options = rig_options(rig);

	cr_assert_eq(engine_reconfigure(rig->engine, &options, NULL), 0);
	model.n_allowed = 0;
	add(model.allowed, &model.n_allowed, &rig->addresses[0].key);
	add(model.allowed, &model.n_allowed, &rig->allow[0].prefix);
}

static struct rig *start(void)
{
	struct rig *rig = rig_new();

	rig->settings.rate_monitor.windows = 60000;
	rig->settings.policy.ttl_ns = 1000000 * RIG_WINDOW_NS;
	rig_own(rig, SYSTEM_ADDRESS_OWN, "10.0.0.1");
	rig_allow_prefix(rig, "2000:0:0:8::/61");
	rig_start(rig);
	model = (struct model){ .n_blocked = 0 };
	reload(rig);
	return rig;
}

Test(disjoint, random_requests_agree_with_the_model)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct random random = { seed };
		struct rig *rig = start();
		char where[64];

		for (unsigned int i = 0; i < STEPS; i++) {
			snprintf(where, sizeof(where), "seed %llu, step %u",
				 (unsigned long long)seed, i);
			step(rig, &random, where);
			if (i % 150 == 149)
				reload(rig);
			compare(rig, where);
		}
		rig_free(rig);
	}
}
