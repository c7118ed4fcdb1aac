/* SPDX-License-Identifier: BSD-2-Clause */
/* What is to be known of a window's sources before detectors see them. */
#include <inttypes.h>

#include "base/clock.h"
#include "internal.h"

/* True if a rule that detectors asked for stops something worth the name. */
static bool is_dropping(const struct engine *engine)
{
	size_t left = engine->auto_rules.n_in_force;

	for (size_t i = 0; left && i < AUTO_RULES_MAX; i++) {
		const struct auto_rule *rule = &engine->auto_rules.list[i];

		if (!auto_rule_is_in_force(rule))
			continue;
		if (!rule->quiet_ns && rule->window.packets)
			return true;
		left--;
	}
	return false;
}

static void tell(struct engine *engine, enum spoofed_change change)
{
	static const char *const refused[] = {
		[SETTINGS_SPOOFED_RULES] = "sources are not blocked until it is over, rules are "
					   "enforced",
		[SETTINGS_SPOOFED_SOURCES] = "rules are not enforced until it is over, sources are "
					     "blocked",
		[SETTINGS_SPOOFED_BOTH] = "sources are blocked all the same",
	};
	const struct sluice_window *window = &engine->window;

	if (change == SPOOFED_CHANGE_STARTED)
		event_emit(engine->events, EVENT_KIND_SPOOFED_FLOOD, SLUICE_LOG_WARNING, NULL, 1,
			   "engine",
			   "sources are many and new, as forged ones are: %" PRIu64
			   " in a window, usually %.0f; %s (policy.spoofed)",
			   window->distinct_sources, engine->spoofed.level,
			   refused[engine->settings->policy.spoofed]);
	if (change == SPOOFED_CHANGE_ENDED)
		event_emit(engine->events, EVENT_KIND_SPOOFED_FLOOD, SLUICE_LOG_NOTICE, NULL, 1,
			   "engine",
			   "the flood of new sources is over: %" PRIu64 " in a window now",
			   window->distinct_sources);
}

void sources_look(struct engine *engine)
{
	struct sluice_window *window = &engine->window;
	struct spoofed_input input = {
		.peace = !engine->attack.on,
		.dropping = is_dropping(engine),
		.distinct = window->distinct_sources,
	};
	uint64_t highest = 0;
	size_t n;
	struct sluice_source *sources = aggregate_sources(engine->aggregate, &n);

	seen_begin(&engine->seen, window->start_ns);
	for (size_t i = 0; i < n; i++) {
		if (engine_is_known(engine, &sources[i].key))
			sources[i].flags |= SLUICE_SOURCE_KNOWN;
		if (sources[i].packets > highest)
			highest = sources[i].packets;
		if (seen_note(&engine->seen, &sources[i].key))
			continue;
		input.fresh++;
		input.fresh_packets += sources[i].packets;
	}
	input.tracked = n;
	engine->highest_pps = measure_pps(highest, window->length_ns);
	window->new_sources = input.fresh;
	tell(engine, spoofed_step(&engine->spoofed, &input));
	window->flags = (engine->attack.on ? SLUICE_WINDOW_ATTACK : 0) |
			(spoofed_distrusts(&engine->spoofed) ? SLUICE_WINDOW_SPOOFED : 0);
}
