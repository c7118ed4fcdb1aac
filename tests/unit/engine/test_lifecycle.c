/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life cycle's table: one test for each transition, and one that every other pair of state and
 * event changes nothing.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "engine/lifecycle.h"

struct row {
	enum engine_state from;
	enum lifecycle_event event;
	enum engine_state to;
	enum lifecycle_action action;
};

#define ROW(from, event, to, action)                                             \
	{                                                                        \
		ENGINE_STATE_##from, LIFECYCLE_EVENT_##event, ENGINE_STATE_##to, \
			LIFECYCLE_ACTION_##action                                \
	}

static struct row rows[] = {
	ROW(NONE, PROPOSED, CANDIDATE, NONE),
	ROW(NONE, MANUAL, PINNED, BLOCK),
	ROW(CANDIDATE, ADMITTED, BLOCKED, BLOCK),
	ROW(CANDIDATE, REFUSED, NONE, NONE),
	ROW(CANDIDATE, MANUAL, PINNED, BLOCK),
	ROW(CANDIDATE, FORGET, NONE, NONE),
	ROW(BLOCKED, MANUAL, PINNED, UPDATE),
	ROW(BLOCKED, IN_CARD, OFFLOADED, NONE),
	ROW(BLOCKED, QUIET, PROBATION, NONE),
	ROW(BLOCKED, QUIET_LONG, RELEASED, UNBLOCK),
	ROW(BLOCKED, TTL_QUIET, RELEASED, UNBLOCK),
	ROW(BLOCKED, TTL_LOUD, BLOCKED, EXTEND),
	ROW(BLOCKED, UNBLOCK, RELEASED, UNBLOCK),
	ROW(BLOCKED, WITHDRAW, RELEASED, UNBLOCK),
	ROW(OFFLOADED, MANUAL, PINNED, UPDATE),
	ROW(OFFLOADED, OUT_OF_CARD, BLOCKED, NONE),
	ROW(OFFLOADED, LIFT, PROBATION, NONE),
	ROW(OFFLOADED, QUIET, PROBATION, NONE),
	ROW(OFFLOADED, QUIET_LONG, RELEASED, UNBLOCK),
	ROW(OFFLOADED, TTL_QUIET, RELEASED, UNBLOCK),
	ROW(OFFLOADED, TTL_LOUD, OFFLOADED, EXTEND),
	ROW(OFFLOADED, UNBLOCK, RELEASED, UNBLOCK),
	ROW(OFFLOADED, WITHDRAW, RELEASED, UNBLOCK),
	ROW(PROBATION, MANUAL, PINNED, UPDATE),
	ROW(PROBATION, LOUD, BLOCKED, NONE),
	ROW(PROBATION, QUIET_LONG, RELEASED, UNBLOCK),
	ROW(PROBATION, TTL_QUIET, RELEASED, UNBLOCK),
	ROW(PROBATION, TTL_LOUD, BLOCKED, EXTEND),
	ROW(PROBATION, UNBLOCK, RELEASED, UNBLOCK),
	ROW(PROBATION, WITHDRAW, RELEASED, UNBLOCK),
	ROW(RELEASED, PROPOSED, CANDIDATE, NONE),
	ROW(RELEASED, MANUAL, PINNED, BLOCK),
	ROW(RELEASED, FORGET, NONE, NONE),
	ROW(PINNED, MANUAL, PINNED, UPDATE),
	ROW(PINNED, TTL_QUIET, RELEASED, UNBLOCK),
	ROW(PINNED, TTL_LOUD, RELEASED, UNBLOCK),
	ROW(PINNED, UNBLOCK, RELEASED, UNBLOCK),
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

ParameterizedTestParameters(lifecycle, transition)
{
	return cr_make_param_array(struct row, rows, N_ROWS);
}

ParameterizedTest(struct row *row, lifecycle, transition)
{
	struct lifecycle_step step = lifecycle_next(row->from, row->event);

	cr_expect_eq(step.state, row->to, "%s on %s goes to %s", engine_state_name(row->from),
		     lifecycle_event_name(row->event), engine_state_name(step.state));
	cr_expect_eq(step.action, row->action, "%s on %s does %d", engine_state_name(row->from),
		     lifecycle_event_name(row->event), step.action);
}

static bool is_listed(enum engine_state state, enum lifecycle_event event)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].from == state && rows[i].event == event)
			return true;
	return false;
}

Test(lifecycle, all_else_means_nothing)
{
	size_t n_rest = 0;

	for (unsigned int state = 0; state < ENGINE_N_STATES; state++) {
		for (unsigned int event = 0; event < LIFECYCLE_N_EVENTS; event++) {
			struct lifecycle_step step;

			if (is_listed((enum engine_state)state, (enum lifecycle_event)event))
				continue;
			step = lifecycle_next((enum engine_state)state,
					      (enum lifecycle_event)event);
			cr_expect_eq(step.state, state);
			cr_expect_eq(step.action, LIFECYCLE_ACTION_NONE);
			n_rest++;
		}
	}
	cr_expect_eq(n_rest + N_ROWS, (size_t)ENGINE_N_STATES * LIFECYCLE_N_EVENTS);
}

/* Packets are dropped in exactly the states that BLOCK leads to and UNBLOCK leads out of. */
Test(lifecycle, actions_agree_with_what_is_dropped)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		bool before = lifecycle_is_blocking(rows[i].from);
		bool after = lifecycle_is_blocking(rows[i].to);

		cr_expect_eq(!before && after, rows[i].action == LIFECYCLE_ACTION_BLOCK, "%zu", i);
		cr_expect_eq(before && !after, rows[i].action == LIFECYCLE_ACTION_UNBLOCK, "%zu",
			     i);
	}
}

Test(lifecycle, names_are_stable)
{
	cr_expect_str_eq(engine_state_name(ENGINE_STATE_PROBATION), "probation");
	cr_expect_str_eq(lifecycle_event_name(LIFECYCLE_EVENT_TTL_LOUD), "ttl_loud");
	cr_expect_str_eq(engine_state_name((enum engine_state)99), "unknown");
	cr_expect_str_eq(lifecycle_event_name((enum lifecycle_event)99), "?");
}
