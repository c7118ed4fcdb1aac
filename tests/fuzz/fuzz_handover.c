/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handover of AF_XDP sockets, both ways: what a client says to sluiced's door, and what a daemon says
 * to sluice-stack.  The input is a byte that says which, and what the kernel would do, and then pieces: two bytes
 * of length and number of descriptors, and what is said.  Whatever it is, replies are well-formed, success
 * is only what was asked for, and nobody keeps a descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nic_driver.h"
#include "dataplane/dataplane.h"
#include "engine/told_clients.h"
#include "sluiced/netdev_features.h"
#include "sluiced/stack_door.h"
#include "xsk/handover.h"
#include "xsk/socket.h"

#define N_QUEUES 4u
#define FIRST_SLOT 3u
#define SECOND_SLOT 5u
#define FDS_MAX 3
#define STEP_NS 1000000000ull

enum mode {
	MODE_CLIENT = 1,       /* The input is what a daemon says. */
	MODE_SOCKET_FAILS = 2, /* No socket can be made. */
	MODE_SHOWN_FAILS = 4,  /* What a client shows is no socket of its queue. */
	MODE_OFFER_FAILS = 8,  /* The map takes none. */
	MODE_KIND_SHIFT = 4,   /* What the client asks for, in two bits. */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t mode;
static unsigned int n_offered; /* Sockets in the map. */
static int null_fd;

static void check(bool condition)
{
	if (!condition)
		abort();
}

/* The kernel's part, for the door. */
int xsk_make(const struct xsk_options *options, struct xsk_made *made, struct sluice_err *err)
{
	check(options->queue < N_QUEUES);
	if (mode & MODE_SOCKET_FAILS) {
		snprintf(err->text, sizeof(err->text), "no socket");
		return -1;
	}
	*made = (struct xsk_made){ .socket = dup(null_fd),
				   .memory = dup(null_fd),
				   .sums = options->sums_copy };
	return 0;
}

/* Sums are left to the kernel wherever the client knows of it. */
struct netdev_features netdev_features_read(int ifindex)
{
	(void)ifindex;
	return (struct netdev_features){ .known = true };
}

struct netdev_sums netdev_features_sums(const struct netdev_features *features, const char *driver)
{
	check(features->known && driver[0]);
	return (struct netdev_sums){ true, true };
}

void nic_driver_name(const char *ifname, char driver[NIC_DRIVER_SIZE])
{
	snprintf(driver, NIC_DRIVER_SIZE, "%s", ifname);
}

int xsk_check(int socket, const struct xsk_options *options, enum sluice_io_mode *io_mode)
{
	check(options->queue < N_QUEUES && fcntl(socket, F_GETFD) >= 0);
	*io_mode = 0;
	return mode & MODE_SHOWN_FAILS ? -1 : 0;
}

/* One of the two interfaces'. */
static void check_index(uint32_t index)
{
	uint32_t slot = index / DATAPLANE_DELIVER_QUEUES;

	check(slot == FIRST_SLOT || slot == SECOND_SLOT);
	check(index % DATAPLANE_DELIVER_QUEUES < N_QUEUES);
}

int xsk_offer(int map_fd, uint32_t index, int socket)
{
	(void)map_fd;
	check_index(index);
	check(fcntl(socket, F_GETFD) >= 0);
	if (mode & MODE_OFFER_FAILS)
		return -1;
	n_offered++;
	return 0;
}

void xsk_withdraw(int map_fd, uint32_t index)
{
	(void)map_fd;
	check_index(index);
	check(n_offered-- > 0);
}

uint32_t xsk_n_queues(const char *ifname)
{
	(void)ifname;
	return N_QUEUES;
}

/* Which of the first 64 descriptors are open: as before unless somebody kept one. */
static uint64_t open_fds(void)
{
	struct pollfd fds[64];
	uint64_t set = 0;

	for (int i = 0; i < 64; i++)
		fds[i] = (struct pollfd){ .fd = i };
	while (poll(fds, 64, 0) < 0)
		;
	for (int i = 0; i < 64; i++)
		set |= (uint64_t) !(fds[i].revents & POLLNVAL) << i;
	return set;
}

static void say(int to, const uint8_t *data, size_t size, unsigned int n_fds)
{
	char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = { 0 };
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (n_fds) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		*CMSG_FIRSTHDR(&message) =
			(struct cmsghdr){ .cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		for (unsigned int i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)) + i * sizeof(int), &null_fd,
			       sizeof(int));
	}
	/* Who has hung up hears no more. */
	(void)!sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_all(int to, const uint8_t *data, size_t size)
{
	while (size > 2) {
		size_t part = data[0];
		unsigned int n_fds = data[1] % (FDS_MAX + 1);

		data += 2;
		size -= 2;
		part = part < size ? part : size;
		if (part)
			say(to, data, part, n_fds);
		data += part;
		size -= part;
	}
	shutdown(to, SHUT_WR);
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	check(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

/* In a folder of its own, which remove_door() takes away at the end. */
static const char *open_door(void)
{
	static char folder[] = "/tmp/sluice-fuzz-XXXXXX", path[64];
	static const struct stack_door_interface interfaces[] = {
		{ .name = "none0", .slot = FIRST_SLOT },
		{ .name = "none1", .slot = SECOND_SLOT },
	};
	static struct stack_door *door;
	struct stack_door_options options = {
		.path = path,
		.interfaces = interfaces,
		.n_interfaces = 2,
		.n_frames = 512,
		.map_fd = -1,
		.clock = &clock_system,
	};
	struct sluice_err err;

	if (door)
		return path;
	check(told_clients_new(&options.told) == 0);
	check(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/s", folder);
	check(stack_door_open(&options, &door, &err) == 0);
	return path;
}

static void remove_door(void)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "%s", open_door());
	unlink(folder);
	*strrchr(folder, '/') = '\0';
	rmdir(folder);
}

static void check_reply(const struct handover_reply *reply)
{
	check(reply->magic == HANDOVER_MAGIC && reply->result <= 0);
	check(memchr(reply->text, '\0', sizeof(reply->text)) != NULL);
	check(reply->result == 0 || reply->text[0]);
	check(reply->result != 0 || handover_reply_check(reply) == 0);
}

static void close_fds(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* All that the door says, until it hangs up.  libFuzzer has a timer that interrupts it. */
static void hear(int from)
{
	struct handover_reply reply;
	size_t n_bytes = 0;
	ssize_t n;
	int fds[2];

	do {
		n = handover_receive(from, (uint8_t *)&reply + n_bytes, sizeof(reply) - n_bytes, 0,
				     fds);
		close_fds(fds);
		n_bytes += n > 0 ? (size_t)n : 0;
		if (n_bytes == sizeof(reply)) {
			check_reply(&reply);
			n_bytes = 0;
		}
	} while (n > 0 || n == -EINTR);
	check(n_bytes == 0);
}

static void fuzz_door(const uint8_t *data, size_t size)
{
	int fd = dial(open_door());

	say_all(fd, data, size);
	hear(fd);
	close(fd);
	/* The door's thread hung up last of all. */
	check(n_offered == 0);
}

/* Each look at it takes longer than a call may. */
static uint64_t stepping_ns(void *ctx)
{
	static uint64_t now;

	(void)ctx;
	return now += STEP_NS;
}

static void fuzz_client(const uint8_t *data, size_t size)
{
	static const struct clock_source clock = { .monotonic_ns = stepping_ns };
	static const struct handover_wait wait = { &clock, STEP_NS };
	enum handover_kind kind =
		(enum handover_kind)(HANDOVER_OPEN + (mode >> MODE_KIND_SHIFT) % 3);
	const struct handover_request request = handover_request_make(kind, "none0", 0);
	struct handover_reply reply;
	int pair[2], fds[2], code;

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	say_all(pair[0], data, size);
	code = handover_call(pair[1], &request, kind == HANDOVER_RESUME ? null_fd : -1, &wait,
			     &reply, fds);
	check(code <= 0);
	check(memchr(reply.text, '\0', sizeof(reply.text)) != NULL);
	check(memchr(reply.ifname, '\0', sizeof(reply.ifname)) != NULL);
	check((fds[0] >= 0) == (!code && kind == HANDOVER_OPEN));
	check((fds[1] >= 0) == (!code && kind == HANDOVER_OPEN));
	check(code || (reply.queue == 0 && strcmp(reply.ifname, "none0") == 0));
	check(code || handover_reply_check(&reply) == 0);
	close_fds(fds);
	close(pair[0]);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t before;

	if (!null_fd) {
		null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		check(null_fd > 0);
		(void)open_door();
		check(atexit(remove_door) == 0);
	}
	if (size < 1)
		return 0;
	mode = data[0];
	before = open_fds();
	if (mode & MODE_CLIENT)
		fuzz_client(data + 1, size - 1);
	else
		fuzz_door(data + 1, size - 1);
	check(open_fds() == before);
	return 0;
}
