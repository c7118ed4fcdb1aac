/* SPDX-License-Identifier: BSD-2-Clause */
/* See stack_traffic.h. */
#include "stack_traffic.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "config/manifest.h"

#include "session.h"
#include "window.h"

#define ANSWER_MS 5000
#define FLOOD_SYNS 2000
#define FLOOD_AFTER_MS 300000 /* After so long half-open connections must be gone. */
#define FUZZ_FRAMES 20000
#define MUTATED_BYTES 90 /* From Ethernet's type on. */

static const char request[] = "GET / HTTP/1.1\r\nHost: conform\r\n\r\n";

/* The peer's end of a connection. */
struct end {
	struct session *session;
	struct packet_path path;
	struct packet_tcp next; /* The header of the next segment. */
	struct packet_tcp got;	/* Of the answer. */
	uint32_t wanted;	/* What the answer acknowledges, at least. */
	uint8_t flags;		/* What it has. */
};

/* The port that a stack with such an option serves; 80 is as good a guess as any. */
static uint16_t port_of(const struct session *session)
{
	uint64_t port = 80;

	(void)config_option_u64(session->instance.config, "port", &port);
	return (uint16_t)port;
}

static void end_init(struct end *end, struct session *session, bool v6, uint16_t port)
{
	*end = (struct end){
		.session = session,
		.path = { &session->peer, &session->stack, v6 },
		.next = { .from_port = port,
			  .to_port = port_of(session),
			  .seq = port * 65537u,
			  .flags = PACKET_SYN },
	};
}

static bool is_answer(const struct packet_view *view, const struct wire_frame *frame, void *ctx)
{
	struct end *end = ctx;

	(void)frame;
	if (view->v6 != end->path.v6 || !packet_read_tcp(view, &end->got) ||
	    end->got.to_port != end->next.from_port || end->got.from_port != end->next.to_port)
		return false;
	if (end->got.flags & PACKET_RST)
		return true;
	return (end->got.flags & end->flags) == end->flags &&
	       (int32_t)(end->got.ack - end->wanted) >= 0;
}

static void end_put(struct end *end, const void *data, size_t size)
{
	struct wire_frame frame;

	packet_tcp(&frame, &end->path, &end->next, data, size);
	(void)wire_put(end->session->io, frame.bytes, frame.length);
	end->next.seq += (uint32_t)size + !!(end->next.flags & (PACKET_SYN | PACKET_FIN));
}

/* Sends a segment, and again if it is lost; 1: answered by one with `flags`, or a reset; 0: not. */
static int end_say(struct end *end, uint8_t flags, const void *data, size_t size)
{
	const struct packet_tcp segment = end->next;
	int rc = 0;

	end->flags = flags;
	for (int i = 0; i < 2 && rc == 0; i++) {
		end->next = segment;
		end_put(end, data, size);
		end->wanted = end->next.seq;
		rc = session_run(end->session, ANSWER_MS, is_answer, end);
	}
	return rc;
}

/* 1: established; 0: silence or a reset; negative after conform_fail(). */
static int shake_hands(struct end *end)
{
	uint32_t seq = end->next.seq;
	int rc = end_say(end, PACKET_SYN | PACKET_ACK, NULL, 0);

	if (rc <= 0 || end->got.flags & PACKET_RST)
		return rc < 0 ? rc : 0;
	if (end->got.ack != seq + 1)
		return conform_fail(end->session->conform,
				    "its answer to a SYN acknowledges what was never sent");
	end->next.flags = PACKET_ACK;
	end->next.ack = end->got.seq + 1;
	end_put(end, NULL, 0);
	return 1;
}

static int reset(struct end *end)
{
	end->next.flags = PACKET_RST | PACKET_ACK;
	end_put(end, NULL, 0);
	return session_run(end->session, 100, NULL, NULL);
}

int traffic_connect(struct session *session, bool v6)
{
	struct end end;
	int rc, last;

	end_init(&end, session, v6, (uint16_t)(20000 + session->io->n_handles % 20000));
	rc = shake_hands(&end);
	if (rc > 0)
		end_put(&end, request, sizeof(request) - 1);
	last = rc < 0 ? rc : reset(&end);
	return last < 0 ? last : rc;
}

