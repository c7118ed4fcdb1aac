/* SPDX-License-Identifier: BSD-2-Clause */
/* See handover.h. */
#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"

#include "tx_metadata.h"

#define MIN_FRAMES 256u
#define MAX_FRAMES 262144u
#define FRAME_SIZE 2048u

struct handover_request handover_request_make(enum handover_kind kind, const char *ifname,
					      uint32_t queue)
{
	struct handover_request request = {
		.magic = HANDOVER_MAGIC,
		.version = HANDOVER_VERSION,
		.kind = (uint16_t)kind,
		.queue = queue,
	};

	strncpy(request.ifname, ifname, sizeof(request.ifname) - 1);
	return request;
}

const char *handover_ifname(const struct handover_request *request)
{
	const char *at = request->ifname, *end = at + sizeof(request->ifname);

	while (at < end && *at)
		at++;
	if (at == request->ifname || at == end)
		return NULL;
	while (at < end && !*at)
		at++;
	return at == end ? request->ifname : NULL;
}

static bool n_frames_fit(uint32_t n)
{
	return n >= MIN_FRAMES && n <= MAX_FRAMES && (n & (n - 1)) == 0;
}

int handover_head_check(const struct handover_request *request)
{
	if (request->magic != HANDOVER_MAGIC)
		return -EPROTO;
	return request->version == HANDOVER_VERSION ? 0 : -EPROTONOSUPPORT;
}

bool handover_resumes(const struct handover_request *request)
{
	return request->kind == HANDOVER_RESUME || request->kind == HANDOVER_RESUME_SUMS;
}

int handover_request_check(const struct handover_request *request, uint32_t n_queues)
{
	static const struct port_counts none;

	if (handover_head_check(request) || !handover_ifname(request) ||
	    request->queue >= n_queues || request->kind < HANDOVER_OPEN ||
	    request->kind > HANDOVER_MET)
		return -EINVAL;
	if (handover_resumes(request) ? !n_frames_fit(request->n_frames) : request->n_frames != 0)
		return -EINVAL;
	if (request->kind == HANDOVER_REPORT || request->kind == HANDOVER_MET)
		return 0;
	return memcmp(&request->counts, &none, sizeof(none)) == 0 ? 0 : -EINVAL;
}

/* Addresses that no packet of another host's comes from, and multicast. */
static bool is_nobodys(const struct sluice_key *key)
{
	static const uint8_t zero[8];

	if (key->family == SLUICE_FAMILY_IPV4)
		return key->addr[0] == 0 || key->addr[0] == 127 || key->addr[0] >= 224;
	return key->addr[0] == 0xff || memcmp(key->addr, zero, sizeof(zero)) == 0;
}

static bool is_met(const struct sluice_key *key, unsigned int how)
{
	return address_is_valid(key) && address_is_single(key) && !is_nobodys(key) &&
	       (how == SLUICE_IO_MET_CONNECTED || how == SLUICE_IO_MET_SPOKEN_TO);
}

int handover_host_make(const struct sluice_key *key, enum sluice_io_met how,
		       struct handover_host *host)
{
	if (!is_met(key, how))
		return -EINVAL;
	*host = (struct handover_host){ .family = key->family, .how = (uint8_t)how };
	memcpy(host->addr, key->addr, sizeof(host->addr));
	return 0;
}

int handover_host_read(const struct handover_host *host, struct sluice_key *key)
{
	*key = (struct sluice_key){ .family = host->family,
				    .prefix_len = (uint8_t)address_width(host->family) };
	memcpy(key->addr, host->addr, sizeof(key->addr));
	return is_met(key, host->how) && !host->reserved[0] && !host->reserved[1] ? 0 : -EINVAL;
}

int handover_hosts_count(const struct handover_request *request)
{
	const uint8_t *end = (const uint8_t *)(request + 1), *at;
	unsigned int n = 0;

	while (n < HANDOVER_HOSTS && request->hosts[n].family)
		n++;
	at = (const uint8_t *)request->hosts + n * sizeof(request->hosts[0]);
	while (at < end && !*at)
		at++;
	return n && at == end ? (int)n : -EINVAL;
}

