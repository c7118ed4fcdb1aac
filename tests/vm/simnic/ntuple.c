// SPDX-License-Identifier: GPL-2.0-only
/*
 * ethtool's ntuple filters into the card's table: drop, or a receive queue, at a location that the
 * user names or leaves to the driver.  As in cards that have such filters, nothing is counted for
 * the user; a lower location comes first.
 */
#include <linux/slab.h>

#include "simnic.h"

struct ntuple_rule {
	struct simnic_rule rule;
	struct ethtool_rx_flow_spec spec; /* As it was asked for. */
};

struct match {
	struct simnic_key key, bits;
};

static void match_proto(struct match *match, __be16 eth_proto, u8 ip_proto, u8 ip_bits)
{
	match->key.eth_proto = eth_proto;
	match->bits.eth_proto = htons(0xffff);
	match->key.ip_proto = ip_proto;
	match->bits.ip_proto = ip_bits;
}

static void match_ipv4(struct match *match, __be32 src, __be32 src_bits, __be32 dst,
		       __be32 dst_bits)
{
	match->key.src.s6_addr32[0] = src;
	match->bits.src.s6_addr32[0] = src_bits;
	match->key.dst.s6_addr32[0] = dst;
	match->bits.dst.s6_addr32[0] = dst_bits;
}

static void match_ipv6(struct match *match, const __be32 src[4], const __be32 src_bits[4],
		       const __be32 dst[4], const __be32 dst_bits[4])
{
	memcpy(&match->key.src, src, sizeof(match->key.src));
	memcpy(&match->bits.src, src_bits, sizeof(match->bits.src));
	memcpy(&match->key.dst, dst, sizeof(match->key.dst));
	memcpy(&match->bits.dst, dst_bits, sizeof(match->bits.dst));
}

static void match_ports(struct match *match, __be16 src, __be16 src_bits, __be16 dst,
			__be16 dst_bits)
{
	match->key.src_port = src;
	match->bits.src_port = src_bits;
	match->key.dst_port = dst;
	match->bits.dst_port = dst_bits;
}

static int read_user_ipv4(const struct ethtool_rx_flow_spec *spec, struct match *match)
{
	const struct ethtool_usrip4_spec *key = &spec->h_u.usr_ip4_spec;
	const struct ethtool_usrip4_spec *bits = &spec->m_u.usr_ip4_spec;

	if (key->ip_ver != ETH_RX_NFC_IP4 || bits->ip_ver || bits->l4_4_bytes || bits->tos)
		return -EINVAL;
	match_proto(match, htons(ETH_P_IP), key->proto, bits->proto);
	match_ipv4(match, key->ip4src, bits->ip4src, key->ip4dst, bits->ip4dst);
	return 0;
}

static int read_user_ipv6(const struct ethtool_rx_flow_spec *spec, struct match *match)
{
	const struct ethtool_usrip6_spec *key = &spec->h_u.usr_ip6_spec;
	const struct ethtool_usrip6_spec *bits = &spec->m_u.usr_ip6_spec;

	if (bits->l4_4_bytes || bits->tclass)
		return -EINVAL;
	match_proto(match, htons(ETH_P_IPV6), key->l4_proto, bits->l4_proto);
	match_ipv6(match, key->ip6src, bits->ip6src, key->ip6dst, bits->ip6dst);
	return 0;
}

/* The specs of TCP, UDP and SCTP are of one layout. */
static int read_ports_ipv4(const struct ethtool_rx_flow_spec *spec, u8 proto, struct match *match)
{
	const struct ethtool_tcpip4_spec *key = &spec->h_u.tcp_ip4_spec;
	const struct ethtool_tcpip4_spec *bits = &spec->m_u.tcp_ip4_spec;

	if (bits->tos)
		return -EINVAL;
	match_proto(match, htons(ETH_P_IP), proto, 0xff);
	match_ipv4(match, key->ip4src, bits->ip4src, key->ip4dst, bits->ip4dst);
	match_ports(match, key->psrc, bits->psrc, key->pdst, bits->pdst);
	return 0;
}

static int read_ports_ipv6(const struct ethtool_rx_flow_spec *spec, u8 proto, struct match *match)
{
	const struct ethtool_tcpip6_spec *key = &spec->h_u.tcp_ip6_spec;
	const struct ethtool_tcpip6_spec *bits = &spec->m_u.tcp_ip6_spec;

	if (bits->tclass)
		return -EINVAL;
	match_proto(match, htons(ETH_P_IPV6), proto, 0xff);
	match_ipv6(match, key->ip6src, bits->ip6src, key->ip6dst, bits->ip6dst);
	match_ports(match, key->psrc, bits->psrc, key->pdst, bits->pdst);
	return 0;
}

static int read_spec(const struct ethtool_rx_flow_spec *spec, struct match *match)
{
	switch (spec->flow_type) {
	case IPV4_USER_FLOW:
		return read_user_ipv4(spec, match);
	case IPV6_USER_FLOW:
		return read_user_ipv6(spec, match);
	case TCP_V4_FLOW:
		return read_ports_ipv4(spec, IPPROTO_TCP, match);
	case UDP_V4_FLOW:
		return read_ports_ipv4(spec, IPPROTO_UDP, match);
	case SCTP_V4_FLOW:
		return read_ports_ipv4(spec, IPPROTO_SCTP, match);
	case TCP_V6_FLOW:
		return read_ports_ipv6(spec, IPPROTO_TCP, match);
	case UDP_V6_FLOW:
		return read_ports_ipv6(spec, IPPROTO_UDP, match);
	case SCTP_V6_FLOW:
		return read_ports_ipv6(spec, IPPROTO_SCTP, match);
	default:
		return -EINVAL;
	}
}

