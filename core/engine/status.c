/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine says of itself. */
#include <string.h>

#include "internal.h"

const char *engine_stage_name(enum engine_stage stage)
{
	static const char *const names[] = {
#define X(upper, lower) #lower,
		ENGINE_STAGES(X)
#undef X
	};

	return (unsigned int)stage < ENGINE_N_STAGES ? names[stage] : "unknown";
}

const char *engine_state_name(enum engine_state state)
{
	static const char *const names[] = {
#define X(upper, lower) #lower,
		ENGINE_STATES(X)
#undef X
	};

	return (unsigned int)state < ENGINE_N_STATES ? names[state] : "unknown";
}

void engine_status(struct engine *engine, struct engine_status *status)
{
	*status = (struct engine_status){
		.windows = engine->window.sequence,
		.window_ns = engine->settings->window_ns,
		.total_ns = engine->total_ns,
		.postponed = engine->postponed,
		.enforce = engine->settings->enforce,
		.attack = engine->attack.on,
		.attack_started_realtime_ns = engine->attack.started_realtime_ns,
		.attacks = engine->attack.count,
		.window = engine->window,
		.blocked = blocklist_size(engine->blocklist),
		.blocked_manual = blocklist_manual(engine->blocklist),
		.blocked_prefixes = engine->prefixes.n,
		.offloaded = blocklist_in_card(engine->blocklist),
		.blocks_total = engine->blocks_total,
		.released_total = engine->released_total,
		.refused_total = engine->refused_total,
		.protected_known = engine->protected_known,
		.protected_allow = engine->protected_allow,
		.allowed_by_hand = allow_added(engine->allow),
		.would_block = engine->would_block,
		.known_left_out = engine->known_left_out,
		.spoofed = spoofed_distrusts(&engine->spoofed),
		.refused_spoofed = engine->refused_spoofed,
		.outvoted = engine->outvoted,
		.rules = engine->auto_rules.n_in_force,
		.rules_config = engine->rule_set.n_config,
		.rules_enforced_total = engine->rules_enforced_total,
		.rules_released_total = engine->rules_released_total,
		.rules_refused_total = engine->rules_refused_total,
		.would_rule = engine->would_rule,
		.untracked_total = engine->untracked_total,
		.untracked_flow_total = engine->untracked_flow_total,
		.untracked_destination_total = engine->untracked_destination_total,
		.samples_total = engine->samples_total,
		.samples_lost_total = engine->samples_lost_total,
		.detectors = detect_statuses(&engine->detect),
		.n_detectors = engine->detect.n,
	};
	if (engine->has_known && engine->known.count)
		engine->known.count(engine->known.ctx, &status->known);
	status->known_left_out += status->known.left_out;
	memcpy(status->stage_ns, engine->stage_ns, sizeof(status->stage_ns));
	memcpy(status->stage_max_ns, engine->stage_max_ns, sizeof(status->stage_max_ns));
	status->window.sources = NULL;
	status->window.blocked = NULL;
	status->window.flows = NULL;
	status->window.destinations = NULL;
	status->window.samples = NULL;
	status->window.port_bins = NULL;
	status->window.rules = NULL;
}
