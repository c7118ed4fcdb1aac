/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door with two interfaces and a kernel that gives whatever it is asked for: each queue of each interface is
 * somebody's own, and its socket is in its interface's slot of the map.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataplane/dataplane.h"
#include "dial.h"
#include "sluiced/stack_door.h"
#include "xsk/handover.h"
#include "xsk/socket.h"

#define N_QUEUES 2u
#define N_ENTRIES (16u * DATAPLANE_DELIVER_QUEUES)
#define FIRST "none0"
#define SECOND "none1"
#define FIRST_SLOT 0u
#define SECOND_SLOT 7u

static _Atomic bool is_offered[N_ENTRIES];
static _Atomic bool is_generic; /* What the last socket was made for. */
static char folder[] = "/tmp/sluice-door-XXXXXX", path[64];
static struct stack_door *door;
static const struct handover_wait patient = { &clock_system, 60000000000ull };

int xsk_make(const struct xsk_options *options, struct xsk_made *made, struct sluice_err *err)
{
	(void)err;
	atomic_store(&is_generic, options->generic);
	*made = (struct xsk_made){ .socket = open("/dev/null", O_RDONLY | O_CLOEXEC),
				   .memory = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	return 0;
}

int xsk_check(int socket, const struct xsk_options *options, enum sluice_io_mode *mode)
{
	(void)socket;
	(void)options;
	*mode = SLUICE_IO_COPY;
	return 0;
}

int xsk_offer(int map_fd, uint32_t index, int socket)
{
	(void)map_fd;
	(void)socket;
	return index < N_ENTRIES && !atomic_exchange(&is_offered[index], true) ? 0 : -EINVAL;
}

void xsk_withdraw(int map_fd, uint32_t index)
{
	(void)map_fd;
	atomic_store(&is_offered[index], false);
}

uint32_t xsk_n_queues(const char *ifname)
{
	(void)ifname;
	return N_QUEUES;
}

const char *xsk_mode_name(enum sluice_io_mode mode)
{
	(void)mode;
	return "";
}

/* What the door was given is gone when it is open, as a reload's settings are. */
static void open_door(void)
{
	struct stack_door_interface interfaces[] = {
		{ .name = FIRST, .slot = FIRST_SLOT },
		{ .name = SECOND, .slot = SECOND_SLOT, .generic = true },
	};
	char own_path[sizeof(path)];
	const struct stack_door_options options = {
		.path = own_path,
		.interfaces = interfaces,
		.n_interfaces = 2,
		.n_frames = 512,
		.map_fd = -1,
		.clock = &clock_system,
	};
	struct sluice_err err = { .text = "" };

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/stack.sock", folder);
	memcpy(own_path, path, sizeof(path));
	cr_assert_eq(stack_door_open(&options, &door, &err), 0, "%s", err.text);
	memset(interfaces, 'x', sizeof(interfaces));
	memset(own_path, 'x', sizeof(own_path) - 1);
}

static void close_door(void)
{
	stack_door_close(door);
	cr_expect_eq(rmdir(folder), 0, "its socket is gone");
}

TestSuite(stack_door_interfaces, .init = open_door, .fini = close_door);

static int ask(int fd, enum handover_kind kind, const char *ifname, uint32_t queue)
{
	struct handover_request request = handover_request_make(kind, ifname, queue);
	struct handover_reply reply;
	int fds[2], code;

	request.n_frames = kind == HANDOVER_RESUME ? 512 : 0;
	code = handover_call(fd, &request, kind == HANDOVER_RESUME ? STDIN_FILENO : -1, &patient,
			     &reply, fds);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return code;
}

/* A connection that serves a queue. */
static int serve(const char *ifname, uint32_t queue)
{
	int fd = dial(path, SOCK_CLOEXEC);

	cr_assert_eq(ask(fd, HANDOVER_OPEN, ifname, queue), 0);
	cr_assert_eq(ask(fd, HANDOVER_READY, ifname, queue), 0);
	return fd;
}

/* Hangs up; its thread has seen that when it has served another. */
static void leave(int fd)
{
	close(fd);
	fd = dial(path, SOCK_CLOEXEC);
	cr_expect_eq(ask(fd, HANDOVER_READY, FIRST, 0), -EINVAL);
	close(fd);
}

static size_t count_offered(void)
{
	size_t n = 0;

	for (size_t i = 0; i < N_ENTRIES; i++)
		n += atomic_load(&is_offered[i]);
	return n;
}

static bool in_map(uint32_t slot, uint32_t queue)
{
	return atomic_load(&is_offered[slot * DATAPLANE_DELIVER_QUEUES + queue]);
}

Test(stack_door_interfaces, each_queue_of_each_has_its_place)
{
	int fds[] = { serve(FIRST, 0), serve(SECOND, 0), serve(FIRST, 1), serve(SECOND, 1) };
	static struct stack_door_client clients[STACK_DOOR_MAX];

	cr_expect(atomic_load(&is_generic), "as the second interface is");
	for (uint32_t queue = 0; queue < N_QUEUES; queue++)
		cr_expect(in_map(FIRST_SLOT, queue) && in_map(SECOND_SLOT, queue));
	cr_expect_eq(count_offered(), 4);
	cr_assert_eq(stack_door_clients(door, clients), 4);
	for (size_t i = 0; i < 4; i++) {
		cr_expect_str_eq(clients[i].ifname, i % 2 ? SECOND : FIRST);
		cr_expect_eq(clients[i].queue, i / 2);
		cr_expect(clients[i].ready);
	}
	/* One that dies takes nothing with it that is another's. */
	leave(fds[1]);
	cr_expect_eq(count_offered(), 3);
	cr_expect_not(in_map(SECOND_SLOT, 0));
	cr_expect(in_map(FIRST_SLOT, 0));
	fds[1] = serve(SECOND, 0);
	cr_expect(in_map(SECOND_SLOT, 0));
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

Test(stack_door_interfaces, a_queue_is_one_process)
{
	int fd = serve(SECOND, 0), other = dial(path, SOCK_CLOEXEC);

	cr_expect_eq(ask(other, HANDOVER_OPEN, SECOND, 0), -EBUSY);
	close(other);
	other = serve(FIRST, 0);
	close(other);
	close(fd);
}

/* Who has a queue of one interface can say nothing of the other's. */
Test(stack_door_interfaces, a_connection_stays_with_its_interface)
{
	static const enum handover_kind kinds[] = { HANDOVER_READY, HANDOVER_OPEN,
						    HANDOVER_RESUME };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = dial(path, SOCK_CLOEXEC);

		cr_assert_eq(ask(fd, HANDOVER_OPEN, FIRST, 0), 0);
		cr_expect_eq(ask(fd, kinds[i], SECOND, 0), -EINVAL, "case %zu", i);
		leave(fd);
		cr_expect_eq(count_offered(), 0, "case %zu", i);
	}
}

Test(stack_door_interfaces, a_socket_from_the_daemon_before_comes_to_its_slot)
{
	int fd = dial(path, SOCK_CLOEXEC);

	cr_assert_eq(ask(fd, HANDOVER_RESUME, SECOND, 1), 0);
	cr_expect(in_map(SECOND_SLOT, 1));
	cr_expect_eq(count_offered(), 1);
	close(fd);
}
