/* SPDX-License-Identifier: BSD-2-Clause */
/* See session.h. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "plugin/plugin.h"

#define ERRNO_MAX 4095
#define SHORTEST_WAIT_MS 5 /* For stacks that never sleep. */
#define LONGEST_WAIT_MS 1000
#define REPLY_MS 5000
#define MS 1000000ull

static const char addresses[] = "address: 192.0.2.2\n"
				"address6: '2001:db8::2'\n";

static bool declares(const struct manifest *manifest, const char *name)
{
	struct manifest_option option;

	for (size_t i = 0; i < manifest_n_options(manifest); i++) {
		manifest_option(manifest, i, &option);
		if (strcmp(option.name, name) == 0)
			return strcmp(option.type, "address") == 0;
	}
	return false;
}

/* A stack needs an address, which no manifest can give by default. */
static int with_addresses(const struct conform *conform, const struct config_node *options,
			  struct config_node **out)
{
	const struct manifest *manifest = plugin_manifest(conform->plugin);
	bool has4 = declares(manifest, "address"), has6 = declares(manifest, "address6");
	const char *text = has4 ? addresses : strchr(addresses, '\n') + 1;
	size_t size = has6 ? strlen(text) : strcspn(text, "\n") + 1;
	struct config_node *mine = NULL;
	struct config_errors errors;
	int rc;

	*out = NULL;
	if ((!has4 && !has6) || config_node_get(options, "address") ||
	    config_node_get(options, "address6"))
		return options ? config_node_copy(options, out) : 0;
	config_errors_init(&errors);
	rc = config_node_parse("options", text, size, &errors, &mine);
	rc = rc || !options ? rc : config_node_merge(mine, options, out);
	if (!options)
		*out = mine;
	else
		config_node_free(mine);
	return rc;
}

/* Whom the peer talks to: what the options `address` and `address6` say. */
static void learn_addresses(struct session *session)
{
	static const uint8_t peer_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };
	static const char *const names[] = { "address", "address6" };
	struct sluice_key key;

	memcpy(session->stack.mac, wire_stack_mac, 6);
	memcpy(session->peer.mac, peer_mac, 6);
	for (size_t i = 0; i < 2; i++) {
		size_t v6, last;

		if (config_option_key(session->instance.config, names[i], &key) != 0)
			continue;
		v6 = key.family == SLUICE_FAMILY_IPV6;
		last = v6 ? 15 : 3;
		session->stack.has[v6] = session->peer.has[v6] = true;
		memcpy(session->stack.ip[v6], key.addr, 16);
		memcpy(session->peer.ip[v6], key.addr, 16);
		session->peer.ip[v6][last] = key.addr[last] == 1 ? 2 : 1;
	}
}

static int open_stack(struct session *session, int *refused)
{
	struct sluice_err err;
	int rc;

	err_init(&err);
	session->instance.in_call = true;
	wire_enter(session->io, "open");
	rc = session->ops->open(&session->instance, &conform_host, session->instance.config,
				&wire_ops, session->io, &session->instance.self, &err);
	session->instance.in_call = false;
	wire_leave(session->io);
	*refused = 0;
	if (rc == 0 && session->instance.self)
		return 0;
	if (rc >= 0 || rc < -ERRNO_MAX)
		return conform_fail(session->conform, "open gave %d and no self", rc);
	if (!host_err_is_whole(&err) || err.text[0] == '\0')
		return conform_fail(session->conform,
				    "open failed (%s) without a reason in err->text", err_name(rc));
	if (wire_kept(session->io))
		return conform_fail(session->conform, "a refused open keeps %u frames",
				    wire_kept(session->io));
	session->instance.self = NULL;
	*refused = rc;
	return 0;
}

static void session_free(struct session *session)
{
	config_free(session->instance.config);
	wire_free(session->io);
	free(session);
}

static int open_on(struct conform *conform, const struct config_node *options, bool fills_sums,
		   struct session **out, int *refused)
{
	struct session *session = calloc(1, sizeof(*session));
	struct config_node *all = NULL;
	int rc;

	*out = NULL;
	if (session)
		session->io = wire_new(conform);
	if (!session || !session->io ||
	    with_addresses(conform, options ? options : conform->options, &all) != 0) {
		if (session)
			session_free(session);
		return conform_fail(conform, "no memory for the test");
	}
	session->conform = session->instance.conform = conform;
	session->io->fills_sums = fills_sums;
	session->ops = plugin_stack_ops(conform->plugin);
	session->instance.now_ns = 1000 * MS;
	rc = host_config_new(conform, all, &session->instance.config);
	config_node_free(all);
	if (rc == 0) {
		learn_addresses(session);
		rc = open_stack(session, refused);
	}
	if (rc != 0 || *refused)
		session_free(session);
	else
		*out = session;
	return rc;
}

int session_open(struct conform *conform, const struct config_node *options,
		 struct session **session, int *refused)
{
	return open_on(conform, options, false, session, refused);
}

static int begin_on(struct conform *conform, bool fills_sums, struct session **session)
{
	int refused, rc = open_on(conform, NULL, fills_sums, session, &refused);

	if (rc == 0 && refused)
		rc = conform_fail(conform,
				  "open refuses these options (%s); give others with --options",
				  err_name(refused));
	return rc;
}

int session_begin(struct conform *conform, struct session **session)
{
	return begin_on(conform, false, session);
}

int session_begin_offloaded(struct conform *conform, struct session **session)
{
	return begin_on(conform, true, session);
}

