/* SPDX-License-Identifier: BSD-2-Clause */
/* NETLINK_SOCK_DIAG: see sock_diag.h. */
#include "sock_diag.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/address.h"

/* The kernel fills up to 32 KiB a read. */
#define BUFFER_SIZE (64u * 1024)

static struct sluice_key peer_key(const struct inet_diag_msg *message)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const void *addr = message->id.idiag_dst;

	if (message->idiag_family == AF_INET)
		return address_from_ipv4(addr, 32);
	if (memcmp(addr, mapped, sizeof(mapped)) == 0)
		return address_from_ipv4((const uint8_t *)addr + sizeof(mapped), 32);
	return address_from_ipv6(addr, 128);
}

static int parse_connection(const void *payload, size_t size, sock_diag_fn fn, void *ctx)
{
	struct inet_diag_msg message;
	struct sluice_key key;

	if (size < sizeof(message))
		return -EPROTO;
	memcpy(&message, payload, sizeof(message));
	if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6)
		return -EPROTO;
	if (message.idiag_state != TCP_ESTABLISHED)
		return 0;
	key = peer_key(&message);
	return fn(ctx, &key);
}

static int parse_error(const void *payload, size_t size)
{
	struct nlmsgerr error;

	if (size < sizeof(error))
		return -EPROTO;
	memcpy(&error, payload, sizeof(error));
	/* 0 is an acknowledgement, which we did not ask for; errors are negative. */
	return error.error < 0 && error.error > -4096 ? error.error : -EPROTO;
}

/* A dump that the kernel gave up on ends like a complete one, but for the error that it carries. */
static int parse_done(const void *payload, size_t size)
{
	int code = 0;

	if (size >= sizeof(code))
		memcpy(&code, payload, sizeof(code));
	if (code >= 0)
		return 1;
	return code > -4096 ? code : -EPROTO;
}

static int parse_message(uint16_t type, const void *payload, size_t size, sock_diag_fn fn,
			 void *ctx)
{
	switch (type) {
	case NLMSG_DONE:
		return parse_done(payload, size);
	case NLMSG_ERROR:
		return parse_error(payload, size);
	case SOCK_DIAG_BY_FAMILY:
		return parse_connection(payload, size, fn, ctx);
	default:
		return 0;
	}
}

int sock_diag_parse(const void *reply, size_t reply_size, uint32_t sequence, sock_diag_fn fn,
		    void *ctx)
{
	const uint8_t *at = reply;

	while (reply_size) {
		/* Copied to an aligned place; the bytes may begin anywhere. */
		struct nlmsghdr header;
		size_t step;
		int rc;

		if (reply_size < sizeof(header))
			return -EPROTO;
		memcpy(&header, at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > reply_size)
			return -EPROTO;
		if (header.nlmsg_seq == sequence) {
			rc = parse_message(header.nlmsg_type, at + NLMSG_HDRLEN,
					   header.nlmsg_len - NLMSG_HDRLEN, fn, ctx);
			if (rc)
				return rc;
		}
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step >= reply_size)
			break;
		at += step;
		reply_size -= step;
	}
	return 0;
}

int sock_diag_open(void)
{
	/* A dead kernel side must not keep the helper thread from ending. */
	const struct timeval timeout = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int rc;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout))) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int request(int fd, int family, uint32_t sequence)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = sequence,
		},
		.body = {
			.sdiag_family = (uint8_t)family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1u << TCP_ESTABLISHED,
		},
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, &message, sizeof(message), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

static int receive(int fd, void *buffer, size_t *size)
{
	struct sockaddr_nl from;
	struct iovec part = { buffer, BUFFER_SIZE };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t got;

	do {
		got = recvmsg(fd, &message, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	/* Other programs can send to our netlink port; only the kernel is number 0. */
	if (message.msg_namelen != sizeof(from) || from.nl_pid != 0)
		got = 0;
	*size = (size_t)got;
	return 0;
}

int sock_diag_dump(int fd, int family, uint32_t sequence, sock_diag_fn fn, void *ctx)
{
	void *buffer = malloc(BUFFER_SIZE);
	size_t size = 0;
	int rc;

	if (!buffer)
		return -ENOMEM;
	rc = request(fd, family, sequence);
	while (!rc) {
		rc = receive(fd, buffer, &size);
		if (!rc)
			rc = sock_diag_parse(buffer, size, sequence, fn, ctx);
	}
	free(buffer);
	return rc == 1 ? 0 : rc;
}
