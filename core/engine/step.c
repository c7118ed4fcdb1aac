/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One window: swap -> read -> rates -> detect -> policy -> offload, each stage timed.  What
 * detectors see is offered traffic, so that blocking does not make an attack look finished.
 */
#include "internal.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"

/* Addresses of the system change rarely. */
#define ALLOW_REFRESH_NS (30ull * 1000000000ull)
/* Windows after adoption in which a flood of adopted sources shows. */
#define INHERITED_WINDOWS 3
/* Of a card that cannot count, one in so many entries is measured in software at a time. */
#define LIFT_IN_ATTACK 32
#define LIFT_IN_PEACE 4
#define PROPOSALS_MIN 65536u
#define PROPOSALS_MAX (1u << 20)

static uint64_t now_of(const struct engine *engine)
{
	return clock_monotonic_ns(engine->clock);
}

static void stage_set(struct engine *engine, enum engine_stage stage, uint64_t length_ns)
{
	engine->stage_ns[stage] = length_ns;
	if (length_ns > engine->stage_max_ns[stage])
		engine->stage_max_ns[stage] = length_ns;
}

/* Ends a stage that began at `*start_ns`, where the next one begins. */
static void stage_end(struct engine *engine, enum engine_stage stage, uint64_t *start_ns)
{
	uint64_t now_ns = now_of(engine);

	stage_set(engine, stage, now_ns - *start_ns);
	*start_ns = now_ns;
}

static void tell_postponed(struct engine *engine, uint64_t windows, const char *why,
			   const char *detail)
{
	engine->postponed += windows;
	report_add(&engine->report, EVENT_KIND_SWAP_POSTPONED, SLUICE_LOG_WARNING, NULL, "engine",
		   why, detail);
}

/* Sets when the next window ends; whole windows that we are late are left out and counted. */
static void schedule(struct engine *engine, uint64_t now_ns)
{
	uint64_t window_ns = engine->settings->window_ns, late = 0;
	char detail[48];

	if (now_ns > engine->next_ns)
		late = (now_ns - engine->next_ns) / window_ns;
	engine->next_ns += (late + 1) * window_ns;
	if (!late)
		return;
	snprintf(detail, sizeof(detail), "%" PRIu64 " left out", late);
	tell_postponed(engine, late, "the work of the window before took too long", detail);
}

static const struct {
	enum event_kind kind;
	enum sluice_log_level level;
	const char *text;
} interface_events[] = {
	[DATAPLANE_EVENT_INTERFACE_GONE] = { EVENT_KIND_INTERFACE_GONE, SLUICE_LOG_ERROR,
					     "it is gone; its traffic is no longer filtered until "
					     "one by that name is back" },
	[DATAPLANE_EVENT_DETACHED] = { EVENT_KIND_DETACHED, SLUICE_LOG_ERROR,
				       "another program took our place; its traffic is no longer "
				       "filtered; once that is gone, restart sluiced" },
	[DATAPLANE_EVENT_INTERFACE_BACK] = { EVENT_KIND_INTERFACE_BACK, SLUICE_LOG_WARNING,
					     "one by that name is back; its traffic is filtered "
					     "again" },
	[DATAPLANE_EVENT_ATTACH_FAILED] = { EVENT_KIND_ATTACH_FAILED, SLUICE_LOG_ERROR,
					    "one by that name is back, but not filtered; tried "
					    "again ever less often, at once by a restart" },
};

static void tell_interfaces(struct engine *engine)
{
	enum dataplane_event_kind kind;
	char ifname[IFNAMSIZ] = "";

	while (engine->dp->ops->event_next(engine->dp, &kind, ifname)) {
		bool failed = kind == DATAPLANE_EVENT_ATTACH_FAILED;

		event_emit(engine->events, interface_events[kind].kind,
			   interface_events[kind].level, NULL, 1, "dataplane",
			   "interface '%.*s': %s%s%s", IFNAMSIZ - 1, ifname,
			   interface_events[kind].text, failed ? ": " : "",
			   failed ? engine->dp->event_err.text : "");
	}
}

