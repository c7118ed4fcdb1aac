/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rtnetlink socket: many requests in flight, each with a result of its own.
 */
#ifndef SLUICE_BACKENDS_FLOWER_SOCKET_H
#define SLUICE_BACKENDS_FLOWER_SOCKET_H

#include "reply.h"

/* Requests in flight at most; their answers fit into the receive buffer. */
#define SOCKET_BATCH 128

struct flower_socket;

/* -EPERM, -ENOMEM and whatever else the kernel says. */
int socket_open(struct flower_socket **sock) __attribute__((warn_unused_result));
void socket_close(struct flower_socket *sock); /* NULL is a no-op. */

/* The number that the next request queued will be answered under. */
uint32_t socket_seq(const struct flower_socket *sock);

/*
 * Queues a request for the next socket_send() and frees it; `*result` gets its answer then.  At most
 * SOCKET_BATCH.
 */
void socket_queue(struct flower_socket *sock, struct nl_msg *msg, int *result);

/*
 * Sends what is queued and waits for every answer.  `text` gets the kernel's words for the first
 * refusal that has some.  A negative errno means that answers are missing.
 */
int socket_send(struct flower_socket *sock, const struct flower_place *place, char text[128])
	__attribute__((warn_unused_result));

/* Called with each filter of a dump; stops it by a negative errno. */
typedef int socket_filter(void *context, const struct reply *reply);
/* request_dump(), or another of its kind. */
typedef int socket_request(const struct flower_place *place, uint32_t seq, struct nl_msg **msg);

/* One dump; -EINTR: the table changed meanwhile, and the filters seen are not all. */
int socket_dump(struct flower_socket *sock, const struct flower_place *place,
		socket_request *request, socket_filter *filter, void *context)
	__attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_FLOWER_SOCKET_H */
