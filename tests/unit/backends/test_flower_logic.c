/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pure parts of the flower back end: requests, answers and handles.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "flower_listing.h"
#include "reply.h"
#include "request.h"
#include "table.h"

static const struct flower_place place = { .ifindex = 7,
					   .chain = 3,
					   .priority = 31000,
					   .hardware = true };

static struct sluice_key source(const char *text, uint8_t prefix_len)
{
	struct sluice_key key = { .prefix_len = prefix_len };
	bool v6 = strchr(text, ':');

	key.family = v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, text, key.addr), 1);
	return key;
}

/* The kernel's listing of a rule has the attributes of the request that made it, and more. */
static struct nl_msg *listed(const struct sluice_key *key, uint32_t handle)
{
	struct nl_msg *msg;

	cr_assert_eq(request_add(&place, key, handle, 9, &msg), 0);
	return msg;
}

static struct reply parse(struct nl_msg *msg, const struct flower_place *where)
{
	struct nlmsghdr *head = nlmsg_hdr(msg);
	struct reply reply;
	size_t used = 0;

	cr_assert(reply_next(where, head, head->nlmsg_len, &reply, &used));
	cr_assert_eq(used, NLMSG_ALIGN(head->nlmsg_len));
	return reply;
}

Test(flower, a_rule_survives_the_way_there_and_back)
{
	const struct sluice_key keys[] = { source("198.51.100.7", 32), source("2001:db8::1", 128),
					   source("2001:db8:1::", 64), source("8000::", 1) };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct nl_msg *msg = listed(&keys[i], (uint32_t)i + 1);
		struct reply reply = parse(msg, &place);

		cr_assert_eq(reply.kind, REPLY_RULE, "key %zu", i);
		cr_assert_eq(reply.handle, i + 1);
		cr_assert_eq(reply.seq, 9);
		cr_assert_arr_eq(&reply.key, &keys[i], sizeof(keys[i]));
		nlmsg_free(msg);
	}
}

Test(flower, one_priority_for_each_mask)
{
	const struct {
		struct sluice_key key;
		int rc;
		uint16_t priority;
	} cases[] = {
		{ source("192.0.2.1", 32), 0, 31000 },
		{ source("2001:db8::1", 128), 0, 31001 },
		{ source("2001:db8::", 64), 0, 31065 },
		{ source("8000::", 1), 0, 31128 },
		{ source("192.0.2.0", 24), -EOPNOTSUPP, 0 },
		{ source("::", 0), -EOPNOTSUPP, 0 },
		{ source("2001:db8::", 129), -EOPNOTSUPP, 0 },
		{ { .family = 9, .prefix_len = 32 }, -EOPNOTSUPP, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t priority = 0;

		cr_assert_eq(request_priority(&place, &cases[i].key, &priority), cases[i].rc, "%zu",
			     i);
		cr_assert_eq(priority, cases[i].priority, "%zu", i);
	}
}

Test(flower, never_asks_to_delete_a_whole_priority)
{
	struct sluice_key key = source("192.0.2.1", 32);
	struct nl_msg *msg = NULL;

	cr_assert_eq(request_del(&place, &key, 0, 1, &msg), -EOPNOTSUPP);
}

Test(flower, others_filters_are_told_apart)
{
	struct sluice_key key = source("192.0.2.1", 32);
	struct flower_place elsewhere[] = { place, place, place };
	struct nl_msg *msg = listed(&key, 4);
	uint8_t *bytes = (uint8_t *)nlmsg_hdr(msg), *cookie;

	elsewhere[0].ifindex++;
	elsewhere[1].chain++;
	elsewhere[2].priority = 100;
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(parse(msg, &elsewhere[i]).kind, i ? REPLY_AWAY : REPLY_OTHER, "%zu",
			     i);
	cookie = memmem(bytes, nlmsg_hdr(msg)->nlmsg_len, FLOWER_COOKIE, FLOWER_COOKIE_SIZE);
	cr_assert_not_null(cookie);
	cookie[0] ^= 1;
	cr_assert_eq(parse(msg, &place).kind, REPLY_FOREIGN);
	cr_assert_eq(parse(msg, &place).handle, 4);
	nlmsg_free(msg);
}

static struct reply parse_listing(const struct flower_place *where,
				  const struct flower_listing *rule)
{
	struct nl_msg *msg = flower_listing(&place, rule);
	struct reply reply = parse(msg, where);

	nlmsg_free(msg);
	return reply;
}

Test(flower, the_cards_counters_are_read_in_hardware_mode)
{
	struct flower_listing rule = { .key = source("192.0.2.1", 32),
				       .handle = 1,
				       .flags = TCA_CLS_FLAGS_SKIP_SW | TCA_CLS_FLAGS_IN_HW,
				       .packets = 9,
				       .hw_packets = 6 };
	struct flower_place software = place;
	struct reply reply = parse_listing(&place, &rule);

	cr_assert_eq(reply.kind, REPLY_RULE);
	cr_assert(reply.in_hw);
	cr_assert_eq(reply.packets, 6);
	cr_assert_eq(reply.bytes, 600);
	software.hardware = false;
	cr_assert_eq(parse_listing(&software, &rule).packets, 9);
	rule.flags = TCA_CLS_FLAGS_SKIP_SW;
	rule.hw_packets64 = 0x100000006ull;
	cr_assert_not(parse_listing(&place, &rule).in_hw);
	cr_assert_eq(parse_listing(&place, &rule).packets, 0x100000006ull);
	cr_assert_eq(parse_listing(&software, &rule).packets, 9,
		     "64 bits belong to what they follow");
}

Test(flower, how_long_a_counter_stands_still_is_read)
{
	const struct {
		uint64_t ticks, ns;
	} cases[] = {
		{ 0, 0 },
		{ 7, 70000000 },
		{ UINT32_MAX, 42949672950000000 },
		{ UINT64_MAX - 1, UINT64_MAX },
		{ FLOWER_LISTING_NO_TIMES, UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flower_listing rule = { .key = source("192.0.2.1", 32),
					       .handle = 1,
					       .idle_ticks = cases[i].ticks };

		cr_assert_eq(parse_listing(&place, &rule).idle_ns, cases[i].ns, "%zu", i);
	}
}

/* An answer as the kernel writes it with NETLINK_CAP_ACK and NETLINK_EXT_ACK. */
static struct reply answer(int error, const char *text, size_t text_size)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		struct nlattr attr;
		char text[256];
	} message = { .head = { .nlmsg_type = NLMSG_ERROR,
				.nlmsg_seq = 5,
				.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS },
		      .error = { .error = error, .msg = { .nlmsg_len = 4000 } },
		      .attr = { .nla_type = NLMSGERR_ATTR_MSG,
				.nla_len = (uint16_t)(sizeof(struct nlattr) + text_size) } };
	struct reply reply;
	size_t used;

	memcpy(message.text, text, text_size);
	message.head.nlmsg_len = (uint32_t)(offsetof(__typeof__(message), text) + text_size);
	cr_assert(reply_next(&place, &message, sizeof(message), &reply, &used));
	return reply;
}

