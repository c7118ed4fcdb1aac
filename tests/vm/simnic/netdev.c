// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two network devices, and a frame's way from one to the other: the card's table has it first,
 * on the sender's CPU, as a card's own silicon would; what it leaves goes into a ring of the
 * receiver, and from there by NAPI through its XDP program to the stack.
 */
#include <linux/bpf.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/version.h>
#include <net/rtnetlink.h>
#include <net/xdp.h>

#include "simnic.h"

#define N_QUEUES 4
#define RING_SIZE 1024
#define HEADERS_SIZE 128 /* What of a frame the table may look at. */

static struct rtnl_link_ops simnic_link_ops;
static DEFINE_IDA(card_ids);

static int run_xdp(struct bpf_prog *prog, struct sk_buff **skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return do_xdp_generic(prog, skb);
#else
	return do_xdp_generic(prog, *skb);
#endif
}

static void deliver(struct simnic_queue *queue, struct sk_buff *skb)
{
	struct simnic_port *port = queue->port;
	struct bpf_prog *prog;
	int verdict = XDP_PASS;

	atomic64_inc(&port->rx_packets);
	atomic64_add(skb->len + ETH_HLEN, &port->rx_bytes);
	skb_record_rx_queue(skb, queue - port->queues);
	skb_reset_network_header(skb);
	rcu_read_lock();
	prog = rcu_dereference(port->xdp);
	if (prog)
		verdict = run_xdp(prog, &skb);
	rcu_read_unlock();
	if (verdict == XDP_PASS)
		napi_gro_receive(&queue->napi, skb);
}

static int poll(struct napi_struct *napi, int budget)
{
	struct simnic_queue *queue = container_of(napi, struct simnic_queue, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = skb_dequeue(&queue->ring))) {
		deliver(queue, skb);
		done++;
	}
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/* Which queue an ordinary frame goes to: flows stay in order. */
static u16 spread(const struct simnic_port *port, const void *data, unsigned int len)
{
	u32 hash = jhash(data, min(len, 42U), 0);

	return reciprocal_scale(hash, port->dev->real_num_rx_queues);
}

/* False: the card has dropped the frame. */
static bool through_table(struct simnic_port *port, const void *data, unsigned int len,
			  unsigned int frame_len, u16 *queue)
{
	enum simnic_action action = SIMNIC_PASS;

	if (port->card && simnic_bpf_drops(port->card, data, len, frame_len))
		return false;
	if (port->card)
		action = simnic_table_match(&port->card->table, data, len, frame_len, queue);
	if (action == SIMNIC_PASS)
		*queue = spread(port, data, len);
	return action != SIMNIC_DROP;
}

static bool ring_has_room(struct simnic_port *port, u16 queue)
{
	return skb_queue_len(&port->queues[queue].ring) < RING_SIZE;
}

static void into_ring(struct simnic_port *port, struct sk_buff *skb, u16 number)
{
	struct simnic_queue *queue = &port->queues[number];

	skb_queue_tail(&queue->ring, skb);
	atomic64_inc(&queue->packets);
	napi_schedule(&queue->napi);
}

/* Takes the frame in any case; false if it is lost. */
static bool send_skb(struct simnic_port *peer, struct sk_buff *skb)
{
	u16 queue;

	/* pktgen keeps a hold on what it sends. */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return false;
	if (!peer || !netif_running(peer->dev))
		goto lost;
	if (!pskb_may_pull(skb, min_t(unsigned int, skb->len, HEADERS_SIZE)))
		goto lost;
	if (!through_table(peer, skb->data, skb_headlen(skb), skb->len, &queue)) {
		consume_skb(skb);
		return true;
	}
	if (!ring_has_room(peer, queue))
		goto lost;
	/* Frees the frame if it is not to be forwarded. */
	if (__dev_forward_skb(peer->dev, skb))
		return false;
	into_ring(peer, skb, queue);
	return true;
lost:
	kfree_skb(skb);
	return false;
}

static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);
	unsigned int len = skb->len;
	bool sent;

	rcu_read_lock();
	sent = send_skb(rcu_dereference(port->peer), skb);
	rcu_read_unlock();
	if (sent) {
		atomic64_inc(&port->tx_packets);
		atomic64_add(len, &port->tx_bytes);
	} else {
		atomic64_inc(&port->tx_dropped);
	}
	return NETDEV_TX_OK;
}

/* False: the frame stays the caller's. */
static bool send_frame(struct simnic_port *peer, struct xdp_frame *frame)
{
	unsigned int len = xdp_get_frame_len(frame);
	struct sk_buff *skb;
	u16 queue;

	if (len > peer->dev->mtu + VLAN_ETH_HLEN)
		return false;
	if (!through_table(peer, frame->data, frame->len, len, &queue)) {
		xdp_return_frame(frame);
		return true;
	}
	if (!ring_has_room(peer, queue))
		return false;
	skb = xdp_build_skb_from_frame(frame, peer->dev);
	if (!skb)
		return false;
	into_ring(peer, skb, queue);
	return true;
}

