/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door to the sockets, against clients that mean it ill.  The interface does not exist, so that whoever
 * gets as far as a request for a socket is told so: that is how a test knows that it was served.  Time is the
 * test's; a new connection wakes the door, which then sees what time it is.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "dial.h"
#include "sluiced/stack_door.h"
#include "xsk/handover.h"

#define LONG_NS 60000000000ull

static _Atomic uint64_t now_ns = 1;
static char folder[] = "/tmp/sluice-door-XXXXXX", path[64];
static struct stack_door *door;

static uint64_t tests_ns(void *ctx)
{
	(void)ctx;
	return atomic_load(&now_ns);
}

static const struct clock_source clock_tests = { .monotonic_ns = tests_ns };
static const struct handover_wait patient = { &clock_system, LONG_NS };

static void open_door(void)
{
	const struct stack_door_interface interface = { .name = "none0" };
	const struct stack_door_options options = {
		.path = path,
		.interfaces = &interface,
		.n_interfaces = 1,
		.n_frames = 512,
		.map_fd = -1,
		.clock = &clock_tests,
	};
	struct sluice_err err = { .text = "" };

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/stack.sock", folder);
	cr_assert_eq(stack_door_open(&options, &door, &err), 0, "%s", err.text);
}

static void close_door(void)
{
	stack_door_close(door);
	rmdir(folder);
}

TestSuite(stack_door, .init = open_door, .fini = close_door);

/* What the door says, after all that was said to it. */
static int hear(int fd, struct handover_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	cr_assert_eq(recv(fd, reply, sizeof(*reply), MSG_WAITALL), (ssize_t)sizeof(*reply));
	cr_expect_eq(recv(fd, &(char){ 0 }, 1, 0), 0, "and hangs up");
	return reply->result;
}

/* A client as it should be: what it is told. */
static int ask(struct handover_reply *reply)
{
	const struct handover_request request = handover_request_make(HANDOVER_OPEN, "none0", 0);
	int fd = dial(path, SOCK_CLOEXEC), fds[2];
	int code = handover_call(fd, &request, -1, &patient, reply, fds);

	close(fd);
	return code;
}

static void expect_service(void)
{
	struct handover_reply reply;
	int code = ask(&reply);

	cr_expect_lt(code, 0);
	cr_expect(code != -EUSERS && code != -ETIMEDOUT && code != -EPIPE && code != -ECONNRESET,
		  "%d: %s", code, reply.text);
	cr_expect_neq(reply.text[0], '\0');
}

static void expect_told(int fd, int code, const char *words)
{
	struct handover_reply reply;

	cr_expect_eq(hear(fd, &reply), code, "%d: %s", reply.result, reply.text);
	cr_expect_not_null(strstr(reply.text, words), "'%s' is not in '%s'", words, reply.text);
	close(fd);
}

static void send_with(int fd, const void *data, size_t size, int given, size_t n)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof(int)),
						     .cmsg_level = SOL_SOCKET,
						     .cmsg_type = SCM_RIGHTS };
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &given, sizeof(given));
	cr_assert_eq(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)size, "%s", strerror(errno));
}

static size_t count_fds(void)
{
	DIR *list = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(list))
		n++;
	closedir(list);
	return n;
}

Test(stack_door, silent_clients_make_room_in_time)
{
	int silent[STACK_DOOR_MAX];
	struct handover_reply reply;

	for (int i = 0; i < STACK_DOOR_MAX; i++)
		silent[i] = dial(path, SOCK_CLOEXEC);
	cr_expect_eq(ask(&reply), -EUSERS, "there is no room");
	cr_expect_not_null(strstr(reply.text, "taken"), "%s", reply.text);
	atomic_fetch_add(&now_ns, STACK_DOOR_REQUEST_NS - 1);
	cr_expect_eq(ask(&reply), -EUSERS, "not yet");
	atomic_fetch_add(&now_ns, 1);
	expect_service();
	for (int i = 0; i < STACK_DOOR_MAX; i++)
		expect_told(silent[i], -ETIMEDOUT, "in time");
}

Test(stack_door, a_slow_writer_gains_no_time)
{
	const struct handover_request request = handover_request_make(HANDOVER_OPEN, "none0", 0);
	int slow = dial(path, SOCK_CLOEXEC);

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		cr_assert_eq(send(slow, (const uint8_t *)&request + i, 1, MSG_NOSIGNAL), 1);
		expect_service();
		atomic_fetch_add(&now_ns, STACK_DOOR_REQUEST_NS / sizeof(request));
	}
	atomic_fetch_add(&now_ns, STACK_DOOR_REQUEST_NS / 50);
	expect_service();
	expect_told(slow, -ETIMEDOUT, "in time");
}

Test(stack_door, a_request_in_pieces_is_one)
{
	const struct handover_request request = handover_request_make(HANDOVER_OPEN, "none0", 0);
	struct handover_reply reply;
	int fd = dial(path, SOCK_CLOEXEC);

	for (size_t i = 0; i < sizeof(request); i++)
		cr_assert_eq(send(fd, (const uint8_t *)&request + i, 1, MSG_NOSIGNAL), 1);
	cr_expect_lt(hear(fd, &reply), 0);
	cr_expect_neq(reply.text[0], '\0');
	close(fd);
}

