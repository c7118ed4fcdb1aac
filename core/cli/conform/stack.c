/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stack must do: see <sluice/stack.h>.  It need not answer anything, so a case that waits for
 * an answer is skipped where there is none; what it does with frames is never its own affair.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "plugin/plugin.h"

#include "conform.h"
#include "leak.h"
#include "options.h"
#include "session.h"
#include "stack_traffic.h"

#define SHORT_MS 2000
#define LONG_MS 300000 /* Nobody's timer for a lone packet is longer. */
#define FIGURES 256
#define GONE_TURNS 16
#define WAKE_TURNS 16

static int case_life(struct conform *conform)
{
	for (int i = 0; i < 3; i++) {
		struct session *session = NULL;
		int rc = session_begin(conform, &session);

		if (rc == 0 && i > 0)
			rc = session_run(session, SHORT_MS, NULL, NULL);
		rc = session_end(session, rc);
		if (rc != 0)
			return rc;
	}
	plugin_stack_ops(conform->plugin)->close(NULL);
	return 0;
}

static int run_with(struct conform *conform, const struct config_node *options)
{
	struct session *session = NULL;
	int refused, rc = session_open(conform, options, &session, &refused);

	if (rc == 0 && session)
		rc = session_run(session, SHORT_MS, NULL, NULL);
	return session_end(session, rc);
}

static int case_options(struct conform *conform)
{
	return options_try(conform, run_with);
}

/* A reply must be right in every field; silence is the kernel's answer, by configuration. */
struct neighbour {
	const struct session *session;
	size_t wrong; /* Answers for an address that is not its own. */
};

static bool is_neighbour_reply(const struct packet_view *view, const struct wire_frame *frame,
			       void *ctx)
{
	struct neighbour *neighbour = ctx;
	const struct packet_end *stack = &neighbour->session->stack;
	const uint8_t *at = frame->bytes + PACKET_ETHERNET;
	const uint8_t *address = NULL;
	size_t v6 = view->v6;

	if (view->type == PACKET_ARP && at[7] == PACKET_ARP_REPLY)
		address = at + 14;
	else if (view->v6 && view->protocol == PACKET_ICMPV6 && view->payload_size >= 24 &&
		 view->payload[0] == PACKET_ADVERTISE)
		address = view->payload + 8;
	if (!address)
		return false;
	if (memcmp(address, stack->ip[v6], v6 ? 16 : 4) == 0)
		return true;
	neighbour->wrong++;
	return false;
}

/* 1: it answered. */
static int ask_neighbour(struct session *session, bool v6)
{
	struct neighbour neighbour = { .session = session };
	struct packet_path path = { &session->peer, &session->stack, v6 };
	struct packet_end nobody = session->stack;
	struct wire_frame frame;
	int found, rc;

	for (int i = 0; i < 2; i++) {
		if (v6)
			packet_neighbour(&frame, &path, PACKET_SOLICIT);
		else
			packet_arp(&frame, PACKET_ARP_REQUEST, &path);
		(void)wire_put(session->io, frame.bytes, frame.length);
		rc = session_run(session, SHORT_MS, is_neighbour_reply, &neighbour);
		if (rc < 0)
			return rc;
		if (i == 0)
			found = rc;
		/* Now for somebody else's. */
		nobody.ip[v6][v6 ? 15 : 3] ^= 0x40;
		path.to = &nobody;
	}
	if (neighbour.wrong)
		return conform_fail(session->conform,
				    "it answers %s for an address that is not its own",
				    v6 ? "neighbour discovery" : "ARP");
	return found;
}

/* Runs `ask` for each family whose address is known; skips if it was always 0. */
static int ask_each(struct conform *conform, int (*ask)(struct session *session, bool v6),
		    const char *silence)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session), answered = 0;
	bool known = rc == 0 && (session->stack.has[0] || session->stack.has[1]);

	for (int v6 = 0; rc >= 0 && session && v6 < 2; v6++) {
		rc = session->stack.has[v6] ? ask(session, v6) : 0;
		answered += rc > 0;
	}
	rc = session_end(session, rc < 0 ? rc : 0);
	if (rc != 0 || answered)
		return rc;
	return conform_skip(conform, "%s",
			    known ? silence
				  : "its address is not known: it has no option 'address' or "
				    "'address6'");
}

