/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule.h.  In the ioctl a mask's set bits are compared; only the tool ethtool shows them inverted. */
#include "rule.h"

#include <errno.h>
#include <string.h>

static const struct rule_profile profiles[] = {
	{ .driver = "ixgbe",
	  .capacity = 2046,
	  .traps =
		  "one mask for all rules of the port, so that rules of another form must go first; "
		  "IPv4 only; 8190 rules with the module option FdirPballoc=3" },
	{ .driver = "i40e",
	  .ipv6 = RULE_IPV6_WHOLE,
	  .whole_masks = true,
	  .traps =
		  "one set of fields for each flow type, so that rules of another form must go first; "
		  "IPv6 by v6_prefix: 128 only; with an AF_XDP socket a drop may have no effect until "
		  "ntuple is switched off and on, which breaks the socket" },
	{ .driver = "ice",
	  .ipv6 = RULE_IPV6_WHOLE,
	  .whole_masks = true,
	  .traps =
		  "one set of fields for each flow type, so that rules of another form must go first; "
		  "IPv6 by v6_prefix: 128 only" },
	{ .driver = "ena",
	  .ipv6 = RULE_IPV6_PREFIXES,
	  .cannot_drop = true,
	  .traps =
		  "cannot drop, so set sink_queue; a small table that all interfaces of the instance "
		  "share: if locations collide, set first_location" },
	{ .driver = "mlx5_core",
	  .ipv6 = RULE_IPV6_PREFIXES,
	  .capacity = 1024,
	  .traps = "at most 1024 rules; the back end flower has more, and hit counters" },
	{ .driver = "", .ipv6 = RULE_IPV6_PREFIXES },
};

const struct rule_profile *rule_profile_find(const char *driver)
{
	size_t i = 0;

	while (profiles[i].driver[0] && strcmp(profiles[i].driver, driver) != 0)
		i++;
	return &profiles[i];
}

void rule_shape_for(const struct rule_profile *profile, struct rule_shape *shape)
{
	shape->ipv6 = profile->ipv6 == RULE_IPV6_PREFIXES ||
		      (profile->ipv6 == RULE_IPV6_WHOLE && shape->v6_prefix_len == 128);
	shape->whole_masks = profile->whole_masks;
}

static void fill_mask(void *mask, unsigned int prefix_len)
{
	for (unsigned int i = 0; i < prefix_len; i++)
		((uint8_t *)mask)[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

int rule_from_key(const struct rule_shape *shape, const struct sluice_key *key, uint32_t location,
		  struct ethtool_rx_flow_spec *rule)
{
	*rule = (struct ethtool_rx_flow_spec){ .ring_cookie = shape->action, .location = location };
	if (key->family == SLUICE_FAMILY_IPV4 && key->prefix_len == 32) {
		rule->flow_type = IP_USER_FLOW;
		rule->h_u.usr_ip4_spec.ip_ver = ETH_RX_NFC_IP4;
		memcpy(&rule->h_u.usr_ip4_spec.ip4src, key->addr, 4);
		fill_mask(&rule->m_u.usr_ip4_spec.ip4src, 32);
		return 0;
	}
	if (!shape->ipv6 || key->family != SLUICE_FAMILY_IPV6 ||
	    key->prefix_len != shape->v6_prefix_len)
		return -EOPNOTSUPP;
	rule->flow_type = IPV6_USER_FLOW;
	memcpy(rule->h_u.usr_ip6_spec.ip6src, key->addr, 16);
	fill_mask(rule->m_u.usr_ip6_spec.ip6src, key->prefix_len);
	return 0;
}

static bool is_empty(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const uint8_t *)bytes)[i])
			return false;
	return true;
}

/*
 * Takes out what drivers put into a rule that they read back and that does not change what it
 * matches: ixgbe says FLOW_EXT of each rule, ice compares the IP version again, which the flow type
 * has said, and i40e tells of half an address where it compares all of it.
 */
static void make_plain(const struct rule_shape *shape, struct ethtool_rx_flow_spec *rule)
{
	if (is_empty(&rule->m_ext, sizeof(rule->m_ext)))
		rule->flow_type &= ~(uint32_t)(FLOW_EXT | FLOW_MAC_EXT);
	if (rule->flow_type == IP_USER_FLOW)
		rule->m_u.usr_ip4_spec.ip_ver = 0;
	if (!shape->whole_masks)
		return;
	if (rule->flow_type == IP_USER_FLOW && rule->m_u.usr_ip4_spec.ip4src)
		fill_mask(&rule->m_u.usr_ip4_spec.ip4src, 32);
	if (rule->flow_type == IPV6_USER_FLOW && !is_empty(rule->m_u.usr_ip6_spec.ip6src, 16))
		fill_mask(rule->m_u.usr_ip6_spec.ip6src, 128);
}

/* A rule is ours if the source that it names makes the very same rule. */
bool rule_to_key(const struct rule_shape *shape, const struct ethtool_rx_flow_spec *said,
		 struct sluice_key *key)
{
	struct ethtool_rx_flow_spec rule = *said, again;

	make_plain(shape, &rule);
	memset(key, 0, sizeof(*key));
	if (rule.flow_type == IP_USER_FLOW) {
		key->family = SLUICE_FAMILY_IPV4;
		key->prefix_len = 32;
		memcpy(key->addr, &rule.h_u.usr_ip4_spec.ip4src, 4);
	} else if (rule.flow_type == IPV6_USER_FLOW) {
		key->family = SLUICE_FAMILY_IPV6;
		key->prefix_len = shape->v6_prefix_len;
		memcpy(key->addr, rule.h_u.usr_ip6_spec.ip6src, 16);
	} else {
		return false;
	}
	return rule_from_key(shape, key, rule.location, &again) == 0 &&
	       again.ring_cookie == rule.ring_cookie &&
	       memcmp(&again.h_u, &rule.h_u, sizeof(again.h_u)) == 0 &&
	       memcmp(&again.m_u, &rule.m_u, sizeof(again.m_u)) == 0;
}