static int swap_sides(struct engine *engine, uint64_t now_ns)
{
	struct dataplane_swap swap = { 0 };
	struct sluice_err err = { 0 };
	char detail[96];
	int rc = engine->dp->ops->swap(engine->dp, &swap, &err);

	if (rc) {
		snprintf(detail, sizeof(detail), "%.80s (%s)", err.text, err_name(rc));
		tell_postponed(engine, 1, "the measuring sides could not be swapped", detail);
		return rc;
	}
	stage_set(engine, ENGINE_STAGE_SWAP, swap.flip_ns);
	stage_set(engine, ENGINE_STAGE_GRACE, swap.grace_ns);
	engine->window.start_ns = engine->started_ns;
	engine->window.length_ns = now_ns > engine->started_ns ? now_ns - engine->started_ns : 1;
	engine->started_ns = now_ns;
	return 0;
}

static void read_sources(struct engine *engine)
{
	struct sluice_window *window = &engine->window;
	struct dataplane_features_read features = { 0 };
	struct dataplane_counters now;

	aggregate_read(engine->aggregate, engine->dp);
	window->sources = aggregate_sources(engine->aggregate, &window->n_sources);
	window->source_size = sizeof(struct sluice_source);
	window->untracked_packets = aggregate_untracked(engine->aggregate);
	window->untracked_bytes = aggregate_untracked_bytes(engine->aggregate);
	engine->dp->ops->features_read(engine->dp, &features);
	measure_features(&features, window);
	engine->untracked_total += window->untracked_packets;
	engine->untracked_flow_total += window->untracked_flow_packets;
	engine->untracked_destination_total += window->untracked_destination_packets;
	engine->samples_total += window->n_samples;
	engine->samples_lost_total += window->samples_lost;
	engine->dp->ops->counters_read(engine->dp, &now);
	measure_totals(&engine->counters, &now, engine->hw_packets, window);
	engine->counters = now;
	rule_policy_read(engine);
}

static void rate_blocked(struct engine *engine)
{
	struct sluice_window *window = &engine->window;
	const struct settings_rate_monitor *settings = &engine->settings->rate_monitor;
	const struct blocklist_measure_input input = {
		.limits = rate_limits_make(rate_monitor_threshold(&engine->rate_monitor, settings),
					   window->length_ns, engine->attack.on),
		.terms = engine_terms(engine),
		.offered = engine->offload && engine->settings->enforce,
		.quiet_windows = settings->windows,
		.now_ns = engine_boottime_ns(engine),
	};

	blocklist_measure(engine->blocklist, &input, &engine->measured);
	engine->automatic_pps =
		measure_pps(engine->measured.automatic_packets + engine->measured.assumed_packets,
			    window->length_ns);
	/* In observe mode what they sent was let through and is among the sources. */
	window->n_blocked = engine->settings->enforce ? blocklist_size(engine->blocklist) : 0;
	window->blocked = window->n_blocked ? &blocklist_entries(engine->blocklist)->view : NULL;
	window->blocked_size = sizeof(struct blocklist_entry);
}

static uint32_t most_proposals(const struct engine *engine)
{
	uint64_t most = 4ull * engine->settings->policy.max_new_per_window;

	if (most < PROPOSALS_MIN)
		return PROPOSALS_MIN;
	return most < PROPOSALS_MAX ? (uint32_t)most : PROPOSALS_MAX;
}

static const struct detect_slot *run_detectors(struct engine *engine)
{
	const struct detect_round round = {
		.clock = engine->clock,
		.events = engine->events,
		.proposals = engine->proposals,
		.rule_wishes = &engine->rule_wishes,
		.names = &engine->names,
		.budget_ns = engine->settings->window_ns / DETECT_BUDGET_SHARE,
		.max_proposals = most_proposals(engine),
		.v6_prefix_len = engine->settings->policy.v6_prefix_len,
	};

	return detect_run(&engine->detect, &round, &engine->window);
}