Test(flower, a_refusal_comes_with_the_kernels_words)
{
	char endless[200];
	struct reply reply = answer(-ENOSPC, "table is full", sizeof("table is full"));

	cr_assert_eq(reply.kind, REPLY_ACK);
	cr_assert_eq(reply.error, -ENOSPC);
	cr_assert_eq(reply.seq, 5);
	cr_assert_str_eq(reply.text, "table is full");
	memset(endless, 'x', sizeof(endless));
	cr_assert_eq(strlen(answer(-EINVAL, endless, sizeof(endless)).text), 127);
	cr_assert_eq(answer(17, "", 1).error, -EPROTO, "no errno");
	cr_assert_eq(answer(INT32_MIN, "", 1).error, -EPROTO, "no errno");
}

Test(flower, half_messages_are_refused)
{
	struct sluice_key key = source("192.0.2.1", 32);
	struct nl_msg *msg = listed(&key, 1);
	size_t size = nlmsg_hdr(msg)->nlmsg_len;
	struct reply reply;
	size_t used;

	for (size_t n = 0; n < size; n++)
		cr_assert_not(reply_next(&place, nlmsg_hdr(msg), n, &reply, &used), "%zu bytes", n);
	nlmsg_hdr(msg)->nlmsg_len = sizeof(struct nlmsghdr) - 1;
	cr_assert_not(reply_next(&place, nlmsg_hdr(msg), size, &reply, &used));
	nlmsg_free(msg);
}

Test(flower, a_changed_table_is_noticed)
{
	struct nlmsghdr done = { .nlmsg_len = sizeof(done), .nlmsg_type = NLMSG_DONE };
	struct reply reply;
	size_t used;

	cr_assert(reply_next(&place, &done, sizeof(done), &reply, &used));
	cr_assert_eq(reply.kind, REPLY_DONE);
	cr_assert_eq(reply.error, 0);
	cr_assert_not(reply.interrupted);
	done.nlmsg_flags = NLM_F_DUMP_INTR;
	cr_assert(reply_next(&place, &done, sizeof(done), &reply, &used));
	cr_assert_eq(reply.kind, REPLY_DONE, "it still ends the dump");
	cr_assert(reply.interrupted);
}

static struct sluice_key numbered(uint32_t i)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	memcpy(key.addr, &i, sizeof(i));
	return key;
}

Test(flower, handles_are_given_once)
{
	struct table *table;
	uint32_t handle;

	cr_assert_eq(table_new(1000, &table), 0);
	cr_assert_eq(table_reserve(table, 2), 0);
	cr_assert_eq(table_reserve(table, 2), -EBUSY);
	cr_assert_eq(table_reserve(table, 0), -ERANGE);
	cr_assert_eq(table_reserve(table, TABLE_MAX + 1), -ERANGE);
	for (uint32_t i = 0; i < 1000; i++) {
		struct sluice_key key = numbered(i);

		cr_assert_eq(table_add(table, &key, &handle), 0);
		cr_assert_neq(handle, 2, "somebody else's");
		cr_assert_eq(table_find(table, &key), handle);
		cr_assert_eq(table_add(table, &key, &handle), -EEXIST);
	}
	cr_assert_eq(table_add(table, &(struct sluice_key){ .family = 6 }, &handle), -ENOSPC);
	cr_assert_eq(table_count(table), 1000);
	table_free(table);
}

Test(flower, freed_handles_are_used_again)
{
	struct sluice_key first = numbered(1), second = numbered(2), third = numbered(3);
	struct table *table;
	uint32_t a, b, c;

	cr_assert_eq(table_new(0, &table), 0);
	cr_assert_eq(table_add(table, &first, &a), 0);
	cr_assert_eq(table_add(table, &second, &b), 0);
	table_del(table, &first);
	table_del(table, &first);
	cr_assert_eq(table_find(table, &first), 0);
	cr_assert_eq(table_count(table), 1);
	cr_assert_eq(table_add(table, &third, &c), 0);
	cr_assert_eq(c, a);
	cr_assert_eq(table_put(table, &first, b), -EBUSY);
	cr_assert_eq(table_put(table, &first, 70000), 0);
	cr_assert_eq(table_find(table, &first), 70000);
	table_free(table);
}
