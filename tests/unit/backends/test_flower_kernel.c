/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole flower back end on a kernel of the tests' own, put in the place of rtnetlink by the
 * linker: what it answers can be late, twice, for somebody else, cut off or missing, and what it is
 * asked for can fail.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>

#include <sluice/backend.h>

#include "flower_listing.h"
#include "support/flower_host.h"

#define RULES 16u
#define DATAGRAMS 64u
#define IFINDEX 7

extern const struct sluice_plugin sluice_plugin;

static const struct flower_place place = { .ifindex = IFINDEX, .priority = FLOWER_HOST_PRIORITY };

/* What it holds, what it has still to say, and what is wrong with it. */
static struct {
	struct flower_listing rules[RULES];
	size_t n_rules;
	struct nl_msg *datagrams[DATAGRAMS];
	size_t n_datagrams, next;
	bool hook;
	uint32_t foreign; /* In which direction somebody else has a filter. */
	int add_error, del_error;
	bool echoes;	 /* Answers to others' requests, too, and each of ours twice. */
	bool cuts;	 /* Datagrams do not fit into the buffer. */
	bool half;	 /* Messages end in the middle. */
	bool falls_mute; /* Nothing more is said. */
	bool overflows;	 /* One datagram is lost, which the next call tells. */
	bool changes;	 /* Under each dump. */
} kernel;

static void say(struct nl_msg *msg)
{
	cr_assert_lt(kernel.n_datagrams, DATAGRAMS);
	kernel.datagrams[kernel.n_datagrams++] = msg;
}

/* As with NETLINK_CAP_ACK; without words. */
static void say_result(uint32_t seq, int error)
{
	struct nlmsgerr answer = { .error = error };
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 0, seq, NLMSG_ERROR, 0, NLM_F_CAPPED);
	nlmsg_append(msg, &answer, sizeof(answer), NLMSG_ALIGNTO);
	say(msg);
}

static void acknowledge(const struct nlmsghdr *head, int error)
{
	if (kernel.echoes) {
		say_result(head->nlmsg_seq - 1, -EPERM);
		say_result(head->nlmsg_seq + 1000, -EPERM);
	}
	if (error || head->nlmsg_flags & NLM_F_ACK)
		say_result(head->nlmsg_seq, error);
	if (kernel.echoes)
		say_result(head->nlmsg_seq, -EPERM);
}

static struct flower_listing *find(uint32_t handle)
{
	for (size_t i = 0; i < kernel.n_rules; i++)
		if (kernel.rules[i].handle == handle)
			return &kernel.rules[i];
	return NULL;
}

static int add_rule(const struct nlmsghdr *head, const struct tcmsg *tcm)
{
	struct nlattr *attrs[TCA_MAX + 1], *options[TCA_FLOWER_MAX + 1];
	struct flower_listing *rule = &kernel.rules[kernel.n_rules];

	if (kernel.add_error)
		return kernel.add_error;
	cr_assert_lt(kernel.n_rules, RULES);
	cr_assert_null(find(tcm->tcm_handle));
	cr_assert_eq(nlmsg_parse((struct nlmsghdr *)head, sizeof(*tcm), attrs, TCA_MAX, NULL), 0);
	cr_assert_eq(nla_parse_nested(options, TCA_FLOWER_MAX, attrs[TCA_OPTIONS], NULL), 0);
	*rule = (struct flower_listing){ .key = { .family = 4, .prefix_len = 32 },
					 .handle = tcm->tcm_handle,
					 .flags = TCA_CLS_FLAGS_SKIP_SW | TCA_CLS_FLAGS_IN_HW };
	memcpy(rule->key.addr, nla_data(options[TCA_FLOWER_KEY_IPV4_SRC]), 4);
	rule->own_hook = memmem(head, head->nlmsg_len, FLOWER_COOKIE_OWN_HOOK,
				FLOWER_COOKIE_OWN_HOOK_SIZE) != NULL;
	kernel.n_rules++;
	return 0;
}

static int del_rule(const struct tcmsg *tcm)
{
	struct flower_listing *rule = find(tcm->tcm_handle);

	cr_assert_neq(tcm->tcm_handle, 0, "all rules of a priority");
	if (kernel.del_error || !rule)
		return rule ? kernel.del_error : -ENOENT;
	*rule = kernel.rules[--kernel.n_rules];
	return 0;
}