static int case_neighbours(struct conform *conform)
{
	return ask_each(conform, ask_neighbour, "it answers neither ARP nor neighbour discovery");
}

static int ask_echo(struct session *session, bool v6)
{
	static const size_t sizes[] = { 56, 0, 1, 1400 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int rc = session_ping(session, v6, sizes[i]);

		if (rc < 0 || (rc == 0 && i == 0))
			return rc;
		if (rc == 0)
			return conform_fail(session->conform,
					    "it answers an echo request of 56 bytes, and none "
					    "of %zu",
					    sizes[i]);
	}
	return 1;
}

static int case_echo(struct conform *conform)
{
	return ask_each(conform, ask_echo, "it answers no echo request");
}

/* Packets that nobody waits for, far more than there is memory. */
static int case_frames(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session);

	for (unsigned int i = 0; rc == 0 && i < 8 * WIRE_RECEIVE; i++) {
		const struct packet_path path = { &session->peer, &session->stack,
						  session->stack.has[1] && i % 4 == 3 };
		struct wire_frame frame;

		if (i % 2)
			packet_udp(&frame, &path, (uint16_t)(1000 + i), i % 1400);
		else
			packet_echo(&frame, &path, (uint16_t)i, i % 1400);
		if (i % 8 == 6)
			frame.bytes[12] ^= 0x20; /* A protocol that nobody knows. */
		(void)wire_put(session->io, frame.bytes, frame.length);
	}
	rc = rc ? rc : session_run(session, LONG_MS, NULL, NULL);
	if (rc == 0 && session->io->to_stack.n)
		rc = conform_fail(conform,
				  "it is deaf: it keeps %u of the %u receive frames, and takes in "
				  "no more",
				  wire_kept(session->io), WIRE_RECEIVE);
	return session_end(session, rc);
}

/* All frames to send are on their way, for longer than any that come in. */
static int case_starvation(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session), before = 0, after = 0;
	bool v6 = rc == 0 && !session->stack.has[0];

	before = rc ? rc : session_ping(session, v6, 56);
	for (unsigned int i = 0; before >= 0 && rc == 0 && i < 4 * WIRE_RECEIVE; i++) {
		session->io->starved = true;
		rc = session_ping(session, v6, i);
		if (rc > 0)
			rc = conform_fail(conform, "it sent a frame without memory for one");
		if (rc == 0 && i % 8 == 0)
			rc = traffic_connect(session, v6);
	}
	if (rc == 0 && before >= 0) {
		session->io->starved = false;
		after = session_ping(session, v6, 56);
		if (after == 0 && before > 0)
			after = conform_fail(conform, "it answers no more after a time without "
						      "frames to send");
	}
	rc = before < 0 ? before : after < 0 ? after : rc;
	return session_end(session, rc);
}

/* The interface goes: the stack says so and is closed. */
static int case_gone(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session), turn = 0;

	for (unsigned int i = 0; rc == 0 && i < 8; i++)
		rc = session_ping(session, !session->stack.has[0], 56);
	rc = rc > 0 ? 0 : rc;
	if (rc == 0) {
		session->io->gone = true;
		for (int i = 0; turn >= 0 && i < GONE_TURNS; i++) {
			session->instance.now_ns += 1000000000ull;
			turn = session_turn(session);
		}
	}
	if (rc == 0 && turn >= 0)
		rc = conform_fail(conform,
				  "turn goes on although receive says that the interface is gone");
	return session_end(session, rc);
}

