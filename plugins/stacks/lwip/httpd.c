/* SPDX-License-Identifier: BSD-2-Clause */
#include "httpd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#include "compute.h"
#include "content.h"
#include "http_date.h"
#include "http_request.h"
#include "multipart.h"
#include "port.h"
#include "reply.h"

enum {
	POLL_INTERVAL = 2, /* Of 500 ms. */
	/* A request is not looked at before its answer is sure to find room. */
	ANSWER_BYTES = REPLY_HEAD_MAX + CONTENT_PRIME_SIZE,
	ANSWER_BUFFERS = 32,
	ONE_PIECE = 1400,      /* Head and body of no more are copied into one segment. */
	WRITE_MAX = 32 * 1024, /* Of a body, at a time. */
};

#define LINGER_NS 5000000000u /* How long a client may take to close after us. */
#define MET_NS 20000000000u   /* Between two words to the host about a client that stays. */

struct connection {
	struct httpd *httpd;
	struct tcp_pcb *pcb;	 /* NULL: not in use. */
	struct connection *next; /* Of the free ones. */
	struct pbuf *pending;	 /* What came in and was not read yet, ... */
	u16_t offset;		 /* ... but for so many bytes of its first buffer. */
	const uint8_t *body;	 /* Of the answer on its way. */
	size_t body_left;
	struct multipart multipart; /* What follows the body. */
	struct compute_job *job;    /* What the answer waits for; NULL: nothing. */
	bool closing;		    /* After this answer. */
	bool lingering;		    /* All of it is sent. */
	bool peer_closed;	    /* No more requests come. */
	uint64_t deadline_ns;
	uint64_t met_ns; /* When the host was last told of its client. */
	struct http_request request;
};

struct httpd {
	struct httpd_config config;
	const struct content *content;
	struct tcp_pcb *listener;
	struct connection *connections, *free;
	struct compute *compute;
	struct httpd_counters counters;
	char date[HTTP_DATE_SIZE];
	struct reply reply; /* Of the moment; too large for a stack frame. */
};

static void give_back(struct connection *connection)
{
	struct httpd *httpd = connection->httpd;

	if (connection->pending)
		pbuf_free(connection->pending);
	if (connection->job)
		compute_abandon(connection->job);
	connection->job = NULL;
	connection->pending = NULL;
	connection->pcb = NULL;
	connection->next = httpd->free;
	httpd->free = connection;
	httpd->counters.connections--;
}

