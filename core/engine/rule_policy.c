/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_policy.h. */
#include "rule_policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "dataplane/rule_text.h"
#include "internal.h"
#include "votes.h"

struct auto_rule_terms rule_policy_terms(const struct engine *engine)
{
	const struct settings_policy *policy = &engine->settings->policy;

	return (struct auto_rule_terms){
		.now_ns = engine_boottime_ns(engine),
		.window_ns = engine->window.length_ns ? engine->window.length_ns : 1,
		.sequence = engine->window.sequence,
		.quiet_ns = policy->rule_quiet_ns,
		.backoff = policy->backoff,
	};
}

static const char *origin_of(const struct engine *engine, const struct auto_rule *rule)
{
	return rule->n_detectors ? name_table_get(&engine->names, rule->detectors[0])
				 : rule->rule.origin;
}

/* "drop {protocol: udp, source_port: 123}" */
static const char *describe(const struct dataplane_rule *rule, char *text, size_t size)
{
	char match[RULE_TEXT_SIZE];

	snprintf(text, size, "%s {%s}", rule_text_action(rule->action),
		 rule_text_match(rule, match));
	return text;
}

static void tell_enforced(struct engine *engine, const struct auto_rule *rule, const char *what)
{
	char text[160];

	event_emit(engine->events, EVENT_KIND_RULE_ENFORCED, SLUICE_LOG_NOTICE, NULL, 1,
		   origin_of(engine, rule), "rule %s %s: %s%s%s%s", rule->rule.name, what,
		   describe(&rule->rule, text, sizeof(text)), rule->evidence[0] ? " (" : "",
		   rule->evidence, rule->evidence[0] ? ")" : "");
}

static void tell_released(struct engine *engine, const struct auto_rule *rule, const char *why)
{
	event_emit(engine->events, EVENT_KIND_RULE_RELEASED, SLUICE_LOG_NOTICE, NULL, 1,
		   origin_of(engine, rule), "rule %s released: %s (%" PRIu64 " packets dropped)",
		   rule->rule.name, why, rule->total.dropped_packets);
}

static void refuse(struct engine *engine, const struct rule_wish *wish, const char *why)
{
	char text[96];

	engine->rules_refused_total++;
	report_add(&engine->report, EVENT_KIND_RULE_REFUSED, SLUICE_LOG_WARNING, NULL,
		   name_table_get(&engine->names, wish->detectors[0]), why,
		   describe(&wish->rule, text, sizeof(text)));
}

/* True if it is out of force; the filter hears of it with the next change. */
static bool release(struct engine *engine, struct auto_rule *rule, enum lifecycle_event event,
		    const char *why, uint64_t held_until_ns)
{
	if (!auto_rules_release(&engine->auto_rules, rule, event, engine_boottime_ns(engine),
				held_until_ns))
		return false;
	engine->rules_released_total++;
	engine->rules_changed = true;
	tell_released(engine, rule, why);
	return true;
}

/* A change that the filter refuses stays pending, and is tried again in the next window. */
static void apply(struct engine *engine)
{
	struct sluice_err err = { 0 };
	char detail[96];
	int rc;

	if (!engine->rules_changed)
		return;
	rc = rule_set_apply(&engine->rule_set, engine->dp, engine->settings, &engine->auto_rules,
			    &err);
	engine->rules_changed = rc != 0;
	if (!rc)
		return;
	snprintf(detail, sizeof(detail), "%.80s (%s)", err.text, err_name(rc));
	report_add(&engine->report, EVENT_KIND_RULE_REFUSED, SLUICE_LOG_ERROR, NULL, "engine",
		   "the filter did not take the change of rules; tried again", detail);
}

static void follow(struct engine *engine, const struct auto_rule_terms *terms)
{
	/* Most windows have none, and the places are many cache lines. */
	size_t left = engine->auto_rules.n_in_force;

	for (size_t i = 0; left && i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &engine->auto_rules.list[i];
		enum lifecycle_event event;
		bool extended = false;

		if (!auto_rule_is_in_force(rule))
			continue;
		left--;
		event = auto_rule_follow(rule, terms, &extended);
		engine->rules_changed |= extended;
		if (event != LIFECYCLE_N_EVENTS)
			release(engine, rule, event,
				event == LIFECYCLE_EVENT_QUIET_LONG ? "quiet" : "its time is over",
				0);
	}
}

