/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an AF_XDP socket gets from the daemon, which may make one, to a process without privileges,
 * which serves it.  Messages of fixed size over a Unix stream socket:
 *
 *   client                                daemon
 *   OPEN interface, queue ------->        makes socket and memory
 *                         <-------        reply, with both descriptors (SCM_RIGHTS)
 *   READY                 ------->        puts the socket into the pinned map: packets come
 *                         <-------        reply
 *   REPORT counts         ------->        shows them; no reply
 *   MET hosts             ------->        knows them, if there are not too many; no reply
 *   (end of file)         ------->        takes it out: its ports are Linux's again
 *
 * A client whose daemon was restarted says RESUME (RESUME_SUMS) instead, and sends its socket along, so that the new
 * daemon can see for itself that it is this queue's; the client keeps it.  Each request names interface and queue.
 */
#ifndef SLUICE_XSK_HANDOVER_H
#define SLUICE_XSK_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sluice/key.h>
#include <sluice/stack.h>

#include "counts.h"

struct clock_source;

#define HANDOVER_MAGIC 0x534c5853u /* "SLXS" */
/* No other is served: those before 5 did not say which interface they meant. */
#define HANDOVER_VERSION 5u

enum handover_kind {
	HANDOVER_OPEN = 1,
	HANDOVER_READY = 2,
	HANDOVER_RESUME = 3,
	HANDOVER_REPORT = 4,
	HANDOVER_RESUME_SUMS = 5, /* RESUME, of a socket whose `sums` were 1. */
	HANDOVER_MET = 6,
};

#define HANDOVER_HOSTS 4u /* In one request. */

/* A host that the stack met; all 0: none. */
struct handover_host {
	uint8_t addr[16]; /* As in struct sluice_key. */
	uint8_t family;	  /* enum sluice_family */
	uint8_t how;	  /* enum sluice_io_met */
	uint8_t reserved[2];
};

struct handover_request {
	uint32_t magic;
	uint16_t version;
	uint16_t kind; /* enum handover_kind */
	uint32_t queue;
	uint32_t n_frames; /* RESUME, RESUME_SUMS: as in the reply to OPEN; else 0. */
	char ifname[16];   /* NUL-terminated, and 0 to its end. */
	union {
		struct port_counts counts;		    /* REPORT */
		struct handover_host hosts[HANDOVER_HOSTS]; /* MET: from the front. */
	};						    /* What is not used is 0. */
};

struct handover_reply {
	uint32_t magic;
	int32_t result; /* 0 or a negative errno; then only `text` counts. */
	uint32_t ifindex, queue, n_queues;
	uint32_t mode; /* enum sluice_io_mode */
	uint32_t n_frames, frame_size;
	uint32_t headroom; /* Where in its memory a frame to send begins. */
	uint32_t mtu;
	uint32_t poll; /* enum handover_poll */
	uint8_t mac[6];
	uint8_t sums; /* 1: those of sent frames are filled in behind us: tx_metadata.h. */
	uint8_t reserved;
	char ifname[16];
	char text[128]; /* NUL-terminated */
};

enum handover_poll {
	HANDOVER_POLL_WAIT,
	HANDOVER_POLL_BUSY,
	HANDOVER_POLL_SPIN,
};

_Static_assert(offsetof(struct handover_request, queue) == 8, "HANDOVER_HEAD_SIZE");
_Static_assert(sizeof(struct handover_request) == 128, "on the wire");
_Static_assert(sizeof(struct handover_reply) == 196, "on the wire");

/* A name that is too long is cut: there is no such interface. */
struct handover_request handover_request_make(enum handover_kind kind, const char *ifname,
					      uint32_t queue);
/*
 * How much of a request is the same in every version, and what that much says: 0, -EPROTO if it is none, or
 * -EPROTONOSUPPORT if it is of another version.  Those were of other sizes: look before the rest is there.
 */
#define HANDOVER_HEAD_SIZE 8u
int handover_head_check(const struct handover_request *request) __attribute__((warn_unused_result));
/* The interface that a request is about, or NULL: what stands there is no name. */
const char *handover_ifname(const struct handover_request *request);
/* 0, or -EINVAL: not from one of ours, or of another version.  `n_queues` bounds the queue. */
int handover_request_check(const struct handover_request *request, uint32_t n_queues)
	__attribute__((warn_unused_result));
/* Of a request MET that was checked: how many hosts it names; or -EINVAL: none, or there is more than hosts. */
int handover_hosts_count(const struct handover_request *request)
	__attribute__((warn_unused_result));
/* The address of one of them; or -EINVAL: packets cannot come from there. */
int handover_host_read(const struct handover_host *host, struct sluice_key *key)
	__attribute__((warn_unused_result));
/* 0, or -EINVAL: nobody can be met there, or not so. */
int handover_host_make(const struct sluice_key *key, enum sluice_io_met how,
		       struct handover_host *host) __attribute__((warn_unused_result));
/* The same of a reply that says it succeeded, on the client's side. */
int handover_reply_check(const struct handover_reply *reply) __attribute__((warn_unused_result));
/* Whether it is of either kind that brings a socket along. */
bool handover_resumes(const struct handover_request *request);

/* Sends a reply with `n_fds` descriptors, at most two; never blocks. */
int handover_reply_send(int connection, const struct handover_reply *reply, const int *fds,
			size_t n_fds) __attribute__((warn_unused_result));
/*
 * Reads at most `size` bytes, as recvmsg() does with `flags`: how many, or a negative errno.  `fds` gets
 * the descriptors that came along, the caller's to close, or -1 each.  -EMSGSIZE: there were more than two, or
 * more than this process may open; none is left.
 */
ssize_t handover_receive(int connection, void *data, size_t size, int flags, int fds[2])
	__attribute__((warn_unused_result));
/* Client: sends without ever blocking, with a descriptor unless `fd` is -1.  -EAGAIN: nothing went. */
int handover_request_send(int connection, const struct handover_request *request, int fd)
	__attribute__((warn_unused_result));
/*
 * Client: one request, and its reply; `fds` gets the two descriptors that OPEN asks for, else -1 each.  The
 * reply's own result if that is negative; -EPROTO if it is about another interface or queue; -ETIMEDOUT if the reply is not there in time.  A refusal may have come
 * before the request: it is read even if that cannot be sent any more.  After a failure `connection` is only
 * good to be closed.
 */
struct handover_wait {
	const struct clock_source *clock;
	uint64_t ns; /* The longest. */
};
int handover_call(int connection, const struct handover_request *request, int fd,
		  const struct handover_wait *wait, struct handover_reply *reply, int fds[2])
	__attribute__((warn_unused_result));

#endif /* SLUICE_XSK_HANDOVER_H */
