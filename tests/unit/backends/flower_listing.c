/* SPDX-License-Identifier: BSD-2-Clause */
/* See flower_listing.h. */
#include "flower_listing.h"

#include <arpa/inet.h>

#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <netlink/attr.h>

static void put_stats(struct nl_msg *msg, const struct flower_listing *rule)
{
	struct {
		uint64_t bytes;
		uint32_t packets, pad;
	} all = { 100ull * rule->packets, rule->packets, 0 },
	  card = { 100ull * rule->hw_packets, rule->hw_packets, 0 };
	struct nlattr *stats = nla_nest_start(msg, TCA_ACT_STATS);

	nla_put(msg, TCA_STATS_BASIC, sizeof(all), &all);
	nla_put(msg, TCA_STATS_BASIC_HW, sizeof(card), &card);
	if (rule->hw_packets64)
		nla_put(msg, TCA_STATS_PKT64, sizeof(rule->hw_packets64), &rule->hw_packets64);
	nla_nest_end(msg, stats);
}

static void put_drop(struct nl_msg *msg, const struct flower_listing *rule)
{
	const struct tc_gact drop = { .action = TC_ACT_SHOT };
	const struct tcf_t times = { .install = 5000, .lastuse = rule->idle_ticks };
	struct nlattr *options = nla_nest_start(msg, TCA_ACT_OPTIONS);

	nla_put(msg, TCA_GACT_PARMS, sizeof(drop), &drop);
	if (rule->idle_ticks != FLOWER_LISTING_NO_TIMES)
		nla_put(msg, TCA_GACT_TM, sizeof(times), &times);
	nla_nest_end(msg, options);
}

static void put_action(struct nl_msg *msg, const struct flower_listing *rule)
{
	struct nlattr *list = nla_nest_start(msg, TCA_FLOWER_ACT);
	struct nlattr *action = nla_nest_start(msg, 1);

	nla_put_string(msg, TCA_ACT_KIND, "gact");
	nla_put(msg, TCA_ACT_COOKIE,
		rule->own_hook ? FLOWER_COOKIE_OWN_HOOK_SIZE : FLOWER_COOKIE_SIZE,
		FLOWER_COOKIE_OWN_HOOK);
	put_stats(msg, rule);
	put_drop(msg, rule);
	nla_nest_end(msg, action);
	nla_nest_end(msg, list);
}

struct nl_msg *flower_listing(const struct flower_place *place, const struct flower_listing *rule)
{
	const struct tcmsg head = {
		.tcm_ifindex = place->ifindex,
		.tcm_handle = rule->handle,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE((uint32_t)place->priority << 16, htons(ETH_P_IP)),
	};
	const uint32_t mask = UINT32_MAX;
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *options;

	nlmsg_put(msg, 0, rule->seq, RTM_NEWTFILTER, 0, 0);
	nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, TCA_KIND, "flower");
	nla_put_u32(msg, TCA_CHAIN, place->chain);
	options = nla_nest_start(msg, TCA_OPTIONS);
	nla_put(msg, TCA_FLOWER_KEY_IPV4_SRC, 4, rule->key.addr);
	nla_put(msg, TCA_FLOWER_KEY_IPV4_SRC_MASK, 4, &mask);
	nla_put_u32(msg, TCA_FLOWER_FLAGS, rule->flags);
	put_action(msg, rule);
	nla_nest_end(msg, options);
	return msg;
}