static void detach(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_err(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
}

static err_t reset(struct connection *connection)
{
	struct tcp_pcb *pcb = connection->pcb;

	give_back(connection);
	detach(pcb);
	tcp_abort(pcb);
	return ERR_ABRT;
}

static void arm(struct connection *connection, uint64_t timeout_ns)
{
	connection->deadline_ns = port_now_ns() + timeout_ns;
}

/* Nothing is left to be done with it. */
static err_t finish(struct connection *connection)
{
	struct tcp_pcb *pcb = connection->pcb;

	give_back(connection);
	detach(pcb);
	/* lwIP takes a window that is not full for data that nobody has read, and resets. */
	pcb->rcv_wnd = TCP_WND_MAX(pcb);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}

/*
 * The last answer is with lwIP: that is all we send.  What the client still sends is acknowledged and
 * thrown away until it has closed too: a reset would take the answer from it.
 */
static err_t linger(struct connection *connection)
{
	struct pbuf *pending = connection->pending;

	if (connection->peer_closed)
		return finish(connection);
	if (!connection->lingering) {
		connection->lingering = true;
		arm(connection, LINGER_NS);
		if (tcp_shutdown(connection->pcb, 0, 1) != ERR_OK)
			return reset(connection);
	}
	if (pending) {
		tcp_recved(connection->pcb, (u16_t)(pending->tot_len - connection->offset));
		pbuf_free(pending);
		connection->pending = NULL;
		connection->offset = 0;
	}
	return ERR_OK;
}

static bool has_room(const struct tcp_pcb *pcb)
{
	return tcp_sndbuf(pcb) >= ANSWER_BYTES &&
	       tcp_sndqueuelen(pcb) + ANSWER_BUFFERS <= TCP_SND_QUEUELEN;
}

/* An answer is on its way of which lwIP has not got all. */
static bool is_sending(const struct connection *connection)
{
	return connection->body_left || !multipart_is_over(&connection->multipart);
}

/* Hands lwIP as much of the body as it takes now. */
static void send_bytes(struct connection *connection)
{
	struct tcp_pcb *pcb = connection->pcb;
	u16_t size;

	while (connection->body_left) {
		size_t part = LWIP_MIN(connection->body_left, tcp_sndbuf(pcb));

		size = (u16_t)LWIP_MIN(part, WRITE_MAX);
		if (!size || tcp_write(pcb, connection->body, size,
				       connection->body_left > size ? TCP_WRITE_FLAG_MORE : 0))
			return; /* sent() or poll() goes on. */
		connection->body += size;
		connection->body_left -= size;
	}
}

/* Begins the next piece of an answer of several ranges; false: there is none, or no room for its text yet. */
static bool send_next_piece(struct connection *connection)
{
	struct multipart next = connection->multipart;
	struct multipart_piece piece;

	if (!has_room(connection->pcb) || !multipart_next(&next, &piece))
		return false;
	if (tcp_write(connection->pcb, piece.text, (u16_t)piece.text_size,
		      TCP_WRITE_FLAG_COPY | (piece.size ? TCP_WRITE_FLAG_MORE : 0)) != ERR_OK)
		return false;
	connection->multipart.next = next.next;
	connection->body = piece.bytes;
	connection->body_left = piece.size;
	return true;
}

static void send_body(struct connection *connection)
{
	do
		send_bytes(connection);
	while (!connection->body_left && send_next_piece(connection));
}

static err_t send_reply(struct connection *connection)
{
	struct reply *reply = &connection->httpd->reply;
	struct tcp_pcb *pcb = connection->pcb;
	u16_t head = (u16_t)reply->head_size;
	err_t rc;

	connection->closing = !reply->keep_alive;
	connection->multipart = reply->multipart;
	arm(connection, connection->httpd->config.send_timeout_ns);
	if (reply->body_size && reply->head_size + reply->body_size <= ONE_PIECE) {
		char piece[ONE_PIECE];

		memcpy(piece, reply->head, head);
		memcpy(piece + head, reply->body, reply->body_size);
		return tcp_write(pcb, piece, (u16_t)(head + reply->body_size), TCP_WRITE_FLAG_COPY);
	}
	rc = tcp_write(pcb, reply->head, head,
		       TCP_WRITE_FLAG_COPY | (reply->body_size ? TCP_WRITE_FLAG_MORE : 0));
	if (rc == ERR_OK && reply->body_is_text)
		return reply->body_size ? tcp_write(pcb, reply->text, (u16_t)reply->body_size,
						    TCP_WRITE_FLAG_COPY)
					: ERR_OK;
	connection->body = reply->body;
	connection->body_left = reply->body_size;
	return rc;
}

/* Reads on in what came in, as far as the end of a request; true if there is one. */
static bool read_request(struct connection *connection, enum http_parse *outcome)
{
	struct pbuf *packet = connection->pending;
	bool begun = http_request_begun(&connection->request);
	size_t taken;

	*outcome = http_request_feed(&connection->request,
				     (const char *)packet->payload + connection->offset,
				     (size_t)(packet->len - connection->offset), &taken);
	if (!begun && http_request_begun(&connection->request))
		arm(connection, connection->httpd->config.request_timeout_ns);
	connection->offset = (u16_t)(connection->offset + taken);
	tcp_recved(connection->pcb, (u16_t)taken);
	if (connection->offset == packet->len) {
		connection->pending = packet->next;
		if (packet->next)
			pbuf_ref(packet->next);
		pbuf_free(packet);
		connection->offset = 0;
	}
	return *outcome != HTTP_MORE;
}

static err_t answer(struct connection *connection, enum http_parse outcome)
{
	struct httpd *httpd = connection->httpd;
	unsigned int primes = 0;

	if (outcome == HTTP_BAD) {
		httpd->counters.malformed++;
		reply_refuse(&httpd->reply, &connection->request, connection->request.status,
			     httpd->date);
	} else {
		httpd->counters.requests++;
		primes = reply_make(&httpd->reply, httpd->content, &connection->request,
				    httpd->date);
	}
	if (primes) {
		connection->job = compute_submit(httpd->compute, primes, connection);
		return connection->job ? ERR_OK : ERR_MEM;
	}
	http_request_next(&connection->request);
	return send_reply(connection);
}

/* Does all that can be done now; ERR_ABRT if the connection is gone. */
static err_t advance(struct connection *connection)
{
	enum http_parse outcome;

	send_body(connection);
	while (connection->pending && !is_sending(connection) && !connection->job &&
	       !connection->closing && has_room(connection->pcb)) {
		if (!read_request(connection, &outcome))
			continue;
		if (answer(connection, outcome) != ERR_OK) {
			connection->httpd->counters.starved++;
			return reset(connection);
		}
		send_body(connection);
	}
	if (is_sending(connection) || connection->job)
		return ERR_OK;
	if (connection->closing)
		return linger(connection);
	return connection->peer_closed && !connection->pending ? finish(connection) : ERR_OK;
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *packet, err_t error)
{
	struct connection *connection = arg;

	(void)pcb;
	(void)error;
	if (!packet)
		connection->peer_closed = true;
	else if (connection->pending && connection->pending->tot_len + packet->tot_len > UINT16_MAX)
		return ERR_MEM; /* lwIP comes with it again. */
	else if (connection->pending)
		pbuf_cat(connection->pending, packet);
	else
		connection->pending = packet;
	return advance(connection);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t size)
{
	struct connection *connection = arg;
	const struct httpd_config *config = &connection->httpd->config;

	(void)size;
	if (connection->lingering)
		return ERR_OK;
	if (!is_sending(connection) && !pcb->unacked && !pcb->unsent &&
	    !http_request_begun(&connection->request))
		arm(connection, config->idle_timeout_ns);
	else if (is_sending(connection) || pcb->unacked)
		arm(connection, config->send_timeout_ns);
	return advance(connection);
}

static struct sluice_key key_of(const ip_addr_t *address)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	if (IP_IS_V6(address)) {
		key.family = SLUICE_FAMILY_IPV6;
		key.prefix_len = 128;
		memcpy(key.addr, ip_2_ip6(address)->addr, 16);
	} else {
		memcpy(key.addr, &ip_2_ip4(address)->addr, 4);
	}
	return key;
}

