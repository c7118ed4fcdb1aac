/* SPDX-License-Identifier: BSD-2-Clause */
/* See handover.h. */
#include "handover.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIN_FRAMES 256u
#define MAX_FRAMES 262144u
#define FRAME_SIZE 2048u

struct handover_request handover_request_make(enum handover_kind kind, uint32_t queue)
{
	return (struct handover_request){
		.magic = HANDOVER_MAGIC,
		.version = HANDOVER_VERSION,
		.kind = (uint16_t)kind,
		.queue = queue,
	};
}

static bool n_frames_fit(uint32_t n)
{
	return n >= MIN_FRAMES && n <= MAX_FRAMES && (n & (n - 1)) == 0;
}

int handover_request_check(const struct handover_request *request, uint32_t n_queues)
{
	static const struct port_counts none;

	if (request->magic != HANDOVER_MAGIC || request->version != HANDOVER_VERSION ||
	    request->queue >= n_queues || request->kind < HANDOVER_OPEN ||
	    request->kind > HANDOVER_REPORT)
		return -EINVAL;
	if (request->kind == HANDOVER_RESUME ? !n_frames_fit(request->n_frames)
					     : request->n_frames != 0)
		return -EINVAL;
	if (request->kind != HANDOVER_REPORT && memcmp(&request->counts, &none, sizeof(none)) != 0)
		return -EINVAL;
	return 0;
}

int handover_reply_check(const struct handover_reply *reply)
{
	if (reply->magic != HANDOVER_MAGIC || !n_frames_fit(reply->n_frames) ||
	    reply->frame_size != FRAME_SIZE || reply->headroom >= FRAME_SIZE / 2 ||
	    reply->queue >= reply->n_queues)
		return -EPROTO;
	return 0;
}

/* All or nothing: no message is longer than what one buffer of a stream socket takes. */
static int send_all(int connection, const void *data, size_t size, const int *fds, size_t n_fds)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct iovec part = { (void *)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds) {
		struct cmsghdr *header;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
	}
	n = sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

int handover_reply_send(int connection, const struct handover_reply *reply, const int *fds,
			size_t n_fds)
{
	/* A fresh connection has room for it; a peer that does not read is not waited for. */
	return send_all(connection, reply, sizeof(*reply), fds, n_fds);
}

int handover_request_send(int connection, const struct handover_request *request, int fd)
{
	return send_all(connection, request, sizeof(*request), &fd, fd >= 0);
}

static void take_fds(struct msghdr *message, int fds[2])
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(header), (n < 2 ? n : 2) * sizeof(int));
	}
}

ssize_t handover_receive(int connection, void *data, size_t size, int flags, int fds[2])
{
	/* The kernel closes what finds no room here. */
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { data, size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;

	fds[0] = fds[1] = -1;
	n = recvmsg(connection, &message, flags | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	take_fds(&message, fds);
	return n;
}

static int reply_receive(int connection, struct handover_reply *reply, int fds[2])
{
	ssize_t n = handover_receive(connection, reply, sizeof(*reply), MSG_WAITALL, fds);

	if (n < 0)
		return (int)n;
	if (n != sizeof(*reply) || reply->magic != HANDOVER_MAGIC)
		return n ? -EPROTO : -ECONNRESET;
	reply->text[sizeof(reply->text) - 1] = '\0';
	reply->ifname[sizeof(reply->ifname) - 1] = '\0';
	return reply->result > 0 ? -EPROTO : reply->result;
}

int handover_call(int connection, const struct handover_request *request, int fd,
		  struct handover_reply *reply, int fds[2])
{
	int code;

	fds[0] = fds[1] = -1;
	memset(reply, 0, sizeof(*reply));
	code = handover_request_send(connection, request, fd);
	if (!code)
		code = reply_receive(connection, reply, fds);
	if (!code)
		code = handover_reply_check(reply);
	if (!code && request->kind == HANDOVER_OPEN && (fds[0] < 0 || fds[1] < 0))
		code = -EPROTO;
	for (int i = 0; code && i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	return code;
}
