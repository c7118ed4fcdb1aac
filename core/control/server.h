/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's end of the control socket.  It knows nothing of what the commands do: the daemon
 * registers a handler for each, by name.  `commands` and `events` are its own.
 *
 * The server owns no thread.  The caller polls server_fd() and calls server_dispatch(), which
 * never waits for a client: lines, clients and buffers are bounded, idle and stalled clients are
 * dropped.
 */
#ifndef SLUICE_CONTROL_SERVER_H
#define SLUICE_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <sluice/plugin.h>

struct clock_source;
struct event_log;
struct protocol_request;
struct server;

struct server_handler {
	const char *name;
	const char *usage; /* The arguments: "ADDRESS[/LEN] [DURATION]". */
	const char *help;  /* One line. */
	unsigned int min_args, max_args;
	/*
	 * 0 with a new reference in `*result` (or NULL for an empty object), or a negative errno
	 * with `err` filled.
	 */
	int (*call)(void *ctx, const struct protocol_request *request, json_t **result,
		    struct sluice_err *err);
};

struct server_options {
	const char *path;		       /* Of the socket; its folder is made if missing. */
	const char *group;		       /* That may connect, beside root; NULL: none. */
	const struct server_handler *handlers; /* Must outlive the server. */
	size_t n_handlers;
	void *ctx; /* For the handlers. */
	struct event_log *events;
	const struct clock_source *clock;
	unsigned int max_clients; /* 0: SERVER_CLIENTS */
	uint64_t idle_ns;	  /* 0: SERVER_IDLE_NS */
};

#define SERVER_CLIENTS 32
#define SERVER_IDLE_NS (30ull * 1000000000ull)

struct server_stats {
	unsigned int clients;
	uint64_t accepted, refused, dropped, requests, malformed;
};

/*
 * Binds and listens; a socket that nobody answers is replaced.  -EADDRINUSE: another daemon
 * answers there.  On failure nothing is left behind.
 */
int server_open(const struct server_options *options, struct server **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Removes the socket.  NULL is a no-op. */
void server_close(struct server *server);

/* Readable when server_dispatch() has something to do. */
int server_fd(const struct server *server);
void server_dispatch(struct server *server);
/* Drops clients whose time is over; server_dispatch() calls it once a second. */
void server_expire(struct server *server);
void server_stats(const struct server *server, struct server_stats *stats);

#endif /* SLUICE_CONTROL_SERVER_H */