static int xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames, u32 flags)
{
	struct simnic_port *port = netdev_priv(dev), *peer;
	int sent = 0;

	if (flags & ~XDP_XMIT_FLAGS_MASK)
		return -EINVAL;
	rcu_read_lock();
	peer = rcu_dereference(port->peer);
	if (peer && netif_running(peer->dev))
		while (sent < n && send_frame(peer, frames[sent]))
			sent++;
	rcu_read_unlock();
	atomic64_add(sent, &port->xdp_sent);
	atomic64_add(n - sent, &port->xdp_refused);
	return sent;
}

static int set_xdp(struct simnic_port *port, struct bpf_prog *prog)
{
	struct bpf_prog *old = rtnl_dereference(port->xdp);

	rcu_assign_pointer(port->xdp, prog);
	if (old)
		bpf_prog_put(old);
	return 0;
}

static int setup_bpf(struct net_device *dev, struct netdev_bpf *bpf)
{
	struct simnic_card *card = simnic_card_of(dev);

	if (bpf->command == XDP_SETUP_PROG)
		return set_xdp(netdev_priv(dev), bpf->prog);
	return card ? simnic_bpf_command(card, bpf) : -EINVAL;
}

static void set_carriers(struct simnic_port *port, bool on)
{
	struct simnic_port *peer = rtnl_dereference(port->peer);

	if (on && peer && netif_running(peer->dev)) {
		netif_carrier_on(port->dev);
		netif_carrier_on(peer->dev);
		return;
	}
	netif_carrier_off(port->dev);
	if (peer)
		netif_carrier_off(peer->dev);
}

static int open(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);
	unsigned int i;

	for (i = 0; i < dev->num_rx_queues; i++)
		napi_enable(&port->queues[i].napi);
	set_carriers(port, true);
	return 0;
}

static int stop(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);
	unsigned int i;

	set_carriers(port, false);
	/* Whoever still sends has seen the port running; then nothing more comes into the rings. */
	synchronize_net();
	for (i = 0; i < dev->num_rx_queues; i++) {
		napi_disable(&port->queues[i].napi);
		atomic64_add(skb_queue_len(&port->queues[i].ring), &port->rx_dropped);
		skb_queue_purge(&port->queues[i].ring);
	}
	return 0;
}

static int new_card(struct simnic_port *port)
{
	struct simnic_card *card = kvzalloc(sizeof(*card), GFP_KERNEL);
	int err;

	if (!card)
		return -ENOMEM;
	card->dev = port->dev;
	err = simnic_bpf_add(card);
	if (err)
		goto free;
	card->id = err = ida_alloc(&card_ids, GFP_KERNEL);
	if (err < 0)
		goto leave;
	simnic_table_init(&card->table);
	xa_init(&card->flower);
	xa_init(&card->ntuple);
	simnic_knobs_add(card);
	port->card = card;
	return 0;
leave:
	simnic_bpf_leave(card);
	simnic_bpf_free(card);
free:
	kvfree(card);
	return err;
}

static void free_card(struct simnic_card *card)
{
	if (!card)
		return;
	simnic_knobs_del(card);
	simnic_flower_clear(card);
	simnic_ntuple_clear(card);
	simnic_bpf_free(card);
	ida_free(&card_ids, card->id);
	kvfree(card);
}

static void destroy_queues(struct simnic_port *port)
{
	unsigned int i;

	for (i = 0; i < port->dev->num_rx_queues; i++) {
		netif_napi_del(&port->queues[i].napi);
		skb_queue_purge(&port->queues[i].ring);
	}
	kfree(port->queues);
}

static int init_wire(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);
	unsigned int i;

	port->dev = dev;
	port->queues = kcalloc(dev->num_rx_queues, sizeof(*port->queues), GFP_KERNEL);
	if (!port->queues)
		return -ENOMEM;
	for (i = 0; i < dev->num_rx_queues; i++) {
		port->queues[i].port = port;
		skb_queue_head_init(&port->queues[i].ring);
		netif_napi_add(dev, &port->queues[i].napi, poll);
	}
	return 0;
}

static int init_card(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);
	int err = init_wire(dev);

	if (err)
		return err;
	err = new_card(port);
	if (err)
		destroy_queues(port);
	return err;
}

static void uninit(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev), *peer = rtnl_dereference(port->peer);

	/* Whoever still sends has seen the peer before this, and unregistering waits for them. */
	RCU_INIT_POINTER(port->peer, NULL);
	if (peer)
		RCU_INIT_POINTER(peer->peer, NULL);
	if (port->card)
		simnic_bpf_leave(port->card);
}