static void tell_attack_started(struct engine *engine, const struct detect_slot *by)
{
	uint64_t offered = measure_pps(engine->window.offered_packets, engine->window.length_ns);

	if (by)
		event_emit(engine->events, EVENT_KIND_ATTACK_STARTED, SLUICE_LOG_WARNING, NULL, 1,
			   by->name, "attack: %" PRIu64 " packets/s offered: %s", offered,
			   by->status.verdict.evidence);
	else
		event_emit(engine->events, EVENT_KIND_ATTACK_STARTED, SLUICE_LOG_WARNING, NULL, 1,
			   "engine",
			   "attack: %" PRIu64 " packets/s offered, %" PRIu64
			   " of them from sources that were blocked before the restart",
			   offered, engine->automatic_pps);
}

static void tell_attack_ended(struct engine *engine)
{
	const struct attack *attack = &engine->attack;

	event_emit(engine->events, EVENT_KIND_ATTACK_ENDED, SLUICE_LOG_NOTICE, NULL, 1, "engine",
		   "attack over after %.1f s, calm for the last %d windows: at most %" PRIu64
		   " packets/s were offered, %" PRIu64 " of them dropped; %zu sources are blocked",
		   (double)(now_of(engine) - attack->started_ns) / 1e9, ATTACK_CALM_WINDOWS,
		   attack->peak_offered_pps, attack->peak_blocked_pps,
		   blocklist_size(engine->blocklist));
}

static void follow_attack(struct engine *engine, const struct detect_slot *by)
{
	const struct sluice_window *window = &engine->window;
	const struct attack_input input = {
		.verdict = by != NULL,
		.inherited = engine->inherited && window->sequence <= INHERITED_WINDOWS &&
			     engine->measured.automatic_packets > window->passed_packets,
		.blocked_pps = engine->automatic_pps,
		.offered_pps = measure_pps(window->offered_packets, window->length_ns),
		.now_ns = window->start_ns,
		.realtime_ns = clock_realtime_ns(engine->clock),
	};

	switch (attack_step(&engine->attack, &input)) {
	case ATTACK_CHANGE_STARTED:
		tell_attack_started(engine, by);
		break;
	case ATTACK_CHANGE_ENDED:
		tell_attack_ended(engine);
		break;
	case ATTACK_CHANGE_NONE:
		break;
	}
}

/* Learns from peace; in an attack looks whether too little passes.  True: withdraw. */
static bool guard_passing(struct engine *engine)
{
	const struct settings_policy *policy = &engine->settings->policy;
	double share = engine->settings->enforce ? policy->min_pass : 0;
	const struct min_pass_window window = {
		.share = share,
		.peace = !engine->attack.on,
		.passed_pps = measure_pps(engine->window.passed_packets, engine->window.length_ns),
		.length_ns = engine->window.length_ns,
	};

	rate_monitor_learn(&engine->rate_monitor, window.peace, engine->highest_pps);
	if (!min_pass_step(&engine->min_pass, &window))
		return false;
	event_emit(engine->events, EVENT_KIND_MIN_PASS, SLUICE_LOG_WARNING, NULL, 1, "engine",
		   "only %" PRIu64 " packets/s pass right after new blocks, under %.0f %% of the "
		   "%.0f of peace: the blocks may be wrong%s",
		   window.passed_pps, share * 100, engine->min_pass.level_pps,
		   policy->min_pass_withdraw ? "; the newest are withdrawn"
					     : "; min_pass_action: withdraw would take them back");
	return policy->min_pass_withdraw;
}

/* The system's addresses may have changed. */
static void refresh_allow(struct engine *engine, uint64_t now_ns)
{
	struct sluice_err err = { 0 };
	bool changed;
	int rc;

	if (now_ns < engine->next_allow_ns)
		return;
	engine->next_allow_ns = now_ns + ALLOW_REFRESH_NS;
	rc = allow_prepare(engine->allow, engine->settings, true, &changed, &err);
	if (!rc && !changed)
		return;
	if (!rc)
		rc = release_allowed(engine, &err);
	if (rc)
		event_emit(engine->events, EVENT_KIND_ALLOWED, SLUICE_LOG_ERROR, NULL, 1, "engine",
			   "the allow-list could not follow the system's addresses: %s (%s); "
			   "tried again in 30 s",
			   err.text, err_name(rc));
	else
		event_emit(engine->events, EVENT_KIND_ALLOWED, SLUICE_LOG_INFO, NULL, 1, "engine",
			   "the system's addresses changed: %zu prefixes are allow-listed now",
			   allow_size(engine->allow));
}

