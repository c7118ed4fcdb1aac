/* SPDX-License-Identifier: BSD-2-Clause */
/* See reply.h. */
#include "reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>

#include <netlink/attr.h>

/* Counters as the kernel sends them: `packets` holds 32 bits of the number. */
struct basic {
	uint64_t bytes;
	uint32_t packets;
};
#define BASIC_SIZE 12u /* Without the padding at its end. */

static int payload_size(const struct nlattr *attr)
{
	return attr ? nla_len(attr) : 0;
}

/* An attribute's payload if it is at least that long. */
static bool copy(const struct nlattr *attr, void *to, size_t size)
{
	if (!attr || (size_t)payload_size(attr) < size)
		return false;
	memcpy(to, nla_data(attr), size);
	return true;
}

static bool is_string(const struct nlattr *attr, const char *wanted)
{
	size_t size = strlen(wanted) + 1;

	return attr && (size_t)payload_size(attr) == size && !memcmp(nla_data(attr), wanted, size);
}

static int parse_nested(struct nlattr **table, int max, const struct nlattr *attr)
{
	if (!attr)
		return -EINVAL;
	return nla_parse(table, max, nla_data(attr), nla_len(attr), NULL);
}

static void read_text(const struct nlattr *attr, char *text, size_t size)
{
	size_t len = strnlen(nla_data(attr), (size_t)nla_len(attr));

	if (len >= size)
		len = size - 1;
	memcpy(text, nla_data(attr), len);
	text[len] = '\0';
}

