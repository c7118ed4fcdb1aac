/* SPDX-License-Identifier: BSD-2-Clause */
/* All that is known of one source, in figures and in words. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "internal.h"

#define OBSERVED "not dropped: observe mode counts it and lets it through"

uint64_t explain_realtime(const struct engine *engine, uint64_t boottime_ns)
{
	uint64_t age_ns = engine_boottime_ns(engine) - boottime_ns;
	uint64_t now_ns = clock_realtime_ns(engine->clock);

	return age_ns < now_ns ? now_ns - age_ns : 0;
}

uint64_t explain_time_left(const struct engine *engine, uint64_t expires_ns)
{
	uint64_t now_ns = engine_boottime_ns(engine);

	if (!expires_ns)
		return 0;
	/* Over but not yet released: that happens with the next window. */
	return expires_ns > now_ns ? expires_ns - now_ns : 1;
}

static void set_names(const struct engine *engine, struct engine_explanation *explanation,
		      uint16_t detector, uint16_t reason, const char *evidence)
{
	snprintf(explanation->detector, sizeof(explanation->detector), "%s",
		 name_table_get(&engine->names, detector));
	snprintf(explanation->reason, sizeof(explanation->reason), "%s",
		 name_table_get(&engine->names, reason));
	snprintf(explanation->evidence, sizeof(explanation->evidence), "%s", evidence);
}

static void say_release(const struct engine *engine, const struct blocklist_entry *entry,
			struct engine_explanation *explanation)
{
	const struct settings_rate_monitor *settings = &engine->settings->rate_monitor;
	uint64_t quiet = rate_monitor_threshold(&engine->rate_monitor, settings);
	char *text = explanation->release;
	size_t size = sizeof(explanation->release);

	if (!engine->settings->enforce) {
		snprintf(text, size, "%s", OBSERVED);
		return;
	}
	if (entry->state == ENGINE_STATE_PINNED) {
		snprintf(text, size, "%s`sluice unblock`",
			 entry->expires_ns ? "the end of its time, or " : "");
		return;
	}
	snprintf(text, size,
		 "%u more windows at or under %" PRIu64
		 " packets/s%s, the end of its time if it is "
		 "quiet then, or `sluice unblock`",
		 settings->windows > entry->quiet_windows ? settings->windows - entry->quiet_windows
							  : 1,
		 quiet,
		 engine->attack.on && entry->blocked_pps
			 ? " and a quarter of the rate it was blocked for"
			 : "");
}

static void explain_entry(const struct engine *engine, const struct blocklist_entry *entry,
			  struct engine_explanation *explanation)
{
	const struct blocklist_detail *detail = blocklist_detail(engine->blocklist, entry);
	uint64_t length_ns = engine->window.length_ns;

	explanation->key = entry->view.key;
	explanation->state = (enum engine_state)entry->state;
	explanation->dropped = engine->settings->enforce && lifecycle_is_blocking(entry->state);
	if (!engine->settings->enforce && entry->state != ENGINE_STATE_PINNED)
		explanation->state = ENGINE_STATE_CANDIDATE;
	set_names(engine, explanation, detail->detector, detail->reason, detail->evidence);
	explanation->first_seen_realtime_ns = explain_realtime(engine, detail->first_seen_ns);
	/* A block by hand may be of somebody who never sent anything. */
	if (entry->seen_s)
		explanation->last_seen_realtime_ns =
			explain_realtime(engine, (uint64_t)entry->seen_s * 1000000000ull);
	explanation->pps = measure_pps(entry->view.packets + entry->view.hw_packets, length_ns);
	explanation->hw_pps = measure_pps(entry->view.hw_packets, length_ns);
	explanation->hw_age_ns = entry->view.hw_age_ns;
	explanation->dropped_packets = entry->dropped;
	explanation->repeats = detail->repeats;
	explanation->quiet_windows = entry->quiet_windows;
	explanation->ttl_left_ns = explain_time_left(engine, entry->expires_ns);
	say_release(engine, entry, explanation);
}

static void explain_prefix(const struct engine *engine, const struct prefix_list_entry *prefix,
			   struct engine_explanation *explanation)
{
	explanation->key = prefix->key;
	explanation->state = ENGINE_STATE_PINNED;
	explanation->prefix = true;
	explanation->dropped = engine->settings->enforce;
	set_names(engine, explanation, engine->operator_id, engine->manual_id, "blocked by hand");
	explanation->first_seen_realtime_ns = explain_realtime(engine, prefix->first_seen_ns);
	explanation->ttl_left_ns = explain_time_left(engine, prefix->expires_ns);
	snprintf(explanation->release, sizeof(explanation->release), "%s%s",
		 explanation->dropped && prefix->expires_ns ? "the end of its time, or " : "",
		 explanation->dropped ? "`sluice unblock` of the prefix" : OBSERVED);
}

