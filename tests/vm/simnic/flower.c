// SPDX-License-Identifier: GPL-2.0-only
/*
 * tc flower into the card's table.  The kernel knows a rule by its cookie, asks for what its
 * counters grew by, and holds RTNL around each call, since this driver does not say that it can do
 * without.
 */
#include <linux/slab.h>
#include <net/flow_offload.h>
#include <net/pkt_cls.h>

#include "simnic.h"

struct flower_rule {
	struct simnic_rule rule;
	u64 told_packets, told_bytes;
	unsigned long told; /* When. */
};

/* What is compared; flower marks the addresses of both families whichever it compares. */
#define FLOWER_KEYS                                                                        \
	(BIT_ULL(FLOW_DISSECTOR_KEY_CONTROL) | BIT_ULL(FLOW_DISSECTOR_KEY_BASIC) |         \
	 BIT_ULL(FLOW_DISSECTOR_KEY_IPV4_ADDRS) | BIT_ULL(FLOW_DISSECTOR_KEY_IPV6_ADDRS) | \
	 BIT_ULL(FLOW_DISSECTOR_KEY_PORTS))

static LIST_HEAD(flower_blocks);

static void read_addresses(const struct flow_rule *asked, struct simnic_key *key,
			   struct simnic_key *bits)
{
	struct flow_match_control control;

	flow_rule_match_control(asked, &control);
	if (control.key->addr_type == FLOW_DISSECTOR_KEY_IPV4_ADDRS) {
		struct flow_match_ipv4_addrs match;

		flow_rule_match_ipv4_addrs(asked, &match);
		key->src.s6_addr32[0] = match.key->src;
		key->dst.s6_addr32[0] = match.key->dst;
		bits->src.s6_addr32[0] = match.mask->src;
		bits->dst.s6_addr32[0] = match.mask->dst;
	} else if (control.key->addr_type == FLOW_DISSECTOR_KEY_IPV6_ADDRS) {
		struct flow_match_ipv6_addrs match;

		flow_rule_match_ipv6_addrs(asked, &match);
		key->src = match.key->src;
		key->dst = match.key->dst;
		bits->src = match.mask->src;
		bits->dst = match.mask->dst;
	}
}

static void read_keys(const struct flow_rule *asked, struct simnic_key *key,
		      struct simnic_key *bits)
{
	if (flow_rule_match_key(asked, FLOW_DISSECTOR_KEY_BASIC)) {
		struct flow_match_basic match;

		flow_rule_match_basic(asked, &match);
		key->ip_proto = match.key->ip_proto;
		bits->ip_proto = match.mask->ip_proto;
	}
	if (flow_rule_match_key(asked, FLOW_DISSECTOR_KEY_PORTS)) {
		struct flow_match_ports match;

		flow_rule_match_ports(asked, &match);
		key->src_port = match.key->src;
		key->dst_port = match.key->dst;
		bits->src_port = match.mask->src;
		bits->dst_port = match.mask->dst;
	}
}

static int read_match(const struct flow_cls_offload *request, struct simnic_key *key,
		      struct simnic_key *bits)
{
	struct netlink_ext_ack *extack = request->common.extack;
	struct flow_rule *asked = flow_cls_offload_flow_rule((struct flow_cls_offload *)request);

	if (asked->match.dissector->used_keys & ~FLOWER_KEYS) {
		NL_SET_ERR_MSG_MOD(extack, "the card cannot compare one of these fields");
		return -EOPNOTSUPP;
	}
	if (request->common.protocol != htons(ETH_P_ALL)) {
		key->eth_proto = request->common.protocol;
		bits->eth_proto = htons(0xffff);
	}
	if (flow_rule_match_key(asked, FLOW_DISSECTOR_KEY_CONTROL)) {
		struct flow_match_control control;

		flow_rule_match_control(asked, &control);
		if (control.mask->flags) {
			NL_SET_ERR_MSG_MOD(extack, "the card cannot compare flags of a packet");
			return -EOPNOTSUPP;
		}
		read_addresses(asked, key, bits);
	}
	read_keys(asked, key, bits);
	return 0;
}

