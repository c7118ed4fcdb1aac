/* SPDX-License-Identifier: BSD-2-Clause */
/* All that is known of one rule of the filter, in figures and in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

_Static_assert(ENGINE_RULE_DETECTORS == RULE_WISH_DETECTORS, "all names are told");

/* Its place among the rules in force; the number of them if it is not there. */
static size_t find_in_force(const struct rule_set *set, const char *name)
{
	size_t i = 0;

	while (i < set->n && strcmp(set->rules[i].name, name) != 0)
		i++;
	return i;
}

static void add_counts(const struct engine *engine, size_t place,
		       struct engine_rule_explanation *explanation)
{
	const struct sluice_window_rule *window = &engine->rule_set.window[place];

	explanation->pps = measure_pps(window->packets, engine->window.length_ns);
	explanation->dropped_pps = measure_pps(window->dropped_packets, engine->window.length_ns);
}

static void explain_config(const struct engine *engine, size_t place,
			   struct engine_rule_explanation *explanation)
{
	const struct dataplane_rule_counters *counters = &engine->rule_set.counters[place];

	explanation->rule = engine->rule_set.rules[place];
	explanation->state = ENGINE_STATE_PINNED;
	explanation->packets = counters->packets;
	explanation->bytes = counters->bytes;
	explanation->dropped_packets = counters->dropped_packets;
	explanation->dropped_bytes = counters->dropped_bytes;
	explanation->windows_since_asked = UINT64_MAX;
	snprintf(explanation->release, sizeof(explanation->release),
		 "its removal from the deployment file, and `sluice reload`");
}

static void say_release(const struct engine *engine, const struct auto_rule *rule,
			struct engine_rule_explanation *explanation)
{
	const char *text;

	if (!auto_rule_is_in_force(rule)) {
		text = rule->state == ENGINE_STATE_CANDIDATE
			       ? "not in force: its detector only observes"
			       : "not in force: it was released";
	} else if (!engine->settings->enforce) {
		text = "nothing is dropped: observe mode counts and lets through";
	} else {
		text = "quiet for long enough: not asked for, and matching less than an eighth of "
		       "its most; the end of its time if it is quiet then; or `sluice unblock`";
	}
	snprintf(explanation->release, sizeof(explanation->release), "%s", text);
}

static void explain_automatic(const struct engine *engine, const struct auto_rule *rule,
			      struct engine_rule_explanation *explanation)
{
	const struct auto_rule_terms terms = rule_policy_terms(engine);

	explanation->rule = rule->rule;
	explanation->automatic = true;
	explanation->state = rule->state;
	for (uint8_t i = 0; i < rule->n_detectors; i++)
		snprintf(explanation->detectors[explanation->n_detectors++],
			 sizeof(explanation->detectors[0]), "%s",
			 name_table_get(&engine->names, rule->detectors[i]));
	snprintf(explanation->reason, sizeof(explanation->reason), "%s",
		 name_table_get(&engine->names, rule->reason));
	snprintf(explanation->evidence, sizeof(explanation->evidence), "%s", rule->evidence);
	explanation->first_seen_realtime_ns = explain_realtime(engine, rule->rule.first_seen_ns);
	explanation->changed_realtime_ns = explain_realtime(engine, rule->at_ns);
	/* Of a rule that an earlier daemon left nobody has asked yet. */
	explanation->windows_since_asked = rule->asked ? engine->window.sequence - rule->asked
						       : UINT64_MAX;
	explanation->packets = rule->total.packets;
	explanation->bytes = rule->total.bytes;
	explanation->dropped_packets = rule->total.dropped_packets;
	explanation->dropped_bytes = rule->total.dropped_bytes;
	explanation->repeats = rule->rule.repeats;
	if (auto_rule_is_in_force(rule)) {
		explanation->quiet_left_ns = auto_rule_quiet_left(rule, &terms);
		explanation->ttl_left_ns = explain_time_left(engine, rule->rule.expires_ns);
	} else if (rule->held_until_ns > terms.now_ns) {
		explanation->held_ns = rule->held_until_ns - terms.now_ns;
	}
	say_release(engine, rule, explanation);
}

int engine_explain_rule(struct engine *engine, const char *name,
			struct engine_rule_explanation *explanation)
{
	size_t place = find_in_force(&engine->rule_set, name);
	const struct auto_rule *rule = auto_rules_find_name(&engine->auto_rules, name);

	memset(explanation, 0, sizeof(*explanation));
	if (place < engine->rule_set.n_config)
		explain_config(engine, place, explanation);
	else if (rule)
		explain_automatic(engine, rule, explanation);
	else
		return -ENOENT;
	if (place < engine->rule_set.n)
		add_counts(engine, place, explanation);
	explanation->dropped = place < engine->rule_set.n && engine->settings->enforce &&
			       explanation->rule.action != DATAPLANE_RULE_PASS;
	return 0;
}