/* At a priority that is nobody's of ours. */
static void say_foreign(uint32_t seq)
{
	const struct tcmsg tcm = { .tcm_ifindex = IFINDEX,
				   .tcm_parent = TC_H_MAKE(TC_H_CLSACT, kernel.foreign),
				   .tcm_info = TC_H_MAKE(1u << 16, 0) };
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 0, seq, RTM_NEWTFILTER, 0, 0);
	nlmsg_append(msg, (void *)&tcm, sizeof(tcm), NLMSG_ALIGNTO);
	say(msg);
}

static void dump(uint32_t seq, uint32_t parent)
{
	bool is_ingress = TC_H_MIN(parent) == TC_H_MIN_INGRESS;
	struct nl_msg *done = nlmsg_alloc();
	int zero = 0;

	if (TC_H_MIN(parent) == kernel.foreign)
		say_foreign(seq);
	for (size_t i = 0; is_ingress && i < kernel.n_rules; i++) {
		struct flower_listing rule = kernel.rules[i];
		struct nl_msg *msg;

		rule.seq = seq;
		msg = flower_listing(&place, &rule);
		if (kernel.changes)
			nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP_INTR;
		say(msg);
		rule.seq = seq - 1; /* Of an earlier dump that nobody waited for. */
		if (kernel.echoes)
			say(flower_listing(&place, &rule));
	}
	nlmsg_put(done, 0, seq, NLMSG_DONE, 0, NLM_F_MULTI);
	nlmsg_append(done, &zero, sizeof(zero), NLMSG_ALIGNTO);
	say(done);
}

static int add_hook(void)
{
	if (kernel.hook)
		return -EEXIST;
	kernel.hook = true;
	return 0;
}

/* With all that hangs on it. */
static int del_hook(void)
{
	cr_assert(kernel.hook);
	cr_assert_eq(kernel.n_rules, 0);
	cr_assert_eq(kernel.foreign, 0);
	kernel.hook = false;
	return 0;
}

static void serve(const struct nlmsghdr *head)
{
	struct tcmsg tcm;

	memcpy(&tcm, nlmsg_data(head), sizeof(tcm));
	cr_assert_eq(tcm.tcm_ifindex, IFINDEX);
	switch (head->nlmsg_type) {
	case RTM_NEWQDISC:
		acknowledge(head, add_hook());
		return;
	case RTM_DELQDISC:
		acknowledge(head, del_hook());
		return;
	case RTM_NEWTFILTER:
		acknowledge(head, add_rule(head, &tcm));
		return;
	case RTM_DELTFILTER:
		acknowledge(head, del_rule(&tcm));
		return;
	default:
		dump(head->nlmsg_seq, tcm.tcm_parent);
	}
}

/* In the place of libnl and the C library, by the linker. */
int __wrap_nl_connect(struct nl_sock *sock, int protocol);
int __wrap_nl_sendto(struct nl_sock *sock, void *data, size_t size);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
unsigned int __wrap_if_nametoindex(const char *name);
char *__wrap_if_indextoname(unsigned int ifindex, char *name);

int __wrap_nl_connect(struct nl_sock *sock, int protocol)
{
	(void)sock;
	return protocol == NETLINK_ROUTE ? 0 : -1;
}

int __wrap_nl_sendto(struct nl_sock *sock, void *data, size_t size)
{
	struct nlmsghdr *head = data;

	(void)sock;
	for (int left = (int)size; nlmsg_ok(head, left); head = nlmsg_next(head, &left))
		serve(head);
	return (int)size;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct nl_msg *datagram;
	size_t size;

	(void)fd;
	(void)flags;
	if (kernel.overflows || kernel.falls_mute || kernel.next == kernel.n_datagrams) {
		errno = kernel.overflows ? ENOBUFS : EAGAIN;
		kernel.overflows = false;
		return -1;
	}
	datagram = kernel.datagrams[kernel.next++];
	size = nlmsg_hdr(datagram)->nlmsg_len;
	if (kernel.half)
		size /= 2;
	memcpy(msg->msg_iov[0].iov_base, nlmsg_hdr(datagram), size);
	msg->msg_flags = kernel.cuts ? MSG_TRUNC : 0;
	nlmsg_free(datagram);
	return (ssize_t)size;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)size;
	return 0;
}

unsigned int __wrap_if_nametoindex(const char *name)
{
	return strcmp(name, "eth0") == 0 ? IFINDEX : 0;
}