/* The kernel wants the metadata in the same frame, at a multiple of 8. */
static bool headroom_fits(const struct handover_reply *reply)
{
	return reply->headroom < FRAME_SIZE / 2 && reply->headroom % 8 == 0 && reply->sums <= 1 &&
	       (!reply->sums || reply->headroom >= sizeof(struct tx_metadata));
}

int handover_reply_check(const struct handover_reply *reply)
{
	if (reply->magic != HANDOVER_MAGIC || !n_frames_fit(reply->n_frames) ||
	    reply->frame_size != FRAME_SIZE || !headroom_fits(reply) ||
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

static void close_fds(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
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
	if (message.msg_flags & MSG_CTRUNC) {
		close_fds(fds);
		return -EMSGSIZE;
	}
	return n;
}

/* Of a reply that comes in pieces the first descriptors count, more than those were not asked for. */
static int keep_fds(int fds[2], const int more[2])
{
	if (more[0] < 0)
		return 0;
	if (fds[0] >= 0) {
		close_fds((int[]){ more[0], more[1] });
		return -EPROTO;
	}
	memcpy(fds, more, 2 * sizeof(int));
	return 0;
}

/* 0: a piece came, perhaps the last; -EAGAIN: nothing. */
static int receive_more(int connection, struct handover_reply *reply, size_t *n_bytes, int fds[2])
{
	int more[2];
	ssize_t n = handover_receive(connection, (uint8_t *)reply + *n_bytes,
				     sizeof(*reply) - *n_bytes, MSG_DONTWAIT, more);

	if (n <= 0)
		return n ? (int)n : -ECONNRESET;
	*n_bytes += (size_t)n;
	return keep_fds(fds, more);
}

static int wait_until(int connection, const struct clock_source *clock, uint64_t deadline_ns)
{
	struct pollfd ready = { .fd = connection, .events = POLLIN };
	uint64_t now = clock_monotonic_ns(clock);

	if (now >= deadline_ns)
		return -ETIMEDOUT;
	/* Rounded up: not awake before the time has come. */
	if (poll(&ready, 1, (int)((deadline_ns - now + 999999) / 1000000)) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int reply_receive(int connection, const struct handover_wait *wait,
			 struct handover_reply *reply, int fds[2])
{
	uint64_t deadline_ns = clock_monotonic_ns(wait->clock) + wait->ns;
	size_t n_bytes = 0;
	int code = 0;

	while (!code && n_bytes < sizeof(*reply)) {
		code = receive_more(connection, reply, &n_bytes, fds);
		if (code == -EAGAIN || code == -EINTR)
			code = wait_until(connection, wait->clock, deadline_ns);
	}
	reply->text[sizeof(reply->text) - 1] = '\0';
	reply->ifname[sizeof(reply->ifname) - 1] = '\0';
	if (code)
		return code;
	if (reply->magic != HANDOVER_MAGIC || reply->result > 0)
		return -EPROTO;
	return reply->result;
}

/* Two with what OPEN asks for, else none. */
static int check_fds(enum handover_kind kind, const int fds[2])
{
	bool asked = kind == HANDOVER_OPEN;

	return (fds[0] >= 0) == asked && (fds[1] >= 0) == asked ? 0 : -EPROTO;
}

static int check_answer(const struct handover_request *request, const struct handover_reply *reply)
{
	if (strcmp(reply->ifname, request->ifname) != 0 || reply->queue != request->queue)
		return -EPROTO;
	return handover_reply_check(reply);
}

int handover_call(int connection, const struct handover_request *request, int fd,
		  const struct handover_wait *wait, struct handover_reply *reply, int fds[2])
{
	int code;

	fds[0] = fds[1] = -1;
	memset(reply, 0, sizeof(*reply));
	code = handover_request_send(connection, request, fd);
	if (!code || code == -EPIPE)
		code = reply_receive(connection, wait, reply, fds);
	if (!code)
		code = check_answer(request, reply);
	if (!code)
		code = check_fds((enum handover_kind)request->kind, fds);
	if (code)
		close_fds(fds);
	return code;
}