/* One connection that ends in good order. */
static int converse(struct session *session, bool v6)
{
	struct end end;
	int rc;

	end_init(&end, session, v6, 30000);
	rc = shake_hands(&end);
	if (rc <= 0)
		return rc;
	rc = end_say(&end, PACKET_ACK, request, sizeof(request) - 1);
	if (rc == 0)
		return conform_fail(session->conform, "it does not acknowledge what it was sent");
	end.next.flags = PACKET_FIN | PACKET_ACK;
	rc = rc < 0 || end.got.flags & PACKET_RST ? rc : end_say(&end, PACKET_ACK, NULL, 0);
	if (rc == 0)
		return conform_fail(session->conform, "it does not acknowledge the peer's FIN");
	rc = rc < 0 ? rc : reset(&end);
	return rc < 0 ? rc : 1;
}

/* Of sources that never answer.  Then, after a while, there must be room for a new one. */
static int half_open(struct session *session, bool v6)
{
	struct end end;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < FLOOD_SYNS; i++) {
		end_init(&end, session, v6, (uint16_t)(1024 + i));
		end_put(&end, NULL, 0);
		rc = i % 32 == 31 ? session_run(session, 10, NULL, NULL) : 0;
	}
	rc = rc ? rc : session_run(session, FLOOD_AFTER_MS, NULL, NULL);
	rc = rc ? rc : traffic_connect(session, v6);
	if (rc == 0)
		rc = conform_fail(session->conform,
				  "it takes no connection %d minutes after %d SYNs that nobody "
				  "followed up",
				  FLOOD_AFTER_MS / 60000, FLOOD_SYNS);
	return rc;
}

int traffic_tcp(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session), served = 0;
	uint16_t port = rc == 0 ? port_of(session) : 0;

	for (int v6 = 0; session && rc >= 0 && v6 < 2; v6++) {
		rc = session->stack.has[v6] ? converse(session, v6) : 0;
		served += rc > 0;
		rc = rc > 0 ? half_open(session, v6) : rc;
	}
	rc = session_end(session, rc < 0 ? rc : 0);
	if (rc != 0 || served)
		return rc;
	return conform_skip(conform, "nobody serves its port %u", port);
}

/* Its host fills in TCP's sums; whatever it leaves of others is found by whoever looks at its frames. */
int traffic_sums(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin_offloaded(conform, &session), answers = 0;

	for (int v6 = 0; session && rc >= 0 && v6 < 2; v6++) {
		if (!session->stack.has[v6])
			continue;
		rc = session_ping(session, v6, 56);
		answers += rc > 0;
		rc = rc < 0 ? rc : converse(session, v6);
		answers += rc > 0;
	}
	rc = session_end(session, rc < 0 ? rc : 0);
	if (rc != 0 || answers)
		return rc;
	return conform_skip(conform, "it answers neither echo requests nor connections");
}

static struct sluice_key key_of(const struct packet_end *end, bool v6)
{
	return v6 ? address_from_ipv6(end->ip[1], 128) : address_from_ipv4(end->ip[0], 32);
}

/* All that somebody can send who does not see the answers: packets of each kind, and a guessed handshake. */
static int forge(struct session *session, const struct packet_end *forged, bool v6)
{
	const struct packet_path path = { forged, &session->stack, v6 };
	struct wire_frame frame;
	struct end end;
	int rc;

	packet_echo(&frame, &path, 1, 56);
	(void)wire_put(session->io, frame.bytes, frame.length);
	packet_udp(&frame, &path, 53, 40);
	(void)wire_put(session->io, frame.bytes, frame.length);
	end_init(&end, session, v6, 31000);
	end.path = path;
	end_put(&end, NULL, 0);
	rc = session_run(session, 10, NULL, NULL);
	end.next.flags = PACKET_ACK;
	end.next.ack = 20261127;
	end_put(&end, request, sizeof(request) - 1);
	return rc ? rc : session_run(session, ANSWER_MS, NULL, NULL);
}