static int offload_room(struct engine *engine, size_t n)
{
	size_t capacity = engine->offload_capacity ? engine->offload_capacity : 1024;
	struct offload_source *grown;

	if (n <= engine->offload_capacity)
		return 0;
	while (capacity < n)
		capacity *= 2;
	grown = realloc(engine->offload_sources, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	engine->offload_sources = grown;
	engine->offload_capacity = capacity;
	return 0;
}

/* In observe mode nothing is listed, for a card would really drop. */
static size_t list_for_card(struct engine *engine)
{
	const struct blocklist_entry *entries = blocklist_entries(engine->blocklist);
	size_t n = engine->settings->enforce ? blocklist_size(engine->blocklist) : 0, listed = 0;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].lifted)
			continue;
		engine->offload_sources[listed++] = (struct offload_source){
			.key = entries[i].view.key,
			.handle = entries[i].handle,
			.packets = entries[i].view.packets,
		};
	}
	return listed;
}

/* Gives the manager all that is blocked and takes what the card said. */
static void exchange(struct engine *engine)
{
	const struct offload_state *states = NULL;
	size_t n_states = 0;

	engine->hw_packets = 0;
	/* In an attack the manager itself looks at a few entries at a time, unless they are few. */
	if (!engine->attack.on)
		blocklist_lift(engine->blocklist, LIFT_IN_PEACE);
	else if (blocklist_in_card(engine->blocklist) < OFFLOAD_PROBATION_SHARE)
		blocklist_lift(engine->blocklist, LIFT_IN_ATTACK);
	/* Without memory for the exchange the card stays as it is, and nothing is heard of it. */
	if (engine->offload && (offload_room(engine, blocklist_size(engine->blocklist)) ||
				offload_exchange(engine->offload, engine->offload_sources,
						 list_for_card(engine), &states, &n_states))) {
		blocklist_card_silent(engine->blocklist);
		return;
	}
	for (size_t i = 0; i < n_states; i++)
		engine->hw_packets += states[i].packets;
	blocklist_card(engine->blocklist, states, n_states);
}

int engine_step(struct engine *engine)
{
	uint64_t begin_ns = now_of(engine), at_ns = begin_ns;
	const struct detect_slot *attack_by;
	bool withdraw;
	int rc;

	schedule(engine, begin_ns);
	tell_interfaces(engine);
	engine->window.sequence++;
	known_begin(engine, begin_ns);
	rc = swap_sides(engine, begin_ns);
	if (rc) {
		engine->window.sequence--;
		known_window_lost(engine);
		report_flush(&engine->report, engine->events, begin_ns);
		return rc;
	}
	at_ns = now_of(engine);
	read_sources(engine);
	stage_end(engine, ENGINE_STAGE_READ, &at_ns);
	rate_blocked(engine);
	known_pick_up(engine);
	sources_look(engine);
	stage_end(engine, ENGINE_STAGE_RATES, &at_ns);
	attack_by = run_detectors(engine);
	follow_attack(engine, attack_by);
	stage_end(engine, ENGINE_STAGE_DETECT, &at_ns);
	withdraw = guard_passing(engine);
	policy_run(engine);
	release_due(engine);
	release_known(engine, begin_ns);
	rule_policy_run(engine);
	if (withdraw)
		release_newest(engine);
	refresh_allow(engine, begin_ns);
	stage_end(engine, ENGINE_STAGE_POLICY, &at_ns);
	exchange(engine);
	stage_end(engine, ENGINE_STAGE_OFFLOAD, &at_ns);
	report_flush(&engine->report, engine->events, at_ns);
	engine->total_ns = at_ns - begin_ns;
	return 0;
}
