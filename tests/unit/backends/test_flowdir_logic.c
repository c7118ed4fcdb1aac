/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flowdir back end against a driver of the tests' own, which has the faults of real ones.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rule.h"
#include "steer.h"

#define SLOTS 64u

struct driver {
	struct ethtool_rx_flow_spec rules[SLOTS];
	bool used[SLOTS];
	uint32_t size;	     /* Rules that fit. */
	int full;	     /* What it says then. */
	int fault;	     /* Said to everything. */
	bool ignores_masks;  /* Stores rules without. */
	uint32_t claims;     /* So many rules more than there are, in the count. */
	uint32_t lists_more; /* And in the list. */
	uint32_t bad_choice; /* A location that it "chooses", taken or not; 0: none. */
};

static uint32_t count(const struct driver *driver)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += driver->used[i];
	return n;
}

static int insert(struct driver *driver, struct ethtool_rx_flow_spec *rule)
{
	if (rule->location & RX_CLS_LOC_SPECIAL) {
		rule->location = driver->bad_choice;
		while (!driver->bad_choice && driver->used[rule->location])
			rule->location++;
	}
	if (count(driver) >= driver->size || rule->location >= SLOTS)
		return driver->full;
	driver->rules[rule->location] = *rule;
	if (driver->ignores_masks)
		memset(&driver->rules[rule->location].m_u, 0, sizeof(rule->m_u));
	driver->used[rule->location] = true;
	return 0;
}

static int list_all(const struct driver *driver, struct ethtool_rxnfc *nfc, size_t room)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++) {
		if (!driver->used[i])
			continue;
		if (n == room)
			return -EMSGSIZE;
		nfc->rule_locs[n++] = i;
	}
	nfc->rule_cnt = n + driver->lists_more;
	nfc->data = SLOTS;
	return 0;
}

static int ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations)
{
	struct driver *driver = context;
	uint32_t at = nfc->fs.location;

	if (driver->fault)
		return driver->fault;
	switch (nfc->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return insert(driver, &nfc->fs);
	case ETHTOOL_SRXCLSRLDEL:
	case ETHTOOL_GRXCLSRULE:
		if (at >= SLOTS || !driver->used[at])
			return -EINVAL;
		if (nfc->cmd == ETHTOOL_GRXCLSRULE)
			nfc->fs = driver->rules[at];
		else
			driver->used[at] = false;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		nfc->rule_cnt = count(driver) + driver->claims;
		return 0;
	default:
		return list_all(driver, nfc, n_locations);
	}
}

static struct sluice_key source(const char *text, uint8_t prefix_len)
{
	struct sluice_key key = { .prefix_len = prefix_len };
	bool v6 = strchr(text, ':');

	key.family = v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, text, key.addr), 1);
	return key;
}

static struct sluice_key numbered(uint8_t i)
{
	return (struct sluice_key){ .family = 4, .prefix_len = 32, .addr = { 198, 18, 0, i } };
}

static const struct steer_options defaults = {
	.shape = { .action = RX_CLS_FLOW_DISC, .v6_prefix_len = 64, .ipv6 = true },
};

static struct steer *steer_of(struct driver *driver, const struct steer_options *options)
{
	struct steer *steer;
	size_t n;

	if (!driver->full)
		driver->full = -ENOSPC;
	if (!driver->size)
		driver->size = SLOTS;
	cr_assert_eq(steer_new(options, ask, driver, &steer), 0);
	cr_assert_eq(steer_list(steer, NULL, 0, &n), 0);
	return steer;
}

static size_t listed(struct steer *steer)
{
	struct sluice_backend_rule rules[SLOTS];
	size_t n;

	cr_assert_eq(steer_list(steer, rules, SLOTS, &n), 0);
	return n;
}

