// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card's table: tuple space search, as in many a real one.  Rules with the same mask share a
 * look-up.  One lock, so that each frame is counted by exactly one rule, exactly once.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/slab.h>
#include <net/ip.h>

#include "simnic.h"

#define KEY_WORDS (sizeof(struct simnic_key) / sizeof(u32))

static_assert(sizeof(struct simnic_key) == 40);

void simnic_table_init(struct simnic_table *table)
{
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->masks);
	hash_init(table->rules);
}

static u32 hash_key(const struct simnic_key *key, const struct simnic_mask *mask)
{
	return jhash2((const u32 *)key, KEY_WORDS, (u32)(unsigned long)mask);
}

static void mask_key(const struct simnic_key *key, const struct simnic_key *bits,
		     struct simnic_key *masked)
{
	const u32 *from = (const u32 *)key, *and = (const u32 *)bits;
	u32 *to = (u32 *)masked;
	unsigned int i;

	for (i = 0; i < KEY_WORDS; i++)
		to[i] = from[i] & and[i];
}

static struct simnic_mask *find_mask(struct simnic_table *table, const struct simnic_key *bits)
{
	struct simnic_mask *mask;

	list_for_each_entry(mask, &table->masks, list)
		if (!memcmp(&mask->bits, bits, sizeof(*bits)))
			return mask;
	return NULL;
}

int simnic_table_add(struct simnic_table *table, struct simnic_rule *rule,
		     const struct simnic_key *bits)
{
	struct simnic_mask *spare = kzalloc(sizeof(*spare), GFP_KERNEL);

	if (!spare)
		return -ENOMEM;
	spare->bits = *bits;
	mask_key(&rule->key, bits, &rule->key);
	spin_lock_bh(&table->lock);
	rule->mask = find_mask(table, bits);
	if (!rule->mask) {
		list_add_tail(&spare->list, &table->masks);
		rule->mask = spare;
		spare = NULL;
	}
	rule->mask->n_rules++;
	hash_add(table->rules, &rule->node, hash_key(&rule->key, rule->mask));
	table->n_rules++;
	spin_unlock_bh(&table->lock);
	kfree(spare);
	return 0;
}

void simnic_table_del(struct simnic_table *table, struct simnic_rule *rule)
{
	struct simnic_mask *mask = rule->mask;

	if (!mask)
		return;
	spin_lock_bh(&table->lock);
	hash_del(&rule->node);
	rule->mask = NULL;
	table->n_rules--;
	if (--mask->n_rules)
		mask = NULL;
	else
		list_del(&mask->list);
	spin_unlock_bh(&table->lock);
	kfree(mask);
}

static void parse_ports(const u8 *data, unsigned int len, unsigned int at, struct simnic_key *key)
{
	const __be16 *ports = (const void *)(data + at);

	if (key->ip_proto != IPPROTO_TCP && key->ip_proto != IPPROTO_UDP &&
	    key->ip_proto != IPPROTO_SCTP)
		return;
	if (len < at + 2 * sizeof(*ports))
		return;
	key->src_port = ports[0];
	key->dst_port = ports[1];
}

static bool parse_ipv4(const u8 *data, unsigned int len, struct simnic_key *key)
{
	const struct iphdr *ip = (const void *)(data + ETH_HLEN);

	if (len < ETH_HLEN + sizeof(*ip) || ip->version != 4 || ip->ihl < 5)
		return false;
	key->src.s6_addr32[0] = ip->saddr;
	key->dst.s6_addr32[0] = ip->daddr;
	key->ip_proto = ip->protocol;
	/* Later fragments have no ports. */
	if (!(ip->frag_off & htons(IP_OFFSET)))
		parse_ports(data, len, ETH_HLEN + ip->ihl * 4, key);
	return true;
}

static bool parse_ipv6(const u8 *data, unsigned int len, struct simnic_key *key)
{
	const struct ipv6hdr *ip = (const void *)(data + ETH_HLEN);

	if (len < ETH_HLEN + sizeof(*ip) || ip->version != 6)
		return false;
	key->src = ip->saddr;
	key->dst = ip->daddr;
	key->ip_proto = ip->nexthdr;
	parse_ports(data, len, ETH_HLEN + sizeof(*ip), key);
	return true;
}

/* As simple cards do: no tags, no extension headers.  False: nothing to compare. */
static bool parse(const void *data, unsigned int len, struct simnic_key *key)
{
	const struct ethhdr *eth = data;

	memset(key, 0, sizeof(*key));
	if (len < sizeof(*eth))
		return false;
	key->eth_proto = eth->h_proto;
	switch (eth->h_proto) {
	case htons(ETH_P_IP):
		return parse_ipv4(data, len, key);
	case htons(ETH_P_IPV6):
		return parse_ipv6(data, len, key);
	default:
		return true;
	}
}

static struct simnic_rule *find_best(struct simnic_table *table, const struct simnic_key *key)
{
	struct simnic_rule *rule, *best = NULL;
	struct simnic_mask *mask;
	struct simnic_key masked;

	list_for_each_entry(mask, &table->masks, list) {
		mask_key(key, &mask->bits, &masked);
		hash_for_each_possible(table->rules, rule, node, hash_key(&masked, mask)) {
			if (rule->mask != mask || memcmp(&rule->key, &masked, sizeof(masked)))
				continue;
			if (!best || rule->order < best->order)
				best = rule;
		}
	}
	return best;
}

enum simnic_action simnic_table_match(struct simnic_table *table, const void *data,
				      unsigned int len, unsigned int frame_len, u16 *queue)
{
	enum simnic_action action = SIMNIC_PASS;
	struct simnic_rule *rule;
	struct simnic_key key;

	if (!READ_ONCE(table->n_rules) || !parse(data, len, &key))
		return SIMNIC_PASS;
	spin_lock_bh(&table->lock);
	rule = find_best(table, &key);
	if (rule) {
		rule->packets++;
		rule->bytes += frame_len;
		rule->used = jiffies;
		action = rule->action;
		*queue = rule->queue;
		table->dropped += action == SIMNIC_DROP;
		table->steered += action == SIMNIC_QUEUE;
	}
	spin_unlock_bh(&table->lock);
	return action;
}