static int read_action(const struct flow_cls_offload *request, enum simnic_action *action)
{
	struct netlink_ext_ack *extack = request->common.extack;
	struct flow_rule *asked = flow_cls_offload_flow_rule((struct flow_cls_offload *)request);

	if (!flow_action_basic_hw_stats_check(&asked->action, extack))
		return -EOPNOTSUPP;
	if (!flow_offload_has_one_action(&asked->action)) {
		NL_SET_ERR_MSG_MOD(extack, "the card does one action per rule");
		return -EOPNOTSUPP;
	}
	switch (asked->action.entries[0].id) {
	case FLOW_ACTION_DROP:
		*action = SIMNIC_DROP;
		return 0;
	case FLOW_ACTION_ACCEPT:
		*action = SIMNIC_PASS;
		return 0;
	default:
		NL_SET_ERR_MSG_MOD(extack, "the card can only drop and pass");
		return -EOPNOTSUPP;
	}
}

static int put_into_table(struct simnic_card *card, const struct flow_cls_offload *request,
			  struct flower_rule *flower)
{
	struct simnic_key bits = { 0 };
	int err = read_match(request, &flower->rule.key, &bits);

	err = err ?: read_action(request, &flower->rule.action);
	err = err ?: simnic_knobs_begin(card);
	if (err == -EIO)
		NL_SET_ERR_MSG_MOD(request->common.extack, "the card did not answer");
	if (err || card->knobs.lie)
		return err;
	if (simnic_is_full(card)) {
		NL_SET_ERR_MSG_MOD(request->common.extack, "the card's table is full");
		return -ENOSPC;
	}
	flower->rule.order = SIMNIC_ORDER_FLOWER + request->common.prio;
	return simnic_table_add(&card->table, &flower->rule, &bits);
}

static void forget(struct simnic_card *card, unsigned long cookie)
{
	struct flower_rule *flower = xa_erase(&card->flower, cookie);

	if (!flower)
		return;
	simnic_table_del(&card->table, &flower->rule);
	kfree(flower);
}

/* An exchange asks for the new rule before it takes out the old one, which has a cookie of its own. */
static int flower_replace(struct simnic_card *card, const struct flow_cls_offload *request)
{
	struct flower_rule *flower = kzalloc(sizeof(*flower), GFP_KERNEL);
	int err;

	if (!flower)
		return -ENOMEM;
	err = xa_insert(&card->flower, request->cookie, flower, GFP_KERNEL);
	if (err) {
		kfree(flower);
		return err;
	}
	err = put_into_table(card, request, flower);
	if (err)
		forget(card, request->cookie);
	return err;
}

/* The kernel does not hear of a failure here, and forgets the rule whatever the card does. */
static int flower_destroy(struct simnic_card *card, const struct flow_cls_offload *request)
{
	if (!xa_load(&card->flower, request->cookie))
		return -ENOENT;
	simnic_knobs_begin(card);
	forget(card, request->cookie);
	return 0;
}

static int flower_stats(struct simnic_card *card, struct flow_cls_offload *request)
{
	struct flower_rule *flower = xa_load(&card->flower, request->cookie);
	struct simnic_rule *rule;
	u64 packets, bytes;

	if (!flower)
		return -ENOENT;
	if (time_before(jiffies, flower->told + msecs_to_jiffies(card->knobs.refresh_ms)))
		return 0;
	rule = &flower->rule;
	flower->told = jiffies;
	spin_lock_bh(&card->table.lock);
	packets = rule->packets - flower->told_packets;
	bytes = rule->bytes - flower->told_bytes;
	flower->told_packets = rule->packets;
	flower->told_bytes = rule->bytes;
	flow_stats_update(&request->stats, bytes, packets,
			  rule->action == SIMNIC_DROP ? packets : 0, rule->used,
			  FLOW_ACTION_HW_STATS_IMMEDIATE);
	spin_unlock_bh(&card->table.lock);
	return 0;
}

static int flower_call(enum tc_setup_type type, void *data, void *private)
{
	struct flow_cls_offload *request = data;
	struct simnic_card *card = private;

	if (type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	if (!tc_cls_can_offload_and_chain0(card->dev, &request->common))
		return -EOPNOTSUPP;
	switch (request->command) {
	case FLOW_CLS_REPLACE:
		return flower_replace(card, request);
	case FLOW_CLS_DESTROY:
		return flower_destroy(card, request);
	case FLOW_CLS_STATS:
		return flower_stats(card, request);
	default:
		return -EOPNOTSUPP;
	}
}

int simnic_setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	struct simnic_card *card = simnic_card_of(dev);

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	return flow_block_cb_setup_simple(data, &flower_blocks, flower_call, card, card, true);
}

void simnic_flower_clear(struct simnic_card *card)
{
	struct flower_rule *flower;
	unsigned long cookie;

	xa_for_each(&card->flower, cookie, flower)
		forget(card, cookie);
}