/* A rule that an administrator made: to a queue, by destination. */
static void put_foreign(struct driver *driver, uint32_t location)
{
	driver->used[location] = true;
	driver->rules[location] =
		(struct ethtool_rx_flow_spec){ .flow_type = IP_USER_FLOW, .ring_cookie = 3 };
	driver->rules[location].h_u.usr_ip4_spec.ip4dst = htonl(0xc0000201);
	driver->rules[location].m_u.usr_ip4_spec.ip4dst = UINT32_MAX;
}

Test(flowdir, keys_survive_the_way_there_and_back)
{
	const struct sluice_key keys[] = { source("198.51.100.7", 32), source("2001:db8:1::", 64) };

	for (size_t i = 0; i < 2; i++) {
		struct ethtool_rx_flow_spec rule;
		struct sluice_key back;

		cr_assert_eq(rule_from_key(&defaults.shape, &keys[i], 5, &rule), 0);
		cr_assert_eq(rule.location, 5);
		cr_assert_eq(rule.ring_cookie, RX_CLS_FLOW_DISC);
		cr_assert(rule_to_key(&defaults.shape, &rule, &back));
		cr_assert_arr_eq(&back, &keys[i], sizeof(back));
		rule.ring_cookie = 2;
		cr_assert_not(rule_to_key(&defaults.shape, &rule, &back), "to a queue");
	}
}

Test(flowdir, other_masks_are_refused)
{
	const struct sluice_key keys[] = { source("198.51.100.0", 24), source("2001:db8::1", 128),
					   source("2001:db8::", 48) };
	struct rule_shape ipv4 = { .action = RX_CLS_FLOW_DISC, .v6_prefix_len = 64 };
	struct sluice_key v6 = source("2001:db8::", 64);
	struct ethtool_rx_flow_spec rule;

	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(rule_from_key(&defaults.shape, &keys[i], 0, &rule), -EOPNOTSUPP);
	cr_assert_eq(rule_from_key(&ipv4, &v6, 0, &rule), -EOPNOTSUPP);
}

Test(flowdir, drivers_are_known_by_name)
{
	cr_assert_not(rule_profile_find("ixgbe")->ipv6);
	cr_assert(rule_profile_find("i40e")->ipv6);
	cr_assert_null(rule_profile_find("never heard of")->traps);
}

Test(flowdir, adds_deletes_and_knows_duplicates)
{
	struct driver driver = { 0 };
	struct steer *steer = steer_of(&driver, &defaults);
	struct sluice_key one = numbered(1), two = numbered(2);

	cr_assert_eq(steer_add(steer, &one), 0);
	cr_assert_eq(steer_add(steer, &one), -EEXIST);
	cr_assert_eq(steer_del(steer, &two), -ENOENT);
	cr_assert_eq(listed(steer), 1);
	cr_assert_eq(steer_del(steer, &one), 0);
	cr_assert_eq(steer_del(steer, &one), -ENOENT);
	cr_assert_eq(count(&driver), 0);
	steer_free(steer);
}

Test(flowdir, a_full_table_has_one_name)
{
	const int words[] = { -ENOSPC, -ENOMEM, -E2BIG };

	for (size_t i = 0; i < 3; i++) {
		struct driver driver = { .size = 2, .full = words[i] };
		struct steer *steer = steer_of(&driver, &defaults);
		struct sluice_key keys[] = { numbered(1), numbered(2), numbered(3) };

		cr_assert_eq(steer_add(steer, &keys[0]), 0);
		cr_assert_eq(steer_add(steer, &keys[1]), 0);
		cr_assert_eq(steer_add(steer, &keys[2]), -ENOSPC);
		cr_assert_eq(listed(steer), 2);
		steer_free(steer);
	}
}