/* The error, then the request (or its header alone), then attributes. */
static void read_ack(const struct nlmsghdr *head, struct reply *reply)
{
	const uint8_t *payload = nlmsg_data(head);
	size_t size = (size_t)nlmsg_datalen(head), at = sizeof(struct nlmsgerr);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	struct nlmsgerr error;

	if (size < sizeof(error))
		return;
	memcpy(&error, payload, sizeof(error));
	reply->kind = REPLY_ACK;
	reply->error = error.error <= 0 && error.error > -4096 ? error.error : -EPROTO;
	if (!(head->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(head->nlmsg_flags & NLM_F_CAPPED)) {
		if (error.msg.nlmsg_len < sizeof(error.msg) || error.msg.nlmsg_len > size)
			return;
		at += NLMSG_ALIGN(error.msg.nlmsg_len) - sizeof(error.msg);
	}
	if (at >= size || nla_parse(attrs, NLMSGERR_ATTR_MAX, (struct nlattr *)(payload + at),
				    (int)(size - at), NULL))
		return;
	if (attrs[NLMSGERR_ATTR_MSG])
		read_text(attrs[NLMSGERR_ATTR_MSG], reply->text, sizeof(reply->text));
}

/* All 64 bits of a number of packets follow the counters that they belong to, if they are needed. */
static void read_stats(const struct nlattr *stats, bool hardware, struct reply *reply)
{
	int wanted = hardware ? TCA_STATS_BASIC_HW : TCA_STATS_BASIC, left, last = 0;
	struct basic basic = { 0 };
	struct nlattr *attr;

	if (!stats)
		return;
	nla_for_each_nested(attr, (struct nlattr *)stats, left)
	{
		int type = nla_type(attr);

		if (type == wanted && copy(attr, &basic, BASIC_SIZE)) {
			reply->bytes = basic.bytes;
			reply->packets = basic.packets;
		}
		if (type == TCA_STATS_PKT64 && last == wanted)
			copy(attr, &reply->packets, sizeof(reply->packets));
		if (type != TCA_STATS_PAD)
			last = type;
	}
}

/* Longer than all that is asked of it, of a kernel that does not say. */
static uint64_t read_idle(const struct nlattr *attr)
{
	uint64_t ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	struct tcf_t times;

	if (!copy(attr, &times, sizeof(times)) || times.lastuse > UINT32_MAX)
		return UINT64_MAX;
	return times.lastuse * 1000000000u / ticks_per_s;
}

static bool read_cookie(const struct nlattr *cookie, struct reply *reply)
{
	size_t size = (size_t)payload_size(cookie);

	reply->own_hook = size == FLOWER_COOKIE_OWN_HOOK_SIZE;
	return (reply->own_hook || size == FLOWER_COOKIE_SIZE) &&
	       memcmp(nla_data(cookie), FLOWER_COOKIE_OWN_HOOK, size) == 0;
}

/* Whether it is our drop; with its counters. */
static bool read_action(const struct flower_place *place, const struct nlattr *list,
			struct reply *reply)
{
	struct nlattr *actions[3], *action[TCA_ACT_MAX + 1], *options[TCA_GACT_MAX + 1];
	struct tc_gact gact;

	if (parse_nested(actions, 2, list) || actions[2] ||
	    parse_nested(action, TCA_ACT_MAX, actions[1]))
		return false;
	if (!is_string(action[TCA_ACT_KIND], "gact") || !read_cookie(action[TCA_ACT_COOKIE], reply))
		return false;
	if (parse_nested(options, TCA_GACT_MAX, action[TCA_ACT_OPTIONS]) ||
	    !copy(options[TCA_GACT_PARMS], &gact, sizeof(gact)) || gact.action != TC_ACT_SHOT)
		return false;
	reply->idle_ns = read_idle(options[TCA_GACT_TM]);
	read_stats(action[TCA_ACT_STATS], place->hardware, reply);
	return true;
}

/* The mask follows from the priority: a rule of ours has no other. */
static bool read_key(const struct flower_place *place, uint32_t priority, struct nlattr **attrs,
		     struct sluice_key *key)
{
	bool v4 = priority == place->priority;
	size_t size = v4 ? 4 : 16;
	uint8_t mask[16] = { 0 };

	memset(key, 0, sizeof(*key));
	key->family = v4 ? SLUICE_FAMILY_IPV4 : SLUICE_FAMILY_IPV6;
	key->prefix_len = (uint8_t)(v4 ? 32 : 128 - (priority - place->priority - 1));
	if (!copy(attrs[v4 ? TCA_FLOWER_KEY_IPV4_SRC : TCA_FLOWER_KEY_IPV6_SRC], key->addr, size) ||
	    !copy(attrs[v4 ? TCA_FLOWER_KEY_IPV4_SRC_MASK : TCA_FLOWER_KEY_IPV6_SRC_MASK], mask,
		  size))
		return false;
	for (unsigned int i = 0; i < 8 * size; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		if (!(mask[i / 8] & bit) != (i >= key->prefix_len) ||
		    (i >= key->prefix_len && (key->addr[i / 8] & bit)))
			return false;
	}
	return true;
}

static bool read_rule(const struct flower_place *place, uint32_t priority,
		      const struct nlattr *options, struct reply *reply)
{
	struct nlattr *attrs[TCA_FLOWER_MAX + 1];
	uint32_t flags = 0;

	if (parse_nested(attrs, TCA_FLOWER_MAX, options))
		return false;
	copy(attrs[TCA_FLOWER_FLAGS], &flags, sizeof(flags));
	reply->in_hw = flags & TCA_CLS_FLAGS_IN_HW;
	return read_key(place, priority, attrs, &reply->key) &&
	       read_action(place, attrs[TCA_FLOWER_ACT], reply);
}

static void read_filter(const struct flower_place *place, struct nlmsghdr *head,
			struct reply *reply)
{
	struct nlattr *attrs[TCA_MAX + 1];
	uint32_t priority, chain = 0;
	struct tcmsg tcm;

	if ((size_t)nlmsg_datalen(head) < sizeof(tcm) ||
	    nlmsg_parse(head, sizeof(tcm), attrs, TCA_MAX, NULL))
		return;
	memcpy(&tcm, nlmsg_data(head), sizeof(tcm));
	copy(attrs[TCA_CHAIN], &chain, sizeof(chain));
	priority = TC_H_MAJ(tcm.tcm_info) >> 16;
	if (tcm.tcm_ifindex != place->ifindex)
		return;
	reply->kind = REPLY_AWAY;
	if (chain != place->chain || tcm.tcm_handle == 0 ||
	    tcm.tcm_parent != TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) ||
	    priority < place->priority || priority - place->priority >= FLOWER_PRIORITIES)
		return;
	reply->handle = tcm.tcm_handle;
	reply->kind = is_string(attrs[TCA_KIND], "flower") &&
				      read_rule(place, priority, attrs[TCA_OPTIONS], reply)
			      ? REPLY_RULE
			      : REPLY_FOREIGN;
}

static void read_done(const struct nlmsghdr *head, struct reply *reply)
{
	int error = 0;

	if ((size_t)nlmsg_datalen(head) >= sizeof(error))
		memcpy(&error, nlmsg_data(head), sizeof(error));
	reply->kind = REPLY_DONE;
	reply->error = error <= 0 && error > -4096 ? error : -EPROTO;
}

bool reply_next(const struct flower_place *place, const void *data, size_t size,
		struct reply *reply, size_t *used)
{
	struct nlmsghdr *head = (struct nlmsghdr *)data;

	memset(reply, 0, sizeof(*reply));
	if (size < sizeof(*head) || head->nlmsg_len < sizeof(*head) || head->nlmsg_len > size)
		return false;
	*used = NLMSG_ALIGN((size_t)head->nlmsg_len);
	if (*used > size)
		*used = size;
	reply->seq = head->nlmsg_seq;
	reply->interrupted = head->nlmsg_type != NLMSG_ERROR && head->nlmsg_flags & NLM_F_DUMP_INTR;
	if (head->nlmsg_type == NLMSG_ERROR)
		read_ack(head, reply);
	else if (head->nlmsg_type == NLMSG_DONE)
		read_done(head, reply);
	else if (head->nlmsg_type == RTM_NEWTFILTER)
		read_filter(place, head, reply);
	return true;
}
