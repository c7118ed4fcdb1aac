/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's list of established TCP connections (NETLINK_SOCK_DIAG): a request, and a pure
 * parser of the replies, which are length-checked like any other input.
 */
#ifndef SLUICE_ENGINE_SOCK_DIAG_H
#define SLUICE_ENGINE_SOCK_DIAG_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

/* The far end of one connection: a whole address; IPv4 in IPv6 is given as IPv4. */
typedef int (*sock_diag_fn)(void *ctx, const struct sluice_key *peer);

/*
 * Calls `fn` for each connection in the bytes of one reply; what `fn` returns other than 0 ends
 * the walk and is returned.  0: more to come; 1: the dump is complete; -EPROTO: not a sane reply;
 * another negative errno: the kernel's own.  Messages with another sequence are passed over.
 */
int sock_diag_parse(const void *reply, size_t reply_size, uint32_t sequence, sock_diag_fn fn,
		    void *ctx) __attribute__((warn_unused_result));

/* Opens the socket: it must be closed.  A file descriptor or a negative errno. */
int sock_diag_open(void) __attribute__((warn_unused_result));
/* Dumps the connections of one family (AF_INET, AF_INET6).  0 or a negative errno. */
int sock_diag_dump(int fd, int family, uint32_t sequence, sock_diag_fn fn, void *ctx)
	__attribute__((warn_unused_result));

#endif /* SLUICE_ENGINE_SOCK_DIAG_H */