char *__wrap_if_indextoname(unsigned int ifindex, char *name)
{
	return ifindex == IFINDEX ? strcpy(name, "eth0") : NULL;
}

static const struct sluice_backend_ops *ops;
static void *self;
static struct sluice_err err;

static void open_card(void)
{
	const struct sluice_config config = { .mode = "skip_sw" };
	struct sluice_backend_caps caps = { .size = sizeof(caps) };

	ops = sluice_plugin.ops;
	cr_assert_eq(ops->open(NULL, &flower_host, &config, "eth0", &caps, &self, &err), 0, "%s",
		     err.text);
	cr_assert(caps.counters);
}

static void setup(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.hook = true;
	open_card();
}

static void teardown(void)
{
	ops->close(self);
	while (kernel.next < kernel.n_datagrams)
		nlmsg_free(kernel.datagrams[kernel.next++]);
}

TestSuite(flower_kernel, .init = setup, .fini = teardown);

static struct sluice_backend_rule numbered(uint8_t i)
{
	return (struct sluice_backend_rule){
		{ .family = 4, .prefix_len = 32, .addr = { 198, 18, 0, i } }
	};
}

/* One rule's own result, or that of the call. */
static int change_one(bool add, uint8_t i)
{
	struct sluice_backend_rule rule = numbered(i);
	int result = -EIO;
	int rc = (add ? ops->add : ops->del)(self, &rule, 1, &result, &err);

	return rc ? rc : result;
}

static size_t listed(void)
{
	struct sluice_backend_rule rules[RULES];
	size_t n;

	cr_assert_eq(ops->list(self, rules, RULES, &n, &err), 0, "%s", err.text);
	return n;
}

Test(flower_kernel, each_rule_has_its_own_result)
{
	struct sluice_backend_rule rules[] = { numbered(1), numbered(2), numbered(1) };
	int results[3];

	cr_assert_eq(ops->add(self, rules, 3, results, &err), 0);
	cr_assert_arr_eq(results, ((int[]){ 0, 0, -EEXIST }), sizeof(results));
	cr_assert_eq(listed(), 2);
	cr_assert_eq(ops->del(self, rules, 3, results, &err), 0);
	cr_assert_arr_eq(results, ((int[]){ 0, 0, -ENOENT }), sizeof(results));
	cr_assert_eq(listed(), 0);
}

Test(flower_kernel, a_rule_that_was_refused_can_be_asked_for_again)
{
	kernel.add_error = -ENOSPC;
	cr_assert_eq(change_one(true, 1), -ENOSPC);
	kernel.add_error = 0;
	cr_assert_eq(change_one(true, 1), 0);
}

/* Said to be gone, it would go on dropping a client who is not blocked any more. */
Test(flower_kernel, a_rule_that_would_not_leave_is_still_there)
{
	cr_assert_eq(change_one(true, 1), 0);
	kernel.del_error = -EBUSY;
	cr_assert_eq(change_one(false, 1), -EBUSY);
	cr_assert_eq(change_one(false, 1), -EBUSY, "asked again");
	cr_assert_eq(change_one(true, 1), -EEXIST);
	kernel.del_error = 0;
	cr_assert_eq(change_one(false, 1), 0);
	cr_assert_eq(kernel.n_rules, 0);
}

Test(flower_kernel, a_rule_that_somebody_took_away_is_gone)
{
	cr_assert_eq(change_one(true, 1), 0);
	kernel.n_rules = 0;
	cr_assert_eq(change_one(false, 1), -ENOENT);
	cr_assert_eq(change_one(true, 1), 0);
}

Test(flower_kernel, answers_to_others_and_old_ones_are_passed_over)
{
	kernel.echoes = true;
	cr_assert_eq(change_one(true, 1), 0);
	cr_assert_eq(change_one(true, 2), 0);
	cr_assert_eq(listed(), 2);
	cr_assert_eq(change_one(false, 1), 0);
	cr_assert_eq(listed(), 1);
}

