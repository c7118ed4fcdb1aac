/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the engine uses the set of known clients.  A set that is older than the window in which a
 * source was proposed could miss a client that has just connected; such proposals wait for a
 * fresh one, but for one window at most.
 */
#include "internal.h"

#include <errno.h>

/*
 * In peace it is asked for every window, so that whoever has just been spoken to is no stranger to
 * the detectors, unless that took more than this part of the time; but this often at least.
 */
#define KNOWN_COST_SHARE 20
#define KNOWN_PEACE_NS (5ull * 1000000000ull)

static uint64_t peace_ns(const struct engine *engine)
{
	uint64_t cost_ns = engine->known.cost_ns ? engine->known.cost_ns(engine->known.ctx) : 0;

	return cost_ns < KNOWN_PEACE_NS / KNOWN_COST_SHARE ? cost_ns * KNOWN_COST_SHARE
							   : KNOWN_PEACE_NS;
}

static void ask(struct engine *engine)
{
	if (engine->known.start)
		engine->known.start(engine->known.ctx);
	engine->known_asked = engine->window.sequence;
}

void known_tell(struct engine *engine)
{
	const struct sluice_key *keys;
	size_t n = 0;
	int left_out;

	if (!engine->has_known || !engine->known.list || !engine->dp->ops->known_set)
		return;
	keys = engine->known.list(engine->known.ctx, &n);
	left_out = engine->dp->ops->known_set(engine->dp, keys, n, NULL);
	/*
	 * It fails only if the grace wait does, of which the next swap tells; the filter goes on with
	 * the set it has, and the next refresh tries again.
	 */
	if (left_out >= 0)
		engine->known_left_out = (uint64_t)left_out;
}

void known_begin(struct engine *engine, uint64_t now_ns)
{
	size_t n_waiting;

	if (!engine->has_known || engine->known_asked)
		return;
	proposals_list(engine->proposals, &n_waiting);
	if (!engine->attack.on && !n_waiting && now_ns < engine->next_known_ns)
		return;
	engine->next_known_ns = now_ns + peace_ns(engine);
	ask(engine);
}

void known_window_lost(struct engine *engine)
{
	/* The next window ends after this set was asked for, so that it is one of the last window. */
	if (engine->known_asked > engine->window.sequence)
		engine->known_asked = engine->window.sequence;
}

void known_pick_up(struct engine *engine)
{
	if (!engine->has_known || !engine->known_asked)
		return;
	if (engine->known.refresh(engine->known.ctx) == -EAGAIN)
		return;
	/* After any other failure the set in use is the best that can be had. */
	engine->known_fresh = engine->known_asked;
	engine->known_asked = 0;
	engine->known_changed = true;
	known_tell(engine);
}

void known_insist(struct engine *engine)
{
	known_pick_up(engine);
	if (!engine->has_known || engine->known_asked ||
	    engine->known_fresh == engine->window.sequence)
		return;
	ask(engine);
	known_pick_up(engine);
}

bool known_fits(const struct engine *engine, uint64_t sequence)
{
	return !engine->has_known || !engine->settings->policy.protect_known ||
	       sequence <= engine->known_fresh || sequence < engine->window.sequence;
}
