/* SPDX-License-Identifier: BSD-2-Clause */
/* See auto_rules.h. */
#include "auto_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rule_match.h"

/* A rule is loud while it matches this part of what it has matched at most... */
#define LOUD_SHARE 8
/* ... which fades, for an attack may go on more slowly. */
#define PEAK_HALF_LIFE_NS 10e9
/* No term, and no wait for quiet, grows beyond this many times the first. */
#define BACKOFF_MAX 64
/* Nobody repeats more often. */
#define REPEATS_MAX 1000000u

bool auto_rule_is_in_force(const struct auto_rule *rule)
{
	return lifecycle_is_blocking(rule->state);
}

struct auto_rule *auto_rules_find(struct auto_rules *rules, const struct dataplane_rule *match)
{
	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &rules->list[i];

		if (rule->state != ENGINE_STATE_NONE &&
		    rule_match_equal(&rule->rule.match, &match->match))
			return rule;
	}
	return NULL;
}

struct auto_rule *auto_rules_find_name(struct auto_rules *rules, const char *name)
{
	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &rules->list[i];

		if (rule->state != ENGINE_STATE_NONE && strcmp(rule->rule.name, name) == 0)
			return rule;
	}
	return NULL;
}

struct auto_rule *auto_rules_find_wider(struct auto_rules *rules,
					const struct dataplane_rule *match)
{
	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &rules->list[i];

		if (auto_rule_is_in_force(rule) && rule->rule.action == DATAPLANE_RULE_DROP &&
		    (!rule->rule.exempts_known || match->exempts_known) &&
		    rule_match_covers(&rule->rule.match, &match->match))
			return rule;
	}
	return NULL;
}

static struct auto_rule *take_place(struct auto_rules *rules)
{
	struct auto_rule *oldest = NULL;

	for (size_t i = 0; i < AUTO_RULES_MAX; i++) {
		struct auto_rule *rule = &rules->list[i];

		if (rule->state == ENGINE_STATE_NONE)
			return rule;
		if (!auto_rule_is_in_force(rule) && (!oldest || rule->at_ns < oldest->at_ns))
			oldest = rule;
	}
	if (oldest)
		memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

/* No rule of the file has a dot in its name. */
static void give_name(struct auto_rules *rules, struct auto_rule *rule, const char *reason)
{
	do {
		rules->last_number = rules->last_number % 999999 + 1;
		snprintf(rule->rule.name, sizeof(rule->rule.name), "%.23s.%u", reason,
			 rules->last_number);
	} while (auto_rules_find_name(rules, rule->rule.name) != rule);
}

struct auto_rule *auto_rules_propose(struct auto_rules *rules, const struct rule_wish *wish,
				     const struct auto_rule_terms *terms)
{
	struct auto_rule *rule = auto_rules_find(rules, &wish->rule);
	uint32_t repeats = 0;
	uint64_t held_until_ns = 0, first_seen_ns = terms->now_ns;

	if (rule) {
		repeats = rule->rule.repeats;
		held_until_ns = rule->held_until_ns;
		first_seen_ns = rule->rule.first_seen_ns;
	} else {
		rule = take_place(rules);
		if (!rule)
			return NULL;
	}
	*rule = (struct auto_rule){
		.rule = wish->rule,
		.state = ENGINE_STATE_CANDIDATE,
		.reason = wish->reason,
		.n_detectors = wish->n_detectors,
		.ttl_ns = wish->ttl_ns,
		.at_ns = terms->now_ns,
		.held_until_ns = held_until_ns,
		.asked = terms->sequence,
	};
	rule->rule.repeats = repeats;
	rule->rule.first_seen_ns = first_seen_ns;
	rule->rule.pps = wish->pps;
	memcpy(rule->detectors, wish->detectors, sizeof(rule->detectors));
	memcpy(rule->evidence, wish->evidence, sizeof(rule->evidence));
	give_name(rules, rule, wish->rule.reason);
	return rule;
}

static double backoff(const struct auto_rule *rule, const struct auto_rule_terms *terms)
{
	double factor = pow(terms->backoff, rule->rule.repeats);

	return factor < BACKOFF_MAX ? factor : BACKOFF_MAX;
}

static void renew(struct auto_rule *rule, const struct auto_rule_terms *terms)
{
	double term_ns = (double)rule->ttl_ns * backoff(rule, terms);

	rule->rule.expires_ns = terms->now_ns + (uint64_t)term_ns;
}

void auto_rules_enforce(struct auto_rules *rules, struct auto_rule *rule,
			const struct auto_rule_terms *terms)
{
	rule->state = lifecycle_next(rule->state, LIFECYCLE_EVENT_ADMITTED).state;
	rule->at_ns = terms->now_ns;
	rule->born = terms->sequence;
	rule->rule.is_automatic = true;
	renew(rule, terms);
	rules->n_in_force++;
}

struct auto_rule *auto_rules_adopt(struct auto_rules *rules, const struct dataplane_rule *pinned,
				   uint64_t now_ns, uint64_t ttl_ns)
{
	struct auto_rule *rule = NULL;
	const char *dot = strrchr(pinned->name, '.');
	unsigned int number = 0;

	if (!auto_rules_find(rules, pinned) && !auto_rules_find_name(rules, pinned->name))
		rule = take_place(rules);
	if (!rule)
		return NULL;
	/* It holds its name; the next ones get others. */
	if (dot && sscanf(dot + 1, "%6u", &number) == 1 && number > rules->last_number)
		rules->last_number = number;
	*rule = (struct auto_rule){
		.rule = *pinned,
		.state = ENGINE_STATE_BLOCKED,
		.at_ns = now_ns,
		.peak_pps = (double)pinned->pps,
	};
	rule->ttl_ns = ttl_ns;
	if (rule->rule.first_seen_ns > now_ns)
		rule->rule.first_seen_ns = now_ns;
	if (rule->rule.repeats > REPEATS_MAX)
		rule->rule.repeats = 0;
	/* Longer than any term could be. */
	if (rule->rule.expires_ns > now_ns + BACKOFF_MAX * ttl_ns)
		rule->rule.expires_ns = now_ns + ttl_ns;
	snprintf(rule->evidence, sizeof(rule->evidence), "enforced by an earlier daemon");
	rules->n_in_force++;
	return rule;
}

bool auto_rules_release(struct auto_rules *rules, struct auto_rule *rule,
			enum lifecycle_event event, uint64_t now_ns, uint64_t held_until_ns)
{
	struct lifecycle_step step = lifecycle_next(rule->state, event);

