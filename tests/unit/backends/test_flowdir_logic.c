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

/* How a driver reads a rule back, if not as it was given, and what it refuses. */
enum manner {
	AS_GIVEN,
	LIKE_IXGBE, /* FLOW_EXT in the type of each. */
	LIKE_I40E,  /* Half of the address in the mask. */
	LIKE_ICE,   /* Compares the IP version, too; no IPv6 prefixes. */
	LIKE_ENA,   /* No drop, no special location. */
	LIKE_MLX5,  /* Another word for an empty location. */
};

struct driver {
	struct ethtool_rx_flow_spec rules[SLOTS];
	bool used[SLOTS];
	uint32_t size;	  /* Rules that fit. */
	int full;	  /* What it says then. */
	int fault;	  /* Said to everything. */
	int blind;	  /* Said to whoever wants to read a rule that is there. */
	bool sees_ghosts; /* A rule at each location. */
	bool is_stuck;	  /* Does not delete what is at location 1. */
	uint32_t asked;
	bool ignores_masks;  /* Stores rules without. */
	uint32_t claims;     /* So many rules more than there are, in the count. */
	uint32_t lists_more; /* And in the list. */
	uint32_t bad_choice; /* A location that it "chooses", taken or not; 0: none. */
	bool no_number;	     /* Does not tell how many locations it has. */
	enum manner manner;
};

static uint32_t count(const struct driver *driver)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += driver->used[i];
	return n;
}

static bool is_partial(const struct ethtool_rx_flow_spec *rule)
{
	static const uint8_t whole[16] = { 255, 255, 255, 255, 255, 255, 255, 255,
					   255, 255, 255, 255, 255, 255, 255, 255 };

	return rule->flow_type == IPV6_USER_FLOW &&
	       memcmp(rule->m_u.usr_ip6_spec.ip6src, whole, sizeof(whole)) != 0;
}

/* What the driver says to a rule at once. */
static int refuse(const struct driver *driver, const struct ethtool_rx_flow_spec *rule)
{
	switch (driver->manner) {
	case LIKE_IXGBE:
		return rule->flow_type == IPV6_USER_FLOW || rule->location >= driver->size ? -EINVAL
											   : 0;
	case LIKE_I40E:
	case LIKE_ICE:
		return is_partial(rule) ? -EOPNOTSUPP : 0;
	case LIKE_ENA:
		return rule->ring_cookie == RX_CLS_FLOW_DISC || rule->location & RX_CLS_LOC_SPECIAL
			       ? -EOPNOTSUPP
			       : 0;
	default:
		return 0;
	}
}

static void read_back(const struct driver *driver, struct ethtool_rx_flow_spec *rule)
{
	if (driver->manner == LIKE_IXGBE)
		rule->flow_type |= FLOW_EXT;
	if (driver->manner == LIKE_I40E && rule->flow_type == IP_USER_FLOW &&
	    rule->m_u.usr_ip4_spec.ip4src)
		rule->m_u.usr_ip4_spec.ip4src = htonl(0xffff);
	if (driver->manner == LIKE_ICE && rule->flow_type == IP_USER_FLOW)
		rule->m_u.usr_ip4_spec.ip_ver = 0xff;
}

static int insert(struct driver *driver, struct ethtool_rx_flow_spec *rule)
{
	int rc = refuse(driver, rule);

	if (rc)
		return rc;
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
	nfc->data = driver->no_number ? 0 : SLOTS;
	return 0;
}

