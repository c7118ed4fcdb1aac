/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simnic: a network card that does not exist, for tests in a virtual machine and nothing else.  To
 * the kernel it is a card: it takes rules by the interfaces that drivers implement, and what arrives
 * for it goes through its table before its host sees it.
 *
 * `ip link add eth0 type simnic` makes two interfaces: the card `eth0`, and the other end of its
 * wire, `wire0` (or the next number), which may move to another namespace.
 *
 *   wire end  --->  table (table.c)  --->  rings, NAPI, native XDP (netdev.c)  --->  stack
 *                     ^         ^
 *            tc flower (flower.c)  ethtool -N (ntuple.c)        faults: knobs.c
 *
 * Before the table comes the card's own XDP hook (bpf.c), as in cards that run BPF.
 */
#ifndef SIMNIC_H
#define SIMNIC_H

#include <linux/atomic.h>
#include <linux/ethtool.h>
#include <linux/hashtable.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct bpf_prog;
struct dentry;
struct netdev_bpf;
struct simnic_bpf;

#define SIMNIC_TABLE_BITS 14

/* What a rule can compare.  Of an IPv4 address the first word; no holes, since it is hashed. */
struct simnic_key {
	__be16 eth_proto;
	u8 ip_proto;
	u8 unused;
	__be16 src_port, dst_port;
	struct in6_addr src, dst;
};

/* One per set of bits that rules compare: a packet is looked up once for each. */
struct simnic_mask {
	struct list_head list;
	unsigned int n_rules;
	struct simnic_key bits;
};

enum simnic_action {
	SIMNIC_PASS,
	SIMNIC_DROP,
	SIMNIC_QUEUE,
};

/* A rule of either kind.  Its maker owns the memory; counters are under the table's lock. */
struct simnic_rule {
	struct hlist_node node;
	struct simnic_mask *mask; /* NULL: the card does not have it. */
	struct simnic_key key;
	u64 order; /* Of two that match, the lower one counts. */
	enum simnic_action action;
	u16 queue;
	u64 packets, bytes;
	unsigned long used; /* In jiffies. */
};

/* Who comes first: ntuple filters, by location, then flower, by priority. */
#define SIMNIC_ORDER_NTUPLE 0ULL
#define SIMNIC_ORDER_FLOWER (1ULL << 32)

struct simnic_table {
	spinlock_t lock;
	struct list_head masks;
	DECLARE_HASHTABLE(rules, SIMNIC_TABLE_BITS);
	u32 n_rules; /* Of both kinds: a card has one memory for them. */
	u64 dropped, steered;
};

/* Faults, set by files in debugfs; see knobs.c. */
struct simnic_knobs {
	u32 capacity;
	u32 delay_us;
	u32 refresh_ms;
	atomic_t fail;
	bool lie;
	struct dentry *folder;
};

/* Changes of rules come under RTNL, from flower, ethtool and the knobs alike. */
struct simnic_card {
	int id;
	struct net_device *dev;
	struct simnic_table table;
	struct simnic_knobs knobs;
	struct xarray flower; /* By cookie. */
	struct xarray ntuple; /* By location. */
	struct simnic_bpf *bpf;
};

struct simnic_queue {
	struct napi_struct napi;
	struct simnic_port *port;
	struct sk_buff_head ring;
	atomic64_t packets; /* That came into the ring. */
};

/* Both ends of the wire; private data of their net devices. */
struct simnic_port {
	struct net_device *dev;
	struct simnic_port __rcu *peer;
	struct simnic_card *card; /* NULL at the end that is not the card. */
	struct bpf_prog __rcu *xdp;
	struct simnic_queue *queues; /* As many as dev->num_rx_queues. */
	atomic64_t rx_packets, rx_bytes, rx_dropped, tx_packets, tx_bytes, tx_dropped;
	atomic64_t xdp_sent, xdp_refused;
};

/* ethtool.c */
extern const struct ethtool_ops simnic_card_ethtool;
extern const struct ethtool_ops simnic_wire_ethtool;

/* table.c: the card's memory of rules and what it does with a frame. */
void simnic_table_init(struct simnic_table *table);
/* -ENOMEM; the rule is in force on return. */
int simnic_table_add(struct simnic_table *table, struct simnic_rule *rule,
		     const struct simnic_key *bits);
/* Does nothing for a rule that is not in the table. */
void simnic_table_del(struct simnic_table *table, struct simnic_rule *rule);
/* Applies and counts the best match of a frame; its first `len` bytes are at `data`. */
enum simnic_action simnic_table_match(struct simnic_table *table, const void *data,
				      unsigned int len, unsigned int frame_len, u16 *queue);

/* flower.c */
int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data);
void simnic_flower_clear(struct simnic_card *card);

/* ntuple.c */
int simnic_get_rxnfc(struct net_device *dev, struct ethtool_rxnfc *nfc, u32 *locations);
int simnic_set_rxnfc(struct net_device *dev, struct ethtool_rxnfc *nfc);
void simnic_ntuple_clear(struct simnic_card *card);

/* bpf.c */
int simnic_bpf_add(struct simnic_card *card);
void simnic_bpf_leave(struct simnic_card *card); /* The kernel's books, under RTNL. */
void simnic_bpf_free(struct simnic_card *card);
int simnic_bpf_command(struct simnic_card *card, struct netdev_bpf *command);
void simnic_bpf_knobs(struct simnic_card *card);
/* Empties all maps; under RTNL. */
void simnic_bpf_clear(struct simnic_card *card);
/* Under rcu_read_lock(); the frame's first `len` bytes are at `data`. */
bool simnic_bpf_drops(struct simnic_card *card, const void *data, unsigned int len,
		      unsigned int frame_len);

/* knobs.c */
void simnic_knobs_init(void);
void simnic_knobs_fini(void);
void simnic_knobs_add(struct simnic_card *card);
void simnic_knobs_del(struct simnic_card *card);
/* At the start of each change of a rule: takes its time, and its failure if one is due (-EIO). */
int simnic_knobs_begin(struct simnic_card *card);

static inline struct simnic_card *simnic_card_of(const struct net_device *dev)
{
	return ((struct simnic_port *)netdev_priv(dev))->card;
}

static inline bool simnic_is_full(const struct simnic_card *card)
{
	return card->table.n_rules >= card->knobs.capacity;
}

#endif /* SIMNIC_H */
