/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule.h.  In the ioctl a mask's set bits are compared; only the tool ethtool shows them inverted. */
#include "rule.h"

#include <errno.h>
#include <string.h>

static const struct rule_profile profiles[] = {
	{ "ixgbe", false, "one mask for all rules; IPv4 only" },
	{ "i40e", true,
	  "one set of fields for each flow type; with an AF_XDP socket a drop may have no effect until "
	  "ntuple is switched off and on, which breaks the socket" },
	{ "ice", true, "one set of fields for each flow type" },
	{ "ena", true,
	  "a small table that all interfaces of the instance share; set location: driver "
	  "if locations collide" },
	{ "mlx5_core", true,
	  "hit counters stop above some number of rules; the back end flower suits "
	  "it better" },
	{ "", true, NULL },
};

const struct rule_profile *rule_profile_find(const char *driver)
{
	size_t i = 0;

	while (profiles[i].driver[0] && strcmp(profiles[i].driver, driver) != 0)
		i++;
	return &profiles[i];
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

/* A rule is ours if the source that it names makes the very same rule. */
bool rule_to_key(const struct rule_shape *shape, const struct ethtool_rx_flow_spec *rule,
		 struct sluice_key *key)
{
	struct ethtool_rx_flow_spec again;

	memset(key, 0, sizeof(*key));
	if (rule->flow_type == IP_USER_FLOW) {
		key->family = SLUICE_FAMILY_IPV4;
		key->prefix_len = 32;
		memcpy(key->addr, &rule->h_u.usr_ip4_spec.ip4src, 4);
	} else if (rule->flow_type == IPV6_USER_FLOW) {
		key->family = SLUICE_FAMILY_IPV6;
		key->prefix_len = shape->v6_prefix_len;
		memcpy(key->addr, rule->h_u.usr_ip6_spec.ip6src, 16);
	} else {
		return false;
	}
	return rule_from_key(shape, key, rule->location, &again) == 0 &&
	       again.ring_cookie == rule->ring_cookie &&
	       memcmp(&again.h_u, &rule->h_u, sizeof(again.h_u)) == 0 &&
	       memcmp(&again.m_u, &rule->m_u, sizeof(again.m_u)) == 0;
}