/* After a registration that went beyond init_*(): nobody can reach the device any more. */
static void destroy(struct net_device *dev)
{
	struct simnic_port *port = netdev_priv(dev);

	destroy_queues(port);
	free_card(port->card);
}

static void get_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct simnic_port *port = netdev_priv(dev);

	stats->rx_packets = atomic64_read(&port->rx_packets);
	stats->rx_bytes = atomic64_read(&port->rx_bytes);
	stats->rx_dropped = atomic64_read(&port->rx_dropped);
	stats->tx_packets = atomic64_read(&port->tx_packets) + atomic64_read(&port->xdp_sent);
	stats->tx_bytes = atomic64_read(&port->tx_bytes);
	stats->tx_dropped = atomic64_read(&port->tx_dropped);
}

#define COMMON_OPS                                                                              \
	.ndo_uninit = uninit, .ndo_open = open, .ndo_stop = stop, .ndo_start_xmit = start_xmit, \
	.ndo_xdp_xmit = xdp_xmit, .ndo_bpf = setup_bpf, .ndo_get_stats64 = get_stats,           \
	.ndo_set_mac_address = eth_mac_addr, .ndo_validate_addr = eth_validate_addr

static const struct net_device_ops wire_ops = {
	COMMON_OPS,
	.ndo_init = init_wire,
};

static const struct net_device_ops card_ops = {
	COMMON_OPS,
	.ndo_init = init_card,
	.ndo_setup_tc = simnic_setup_tc,
};

static void setup_wire(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &wire_ops;
	dev->ethtool_ops = &simnic_wire_ethtool;
	dev->rtnl_link_ops = &simnic_link_ops;
	dev->priv_destructor = destroy;
	dev->needs_free_netdev = true;
	dev->max_mtu = 9500;
	/* Frames go on to the other end as they are, so nobody else may hold them. */
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	xdp_set_features_flag(dev, NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT |
					   NETDEV_XDP_ACT_NDO_XMIT);
#endif
	eth_hw_addr_random(dev);
}

static void setup_card(struct net_device *dev)
{
	setup_wire(dev);
	dev->netdev_ops = &card_ops;
	dev->ethtool_ops = &simnic_card_ethtool;
	dev->hw_features = NETIF_F_HW_TC | NETIF_F_NTUPLE;
	dev->features |= NETIF_F_HW_TC | NETIF_F_NTUPLE;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	xdp_set_features_flag(dev, dev->xdp_features | NETDEV_XDP_ACT_HW_OFFLOAD);
#endif
}

static int new_wire(struct net_device *card_dev)
{
	struct net_device *dev;
	int err;

	dev = alloc_netdev_mqs(sizeof(struct simnic_port), "wire%d", NET_NAME_ENUM, setup_wire,
			       card_dev->num_tx_queues, card_dev->num_rx_queues);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, dev_net(card_dev));
	err = register_netdevice(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	netif_carrier_off(dev);
	rcu_assign_pointer(((struct simnic_port *)netdev_priv(dev))->peer, netdev_priv(card_dev));
	rcu_assign_pointer(((struct simnic_port *)netdev_priv(card_dev))->peer, netdev_priv(dev));
	return 0;
}

static void del_link(struct net_device *dev, struct list_head *head)
{
	struct simnic_port *port = netdev_priv(dev), *peer = rtnl_dereference(port->peer);

	unregister_netdevice_queue(dev, head);
	if (peer)
		unregister_netdevice_queue(peer->dev, head);
}

static int new_link(struct net *src_net, struct net_device *dev, struct nlattr *tb[],
		    struct nlattr *data[], struct netlink_ext_ack *extack)
{
	int err = register_netdevice(dev);

	if (err)
		return err;
	netif_carrier_off(dev);
	err = new_wire(dev);
	if (err) {
		NL_SET_ERR_MSG_MOD(extack, "cannot make the other end of the wire");
		unregister_netdevice(dev);
	}
	return err;
}

static unsigned int n_queues(void)
{
	return N_QUEUES;
}

static struct rtnl_link_ops simnic_link_ops = {
	.kind = "simnic",
	.priv_size = sizeof(struct simnic_port),
	.setup = setup_card,
	.newlink = new_link,
	.dellink = del_link,
	.get_num_tx_queues = n_queues,
	.get_num_rx_queues = n_queues,
};

static int __init simnic_init(void)
{
	int err;

	simnic_knobs_init();
	err = rtnl_link_register(&simnic_link_ops);
	if (err)
		simnic_knobs_fini();
	return err;
}

static void __exit simnic_exit(void)
{
	rtnl_link_unregister(&simnic_link_ops);
	simnic_knobs_fini();
}

module_init(simnic_init);
module_exit(simnic_exit);
MODULE_DESCRIPTION("A network card that does not exist, for tests");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK("simnic");