static int ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations)
{
	struct driver *driver = context;
	uint32_t at = nfc->fs.location;

	driver->asked++;
	if (driver->sees_ghosts && nfc->cmd == ETHTOOL_GRXCLSRULE)
		return 0;
	if (driver->fault)
		return driver->fault;
	switch (nfc->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return insert(driver, &nfc->fs);
	case ETHTOOL_SRXCLSRLDEL:
	case ETHTOOL_GRXCLSRULE:
		if (at >= SLOTS || !driver->used[at])
			return driver->manner == LIKE_MLX5 ? -ENOENT : -EINVAL;
		if (nfc->cmd == ETHTOOL_SRXCLSRLDEL && driver->is_stuck && at == 1)
			return -EBUSY;
		if (nfc->cmd == ETHTOOL_SRXCLSRLDEL) {
			driver->used[at] = false;
			return 0;
		}
		if (driver->blind)
			return driver->blind;
		nfc->fs = driver->rules[at];
		read_back(driver, &nfc->fs);
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

/* What is known of each driver, and what follows from it. */
static const struct known {
	const char *driver;
	enum manner manner;
	uint32_t capacity;
	bool prefixes, whole; /* IPv6 sources of a prefix length of 64, and of 128. */
	bool drops;
	const char *trap;
} known[] = {
	{ "ixgbe", LIKE_IXGBE, 2046, false, false, true, "one mask for all rules" },
	{ "i40e", LIKE_I40E, 0, false, true, true, "AF_XDP" },
	{ "ice", LIKE_ICE, 0, false, true, true, "one set of fields for each flow type" },
	{ "ena", LIKE_ENA, 0, true, true, false, "sink_queue" },
	{ "mlx5_core", LIKE_MLX5, 1024, true, true, true, "flower" },
	{ "never heard of", AS_GIVEN, 0, true, true, true, NULL },
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

static struct rule_shape shape_for(const struct known *one, uint8_t v6_prefix_len)
{
	struct rule_shape shape = { .action = RX_CLS_FLOW_DISC, .v6_prefix_len = v6_prefix_len };

	rule_shape_for(rule_profile_find(one->driver), &shape);
	return shape;
}

Test(flowdir, drivers_are_known_by_name)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		const struct rule_profile *profile = rule_profile_find(known[i].driver);

		cr_assert_eq(profile->capacity, known[i].capacity, "%s", known[i].driver);
		cr_assert_eq(profile->cannot_drop, !known[i].drops, "%s", known[i].driver);
		cr_assert_eq(shape_for(&known[i], 64).ipv6, known[i].prefixes, "%s",
			     known[i].driver);
		cr_assert_eq(shape_for(&known[i], 128).ipv6, known[i].whole, "%s", known[i].driver);
		if (known[i].trap)
			cr_assert(strstr(profile->traps, known[i].trap), "%s", known[i].driver);
		else
			cr_assert_null(profile->traps);
	}
}

/* A driver reads its rules back in a manner of its own; they are ours all the same. */
Test(flowdir, each_driver_is_understood)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		struct driver driver = { .manner = known[i].manner };
		struct sluice_key keys[] = { numbered(1), source("2001:db8::7", 128) };
		struct steer_options options = { .shape = shape_for(&known[i], 128) };
		size_t n = known[i].whole ? 2 : 1;
		struct steer *steer = steer_of(&driver, &options);

		put_foreign(&driver, 0);
		if (!known[i].drops) {
			cr_assert_eq(steer_add(steer, &keys[0]), -EOPNOTSUPP, "%s",
				     known[i].driver);
			steer_free(steer);
			options.shape.action = 3;
			steer = steer_of(&driver, &options);
		}
		for (size_t k = 0; k < n; k++)
			cr_assert_eq(steer_add(steer, &keys[k]), 0, "%s, %zu", known[i].driver, k);
		cr_assert_eq(listed(steer), n, "%s", known[i].driver);
		for (size_t k = 0; k < n; k++)
			cr_assert_eq(steer_del(steer, &keys[k]), 0, "%s, %zu", known[i].driver, k);
		cr_assert_eq(count(&driver), 1, "%s: the foreign rule stays", known[i].driver);
		steer_free(steer);
	}
}

/* Two that compare something else than ours, in words that are like ours. */
Test(flowdir, rules_that_compare_more_are_not_ours)
{
	struct rule_shape shape = shape_for(&known[1], 128);
	struct sluice_key one = numbered(1), back;
	struct ethtool_rx_flow_spec rule;

	cr_assert_eq(rule_from_key(&shape, &one, 0, &rule), 0);
	rule.flow_type |= FLOW_EXT;
	cr_assert(rule_to_key(&shape, &rule, &back), "nothing more is compared");
	rule.m_ext.vlan_tci = htons(0xfff);
	cr_assert_not(rule_to_key(&shape, &rule, &back), "of one VLAN");
	rule.m_ext.vlan_tci = 0;
	rule.m_u.usr_ip4_spec.ip4src = 0;
	cr_assert_not(rule_to_key(&shape, &rule, &back), "of all sources");
	rule.m_u.usr_ip4_spec.ip4src = UINT32_MAX;
	rule.m_u.usr_ip4_spec.ip4dst = UINT32_MAX;
	cr_assert_not(rule_to_key(&shape, &rule, &back), "to one destination");
	cr_assert_eq(rule_from_key(&defaults.shape, &one, 0, &rule), 0);
	rule.m_u.usr_ip4_spec.ip4src = htonl(0xffff);
	cr_assert_not(rule_to_key(&defaults.shape, &rule, &back), "half an address, if it may be");
}