/* 1: the peer is connected, and the stack knows it or, `*silent`, tells of nobody; 0: no port answers. */
static int meet(struct session *session, bool v6, bool *silent)
{
	struct packet_end forged = session->peer;
	struct sluice_key host;
	struct end end;
	int rc;

	forged.ip[v6][v6 ? 15 : 3] ^= 0x80;
	rc = forge(session, &forged, v6);
	if (rc)
		return rc;
	host = key_of(&forged, v6);
	if (wire_has_met(session->io, &host))
		return conform_fail(session->conform,
				    "it tells of a host that completed no handshake over IPv%d",
				    v6 ? 6 : 4);
	end_init(&end, session, v6, 32000);
	rc = shake_hands(&end);
	if (rc > 0 && session_run(session, ANSWER_MS, NULL, NULL) < 0)
		return -EPROTO;
	host = key_of(&session->peer, v6);
	*silent = session->io->n_met == 0;
	if (rc > 0 && !*silent && !wire_has_met(session->io, &host))
		return conform_fail(session->conform,
				    "it tells of some, and not of who completed a handshake over "
				    "IPv%d",
				    v6 ? 6 : 4);
	if (rc > 0 && reset(&end) < 0)
		return -EPROTO;
	return rc;
}

int traffic_met(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session), met = 0;
	bool silent = true;

	for (int v6 = 0; session && rc >= 0 && v6 < 2; v6++) {
		rc = session->stack.has[v6] ? meet(session, v6, &silent) : 0;
		met += rc > 0;
	}
	rc = session_end(session, rc < 0 ? rc : 0);
	if (rc != 0 || (met && !silent))
		return rc;
	return conform_skip(conform, "%s",
			    met ? "it tells of nobody: exempt_known does not spare its clients"
				: "nobody serves its port");
}

/* Whether it answered before, and does still. */
struct life {
	int echo[2], tcp[2];
};

static int take_pulse(struct session *session, struct life *life)
{
	int rc = 0;

	for (int v6 = 0; rc >= 0 && v6 < 2; v6++) {
		rc = session->stack.has[v6] ? session_ping(session, v6, 56) : 0;
		life->echo[v6] = rc;
		rc = rc < 0 || !session->stack.has[v6] ? rc : traffic_connect(session, v6);
		life->tcp[v6] = session->stack.has[v6] ? rc : 0;
	}
	return rc < 0 ? rc : 0;
}

static int compare_pulse(struct session *session, const struct life *before, const char *what)
{
	struct life after = { { 0 }, { 0 } };
	int rc = session_run(session, FLOOD_AFTER_MS, NULL, NULL);

	rc = rc ? rc : take_pulse(session, &after);
	for (int v6 = 0; rc == 0 && v6 < 2; v6++)
		if (after.echo[v6] < before->echo[v6] || after.tcp[v6] < before->tcp[v6])
			rc = conform_fail(session->conform,
					  "after %s it no longer answers %s over IPv%d", what,
					  after.echo[v6] < before->echo[v6] ? "an echo request"
									    : "a SYN",
					  v6 ? 6 : 4);
	return rc;
}

#define TEMPLATES 7

/* One of each protocol; true: there is such a one for the addresses that the stack has. */
static bool make_template(struct session *session, unsigned int which, bool v6,
			  const struct packet_tcp *tcp, struct wire_frame *frame)
{
	const struct packet_path path = { &session->peer, &session->stack, v6 };
	struct packet_tcp syn = { .from_port = 9999, .to_port = tcp->to_port, .seq = 1 };

	syn.flags = PACKET_SYN;
	if (!session->stack.has[v6])
		return false;
	switch (which) {
	case 0:
		packet_echo(frame, &path, 7, 40);
		return true;
	case 1:
		packet_tcp(frame, &path, &syn, NULL, 0);
		return true;
	case 2:
		packet_tcp(frame, &path, tcp, request, sizeof(request) - 1);
		return true;
	case 3:
		packet_udp(frame, &path, 53, 40);
		return true;
	case 4:
		if (v6)
			packet_neighbour(frame, &path, PACKET_SOLICIT);
		else
			packet_arp(frame, PACKET_ARP_REQUEST, &path);
		return true;
	case 5:
		if (v6)
			packet_neighbour(frame, &path, PACKET_ADVERTISE);
		else
			packet_arp(frame, PACKET_ARP_REPLY, &path);
		return true;
	default:
		/* Behind an extension header, or a fragment. */
		packet_udp(frame, &path, 53, 40);
		if (v6)
			frame->bytes[PACKET_ETHERNET + 6] = 44;
		else
			frame->bytes[PACKET_ETHERNET + 6] = 0x20;
		packet_mend(frame);
		return true;
	}
}