/* Only of one that lwIP has heard the end of the handshake from. */
static void tell_met(struct connection *connection)
{
	const struct httpd_config *config = &connection->httpd->config;
	const struct sluice_key client = key_of(&connection->pcb->remote_ip);

	connection->met_ns = port_now_ns();
	config->met(config->met_ctx, &client);
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct connection *connection = arg;

	if (port_now_ns() - connection->met_ns >= MET_NS)
		tell_met(connection);
	/* Who waits for us is not late. */
	if (connection->job || port_now_ns() < connection->deadline_ns)
		return advance(connection);
	connection->httpd->counters.timed_out += !connection->lingering;
	/* Who takes nothing would hold the answer's memory for minutes more. */
	return pcb->unacked || pcb->unsent ? reset(connection) : finish(connection);
}

static void on_error(void *arg, err_t error)
{
	(void)error;
	if (arg)
		give_back(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t error)
{
	struct httpd *httpd = arg;
	struct connection *connection = httpd->free;

	if (error != ERR_OK || !pcb)
		return ERR_VAL;
	if (!connection) {
		httpd->counters.refused++;
		tcp_abort(pcb);
		return ERR_ABRT;
	}
	httpd->free = connection->next;
	httpd->counters.connections++;
	httpd->counters.accepted++;
	connection->pcb = pcb;
	connection->pending = NULL;
	connection->offset = 0;
	connection->body_left = 0;
	multipart_void(&connection->multipart);
	connection->job = NULL;
	connection->closing = false;
	connection->lingering = false;
	connection->peer_closed = false;
	http_request_init(&connection->request);
	arm(connection, httpd->config.request_timeout_ns);

	if (pcb->rcv_wnd > httpd->config.window)
		pcb->rcv_wnd = pcb->rcv_ann_wnd = httpd->config.window;
	tcp_nagle_disable(pcb);
	tcp_arg(pcb, connection);
	tcp_recv(pcb, on_receive);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_error);
	tcp_poll(pcb, on_poll, POLL_INTERVAL);
	tell_met(connection);
	return ERR_OK;
}

