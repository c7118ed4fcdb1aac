/* SPDX-License-Identifier: BSD-2-Clause */
/* See socket.h.  libnl opens the socket; the answers are read here, since libnl drops extack text. */
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <netlink/netlink.h>
#include <netlink/socket.h>

#define SEND_SIZE (SOCKET_BATCH * 512u)
#define RECEIVE_SIZE (256u * 1024)
#define SOCKET_BUFFER (2 * 1024 * 1024)
#define TIMEOUT_S 10 /* The kernel answers within the call that sends; this is a safety net. */
#define UNANSWERED 1 /* Neither 0 nor an errno. */

struct flower_socket {
	struct nl_sock *nl;
	uint32_t seq; /* Of the next request. */
	size_t n_queued, queued_size;
	struct nlmsghdr *last; /* Of those queued. */
	int *results[SOCKET_BATCH];
	uint8_t out[SEND_SIZE];
	uint8_t in[RECEIVE_SIZE];
};

static int set_options(int fd)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int on = 1, size = SOCKET_BUFFER;

	/* Forced, it needs CAP_NET_ADMIN; the ordinary one is capped, and mostly enough. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return 0;
}

int socket_open(struct flower_socket **out)
{
	struct flower_socket *sock = calloc(1, sizeof(*sock));
	int rc = -ENOMEM;

	if (!sock)
		return rc;
	sock->seq = 1;
	sock->nl = nl_socket_alloc();
	if (sock->nl) {
		errno = 0;
		rc = nl_connect(sock->nl, NETLINK_ROUTE) ? (errno ? -errno : -EIO) : 0;
	}
	rc = rc ? rc : set_options(nl_socket_get_fd(sock->nl));
	if (rc)
		socket_close(sock);
	else
		*out = sock;
	return rc;
}

void socket_close(struct flower_socket *sock)
{
	if (!sock)
		return;
	nl_socket_free(sock->nl);
	free(sock);
}

uint32_t socket_seq(const struct flower_socket *sock)
{
	return sock->seq;
}

void socket_queue(struct flower_socket *sock, struct nl_msg *msg, int *result)
{
	struct nlmsghdr *head = nlmsg_hdr(msg);
	size_t size = NLMSG_ALIGN(head->nlmsg_len);

	*result = UNANSWERED;
	head->nlmsg_pid = nl_socket_get_local_port(sock->nl);
	memcpy(sock->out + sock->queued_size, head, head->nlmsg_len);
	memset(sock->out + sock->queued_size + head->nlmsg_len, 0, size - head->nlmsg_len);
	sock->last = (struct nlmsghdr *)(sock->out + sock->queued_size);
	sock->last->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	sock->results[sock->n_queued++] = result;
	sock->queued_size += size;
	sock->seq++;
	nlmsg_free(msg);
}

/* One datagram of the kernel's; others' are passed over. */
static int receive(struct flower_socket *sock, size_t *size)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec io = { .iov_base = sock->in, .iov_len = sizeof(sock->in) };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &io,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(nl_socket_get_fd(sock->nl), &msg, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		*size = (size_t)n;
		if (from.nl_pid == 0)
			return n ? 0 : -EIO;
	}
}

static int transmit(struct flower_socket *sock, void *data, size_t size)
{
	errno = 0;
	if (nl_sendto(sock->nl, data, size) >= 0)
		return 0;
	return errno ? -errno : -EIO;
}

/*
 * Notes the answers in one datagram; true with the last one.  Requests are done in order, and only
 * the last is answered if it succeeded: what was not refused before that was done.
 */
static bool note(struct flower_socket *sock, const struct flower_place *place, uint32_t first,
		 size_t size, char text[128])
{
	bool complete = false;
	struct reply reply;
	size_t used;

	for (size_t at = 0; reply_next(place, sock->in + at, size - at, &reply, &used);
	     at += used) {
		uint32_t i = reply.seq - first;

		if (reply.kind != REPLY_ACK || i >= sock->n_queued ||
		    *sock->results[i] != UNANSWERED)
			continue;
		*sock->results[i] = reply.error;
		if (reply.error && reply.text[0] && !text[0])
			memcpy(text, reply.text, sizeof(reply.text));
		complete |= i == sock->n_queued - 1;
	}
	for (size_t i = 0; i < sock->n_queued && complete; i++) {
		if (*sock->results[i] == UNANSWERED)
			*sock->results[i] = 0;
	}
	return complete;
}

int socket_send(struct flower_socket *sock, const struct flower_place *place, char text[128])
{
	uint32_t first = sock->seq - (uint32_t)sock->n_queued;
	bool complete = sock->n_queued == 0;
	size_t size;
	int rc = 0;

	text[0] = '\0';
	if (!complete) {
		sock->last->nlmsg_flags |= NLM_F_ACK;
		rc = transmit(sock, sock->out, sock->queued_size);
	}
	while (rc == 0 && !complete) {
		rc = receive(sock, &size);
		complete = rc == 0 && note(sock, place, first, size, text);
	}
	sock->n_queued = sock->queued_size = 0;
	return rc;
}

/* One datagram of a dump; 1: it was the last. */
static int take(struct flower_socket *sock, const struct flower_place *place, uint32_t seq,
		size_t size, socket_filter *filter, void *context, bool *interrupted)
{
	struct reply reply;
	size_t used;
	int rc = 0;

	for (size_t at = 0; rc == 0 && reply_next(place, sock->in + at, size - at, &reply, &used);
	     at += used) {
		if (reply.seq != seq)
			continue;
		*interrupted |= reply.interrupted;
		if (reply.kind == REPLY_DONE || reply.kind == REPLY_ACK)
			return reply.error ? reply.error : 1;
		if (reply.kind != REPLY_OTHER)
			rc = filter(context, &reply);
	}
	return rc;
}

int socket_dump(struct flower_socket *sock, const struct flower_place *place,
		socket_request *request, socket_filter *filter, void *context)
{
	uint32_t seq = sock->seq++;
	bool interrupted = false;
	struct nl_msg *msg;
	size_t size;
	int rc = request(place, seq, &msg);

	if (rc)
		return rc;
	nlmsg_hdr(msg)->nlmsg_pid = nl_socket_get_local_port(sock->nl);
	rc = transmit(sock, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	while (rc == 0) {
		rc = receive(sock, &size);
		if (rc == 0)
			rc = take(sock, place, seq, size, filter, context, &interrupted);
	}
	if (rc < 0)
		return rc;
	return interrupted ? -EINTR : 0;
}