/* Each header byte at its ends, and each length. */
static int distort(struct session *session, const struct wire_frame *template)
{
	static const uint8_t values[] = { 0, 0xff, 0x7f };
	struct wire_frame frame;
	int rc = 0;

	for (uint32_t at = 12; rc == 0 && at < template->length && at < MUTATED_BYTES; at++) {
		for (size_t i = 0; i < 2 * (sizeof(values) + 1); i++) {
			frame = *template;
			frame.bytes[at] = i / 2 < sizeof(values) ? values[i / 2]
								 : frame.bytes[at] ^ 1;
			if (i % 2)
				packet_mend(&frame);
			(void)wire_put(session->io, frame.bytes, frame.length);
		}
		if (at >= PACKET_ETHERNET)
			(void)wire_put(session->io, template->bytes, at);
		rc = session_run(session, 1, NULL, NULL);
	}
	return rc;
}

int traffic_malformed(struct conform *conform)
{
	struct life before = { { 0 }, { 0 } };
	struct session *session = NULL;
	struct wire_frame template;
	int rc = session_begin(conform, &session);

	rc = rc ? rc : take_pulse(session, &before);
	for (unsigned int i = 0; rc == 0 && i < 2 * TEMPLATES; i++) {
		struct end end;

		end_init(&end, session, i % 2, (uint16_t)(25000 + i));
		rc = session->stack.has[i % 2] ? shake_hands(&end) : 0;
		if (rc >= 0 && make_template(session, i / 2, i % 2, &end.next, &template))
			rc = distort(session, &template);
		rc = rc > 0 ? 0 : rc;
	}
	rc = rc ? rc : compare_pulse(session, &before, "malformed packets");
	return session_end(session, rc);
}

static void mutate(struct wire_frame *frame, uint64_t *state)
{
	uint64_t any = window_random(state);

	for (unsigned int i = any % 5; i > 0; i--) {
		uint64_t change = window_random(state);

		frame->bytes[12 + change % (frame->length - 12)] = (uint8_t)(change >> 32);
	}
	if ((any >> 8) % 4 == 0)
		frame->length = PACKET_ETHERNET + (any >> 16) % (frame->length - 13);
	if ((any >> 32) % 16 == 0)
		for (uint32_t at = 12; at < frame->length; at++)
			frame->bytes[at] = (uint8_t)window_random(state);
	if ((any >> 40) % 4)
		packet_mend(frame);
}

/* A connection stays open, as far as the frames let it, so that they meet more than listeners. */
static int fuzz(struct session *session, uint64_t state)
{
	struct wire_frame frame;
	struct end end;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < FUZZ_FRAMES; i++) {
		uint64_t any = window_random(&state);
		bool v6 = session->stack.has[1] && (!session->stack.has[0] || any % 2);

		if (i % 200 == 0) {
			end_init(&end, session, v6, (uint16_t)(10000 + i));
			rc = shake_hands(&end);
			if (rc < 0)
				return rc;
		}
		if (!make_template(session, (any >> 1) % TEMPLATES, end.path.v6, &end.next, &frame))
			packet_udp(&frame, &end.path, 53, 40);
		mutate(&frame, &state);
		(void)wire_put(session->io, frame.bytes, frame.length);
		rc = (any >> 8) % 8 ? 0 : session_run(session, (any >> 16) % 50, NULL, NULL);
	}
	return rc;
}

int traffic_fuzz(struct conform *conform)
{
	struct life before = { { 0 }, { 0 } };
	struct session *session = NULL;
	int rc = session_begin(conform, &session);

	rc = rc ? rc : take_pulse(session, &before);
	rc = rc ? rc : fuzz(session, conform->seed);
	rc = rc ? rc : compare_pulse(session, &before, "random frames");
	return session_end(session, rc);
}