static void explain_past(const struct engine *engine, const struct history_entry *past,
			 enum engine_state state, struct engine_explanation *explanation)
{
	explanation->key = past->key;
	explanation->state = state;
	set_names(engine, explanation, past->detector, past->reason, past->evidence);
	explanation->first_seen_realtime_ns = explain_realtime(engine, past->first_seen_ns);
	explanation->last_seen_realtime_ns = explain_realtime(engine, past->at_ns);
	explanation->repeats = past->repeats;
	snprintf(explanation->release, sizeof(explanation->release), "%s",
		 state == ENGINE_STATE_RELEASED ? "not blocked: it was released"
						: "not blocked: its detector only observes");
}

static void explain_allowed(const struct engine *engine, const struct sluice_key *key,
			    struct engine_explanation *explanation)
{
	const struct dataplane_allow *by = allow_find(engine->allow, key);

	if (by)
		explanation->key = by->prefix;
	snprintf(explanation->release, sizeof(explanation->release), "not blocked: %s",
		 by ? "allow-listed" : "it is an address of this host");
}

/* The one thing that decides, in the order in which the filter and policy would. */
static void explain_decision(const struct engine *engine, const struct sluice_key *key,
			     const struct sluice_key *unit, struct engine_explanation *explanation)
{
	uint64_t now_ns = engine_boottime_ns(engine);
	const struct blocklist_entry *entry = unit ? blocklist_find(engine->blocklist, unit) : NULL;
	const struct prefix_list_entry *prefix = prefix_list_covering(&engine->prefixes, key);
	const struct history_entry *past;

	if (entry) {
		explain_entry(engine, entry, explanation);
		return;
	}
	if (explanation->allowed) {
		explain_allowed(engine, key, explanation);
		return;
	}
	if (prefix) {
		explain_prefix(engine, prefix, explanation);
		return;
	}
	if (!unit)
		return;
	past = history_find(engine->candidates, unit, now_ns, POLICY_CANDIDATE_NS);
	if (past) {
		explain_past(engine, past, ENGINE_STATE_CANDIDATE, explanation);
		return;
	}
	past = blocklist_released(engine->blocklist, unit, now_ns);
	if (past)
		explain_past(engine, past, ENGINE_STATE_RELEASED, explanation);
}

static void add_rules(const struct engine *engine, const struct sluice_key *key,
		      struct engine_explanation *explanation)
{
	const struct dataplane_allow *by = allow_find(engine->allow, key);
	const struct rule_set *set = &engine->rule_set;

	if ((by && by->exempt) || !engine->settings->enforce)
		return;
	for (size_t i = 0; i < set->n; i++) {
		explanation->rules += set->rules[i].action != DATAPLANE_RULE_PASS;
		explanation->rules_dropped_pps +=
			measure_pps(set->window[i].dropped_packets, engine->window.length_ns);
	}
}

int engine_explain(struct engine *engine, const struct sluice_key *key,
		   struct engine_explanation *explanation)
{
	const struct sluice_source *source;
	struct sluice_key unit;
	bool has_unit;

	memset(explanation, 0, sizeof(*explanation));
	if (!address_is_valid(key))
		return -EINVAL;
	has_unit = engine_unit(engine, key, &unit);
	explanation->key = has_unit ? unit : *key;
	explanation->allowed = allow_covers(engine->allow, key) ||
			       (has_unit && allow_overlaps(engine->allow, &unit));
	explanation->known = engine_is_known(engine, key) ||
			     (has_unit && engine_is_known(engine, &unit));
	snprintf(explanation->release, sizeof(explanation->release), "%s",
		 explanation->known ? "not blocked: it is a known client" : "not blocked");
	if (has_unit) {
		source = aggregate_find(engine->aggregate, engine->dp, &unit);
		if (source)
			explanation->passed_pps =
				measure_pps(source->packets, engine->window.length_ns);
	}
	add_rules(engine, key, explanation);
	explain_decision(engine, key, has_unit ? &unit : NULL, explanation);
	return 0;
}
