/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack under test with its peer at the other end of the wire, on a virtual clock.  The peer answers
 * ARP and neighbour discovery for itself, and every frame that the stack sends is looked at.
 */
#ifndef SLUICE_CLI_CONFORM_SESSION_H
#define SLUICE_CLI_CONFORM_SESSION_H

#include <sluice/stack.h>

#include "conform.h"
#include "host.h"
#include "packet.h"
#include "wire.h"

struct session {
	struct conform *conform;
	const struct sluice_stack_ops *ops;
	struct sluice_instance instance;
	struct sluice_io *io;
	struct packet_end stack, peer; /* The stack's addresses are those of its options. */
	struct wire_frame frame;       /* The one that session_run() stopped at. */
	size_t sent;		       /* Frames from the stack so far. */
};

/* True: this is the frame that is waited for. */
typedef bool (*session_match_fn)(const struct packet_view *view, const struct wire_frame *frame,
				 void *ctx);

/*
 * Opens the stack.  `options` as for host_detector_new().  0, with its refusal in `*refused` (a negative
 * errno, and then there is no session), or negative after conform_fail().
 */
int session_open(struct conform *conform, const struct config_node *options,
		 struct session **session, int *refused);
/* The same, and a refusal fails the case. */
int session_begin(struct conform *conform, struct session **session);
/* The same, on a link whose host fills in the sums of TCP and UDP. */
int session_begin_offloaded(struct conform *conform, struct session **session);
/*
 * Closes it and looks at its account.  `rc` is what the case found so far: 0 or negative; it is
 * returned unless this finds more.  NULL is a no-op.
 */
int session_end(struct session *session, int rc);

/*
 * Turn after turn, until `match` (NULL: never) says so or `ms` of virtual time have gone by and all
 * frames are taken in: 1 or 0; negative after conform_fail().
 */
int session_run(struct session *session, unsigned int ms, session_match_fn match, void *ctx);
/* One turn: what it said, negative only if the interface is gone, else after conform_fail(). */
int session_turn(struct session *session);

/* Does an echo request get its reply?  1, 0, or negative after conform_fail(). */
int session_ping(struct session *session, bool v6, size_t size);

#endif /* SLUICE_CLI_CONFORM_SESSION_H */