/* Of a rule that its detectors may not enforce: told once while it goes on. */
static void note_candidate(struct engine *engine, struct auto_rule *rule,
			   const struct rule_wish *wish, const struct auto_rule_terms *terms)
{
	bool is_new = !rule || rule->state != ENGINE_STATE_CANDIDATE ||
		      terms->now_ns - rule->at_ns > POLICY_CANDIDATE_NS;

	engine->would_rule++;
	if (is_new)
		rule = auto_rules_propose(&engine->auto_rules, wish, terms);
	if (!rule)
		return;
	rule->at_ns = terms->now_ns;
	auto_rule_ask(rule, wish, terms->sequence);
	if (is_new)
		tell_enforced(engine, rule, "not enforced, its detector only observes");
}

/* Config's rules come first, so that what they drop needs no other. */
static bool is_in_config(const struct engine *engine, const struct dataplane_rule *match)
{
	for (size_t i = 0; i < engine->rule_set.n_config; i++) {
		const struct dataplane_rule *rule = &engine->rule_set.rules[i];

		if (rule->action == DATAPLANE_RULE_DROP &&
		    rule_match_covers(&rule->match, &match->match))
			return true;
	}
	return false;
}

/* Why there is no room for one more; NULL if there is. */
static const char *no_room(const struct engine *engine, uint32_t made)
{
	const struct settings_policy *policy = &engine->settings->policy;
	size_t n = engine->auto_rules.n_in_force;

	if (n >= policy->max_rules_auto)
		return "policy.max_rules_auto is reached";
	if (engine->rule_set.n_config + n >= DATAPLANE_MAX_RULES)
		return "the filter's rules are full";
	if (made >= policy->max_new_rules_per_window)
		return "policy.max_new_rules_per_window is reached";
	return NULL;
}

/* True if it is in force now, and was not before. */
static bool enforce(struct engine *engine, const struct rule_wish *wish,
		    const struct auto_rule_terms *terms)
{
	const struct settings_policy *policy = &engine->settings->policy;
	struct auto_rule *rule = auto_rules_propose(&engine->auto_rules, wish, terms);

	if (!rule)
		return false;
	if (!rule->ttl_ns || rule->ttl_ns > policy->ttl_ns)
		rule->ttl_ns = policy->ttl_ns;
	snprintf(rule->rule.origin, sizeof(rule->rule.origin), "%s", origin_of(engine, rule));
	auto_rules_enforce(&engine->auto_rules, rule, terms);
	engine->rules_changed = true;
	if (engine->settings->enforce) {
		engine->rules_enforced_total++;
		tell_enforced(engine, rule, "enforced");
	} else {
		engine->would_rule++;
		tell_enforced(engine, rule, "counted, observe mode lets its packets through");
	}
	return true;
}

static bool decide(struct engine *engine, const struct rule_wish *wish,
		   const struct auto_rule_terms *terms, uint32_t made)
{
	struct auto_rule *rule = auto_rules_find(&engine->auto_rules, &wish->rule);
	struct auto_rule *wider;
	const char *full;

	if (rule && auto_rule_is_in_force(rule)) {
		auto_rule_ask(rule, wish, terms->sequence);
		return false;
	}
	if (is_in_config(engine, &wish->rule))
		return false;
	wider = auto_rules_find_wider(&engine->auto_rules, &wish->rule);
	if (wider) {
		auto_rule_ask(wider, wish, terms->sequence);
		return false;
	}
	if (!wish->enforce) {
		note_candidate(engine, rule, wish, terms);
		return false;
	}
	if (rule && rule->held_until_ns > terms->now_ns)
		return false;
	if (!votes_carry(&engine->detect, &engine->settings->policy, terms->sequence,
			 wish->voters)) {
		engine->outvoted++;
		return false;
	}
	if (spoofed_distrusts(&engine->spoofed) &&
	    engine->settings->policy.spoofed == SETTINGS_SPOOFED_SOURCES) {
		refuse(engine, wish, "policy.spoofed is sources");
		return false;
	}
	full = no_room(engine, made);
	if (full) {
		refuse(engine, wish, full);
		return false;
	}
	return enforce(engine, wish, terms);
}

