/* SPDX-License-Identifier: BSD-2-Clause */
/* The transition table; see lifecycle.h for what the events mean. */
#include "lifecycle.h"

#include <assert.h>
#include <stddef.h>

#define STATE(name) [ENGINE_STATE_##name]
#define ON(event, next, what) \
	[LIFECYCLE_EVENT_##event] = { true, { ENGINE_STATE_##next, LIFECYCLE_ACTION_##what } }

struct transition {
	bool defined;
	struct lifecycle_step step;
};

static const struct transition transitions[ENGINE_N_STATES][LIFECYCLE_N_EVENTS] = {
	STATE(NONE) = {
		ON(PROPOSED, CANDIDATE, NONE),
		ON(MANUAL, PINNED, BLOCK),
	},
	STATE(CANDIDATE) = {
		ON(ADMITTED, BLOCKED, BLOCK),
		ON(REFUSED, NONE, NONE),
		ON(MANUAL, PINNED, BLOCK),
		ON(FORGET, NONE, NONE),
	},
	STATE(BLOCKED) = {
		ON(MANUAL, PINNED, UPDATE),
		ON(IN_CARD, OFFLOADED, NONE),
		ON(QUIET, PROBATION, NONE),
		ON(QUIET_LONG, RELEASED, UNBLOCK),
		ON(TTL_QUIET, RELEASED, UNBLOCK),
		ON(TTL_LOUD, BLOCKED, EXTEND),
		ON(UNBLOCK, RELEASED, UNBLOCK),
		ON(WITHDRAW, RELEASED, UNBLOCK),
	},
	STATE(OFFLOADED) = {
		ON(MANUAL, PINNED, UPDATE),
		ON(OUT_OF_CARD, BLOCKED, NONE),
		ON(LIFT, PROBATION, NONE),
		ON(QUIET, PROBATION, NONE),
		ON(QUIET_LONG, RELEASED, UNBLOCK),
		ON(TTL_QUIET, RELEASED, UNBLOCK),
		ON(TTL_LOUD, OFFLOADED, EXTEND),
		ON(UNBLOCK, RELEASED, UNBLOCK),
		ON(WITHDRAW, RELEASED, UNBLOCK),
	},
	/* Quiet or being measured; still dropped.  Whether the card holds it is no matter here. */
	STATE(PROBATION) = {
		ON(MANUAL, PINNED, UPDATE),
		ON(LOUD, BLOCKED, NONE),
		ON(QUIET_LONG, RELEASED, UNBLOCK),
		ON(TTL_QUIET, RELEASED, UNBLOCK),
		ON(TTL_LOUD, BLOCKED, EXTEND),
		ON(UNBLOCK, RELEASED, UNBLOCK),
		ON(WITHDRAW, RELEASED, UNBLOCK),
	},
	STATE(RELEASED) = {
		ON(PROPOSED, CANDIDATE, NONE),
		ON(MANUAL, PINNED, BLOCK),
		ON(FORGET, NONE, NONE),
	},
	/* Only the operator, the term that he gave, or the allow-list ends a manual block. */
	STATE(PINNED) = {
		ON(MANUAL, PINNED, UPDATE),
		ON(TTL_QUIET, RELEASED, UNBLOCK),
		ON(TTL_LOUD, RELEASED, UNBLOCK),
		ON(UNBLOCK, RELEASED, UNBLOCK),
	},
};

struct lifecycle_step lifecycle_next(enum engine_state state, enum lifecycle_event event)
{
	const struct transition *transition;

	assert((unsigned int)state < ENGINE_N_STATES);
	assert((unsigned int)event < LIFECYCLE_N_EVENTS);
	transition = &transitions[state][event];
	if (!transition->defined)
		return (struct lifecycle_step){ state, LIFECYCLE_ACTION_NONE };
	return transition->step;
}

bool lifecycle_is_blocking(enum engine_state state)
{
	switch (state) {
	case ENGINE_STATE_BLOCKED:
	case ENGINE_STATE_OFFLOADED:
	case ENGINE_STATE_PROBATION:
	case ENGINE_STATE_PINNED:
		return true;
	default:
		return false;
	}
}

const char *lifecycle_event_name(enum lifecycle_event event)
{
	static const char *const names[] = {
#define X(upper, lower) #lower,
		LIFECYCLE_EVENTS(X)
#undef X
	};

	return (unsigned int)event < LIFECYCLE_N_EVENTS ? names[event] : "?";
}