Test(stack_door, another_version_and_nonsense_are_told_at_once)
{
	struct handover_request request = handover_request_make(HANDOVER_OPEN, "none0", 0);
	int fd = dial(path, SOCK_CLOEXEC);

	request.version = 1;
	send(fd, &request, HANDOVER_HEAD_SIZE, MSG_NOSIGNAL);
	expect_told(fd, -EPROTONOSUPPORT, "version 1 of the protocol");
	fd = dial(path, SOCK_CLOEXEC);
	request.version = HANDOVER_VERSION + 1;
	send(fd, &request, HANDOVER_HEAD_SIZE, MSG_NOSIGNAL);
	expect_told(fd, -EPROTONOSUPPORT, "version 6 of the protocol");
	/* Its requests were shorter, and named no interface. */
	fd = dial(path, SOCK_CLOEXEC);
	request.version = HANDOVER_VERSION - 1;
	send(fd, &request, sizeof(request) - sizeof(request.ifname), MSG_NOSIGNAL);
	expect_told(fd, -EPROTONOSUPPORT, "version 4 of the protocol, not 5: install");
	fd = dial(path, SOCK_CLOEXEC);
	send(fd, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL);
	expect_told(fd, -EPROTO, "no request");
	fd = dial(path, SOCK_CLOEXEC);
	request = handover_request_make(HANDOVER_REPORT, "none0", 0);
	send(fd, &request, sizeof(request), MSG_NOSIGNAL);
	expect_told(fd, -EINVAL, "nothing was opened");
	fd = dial(path, SOCK_CLOEXEC);
	request = handover_request_make(HANDOVER_OPEN, "none0", STACK_DOOR_QUEUES);
	send(fd, &request, sizeof(request), MSG_NOSIGNAL);
	expect_told(fd, -EINVAL, "queue");
	expect_service();
}

Test(stack_door, interfaces_of_others_and_no_names_are_refused)
{
	const struct handover_request good = handover_request_make(HANDOVER_OPEN, "none0", 0);
	struct handover_request bad[] = { good, good, good, good };

	bad[0].ifname[4] = '1';
	memset(bad[1].ifname, 'n', sizeof(bad[1].ifname));
	memset(bad[2].ifname, 0, sizeof(bad[2].ifname));
	bad[3].ifname[sizeof(bad[3].ifname) - 1] = 'x';
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = dial(path, SOCK_CLOEXEC);

		send(fd, &bad[i], sizeof(bad[i]), MSG_NOSIGNAL);
		expect_told(fd, -EINVAL, "no such interface in the deployment file");
	}
	expect_service();
}

Test(stack_door, descriptors_that_nobody_asked_for_are_closed)
{
	static const struct {
		enum handover_kind kind;
		size_t n;
		const char *words;
	} cases[] = {
		{ HANDOVER_OPEN, 1, "nobody asked for" },
		{ HANDOVER_READY, 1, "nobody asked for" },
		{ HANDOVER_OPEN, 2, "more than one" },
		{ HANDOVER_RESUME, 2, "more than one" },
		{ HANDOVER_RESUME, 8, "more than one" },
		{ HANDOVER_RESUME, 1, "no socket of this" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct handover_request request = handover_request_make(cases[i].kind, "none0", 0);
		struct handover_reply reply;
		int fd = dial(path, SOCK_CLOEXEC), ends[2];
		char byte;

		request.n_frames = cases[i].kind == HANDOVER_RESUME ? 512 : 0;
		cr_assert_eq(pipe(ends), 0);
		send_with(fd, &request, sizeof(request), ends[1], cases[i].n);
		close(ends[1]);
		cr_expect_eq(read(ends[0], &byte, 1), 0, "case %zu", i);
		memset(&reply, 0, sizeof(reply));
		recv(fd, &reply, sizeof(reply), MSG_WAITALL);
		cr_expect_lt(reply.result, 0, "case %zu", i);
		cr_expect_not_null(strstr(reply.text, cases[i].words), "case %zu: %s", i,
				   reply.text);
		close(fd);
		close(ends[0]);
	}
	expect_service();
}

Test(stack_door, thousands_that_die_in_the_middle_leave_nothing)
{
	const struct handover_request request = handover_request_make(HANDOVER_RESUME, "none0", 0);
	size_t before;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	expect_service();
	before = count_fds();
	for (size_t i = 0; i < 3000; i++) {
		size_t n = i % sizeof(request);
		int fd = dial(path, SOCK_CLOEXEC);

		if (n)
			send_with(fd, &request, n, ends[0], 1 + i % 8);
		close(fd);
	}
	expect_service();
	stack_door_close(door);
	door = NULL;
	cr_expect_lt(count_fds(), before, "before, the door was open");
}

/* Who hands over its own end of the connection keeps that open when it is gone: the door itself holds it. */
Test(stack_door, those_that_hand_over_themselves_leave_in_time)
{
	const struct handover_request request = handover_request_make(HANDOVER_RESUME, "none0", 0);

	for (int i = 0; i < STACK_DOOR_MAX; i++) {
		int fd = dial(path, SOCK_CLOEXEC);

		send_with(fd, &request, sizeof(request) - 1, fd, 1);
		close(fd);
	}
	atomic_fetch_add(&now_ns, STACK_DOOR_REQUEST_NS);
	expect_service();
}

/* The file's mode keeps others out; this is what is behind it. */
Test(stack_door, strangers_are_told_why)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("needs root to become somebody else");
	cr_assert_eq(chmod(folder, 0711), 0);
	cr_assert_eq(chmod(path, 0666), 0);
	pid = fork();
	if (pid == 0) {
		struct handover_reply reply;
		bool told = setresgid(65534, 65534, 65534) == 0 &&
			    setresuid(65534, 65534, 65534) == 0 && ask(&reply) == -EPERM &&
			    strstr(reply.text, "stack.group");

		_exit(told ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	expect_service();
}
