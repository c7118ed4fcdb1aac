/* SPDX-License-Identifier: BSD-2-Clause */
/* See handover.h. */
#include "handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIN_FRAMES 256u
#define MAX_FRAMES 262144u
#define FRAME_SIZE 2048u

int handover_request_check(const struct handover_request *request, uint32_t n_queues)
{
	if (request->magic != HANDOVER_MAGIC || request->version != HANDOVER_VERSION ||
	    request->reserved || request->queue >= n_queues)
		return -EINVAL;
	return request->kind >= HANDOVER_OPEN && request->kind <= HANDOVER_RESUME ? 0 : -EINVAL;
}

int handover_reply_check(const struct handover_reply *reply)
{
	if (reply->magic != HANDOVER_MAGIC || reply->n_frames < MIN_FRAMES ||
	    reply->n_frames > MAX_FRAMES || reply->n_frames & (reply->n_frames - 1) ||
	    reply->frame_size != FRAME_SIZE || reply->headroom >= FRAME_SIZE / 2 ||
	    reply->queue >= reply->n_queues)
		return -EPROTO;
	return 0;
}

int handover_reply_send(int connection, const struct handover_reply *reply, const int *fds,
			size_t n_fds)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	struct iovec part = { (void *)reply, sizeof(*reply) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

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
	/* A fresh connection has room for it; a peer that does not read is not waited for. */
	if (sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(*reply))
		return -EIO;
	return 0;
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

static int reply_receive(int connection, struct handover_reply *reply, int fds[2])
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { reply, sizeof(*reply) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(connection, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	take_fds(&message, fds);
	if (n != sizeof(*reply) || reply->magic != HANDOVER_MAGIC)
		return n ? -EPROTO : -ECONNRESET;
	reply->text[sizeof(reply->text) - 1] = '\0';
	reply->ifname[sizeof(reply->ifname) - 1] = '\0';
	return reply->result > 0 ? -EPROTO : reply->result;
}

int handover_call(int connection, enum handover_kind kind, uint32_t queue,
		  struct handover_reply *reply, int fds[2])
{
	const struct handover_request request = {
		.magic = HANDOVER_MAGIC,
		.version = HANDOVER_VERSION,
		.kind = (uint16_t)kind,
		.queue = queue,
	};
	int code;

	fds[0] = fds[1] = -1;
	memset(reply, 0, sizeof(*reply));
	if (send(connection, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return -errno;
	code = reply_receive(connection, reply, fds);
	if (!code)
		code = handover_reply_check(reply);
	if (!code && kind == HANDOVER_OPEN && (fds[0] < 0 || fds[1] < 0))
		code = -EPROTO;
	for (int i = 0; code && i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	return code;
}