static int read_action(const struct net_device *dev, const struct ethtool_rx_flow_spec *spec,
		       struct simnic_rule *rule)
{
	if (spec->ring_cookie == RX_CLS_FLOW_DISC) {
		rule->action = SIMNIC_DROP;
		return 0;
	}
	if (spec->ring_cookie >= dev->real_num_rx_queues)
		return -EINVAL;
	rule->action = SIMNIC_QUEUE;
	rule->queue = spec->ring_cookie;
	return 0;
}

static int forget(struct simnic_card *card, u32 location)
{
	struct ntuple_rule *ntuple = xa_erase(&card->ntuple, location);

	if (!ntuple)
		return -ENOENT;
	simnic_table_del(&card->table, &ntuple->rule);
	kfree(ntuple);
	return 0;
}

/* Of the special locations all mean: anywhere. */
static int choose_location(struct simnic_card *card, struct ethtool_rx_flow_spec *spec)
{
	u32 location;

	if (!(spec->location & RX_CLS_LOC_SPECIAL))
		return spec->location < card->knobs.capacity ? 0 : -EINVAL;
	for (location = 0; location < card->knobs.capacity; location++) {
		if (!xa_load(&card->ntuple, location)) {
			spec->location = location;
			return 0;
		}
	}
	return -ENOSPC;
}

static int put_into_table(struct simnic_card *card, struct ntuple_rule *ntuple,
			  const struct match *match)
{
	u32 location = ntuple->spec.location;
	int err;

	/* As drivers do, whoever comes later gets the location. */
	forget(card, location);
	if (simnic_is_full(card))
		return -ENOSPC;
	err = xa_insert(&card->ntuple, location, ntuple, GFP_KERNEL);
	if (err)
		return err;
	ntuple->rule.key = match->key;
	ntuple->rule.order = SIMNIC_ORDER_NTUPLE + location;
	err = simnic_table_add(&card->table, &ntuple->rule, &match->bits);
	if (err)
		xa_erase(&card->ntuple, location);
	return err;
}

static int insert(struct net_device *dev, struct ethtool_rx_flow_spec *spec)
{
	struct simnic_card *card = simnic_card_of(dev);
	struct match match = { 0 };
	struct ntuple_rule *ntuple;
	int err;

	if (!(dev->features & NETIF_F_NTUPLE))
		return -EOPNOTSUPP;
	ntuple = kzalloc(sizeof(*ntuple), GFP_KERNEL);
	if (!ntuple)
		return -ENOMEM;
	err = read_spec(spec, &match);
	err = err ?: read_action(dev, spec, &ntuple->rule);
	err = err ?: simnic_knobs_begin(card);
	err = err ?: choose_location(card, spec);
	ntuple->spec = *spec;
	if (!err && !card->knobs.lie) {
		err = put_into_table(card, ntuple, &match);
		if (!err)
			return 0;
	}
	kfree(ntuple);
	return err;
}

int simnic_set_rxnfc(struct net_device *dev, struct ethtool_rxnfc *nfc)
{
	struct simnic_card *card = simnic_card_of(dev);
	int err;

	switch (nfc->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return insert(dev, &nfc->fs);
	case ETHTOOL_SRXCLSRLDEL:
		err = simnic_knobs_begin(card);
		return err ?: forget(card, nfc->fs.location);
	default:
		return -EOPNOTSUPP;
	}
}

static int count_rules(struct simnic_card *card, struct ethtool_rxnfc *nfc)
{
	struct ntuple_rule *ntuple;
	unsigned long location;

	nfc->rule_cnt = 0;
	xa_for_each(&card->ntuple, location, ntuple)
		nfc->rule_cnt++;
	nfc->data = card->knobs.capacity | RX_CLS_LOC_SPECIAL;
	return 0;
}

static int list_rules(struct simnic_card *card, struct ethtool_rxnfc *nfc, u32 *locations)
{
	struct ntuple_rule *ntuple;
	unsigned long location;
	u32 n = 0;

	xa_for_each(&card->ntuple, location, ntuple) {
		if (n == nfc->rule_cnt)
			return -EMSGSIZE;
		locations[n++] = location;
	}
	nfc->rule_cnt = n;
	nfc->data = card->knobs.capacity;
	return 0;
}

int simnic_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *nfc, u32 *locations)
{
	struct simnic_card *card = simnic_card_of(dev);
	struct ntuple_rule *ntuple;

	switch (nfc->cmd) {
	case ETHTOOL_GRXRINGS:
		nfc->data = dev->real_num_rx_queues;
		return 0;
	case ETHTOOL_GRXCLSRLCNT:
		return count_rules(card, nfc);
	case ETHTOOL_GRXCLSRLALL:
		return list_rules(card, nfc, locations);
	case ETHTOOL_GRXCLSRULE:
		ntuple = xa_load(&card->ntuple, nfc->fs.location);
		if (!ntuple)
			return -ENOENT;
		nfc->fs = ntuple->spec;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

void simnic_ntuple_clear(struct simnic_card *card)
{
	struct ntuple_rule *ntuple;
	unsigned long location;

	xa_for_each(&card->ntuple, location, ntuple)
		forget(card, location);
}