static int check_figure(struct conform *conform, const struct sluice_stack_figure *figure)
{
	if (!memchr(figure->name, '\0', sizeof(figure->name)))
		return conform_fail(conform, "the name of a figure does not end inside of it");
	if (figure->name[0] == '\0' ||
	    figure->name[strspn(figure->name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return conform_fail(conform, "figure '%s': names are of a-z, 0-9 and _",
				    figure->name);
	return 0;
}

static int read_figures(struct session *session, struct sluice_stack_figure *figures, size_t room,
			size_t *n)
{
	struct conform *conform = session->conform;
	int rc = 0;

	memset(figures, 0xa5, FIGURES * sizeof(*figures));
	session->instance.in_call = true;
	wire_enter(session->io, "figures");
	*n = session->ops->figures(session->instance.self, figures, room);
	wire_leave(session->io);
	session->instance.in_call = false;
	for (size_t i = room * sizeof(*figures); i < FIGURES * sizeof(*figures); i++)
		if (((unsigned char *)figures)[i] != 0xa5)
			return conform_fail(conform, "figures wrote more than it had room for");
	if (*n > room)
		return conform_fail(conform, "figures claims more than it had room for");
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = check_figure(conform, &figures[i]);
	return rc;
}

static int compare_figures(struct session *session)
{
	struct sluice_stack_figure first[FIGURES], then[FIGURES];
	size_t n = 0, m = 0;
	int rc = read_figures(session, first, FIGURES / 2, &n);

	rc = rc ? rc : session_ping(session, !session->stack.has[0], 56);
	rc = rc < 0 ? rc : read_figures(session, then, 1, &m);
	rc = rc < 0 ? rc : read_figures(session, then, FIGURES / 2, &m);
	if (rc == 0 && n != m)
		return conform_fail(session->conform, "it had %zu figures, and then %zu", n, m);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!then[i].goes_down && then[i].value < first[i].value)
			rc = conform_fail(session->conform, "figure '%s' goes backwards",
					  then[i].name);
	return rc;
}

static int case_figures(struct conform *conform)
{
	struct session *session = NULL;
	int rc;

	if (!plugin_stack_ops(conform->plugin)->figures)
		return conform_skip(conform, "it has none");
	rc = session_begin(conform, &session);
	return session_end(session, rc ? rc : compare_figures(session));
}

/* A host that waits for what is always there would never sleep. */
static int look_at_wake(struct session *session)
{
	struct pollfd wake = { .events = POLLIN };
	int wait_ms = 0;

	wake.fd = session->ops->wake_fd(session->instance.self);
	if (wake.fd < 0)
		return conform_skip(session->conform, "it has none");
	if (fcntl(wake.fd, F_GETFD) < 0)
		return conform_fail(session->conform, "its descriptor, %d, is not open", wake.fd);
	for (int i = 0; wait_ms >= 0 && i < WAKE_TURNS; i++)
		wait_ms = session_turn(session);
	if (wait_ms < 0)
		return wait_ms;
	if (poll(&wake, 1, 0) != 0)
		return conform_fail(
			session->conform,
			"after %d turns without a frame its descriptor still says that it "
			"wants one",
			WAKE_TURNS);
	return 0;
}

static int case_wake(struct conform *conform)
{
	struct session *session = NULL;
	int rc;

	if (!plugin_stack_ops(conform->plugin)->wake_fd)
		return conform_skip(conform, "it has none");
	rc = session_begin(conform, &session);
	return session_end(session, rc ? rc : look_at_wake(session));
}

static int one_round(struct conform *conform)
{
	struct session *session = NULL;
	int rc = session_begin(conform, &session);

	for (int v6 = 0; session && v6 < 2; v6++) {
		rc = rc < 0 || !session->stack.has[v6] ? rc : session_ping(session, v6, 56);
		rc = rc < 0 || !session->stack.has[v6] ? rc : traffic_connect(session, v6);
	}
	return session_end(session, rc < 0 ? rc : 0);
}

static int case_leaks(struct conform *conform)
{
	return leak_check(conform, one_round);
}

const struct conform_case conform_stack_cases[] = {
	{ "life", "is opened, takes turns and is closed", case_life },
	{ "options", "takes or refuses, with a reason, each bound and value", case_options },
	{ "neighbours", "answers for its own address alone", case_neighbours },
	{ "echo", "answers what it was asked", case_echo },
	{ "tcp", "opens, serves and ends connections", traffic_tcp },
	{ "sums", "leaves to its host the sums that this fills in, and no others", traffic_sums },
	{ "met", "tells of whom it met, and of no forged sender", traffic_met },
	{ "malformed", "bears packets that contradict themselves", traffic_malformed },
	{ "fuzz", "bears 20000 random frames", traffic_fuzz },
	{ "frames", "takes in more than it has memory for", case_frames },
	{ "starvation", "goes on when there is no frame to send", case_starvation },
	{ "gone", "ends when its interface is gone", case_gone },
	{ "figures", "tells its figures", case_figures },
	{ "wake", "lets its host sleep", case_wake },
	{ "leaks", "gives back its memory", case_leaks },
	{ NULL, NULL, NULL },
};