/* ixgbe calls a location beyond its table -EINVAL and not full. */
Test(flowdir, the_table_ends_where_the_profile_says_if_the_driver_does_not)
{
	struct driver driver = { .manner = LIKE_IXGBE, .size = 2, .no_number = true };
	struct steer_options options = { .shape = shape_for(&known[0], 64), .n_locations = 2 };
	struct sluice_key keys[] = { numbered(1), numbered(2), numbered(3) };
	struct steer *steer = steer_of(&driver, &options);

	cr_assert_eq(steer_locations(steer), 2);
	cr_assert_eq(steer_add(steer, &keys[0]), 0);
	cr_assert_eq(steer_add(steer, &keys[1]), 0);
	cr_assert_eq(steer_add(steer, &keys[2]), -ENOSPC);
	steer_free(steer);
	driver.no_number = false;
	steer = steer_of(&driver, &options);
	cr_assert_eq(steer_locations(steer), SLOTS, "the driver's word comes first");
	steer_free(steer);
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

/* What is in the card and not in the book would drop that source for ever. */
Test(flowdir, a_rule_that_cannot_be_read_back_is_taken_out)
{
	struct steer_options options = defaults;
	struct sluice_key one = numbered(1);

	for (int driver_chooses = 0; driver_chooses <= 1; driver_chooses++) {
		struct driver driver = { .blind = -EBUSY };
		struct steer *steer;

		options.driver_chooses = driver_chooses;
		steer = steer_of(&driver, &options);
		cr_assert_eq(steer_add(steer, &one), -EIO);
		cr_assert_eq(count(&driver), 0);
		driver.blind = 0;
		cr_assert_eq(steer_add(steer, &one), 0);
		cr_assert_eq(listed(steer), 1);
		steer_free(steer);
	}
}

/* Without a number of locations to end at. */
Test(flowdir, a_driver_that_says_every_place_is_taken_is_not_asked_for_ever)
{
	struct driver driver = { .no_number = true };
	struct steer *steer = steer_of(&driver, &defaults);
	struct sluice_key one = numbered(1);

	driver.sees_ghosts = true;
	driver.asked = 0;
	cr_assert_eq(steer_add(steer, &one), -ENOSPC);
	cr_assert_leq(driver.asked, 100);
	driver.sees_ghosts = false;
	cr_assert_eq(listed(steer), 0);
	cr_assert_eq(steer_add(steer, &one), 0);
	cr_assert(driver.used[0], "the places are free again");
	steer_free(steer);
}

Test(flowdir, freed_places_are_used_again)
{
	struct steer_options options = defaults;
	struct sluice_key keys[] = { numbered(1), numbered(2), numbered(3), numbered(4) };
	struct driver driver = { 0 };
	struct steer *steer;

	options.first_location = 2;
	put_foreign(&driver, 3);
	steer = steer_of(&driver, &options);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(steer_add(steer, &keys[i]), 0);
	cr_assert(driver.used[2] && driver.used[4] && driver.used[5]);
	cr_assert_eq(steer_del(steer, &keys[1]), 0);
	cr_assert_eq(steer_del(steer, &keys[0]), 0);
	cr_assert_eq(steer_add(steer, &keys[3]), 0);
	cr_assert(driver.used[2] && !driver.used[4], "the first one comes first");
	cr_assert_eq(steer_add(steer, &keys[0]), 0);
	cr_assert(driver.used[4]);
	cr_assert_not(driver.used[0] || driver.used[1] || driver.used[6]);
	steer_free(steer);
}

Test(flowdir, a_rule_that_will_not_leave_keeps_no_other_in_the_card)
{
	struct driver driver = { 0 };
	struct steer *steer = steer_of(&driver, &defaults);

	put_foreign(&driver, 3);
	cr_assert_eq(listed(steer), 0);
	for (uint8_t i = 0; i < 9; i++) {
		struct sluice_key key = numbered(i);

		cr_assert_eq(steer_add(steer, &key), 0);
	}
	driver.is_stuck = true;
	cr_assert_eq(steer_flush(steer), -EBUSY);
	cr_assert_eq(count(&driver), 2, "that one, and the other's");
	driver.is_stuck = false;
	cr_assert_eq(steer_flush(steer), 0);
	cr_assert_eq(count(&driver), 1);
	cr_assert(driver.used[3]);
	driver.fault = -ENODEV;
	cr_assert_eq(steer_flush(steer), -ENODEV);
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