void rule_policy_run(struct engine *engine)
{
	const struct auto_rule_terms terms = rule_policy_terms(engine);
	struct rule_wishes *wishes = &engine->rule_wishes;
	uint32_t made = 0;

	rule_wishes_merge(wishes);
	/* First, so that a rule that is still asked for is not taken for a quiet one. */
	for (size_t i = 0; i < wishes->n; i++)
		made += decide(engine, &wishes->list[i], &terms, made);
	wishes->n = wishes->mark = 0;
	follow(engine, &terms);
	apply(engine);
	if (made && engine->settings->enforce)
		min_pass_blocked(&engine->min_pass);
}

void rule_policy_read(struct engine *engine)
{
	struct sluice_window *window = &engine->window;

	rule_set_read(&engine->rule_set, engine->dp, engine->settings->enforce,
		      &engine->auto_rules);
	window->rules = engine->rule_set.window;
	window->n_rules = engine->rule_set.n;
	window->rule_size = sizeof(struct sluice_window_rule);
}

struct inheritance {
	struct engine *engine;
	uint32_t taken, left;
};

static void inherit(void *ctx, const struct dataplane_rule *pinned)
{
	struct inheritance *inheritance = ctx;
	struct engine *engine = inheritance->engine;
	const struct settings_policy *policy = &engine->settings->policy;
	uint64_t now_ns = engine_boottime_ns(engine);
	struct auto_rule *rule = NULL;

	/* Its term may have ended meanwhile, and the settings may allow fewer. */
	if (pinned->expires_ns > now_ns && engine->auto_rules.n_in_force < policy->max_rules_auto &&
	    engine->auto_rules.n_in_force + engine->settings->n_rules < DATAPLANE_MAX_RULES)
		rule = auto_rules_adopt(&engine->auto_rules, pinned, now_ns, policy->ttl_ns);
	inheritance->left += !rule;
	if (!rule)
		return;
	inheritance->taken++;
	rule->reason = name_table_intern(&engine->names, pinned->reason);
	rule->detectors[0] = name_table_intern(&engine->names, pinned->origin);
	rule->n_detectors = 1;
}

/* Those that lapsed with the daemon before, by on_death, are not taken over. */
static void take_over(struct engine *engine)
{
	struct inheritance inheritance = { .engine = engine };

	if (!engine->dp->adopted || engine->dp->lapsed)
		return;
	engine->dp->ops->rules_inherit(engine->dp, inherit, &inheritance);
	if (inheritance.taken || inheritance.left)
		event_emit(engine->events, EVENT_KIND_ADOPTED, SLUICE_LOG_NOTICE, NULL, 1, "engine",
			   "took over %u automatic rules; %u could not be kept", inheritance.taken,
			   inheritance.left);
}

int rule_policy_start(struct engine *engine, struct sluice_err *err)
{
	int rc;

	take_over(engine);
	rc = rule_set_apply(&engine->rule_set, engine->dp, engine->settings, &engine->auto_rules,
			    err);
	/* What was counted before is no part of the first window. */
	if (!rc)
		rule_policy_read(engine);
	return rc;
}

void rule_policy_withdraw_newest(struct engine *engine, uint64_t held_until_ns)
{
	uint64_t sequence = engine->window.sequence;

	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &engine->auto_rules.list[i];

		if (auto_rule_is_in_force(rule) && rule->born &&
		    sequence - rule->born <= min_pass_reach(&engine->min_pass))
			release(engine, rule, LIFECYCLE_EVENT_WITHDRAW,
				"too little passed right after it was enforced", held_until_ns);
	}
	apply(engine);
}

int rule_policy_release_one(struct engine *engine, const char *name, uint64_t held_until_ns)
{
	struct auto_rule *rule = auto_rules_find_name(&engine->auto_rules, name);

	if (!rule || !release(engine, rule, LIFECYCLE_EVENT_UNBLOCK, "by hand", held_until_ns))
		return -ENOENT;
	/* The operator's word, not a flood that came back. */
	rule->rule.repeats--;
	apply(engine);
	return 0;
}

void rule_policy_release_all(struct engine *engine, const char *why)
{
	for (size_t i = 0; i < AUTO_RULES_MAX; i++)
		if (auto_rule_is_in_force(&engine->auto_rules.list[i]))
			release(engine, &engine->auto_rules.list[i], LIFECYCLE_EVENT_WITHDRAW, why,
				0);
	apply(engine);
}
