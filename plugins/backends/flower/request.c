/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libnl 3.7 has no accessor for flower's IPv6 keys nor for the flags of an action, so the
 * attributes are put one by one.
 */
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>

#include <netlink/attr.h>

#define MESSAGE_SIZE 512 /* A rule takes 250 bytes. */

int request_priority(const struct flower_place *place, const struct sluice_key *key,
		     uint16_t *priority)
{
	if (key->family == SLUICE_FAMILY_IPV4 && key->prefix_len == 32) {
		*priority = place->priority;
		return 0;
	}
	if (key->family != SLUICE_FAMILY_IPV6 || key->prefix_len < 1 || key->prefix_len > 128)
		return -EOPNOTSUPP;
	*priority = (uint16_t)(place->priority + 1 + 128 - key->prefix_len);
	return 0;
}

static int begin(int type, int flags, uint32_t seq, const struct tcmsg *head, struct nl_msg **msg)
{
	*msg = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!*msg)
		return -ENOMEM;
	if (!nlmsg_put(*msg, 0, seq, type, sizeof(*head), NLM_F_REQUEST | flags)) {
		nlmsg_free(*msg);
		return -ENOMEM;
	}
	memcpy(nlmsg_data(nlmsg_hdr(*msg)), head, sizeof(*head));
	return 0;
}

/* Gives the message away, or frees it if something did not fit. */
static int end(int rc, struct nl_msg *msg)
{
	if (rc == 0)
		return 0;
	nlmsg_free(msg);
	return -ENOMEM;
}

static struct tcmsg head_of(const struct flower_place *place, const struct sluice_key *key,
			    uint16_t priority, uint32_t handle)
{
	uint16_t protocol = key->family == SLUICE_FAMILY_IPV4 ? ETH_P_IP : ETH_P_IPV6;

	return (struct tcmsg){
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = place->ifindex,
		.tcm_handle = handle,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE((uint32_t)priority << 16, htons(protocol)),
	};
}

static int put_key(struct nl_msg *msg, const struct sluice_key *key)
{
	bool v4 = key->family == SLUICE_FAMILY_IPV4;
	int size = v4 ? 4 : 16, rc;
	uint8_t mask[16] = { 0 };

	for (unsigned int i = 0; i < key->prefix_len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	rc = nla_put_u16(msg, TCA_FLOWER_KEY_ETH_TYPE, htons(v4 ? ETH_P_IP : ETH_P_IPV6));
	rc = rc ? rc
		: nla_put(msg, v4 ? TCA_FLOWER_KEY_IPV4_SRC : TCA_FLOWER_KEY_IPV6_SRC, size,
			  key->addr);
	return rc ? rc
		  : nla_put(msg, v4 ? TCA_FLOWER_KEY_IPV4_SRC_MASK : TCA_FLOWER_KEY_IPV6_SRC_MASK,
			    size, mask);
}

/* Without counters per CPU: the card counts, and their allocation would cost most of an update. */
static int put_action(struct nl_msg *msg, bool own_hook)
{
	struct nla_bitfield32 flags = { .value = TCA_ACT_FLAGS_NO_PERCPU_STATS,
					.selector = TCA_ACT_FLAGS_NO_PERCPU_STATS };
	struct tc_gact drop = { .action = TC_ACT_SHOT };
	struct nlattr *list = nla_nest_start(msg, TCA_FLOWER_ACT);
	struct nlattr *action = list ? nla_nest_start(msg, 1) : NULL;
	struct nlattr *options;
	int rc;

	if (!action)
		return -ENOMEM;
	rc = nla_put_string(msg, TCA_ACT_KIND, "gact");
	rc = rc ? rc
		: nla_put(msg, TCA_ACT_COOKIE,
			  own_hook ? FLOWER_COOKIE_OWN_HOOK_SIZE : FLOWER_COOKIE_SIZE,
			  FLOWER_COOKIE_OWN_HOOK);
	rc = rc ? rc : nla_put(msg, TCA_ACT_FLAGS, sizeof(flags), &flags);
	options = rc ? NULL : nla_nest_start(msg, TCA_ACT_OPTIONS);
	if (!options || nla_put(msg, TCA_GACT_PARMS, sizeof(drop), &drop))
		return -ENOMEM;
	nla_nest_end(msg, options);
	nla_nest_end(msg, action);
	nla_nest_end(msg, list);
	return 0;
}

static int put_rule(struct nl_msg *msg, const struct flower_place *place,
		    const struct sluice_key *key)
{
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);
	int rc = options ? put_key(msg, key) : -ENOMEM;

	rc = rc ? rc
		: nla_put_u32(msg, TCA_FLOWER_FLAGS,
			      place->hardware ? TCA_CLS_FLAGS_SKIP_SW : TCA_CLS_FLAGS_SKIP_HW);
	rc = rc ? rc : put_action(msg, place->own_hook);
	if (rc == 0)
		nla_nest_end(msg, options);
	return rc;
}

static int begin_rule(const struct flower_place *place, int type, int flags,
		      const struct sluice_key *key, uint32_t handle, uint32_t seq,
		      struct nl_msg **msg)
{
	struct tcmsg head;
	uint16_t priority;
	int rc = request_priority(place, key, &priority);

	if (rc)
		return rc;
	head = head_of(place, key, priority, handle);
	rc = begin(type, flags | NLM_F_ACK, seq, &head, msg);
	if (rc)
		return rc;
	rc = nla_put_string(*msg, TCA_KIND, "flower");
	return end(rc ? rc : nla_put_u32(*msg, TCA_CHAIN, place->chain), *msg);
}

int request_add(const struct flower_place *place, const struct sluice_key *key, uint32_t handle,
		uint32_t seq, struct nl_msg **msg)
{
	int rc =
		begin_rule(place, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, key, handle, seq, msg);

	return rc ? rc : end(put_rule(*msg, place, key), *msg);
}

int request_del(const struct flower_place *place, const struct sluice_key *key, uint32_t handle,
		uint32_t seq, struct nl_msg **msg)
{
	/* Without a handle the kernel would delete all of a priority, others' rules included. */
	if (handle == 0)
		return -EOPNOTSUPP;
	return begin_rule(place, RTM_DELTFILTER, 0, key, handle, seq, msg);
}

static int begin_dump(const struct flower_place *place, uint32_t direction, uint32_t seq,
		      struct nl_msg **msg)
{
	struct tcmsg head = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = place->ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, direction),
	};

	return begin(RTM_GETTFILTER, NLM_F_DUMP, seq, &head, msg);
}

int request_dump(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
{
	int rc = begin_dump(place, TC_H_MIN_INGRESS, seq, msg);

	return rc ? rc : end(nla_put_u32(*msg, TCA_CHAIN, place->chain), *msg);
}

int request_dump_ingress(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
{
	return begin_dump(place, TC_H_MIN_INGRESS, seq, msg);
}

int request_dump_egress(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
{
	return begin_dump(place, TC_H_MIN_EGRESS, seq, msg);
}

static int begin_hook(const struct flower_place *place, int type, int flags, uint32_t seq,
		      struct nl_msg **msg)
{
	struct tcmsg head = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = place->ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT,
	};
	int rc = begin(type, flags | NLM_F_ACK, seq, &head, msg);

	return rc ? rc : end(nla_put_string(*msg, TCA_KIND, "clsact"), *msg);
}

int request_hook(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
{
	return begin_hook(place, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, seq, msg);
}

int request_unhook(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
{
	return begin_hook(place, RTM_DELQDISC, 0, seq, msg);
}