static int listen_on(struct httpd *httpd)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

	if (!pcb)
		return -ENOMEM;
	if (tcp_bind(pcb, IP_ANY_TYPE, httpd->config.port) != ERR_OK) {
		tcp_abort(pcb);
		return -EADDRINUSE;
	}
	listener = tcp_listen_with_backlog(pcb, (u8_t)httpd->config.backlog);
	if (!listener) {
		tcp_abort(pcb);
		return -ENOMEM;
	}
	tcp_arg(listener, httpd);
	tcp_accept(listener, on_accept);
	httpd->listener = listener;
	return 0;
}

int httpd_open(const struct httpd_config *config, const struct content *content, struct httpd **out,
	       struct sluice_err *err)
{
	struct httpd *httpd = calloc(1, sizeof(*httpd));
	int rc = -ENOMEM;

	if (!httpd)
		return -ENOMEM;
	httpd->config = *config;
	httpd->content = content;
	httpd_set_date(httpd, 0);
	httpd->connections = calloc(config->max_connections, sizeof(*httpd->connections));
	if (!httpd->connections)
		goto fail;
	for (unsigned int i = 0; i < config->max_connections; i++) {
		httpd->connections[i].httpd = httpd;
		httpd->connections[i].next = httpd->free;
		httpd->free = &httpd->connections[i];
	}
	/* As many again may have lost their connections and not be done. */
	rc = compute_new(2 * config->max_connections, &httpd->compute);
	if (!rc)
		rc = listen_on(httpd);
	if (rc)
		goto fail;
	*out = httpd;
	return 0;
fail:
	if (err)
		snprintf(err->text, sizeof(err->text), "cannot listen on port %u: %s", config->port,
			 strerror(-rc));
	compute_free(httpd->compute);
	free(httpd->connections);
	free(httpd);
	return rc;
}

void httpd_close(struct httpd *httpd)
{
	if (!httpd)
		return;
	for (unsigned int i = 0; i < httpd->config.max_connections; i++)
		if (httpd->connections[i].pcb)
			(void)reset(&httpd->connections[i]);
	tcp_close(httpd->listener);
	compute_free(httpd->compute);
	free(httpd->connections);
	free(httpd);
}

/* The answer to a request that had to wait for its primes. */
static void answer_primes(struct connection *connection, const struct compute_job *job)
{
	struct httpd *httpd = connection->httpd;

	connection->job = NULL;
	reply_primes(&httpd->reply, job->text, job->size, &connection->request, httpd->date);
	http_request_next(&connection->request);
	if (send_reply(connection) != ERR_OK) {
		httpd->counters.starved++;
		(void)reset(connection);
		return;
	}
	if (advance(connection) == ERR_OK && connection->pcb)
		(void)tcp_output(connection->pcb);
}

void httpd_turn(struct httpd *httpd)
{
	struct compute_job *job;

	while ((job = compute_next(httpd->compute))) {
		answer_primes(job->owner, job);
		compute_release(httpd->compute, job);
	}
}

int httpd_wake_fd(const struct httpd *httpd)
{
	return compute_fd(httpd->compute);
}

void httpd_set_date(struct httpd *httpd, int64_t seconds)
{
	http_date_format((time_t)seconds, httpd->date);
}

const struct httpd_counters *httpd_read_counters(const struct httpd *httpd)
{
	return &httpd->counters;
}
