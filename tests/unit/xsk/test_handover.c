/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side of the handover, against a daemon that says nothing, too little, too much, or hands out
 * what nobody asked for.  What the daemon says is there before the call, so that nothing is waited for.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "xsk/handover.h"

#define STEP_NS 2000000000ull

/* Each look at it takes longer than the call may. */
static uint64_t stepping_ns(void *ctx)
{
	uint64_t *now = ctx;

	return *now += STEP_NS;
}

static uint64_t now_ns;
static const struct clock_source clock_stepping = { .monotonic_ns = stepping_ns, .ctx = &now_ns };
static const struct handover_wait brief = { &clock_stepping, STEP_NS };

struct call {
	int daemon, client;
	int pipe[2]; /* What the daemon hands out: closed everywhere, its reading end says so. */
	struct handover_reply reply;
	int fds[2];
};

static struct call make_call(void)
{
	struct call call;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(pipe(call.pipe), 0);
	call.client = pair[0];
	call.daemon = pair[1];
	return call;
}

static void end_call(struct call *call)
{
	close(call->client);
	close(call->daemon);
	close(call->pipe[0]);
	close(call->pipe[1]);
}

static struct handover_reply good_reply(void)
{
	return (struct handover_reply){
		.magic = HANDOVER_MAGIC,
		.ifname = "none0",
		.n_queues = 1,
		.n_frames = 512,
		.frame_size = 2048,
	};
}

static void say(const struct call *call, const void *data, size_t size, size_t n_fds)
{
	char control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (n_fds) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		*CMSG_FIRSTHDR(&message) =
			(struct cmsghdr){ .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		for (size_t i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &call->pipe[1],
			       sizeof(int));
	}
	cr_assert_eq(sendmsg(call->daemon, &message, MSG_NOSIGNAL), (ssize_t)size);
}

static int ask(struct call *call, enum handover_kind kind)
{
	const struct handover_request request = handover_request_make(kind, "none0", 0);

	return handover_call(call->client, &request, -1, &brief, &call->reply, call->fds);
}

/* Nobody has what the daemon handed out. */
static void expect_all_closed(struct call *call)
{
	char byte;

	cr_expect_eq(call->fds[0], -1);
	cr_expect_eq(call->fds[1], -1);
	close(call->pipe[1]);
	call->pipe[1] = -1;
	cr_expect_eq(read(call->pipe[0], &byte, 1), 0);
}

Test(handover_client, silence_ends)
{
	const struct handover_reply reply = good_reply();

	for (size_t n_bytes = 0; n_bytes < sizeof(reply); n_bytes += 65) {
		struct call call = make_call();

		if (n_bytes)
			say(&call, &reply, n_bytes, 2);
		cr_expect_eq(ask(&call, HANDOVER_OPEN), -ETIMEDOUT);
		expect_all_closed(&call);
		end_call(&call);
	}
}

Test(handover_client, a_daemon_that_dies_half_way)
{
	const struct handover_reply reply = good_reply();
	struct call call = make_call();

	say(&call, &reply, sizeof(reply) - 1, 2);
	shutdown(call.daemon, SHUT_WR);
	cr_expect_eq(ask(&call, HANDOVER_OPEN), -ECONNRESET);
	expect_all_closed(&call);
	end_call(&call);
}

Test(handover_client, a_reply_in_pieces)
{
	const struct handover_reply reply = good_reply();
	struct call call = make_call();

	say(&call, &reply, 1, 2);
	for (size_t i = 1; i < sizeof(reply); i++)
		say(&call, (const uint8_t *)&reply + i, 1, 0);
	cr_expect_eq(ask(&call, HANDOVER_OPEN), 0);
	cr_expect_geq(call.fds[0], 0);
	cr_expect_geq(call.fds[1], 0);
	cr_expect_eq(memcmp(&call.reply, &reply, sizeof(reply)), 0);
	close(call.fds[0]);
	close(call.fds[1]);
	end_call(&call);
}

