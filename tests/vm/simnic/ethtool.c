// SPDX-License-Identifier: GPL-2.0-only
/*
 * What both ends say of themselves.  The statistics of XDP's redirected frames bear veth's names,
 * by which traffic generators find them.
 */
#include <linux/ethtool.h>

#include "simnic.h"

static const char card_stats[][ETH_GSTRING_LEN] = {
	"table_rules",
	"table_dropped",
	"table_steered",
};

static const char wire_stats[][ETH_GSTRING_LEN] = {
	"tx_queue_0_xdp_xmit",
	"tx_queue_0_xdp_xmit_errors",
};

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	const struct simnic_card *card = simnic_card_of(dev);

	strscpy(info->driver, "simnic", sizeof(info->driver));
	if (card)
		snprintf(info->bus_info, sizeof(info->bus_info), "card%d", card->id);
}

static int n_card_stats(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return ARRAY_SIZE(card_stats) + dev->num_rx_queues;
}

static void name_card_stats(struct net_device *dev, u32 set, u8 *names)
{
	unsigned int i;

	memcpy(names, card_stats, sizeof(card_stats));
	names += sizeof(card_stats);
	for (i = 0; i < dev->num_rx_queues; i++)
		snprintf(names + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "rx_queue_%u_packets", i);
}

static void read_card_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *values)
{
	struct simnic_port *port = netdev_priv(dev);
	struct simnic_table *table = &port->card->table;
	unsigned int i;

	spin_lock_bh(&table->lock);
	values[0] = table->n_rules;
	values[1] = table->dropped;
	values[2] = table->steered;
	spin_unlock_bh(&table->lock);
	values += ARRAY_SIZE(card_stats);
	for (i = 0; i < dev->num_rx_queues; i++)
		values[i] = atomic64_read(&port->queues[i].packets);
}

static int n_wire_stats(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? ARRAY_SIZE(wire_stats) : -EOPNOTSUPP;
}

static void name_wire_stats(struct net_device *dev, u32 set, u8 *names)
{
	memcpy(names, wire_stats, sizeof(wire_stats));
}

/* As veth counts: what was taken, and what was refused besides. */
static void read_wire_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *values)
{
	struct simnic_port *port = netdev_priv(dev);

	values[0] = atomic64_read(&port->xdp_sent);
	values[1] = atomic64_read(&port->xdp_refused);
}

const struct ethtool_ops simnic_card_ethtool = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = n_card_stats,
	.get_strings = name_card_stats,
	.get_ethtool_stats = read_card_stats,
	.get_rxnfc = simnic_get_rxnfc,
	.set_rxnfc = simnic_set_rxnfc,
};

const struct ethtool_ops simnic_wire_ethtool = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = n_wire_stats,
	.get_strings = name_wire_stats,
	.get_ethtool_stats = read_wire_stats,
};