	if (step.action != LIFECYCLE_ACTION_UNBLOCK)
		return false;
	rule->state = step.state;
	rule->at_ns = now_ns;
	rule->held_until_ns = held_until_ns;
	rule->rule.repeats++;
	rules->n_in_force--;
	return true;
}

void auto_rule_ask(struct auto_rule *rule, const struct rule_wish *wish, uint64_t sequence)
{
	rule->asked = sequence;
	for (uint8_t i = 0; i < wish->n_detectors; i++) {
		bool has = false;

		for (uint8_t k = 0; k < rule->n_detectors; k++)
			has |= rule->detectors[k] == wish->detectors[i];
		if (!has && rule->n_detectors < RULE_WISH_DETECTORS)
			rule->detectors[rule->n_detectors++] = wish->detectors[i];
	}
}

static uint64_t quiet_needed(const struct auto_rule *rule, const struct auto_rule_terms *terms)
{
	return (uint64_t)((double)terms->quiet_ns * backoff(rule, terms));
}

uint64_t auto_rule_quiet_left(const struct auto_rule *rule, const struct auto_rule_terms *terms)
{
	uint64_t needed = quiet_needed(rule, terms);

	return needed > rule->quiet_ns ? needed - rule->quiet_ns : 0;
}

/* Asked for, or matching a fair part of what it has matched. */
static bool is_loud(struct auto_rule *rule, const struct auto_rule_terms *terms)
{
	double pps = (double)rule->window.packets * 1e9 / (double)terms->window_ns;
	double peak = rule->peak_pps * exp2(-(double)terms->window_ns / PEAK_HALF_LIFE_NS);

	rule->peak_pps = pps > peak ? pps : peak;
	return rule->asked == terms->sequence ||
	       (rule->window.packets && pps >= rule->peak_pps / LOUD_SHARE);
}

enum lifecycle_event auto_rule_follow(struct auto_rule *rule, const struct auto_rule_terms *terms,
				      bool *extended)
{
	bool loud = is_loud(rule, terms);
	enum lifecycle_event event = loud ? LIFECYCLE_EVENT_LOUD : LIFECYCLE_EVENT_QUIET;

	*extended = false;
	rule->quiet_ns = loud ? 0 : rule->quiet_ns + terms->window_ns;
	if (rule->quiet_ns >= quiet_needed(rule, terms) && !loud)
		return LIFECYCLE_EVENT_QUIET_LONG;
	if (terms->now_ns >= rule->rule.expires_ns) {
		if (!loud)
			return LIFECYCLE_EVENT_TTL_QUIET;
		event = LIFECYCLE_EVENT_TTL_LOUD;
		renew(rule, terms);
		*extended = true;
	}
	rule->state = lifecycle_next(rule->state, event).state;
	return LIFECYCLE_N_EVENTS;
}
