/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The web server on lwIP: connections, time-outs, and answers sent as far as there is room.  Requests
 * are read by http_request.c, answered by reply.c; what they have computed is by compute.c.
 */
#ifndef SLUICE_LWIP_HTTPD_H
#define SLUICE_LWIP_HTTPD_H

#include <stdint.h>

#include <sluice/plugin.h>

struct content;
struct httpd;

struct httpd_config {
	uint16_t port;
	unsigned int max_connections; /* At most 4096. */
	unsigned int backlog;	      /* Half-open connections, at most 255. */
	uint32_t window;	      /* Bytes that a client may send ahead; at most 256 KiB. */
	uint64_t
		request_timeout_ns; /* From a request's first byte, or the connection, to its last. */
	uint64_t idle_timeout_ns;   /* Between requests. */
	uint64_t send_timeout_ns;   /* Without an acknowledgement. */
	/* Told of each client that has completed its handshake, and again while it is connected. */
	void (*met)(void *ctx, const struct sluice_key *client);
	void *met_ctx;
};

struct httpd_counters {
	uint64_t connections; /* Now. */
	uint64_t accepted, requests, malformed;
	uint64_t refused; /* Connections over the limit. */
	uint64_t timed_out;
	uint64_t starved; /* Connections ended since lwIP had no memory for an answer. */
};

/* Listens; the port (port.h) must be open, and outlive it, as must `content`. */
int httpd_open(const struct httpd_config *config, const struct content *content, struct httpd **out,
	       struct sluice_err *err) __attribute__((warn_unused_result));
/* Resets all connections.  NULL is a no-op. */
void httpd_close(struct httpd *httpd);

/* Sends the answers that had to be computed and are now. */
void httpd_turn(struct httpd *httpd);
/* Readable while httpd_turn() has something to do. */
int httpd_wake_fd(const struct httpd *httpd);

/* What Date says until the next call. */
void httpd_set_date(struct httpd *httpd, int64_t seconds);
const struct httpd_counters *httpd_read_counters(const struct httpd *httpd);

#endif /* SLUICE_LWIP_HTTPD_H */
