/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a blocklist entry as a pure table: state x event -> state and action.  The blocklist
 * carries out the actions; nothing else changes a state.
 */
#ifndef SLUICE_ENGINE_LIFECYCLE_H
#define SLUICE_ENGINE_LIFECYCLE_H

#include <stdbool.h>

#include "engine.h"

/*
 * PROPOSED    a detector asks for a block
 * ADMITTED    policy agrees and there is room
 * REFUSED     policy or the table refuses
 * MANUAL      the operator asks for a block
 * IN_CARD     the NIC's table holds it now
 * OUT_OF_CARD the NIC's table holds it no longer
 * LIFT        the card cannot count it: it is taken out to be measured in software
 * QUIET       it sent less than the quiet threshold in a window
 * LOUD        it did not
 * QUIET_LONG  it was quiet for as many windows as the settings ask
 * TTL_QUIET   its time is over and it is quiet
 * TTL_LOUD    its time is over and it still sends
 * UNBLOCK     the operator or the allow-list wants it free
 * WITHDRAW    automatic blocks are taken back
 * FORGET      its memory is given to another
 */
#define LIFECYCLE_EVENTS(X)         \
	X(PROPOSED, proposed)       \
	X(ADMITTED, admitted)       \
	X(REFUSED, refused)         \
	X(MANUAL, manual)           \
	X(IN_CARD, in_card)         \
	X(OUT_OF_CARD, out_of_card) \
	X(LIFT, lift)               \
	X(QUIET, quiet)             \
	X(LOUD, loud)               \
	X(QUIET_LONG, quiet_long)   \
	X(TTL_QUIET, ttl_quiet)     \
	X(TTL_LOUD, ttl_loud)       \
	X(UNBLOCK, unblock)         \
	X(WITHDRAW, withdraw)       \
	X(FORGET, forget)

enum lifecycle_event {
#define X(upper, lower) LIFECYCLE_EVENT_##upper,
	LIFECYCLE_EVENTS(X)
#undef X
		LIFECYCLE_N_EVENTS
};

enum lifecycle_action {
	LIFECYCLE_ACTION_NONE,
	LIFECYCLE_ACTION_BLOCK,	  /* Put it into the data plane. */
	LIFECYCLE_ACTION_UPDATE,  /* Rewrite its record there. */
	LIFECYCLE_ACTION_EXTEND,  /* Give it a new term, then as UPDATE. */
	LIFECYCLE_ACTION_UNBLOCK, /* Take it out of the data plane. */
};

struct lifecycle_step {
	enum engine_state state;
	enum lifecycle_action action;
};

/* An event that means nothing in a state leaves it as it is, with no action. */
struct lifecycle_step lifecycle_next(enum engine_state state, enum lifecycle_event event);

/* True if packets of a source in this state are dropped. */
bool lifecycle_is_blocking(enum engine_state state);

const char *lifecycle_event_name(enum lifecycle_event event);

#endif /* SLUICE_ENGINE_LIFECYCLE_H */
