/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client of the control socket: bytes in, lines out, both bounded.  It knows the protocol's
 * framing; what a request means is the server's.
 */
#ifndef SLUICE_CONTROL_CONNECTION_H
#define SLUICE_CONTROL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "protocol.h"

struct connection {
	struct connection *next;
	int fd;
	bool dead;	/* To be closed and freed by the server, after the events at hand. */
	bool closing;	/* Close once the output is gone. */
	bool eof;	/* The client will send no more. */
	bool following; /* Wants events as they come, from `cursor` on. */
	uint64_t cursor;
	uint64_t active_ns; /* Last complete request, or progress of output. */
	char *out;
	size_t out_size, out_sent;
	size_t in_size;
	char in[PROTOCOL_REQUEST_SIZE_MAX];
};

/* Takes over `fd`, a non-blocking stream socket.  NULL: no memory, and `fd` is not closed. */
struct connection *connection_new(int fd, uint64_t now_ns);
void connection_free(struct connection *connection);

/* Reads what has come, as far as the buffer goes.  Marks the end of input, or death. */
void connection_read(struct connection *connection);
/*
 * Takes the next whole line out of the input into `line` (PROTOCOL_REQUEST_SIZE_MAX bytes) and its
 * length into `*len`.  1: there was one; 0: not yet; -EMSGSIZE: the line is too long.
 */
int connection_take_line(struct connection *connection, char *line, size_t *len);

/*
 * Sends `line` (taken over; NULL: no memory) as far as the socket takes it and keeps the rest.
 * A client whose output would pass PROTOCOL_RESPONSE_SIZE_MAX dies.
 */
void connection_send(struct connection *connection, json_t *line, uint64_t now_ns);
/* Goes on sending what is kept. */
void connection_flush(struct connection *connection, uint64_t now_ns);

static inline bool connection_pending(const struct connection *connection)
{
	return connection->out_size > 0;
}

#endif /* SLUICE_CONTROL_CONNECTION_H */