Test(flowdir, others_rules_are_passed_over)
{
	struct driver driver = { 0 };
	struct sluice_key one = numbered(1), two = numbered(2);
	struct steer *steer;

	put_foreign(&driver, 0);
	steer = steer_of(&driver, &defaults);
	put_foreign(&driver, 1); /* After the table was read. */
	cr_assert_eq(listed(steer), 0);
	put_foreign(&driver, 2);
	cr_assert_eq(steer_add(steer, &one), 0);
	cr_assert_eq(driver.rules[2].ring_cookie, 3);
	cr_assert(driver.used[3]);
	put_foreign(&driver, 3); /* In the place of ours. */
	cr_assert_eq(steer_del(steer, &one), -ENOENT);
	cr_assert(driver.used[3]);
	cr_assert_eq(steer_add(steer, &two), 0);
	cr_assert_eq(listed(steer), 1);
	steer_free(steer);
}

Test(flowdir, a_rule_that_looks_like_ours_is_adopted_only_if_asked)
{
	struct steer_options adopting = defaults;
	struct driver driver = { 0 };
	struct steer *first = steer_of(&driver, &defaults), *second;
	struct sluice_key one = numbered(1);

	cr_assert_eq(steer_add(first, &one), 0);
	steer_free(first);
	second = steer_of(&driver, &defaults);
	cr_assert_eq(listed(second), 0);
	cr_assert_eq(steer_alike(second), 1);
	cr_assert_eq(steer_del(second, &one), -ENOENT);
	steer_free(second);
	adopting.adopt = true;
	second = steer_of(&driver, &adopting);
	cr_assert_eq(listed(second), 1);
	cr_assert_eq(steer_del(second, &one), 0);
	steer_free(second);
}

Test(flowdir, a_driver_that_ignores_masks_is_found_out)
{
	struct driver driver = { .ignores_masks = true };
	struct steer *steer = steer_of(&driver, &defaults);
	struct sluice_key one = numbered(1);

	cr_assert_eq(steer_add(steer, &one), -EOPNOTSUPP);
	cr_assert_eq(count(&driver), 0, "it would drop everything");
	steer_free(steer);
}

Test(flowdir, the_driver_may_choose)
{
	struct steer_options options = defaults;
	struct driver driver = { 0 };
	struct sluice_key one = numbered(1), two = numbered(2);
	struct steer *steer;

	options.driver_chooses = true;
	put_foreign(&driver, 0);
	steer = steer_of(&driver, &options);
	cr_assert_eq(steer_add(steer, &one), 0);
	cr_assert(driver.used[1]);
	driver.bad_choice = 1; /* Where there is a rule. */
	cr_assert_eq(steer_add(steer, &two), -EPROTO);
	steer_free(steer);
}

Test(flowdir, what_a_driver_says_is_not_trusted)
{
	struct driver driver = { 0 };
	struct steer *steer = steer_of(&driver, &defaults);
	size_t n;

	driver.claims = STEER_MAX + 1;
	cr_assert_eq(steer_list(steer, NULL, 0, &n), -EPROTO);
	driver.claims = 0;
	driver.lists_more = 1;
	cr_assert_eq(steer_list(steer, NULL, 0, &n), -EPROTO);
	driver.lists_more = 0;
	driver.fault = -EOPNOTSUPP;
	cr_assert_eq(steer_list(steer, NULL, 0, &n), -EOPNOTSUPP);
	driver.fault = -ENODEV;
	cr_assert_eq(steer_add(steer, &(struct sluice_key){ .family = 4, .prefix_len = 32 }),
		     -ENODEV);
	steer_free(steer);
}

Test(flowdir, no_more_than_the_capacity)
{
	struct steer_options options = defaults;
	struct driver driver = { 0 };
	struct sluice_key one = numbered(1), two = numbered(2);
	struct steer *steer;

	options.capacity = 1;
	steer = steer_of(&driver, &options);
	cr_assert_eq(steer_add(steer, &one), 0);
	cr_assert_eq(steer_add(steer, &two), -ENOSPC);
	cr_assert_eq(steer_del(steer, &one), 0);
	cr_assert_eq(steer_add(steer, &two), 0);
	steer_free(steer);
}