/* Nothing is known of the table then, until it is listed. */
Test(flower_kernel, answers_that_are_missing_fail_the_call)
{
	const struct {
		bool *fault;
		int rc;
	} cases[] = {
		{ &kernel.falls_mute, -ETIMEDOUT },
		{ &kernel.cuts, -EMSGSIZE },
		{ &kernel.half, -ETIMEDOUT },
		{ &kernel.overflows, -ENOBUFS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_backend_counter counters[RULES];
		size_t n;

		*cases[i].fault = true;
		cr_assert_eq(change_one(true, (uint8_t)i), cases[i].rc, "%zu", i);
		*cases[i].fault = true;
		cr_assert_eq(ops->read(self, counters, RULES, &n, &err), cases[i].rc, "%zu", i);
		cr_assert_eq(n, 0, "%zu", i);
		*cases[i].fault = false;
		cr_assert_eq(listed(), i + 1, "late answers are passed over");
	}
}

Test(flower_kernel, a_table_that_changes_under_each_dump_is_not_read_for_ever)
{
	struct sluice_backend_counter counters[RULES];
	size_t n;

	cr_assert_eq(change_one(true, 1), 0);
	kernel.changes = true;
	cr_assert_eq(ops->read(self, counters, RULES, &n, &err), -EINTR);
	kernel.changes = false;
	cr_assert_eq(ops->read(self, counters, RULES, &n, &err), 0);
	cr_assert_eq(n, 1);
}

/* Drivers tell what their card said a second ago: meanwhile nobody knows whether a source is quiet. */
Test(flower_kernel, a_counter_is_as_old_as_its_last_move_until_it_must_be_fresh)
{
	const struct {
		uint64_t idle_ticks, age_ns;
	} cases[] = {
		{ 0, 0 },   { 40, 400000000 }, { 199, 1990000000 },
		{ 200, 0 }, { 90000, 0 },      { FLOWER_LISTING_NO_TIMES, 0 },
	};

	cr_assert_eq(change_one(true, 1), 0);
	kernel.rules[0].hw_packets = 6;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_backend_counter counters[RULES];
		size_t n;

		kernel.rules[0].idle_ticks = cases[i].idle_ticks;
		cr_assert_eq(ops->read(self, counters, RULES, &n, &err), 0);
		cr_assert_eq(n, 1);
		cr_assert_eq(counters[0].packets, 6);
		cr_assert_eq(counters[0].age_ns, cases[i].age_ns, "%zu", i);
	}
}

/* The kernel says so of a rule that its driver has given up. */
Test(flower_kernel, a_rule_that_left_the_card_is_taken_out_and_can_be_put_back)
{
	cr_assert_eq(change_one(true, 1), 0);
	cr_assert_eq(change_one(true, 2), 0);
	kernel.rules[0].flags = TCA_CLS_FLAGS_SKIP_SW;
	cr_assert_eq(listed(), 1);
	cr_assert_eq(kernel.n_rules, 1);
	cr_assert_eq(change_one(true, 1), 0);
	cr_assert_eq(ops->flush(self, &err), 0);
	cr_assert_eq(kernel.n_rules, 0);
}

/* As it was found: without the hook, unless it was there or something hangs on it. */
Test(flower_kernel, a_hook_that_was_there_stays)
{
	ops->close(self);
	cr_assert(kernel.hook);
	open_card();
}

static void close_and_open(void)
{
	ops->close(self);
	open_card();
}

Test(flower_kernel, its_own_hook_goes_with_it)
{
	kernel.hook = false;
	close_and_open();
	cr_assert(kernel.hook);
	ops->close(self);
	cr_assert_not(kernel.hook);
	open_card();
}

Test(flower_kernel, its_own_hook_stays_for_others_in_either_direction)
{
	kernel.hook = false;
	close_and_open();
	for (size_t i = 0; i < 2; i++) {
		kernel.foreign = i ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS;
		ops->close(self);
		cr_assert(kernel.hook, "%zu", i);
		kernel.hook = false;
		open_card();
	}
	kernel.foreign = 0;
}

Test(flower_kernel, who_takes_its_rules_over_takes_its_own_hook_over)
{
	kernel.hook = false;
	close_and_open();
	cr_assert_eq(change_one(true, 1), 0);
	close_and_open();
	cr_assert_eq(listed(), 1);
	cr_assert_eq(ops->flush(self, &err), 0);
	ops->close(self);
	cr_assert_not(kernel.hook);
	open_card();
}

Test(flower_kernel, rules_on_a_hook_of_others_are_taken_over_without_it)
{
	cr_assert_eq(change_one(true, 1), 0);
	close_and_open();
	cr_assert_eq(ops->flush(self, &err), 0);
	ops->close(self);
	cr_assert(kernel.hook);
	open_card();
}