Test(handover_client, descriptors_that_nobody_asked_for)
{
	static const struct {
		enum handover_kind kind;
		size_t first, second;
		int code;
	} cases[] = {
		{ HANDOVER_OPEN, 0, 0, -EPROTO },   { HANDOVER_OPEN, 1, 0, -EPROTO },
		{ HANDOVER_OPEN, 2, 1, -EPROTO },   { HANDOVER_OPEN, 1, 1, -EPROTO },
		{ HANDOVER_OPEN, 3, 0, -EMSGSIZE }, { HANDOVER_READY, 1, 0, -EPROTO },
		{ HANDOVER_READY, 2, 0, -EPROTO },  { HANDOVER_READY, 0, 0, 0 },
	};
	const struct handover_reply reply = good_reply();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct call call = make_call();

		say(&call, &reply, 100, cases[i].first);
		say(&call, (const uint8_t *)&reply + 100, sizeof(reply) - 100, cases[i].second);
		cr_expect_eq(ask(&call, cases[i].kind), cases[i].code, "case %zu", i);
		expect_all_closed(&call);
		end_call(&call);
	}
}

Test(handover_client, the_answer_to_another_question)
{
	struct handover_reply replies[] = { good_reply(), good_reply(), good_reply() };

	replies[0].ifname[4] = '1';
	replies[1].queue = 1;
	replies[1].n_queues = 2;
	replies[2].ifname[0] = '\0';
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct call call = make_call();

		say(&call, &replies[i], sizeof(replies[i]), 2);
		cr_expect_eq(ask(&call, HANDOVER_OPEN), -EPROTO, "case %zu", i);
		expect_all_closed(&call);
		end_call(&call);
	}
}

Test(handover_request, the_interface_is_a_name_and_nothing_else)
{
	struct handover_request request = handover_request_make(HANDOVER_OPEN, "eth0", 3);

	cr_expect_str_eq(handover_ifname(&request), "eth0");
	cr_expect_eq(handover_request_check(&request, 4), 0);
	cr_expect_eq(handover_request_check(&request, 3), -EINVAL, "no such queue");
	request.ifname[15] = 'x';
	cr_expect_null(handover_ifname(&request));
	cr_expect_eq(handover_request_check(&request, 4), -EINVAL);
	request = handover_request_make(HANDOVER_OPEN, "", 0);
	cr_expect_null(handover_ifname(&request));
	request = handover_request_make(HANDOVER_OPEN, "fifteen-letters", 0);
	cr_expect_str_eq(handover_ifname(&request), "fifteen-letters");
	request = handover_request_make(HANDOVER_OPEN, "more-than-fifteen", 0);
	cr_expect_str_eq(handover_ifname(&request), "more-than-fifte", "nobody has that name");
}

Test(handover_client, a_refusal_from_before_the_request)
{
	struct handover_reply reply = { .magic = HANDOVER_MAGIC,
					.result = -EUSERS,
					.text = "full" };
	struct call call = make_call();

	say(&call, &reply, sizeof(reply), 0);
	close(call.daemon);
	call.daemon = -1;
	cr_expect_eq(ask(&call, HANDOVER_OPEN), -EUSERS);
	cr_expect_str_eq(call.reply.text, "full");
	end_call(&call);
}

Test(handover_client, nonsense)
{
	struct handover_reply reply = good_reply();
	struct call call = make_call();

	reply.result = 1;
	say(&call, &reply, sizeof(reply), 2);
	cr_expect_eq(ask(&call, HANDOVER_OPEN), -EPROTO, "a result is never positive");
	reply = good_reply();
	reply.magic++;
	memset(reply.text, 'x', sizeof(reply.text));
	say(&call, &reply, sizeof(reply), 2);
	cr_expect_eq(ask(&call, HANDOVER_OPEN), -EPROTO, "no reply of ours");
	cr_expect_eq(call.reply.text[sizeof(reply.text) - 1], '\0');
	expect_all_closed(&call);
	end_call(&call);
}