int session_end(struct session *session, int rc)
{
	struct conform *conform;

	if (!session)
		return rc;
	conform = session->conform;
	session->instance.in_call = true;
	wire_enter(session->io, "close");
	session->ops->close(session->instance.self);
	wire_leave(session->io);
	session->instance.in_call = false;
	if (rc == 0 && wire_kept(session->io))
		rc = conform_fail(conform, "of %llu frames that it took in, %u were never released",
				  (unsigned long long)session->io->n_handles,
				  wire_kept(session->io));
	session_free(session);
	if (rc == 0 && conform->result->state == CONFORM_FAILED && conform->result->text[0])
		rc = -EPROTO;
	return rc;
}

static bool is_for_peer(const uint8_t *address, const struct session *session, size_t v6)
{
	return session->peer.has[v6] && memcmp(address, session->peer.ip[v6], v6 ? 16 : 4) == 0;
}

/* Whether the stack asks who has the peer's address; then it is told. */
static bool answer_neighbour(struct session *session, const struct packet_view *view,
			     const struct wire_frame *frame)
{
	const struct packet_path path = { &session->peer, &session->stack, view->v6 };
	const uint8_t *at = frame->bytes + PACKET_ETHERNET;
	struct wire_frame reply;

	if (view->type == PACKET_ARP && at[7] == PACKET_ARP_REQUEST &&
	    is_for_peer(at + 24, session, 0))
		packet_arp(&reply, PACKET_ARP_REPLY, &path);
	else if (view->v6 && view->protocol == PACKET_ICMPV6 && view->payload_size >= 24 &&
		 view->payload[0] == PACKET_SOLICIT && is_for_peer(view->payload + 8, session, 1))
		packet_neighbour(&reply, &path, PACKET_ADVERTISE);
	else
		return false;
	return wire_put(session->io, reply.bytes, reply.length);
}

/* Looks at what was sent.  1: `match` has found its frame. */
static int look_at_sent(struct session *session, session_match_fn match, void *ctx)
{
	struct packet_view view;

	while (wire_take(session->io, &session->frame)) {
		const char *fault;

		if (session->io->fills_sums)
			packet_fill_sums(&session->frame);
		fault = packet_fault(&session->frame, &view);
		session->sent++;
		if (fault)
			return conform_fail(session->conform, "it sent %s, in a frame of %u bytes",
					    fault, session->frame.length);
		if (answer_neighbour(session, &view, &session->frame))
			continue;
		if (match && match(&view, &session->frame, ctx))
			return 1;
	}
	return 0;
}

int session_turn(struct session *session)
{
	int wait_ms;

	session->instance.in_call = true;
	wire_enter(session->io, "turn");
	wait_ms = session->ops->turn(session->instance.self);
	wire_leave(session->io);
	session->instance.in_call = false;
	if (wait_ms < -ERRNO_MAX)
		return conform_fail(session->conform,
				    "turn gave %d, neither milliseconds nor a negative errno",
				    wait_ms);
	if (wait_ms < 0 && !session->io->gone)
		return conform_fail(session->conform,
				    "turn gives up (%s) although its interface is there",
				    err_name(wait_ms));
	if (session->conform->result->state == CONFORM_FAILED &&
	    session->conform->result->text[0] != '\0')
		return -EPROTO;
	return wait_ms;
}

int session_run(struct session *session, unsigned int ms, session_match_fn match, void *ctx)
{
	uint64_t until = session->instance.now_ns + ms * MS;

	for (;;) {
		size_t waiting = session->io->to_stack.n;
		int wait_ms = session_turn(session), found;

		if (wait_ms < 0)
			return wait_ms;
		found = look_at_sent(session, match, ctx);
		if (found)
			return found;
		/* It has just taken something in, or has something more. */
		if (session->io->to_stack.n < waiting || (!waiting && session->io->to_stack.n))
			continue;
		if (session->instance.now_ns >= until)
			return 0;
		wait_ms = wait_ms < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : wait_ms;
		wait_ms = wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : wait_ms;
		session->instance.now_ns += (uint64_t)wait_ms * MS;
	}
}

struct echo {
	bool v6;
	const struct wire_frame *request;
};

static bool is_reply(const struct packet_view *view, const struct wire_frame *frame, void *ctx)
{
	const struct echo *echo = ctx;
	struct packet_view asked;

	(void)frame;
	if (packet_fault(echo->request, &asked) || view->v6 != echo->v6 ||
	    view->protocol != asked.protocol || view->payload_size != asked.payload_size ||
	    view->payload[0] != (echo->v6 ? 129 : PACKET_ECHO_REPLY))
		return false;
	return memcmp(view->from, asked.to, echo->v6 ? 16 : 4) == 0 &&
	       memcmp(view->to, asked.from, echo->v6 ? 16 : 4) == 0 &&
	       memcmp(view->payload + 4, asked.payload + 4, asked.payload_size - 4) == 0;
}

int session_ping(struct session *session, bool v6, size_t size)
{
	const struct packet_path path = { &session->peer, &session->stack, v6 };
	struct wire_frame request;
	struct echo echo = { v6, &request };

	packet_echo(&request, &path, (uint16_t)session->sent, size);
	if (!wire_put(session->io, request.bytes, request.length))
		return conform_fail(session->conform, "it takes nothing in: %u frames wait",
				    WIRE_BACKLOG);
	return session_run(session, REPLY_MS, is_reply, &echo);
}
